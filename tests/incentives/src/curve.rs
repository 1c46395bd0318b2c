//! Profit of the cartel against what the rules say.

use crate::{
	plan::Plan,
	run,
	statistics::Interval,
	suite::Effort,
	svg::{Chart, Point},
};
use sp_runtime::Perquintill;
use tequio_primitives::terms::Adversary;

/// Least chances of an audit, in percent.
const FLOORS: [u64; 5] = [5, 10, 20, 40, 100];
/// Collaterals, in percent of what the rules of production make of it.
const COLLATERALS: [u64; 5] = [30, 50, 100, 200, 400];
/// Chunks for a point, at most.
const CHUNKS: u32 = 6_000;

/// Profit against the audit floor. `tell` is told of each point.
pub fn against_floor(effort: Effort, tell: impl FnMut(&str, Interval)) -> Chart {
	let plans = FLOORS.map(|percent| {
		let plan = Plan { floor: Perquintill::from_percent(percent), ..point(effort) };
		(percent, plan)
	});
	Chart {
		title: "audit floor",
		x_label: "least chance of an audit, %",
		y_label: "profit of a lie, in V",
		points: points(plans, tell),
	}
}

/// Profit against the collateral, at the floor of production.
pub fn against_collateral(effort: Effort, tell: impl FnMut(&str, Interval)) -> Chart {
	let plans = COLLATERALS.map(|percent| {
		let plan = point(effort);
		let adversary = adversary_for(plan.floor, percent);
		(percent, Plan { adversary, ..plan })
	});
	Chart {
		title: "collateral",
		x_label: "collateral at the audit floor, % of what the rules ask for",
		y_label: "profit of a lie, in V",
		points: points(plans, tell),
	}
}

fn point(effort: Effort) -> Plan {
	let plan = effort.apply(Plan::cartel());
	Plan { chunks: plan.chunks.min(CHUNKS), ..plan }
}

fn points<const N: usize>(
	plans: [(u64, Plan); N],
	mut tell: impl FnMut(&str, Interval),
) -> Vec<Point> {
	plans
		.into_iter()
		.map(|(percent, plan)| {
			let profit = run(&plan).profit;
			tell(&format!("{percent} %"), profit);
			#[allow(clippy::cast_precision_loss)] // Three digits.
			let x = percent as f64;
			Point { x, profit }
		})
		.collect()
}

/// What would have to be assumed of cheats for the collateral at an audit rate to be so many percent
/// of what it is. It is `k (1 − q) / q` with `q = p (1 − σ)(1 − x̄)`; all of the change is put into
/// σ. Nothing is assumed that makes it less than with honest draws.
fn adversary_for(floor: Perquintill, percent: u64) -> Adversary {
	let usual = Adversary::default();
	let honest = |adversary: &Adversary| {
		let one = Perquintill::one();
		(one - adversary.blanked_draws) * (one - adversary.seats)
	};
	let parts = |part: Perquintill| u128::from(part.deconstruct());
	let (one, q) = (parts(Perquintill::one()), parts(floor * honest(&usual)));
	// (1 − q) / q · percent / 100 = (1 − r) / r  ⇒  r = 100 q / (100 q + percent (1 − q))
	let scaled = one - q;
	let wanted = 100 * q * one / (100 * q + u128::from(percent) * scaled);
	let wanted = Perquintill::from_rational(wanted, one);
	let kept = Perquintill::from_rational(wanted.deconstruct(), floor.deconstruct());
	Adversary { blanked_draws: Perquintill::one() - kept, seats: Perquintill::zero(), ..usual }
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use tequio_primitives::terms::{audit_terms, AuditPlan};

	#[test]
	fn the_collateral_is_what_was_asked_for() {
		let floor = Perquintill::from_percent(20);
		let plan = AuditPlan { audit_rate: floor, auditors: 1, second: Perquintill::zero() };
		let collateral =
			|adversary: &Adversary| audit_terms(1_000_000, plan, adversary).unwrap().collateral;
		let usual = collateral(&Adversary::default());
		for percent in COLLATERALS {
			let scaled = collateral(&adversary_for(floor, percent));
			let expected = usual * u128::from(percent) / 100;
			assert!(scaled.abs_diff(expected) <= expected / 1_000, "{scaled} for {expected}");
		}
	}
}
