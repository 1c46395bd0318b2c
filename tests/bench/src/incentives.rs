//! What strategies earn on the real runtime, and curves of it.
//!
//! Of a strategy that has to lose, the figure is the upper end of the 99 % interval of its profit,
//! beside the profit of those who are honest: the ratio has to be zero at most.

use crate::figure::{Figure, Report, Sense};
use anyhow::{ensure, Context, Result};
use std::{fs, path::PathBuf};
use tequio_incentives::{
	curve::{against_collateral, against_floor},
	outcome::Outcome,
	run as simulate,
	strategy::{cost, in_values},
	suite::{trials, Claim, Effort, Trial},
	svg::drawing,
	VALUE,
};

/// Where the curves go, under the folder that everything is built in.
const FILE: &str = "incentives/profit.svg";

/// Simulates, prints and draws; with `only`, strategies whose name holds it, without curves.
pub fn run(report: &mut Report, quick: bool, only: Option<&str>) -> Result<()> {
	let effort = if quick { Effort::Quick } else { Effort::Full };
	explain(report);
	let mut anchor = margin();
	let mut honest_slashed = 0;
	let asked = |trial: &Trial| only.is_none_or(|text| trial.plan.name.contains(text));
	for Trial { plan, claim } in trials(effort).into_iter().filter(asked) {
		let outcome = simulate(&plan);
		report.note(&outcome.to_string());
		ensure!(
			outcome.unexplained == 0 && outcome.paid_and_slashed == 0,
			"{}: the accounts say something else than the events: {outcome:?}",
			plan.name
		);
		figures(report, &outcome, claim, anchor);
		match claim {
			Claim::Pays => anchor = outcome.profit.mean,
			Claim::Costs => honest_slashed += outcome.honest_slashed,
			Claim::Nothing => {},
		}
	}
	report.figure(Figure {
		name: "incentives/honest owners slashed".into(),
		ours: f64::from(honest_slashed),
		anchor: 1.0,
		unit: "slashes",
		goal: 0.0,
		sense: Sense::Max,
	});
	if only.is_some() {
		return Ok(());
	}
	draw(report, effort)
}

/// What is left of a chunk's pay after the costs of computing it.
fn margin() -> f64 {
	in_values(i128::try_from(VALUE - cost(VALUE)).unwrap_or_default())
}

fn explain(report: &mut Report) {
	for line in [
		"V is what a chunk pays; computing it, as a worker, an auditor or a referee, costs 0.6 V by",
		"assumption. Profit is what an attempt brings the circle that follows the strategy, in all",
		"roles, less what it computes, for attempts in which it does something else than it should;",
		"of honesty, for those that it works on; of requesters, all that their tasks bring them, per",
		"chunk. The interval has 99 %, by normal approximation; a strategy is tried until the 99.99 %",
		"interval leaves zero out, or to its last chunk. `wrong results`: paid for without being",
		"found, beside the bound 1 - q of the terms that they were assigned on. Unless a name says",
		"another number, 30 % of the seats cheat.",
	] {
		report.note(line);
	}
}

fn figures(report: &mut Report, outcome: &Outcome, claim: Claim, anchor: f64) {
	let (ours, goal, sense) = match claim {
		Claim::Pays => (outcome.profit.low, 1.0, Sense::Min),
		Claim::Costs => (outcome.profit.high, 0.0, Sense::Max),
		Claim::Nothing => (outcome.profit.high, 0.0, Sense::Min),
	};
	let name = format!("incentives/{}", outcome.name);
	report.figure(Figure { name, ours, anchor, unit: "V", goal, sense });
	if outcome.lies > 0 {
		let (goal, sense) = match claim {
			Claim::Pays | Claim::Costs => (1.0, Sense::Max),
			Claim::Nothing => (0.0, Sense::Min),
		};
		report.figure(Figure {
			name: format!("incentives/{}/wrong results", outcome.name),
			ours: outcome.wrong_rate(),
			anchor: outcome.bound,
			unit: "of lies",
			goal,
			sense,
		});
	}
}

fn draw(report: &mut Report, effort: Effort) -> Result<()> {
	let mut tell = |of: &str, at: &str, mean: f64| {
		report.note(&format!("colluding owners 30 %, {of} {at}: {mean:.3} V"));
	};
	let floor = against_floor(effort, |at, profit| tell("audit floor", at, profit.mean));
	let collateral = against_collateral(effort, |at, profit| tell("collateral", at, profit.mean));
	let path = file()?;
	if let Some(folder) = path.parent() {
		fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
	}
	fs::write(&path, drawing(&[floor, collateral]))
		.with_context(|| format!("writing {}", path.display()))?;
	report.note(&format!("the curves are in {}", path.display()));
	Ok(())
}

/// This program lies in `target/release`.
fn file() -> Result<PathBuf> {
	let program = std::env::current_exe().context("finding this program")?;
	let target = program.ancestors().nth(2).context("this program lies in no target folder")?;
	Ok(target.join(FILE))
}
