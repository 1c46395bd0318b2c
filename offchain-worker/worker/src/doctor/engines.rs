//! Whether engines can be started here as the command line says, and compute right.

use super::Check;
use crate::{
	args::EngineArgs,
	classes::Class,
	engine::Launcher,
	equipment::{engine_dir, plan},
	exam::{examine, ExamError},
	machine::{gib, Machine},
	plan::{Plan, Setting},
	sandbox::{Policy, Sandbox},
	status::SandboxStatus,
};
use std::{path::Path, time::Duration};
use tequio_interface::engine::Mode;

/// Time that an engine may take for a unit of work, besides that of the slowest machine: it fills
/// its memory first.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn checks(args: &EngineArgs, machine: &Machine) -> Vec<Check> {
	let (sandbox, mut checks) = sandbox(args.sandbox);
	let servable = || Class::servable(args.store.is_some());
	let found = match engine_dir(args) {
		Ok(dir) => {
			let (there, missing): (Vec<&Class>, Vec<&Class>) =
				servable().partition(|class| class.is_in(&dir));
			checks.extend(missing.into_iter().map(|class| no_engine(class, &dir, &there)));
			let engine = |class: &&Class| engine(class, &dir, sandbox.as_ref());
			checks.extend(there.iter().map(engine));
			there
		},
		Err(e) => {
			let remedy = "give the folder of the engines with --engine-dir";
			checks.push(Check::problem("engines", format!("{e:#}"), remedy));
			vec![]
		},
	};
	// Without engines, of those that might be there.
	let classes: Vec<&Class> = if found.is_empty() { servable().collect() } else { found };
	checks.push(memory(&plan(args, 1, machine, &classes), machine));
	checks
}

/// Tries the parts of the sandbox. Engines are tried in whatever there is.
fn sandbox(policy: Policy) -> (Option<Sandbox>, Vec<Check>) {
	let must_be_there = matches!(policy, Policy::Full);
	let tried = match policy {
		Policy::None => Policy::None,
		Policy::Full | Policy::Available => Policy::Available,
	};
	match Sandbox::prepare(tried) {
		Ok(sandbox) => {
			let parts = sandbox.report().iter().map(SandboxStatus::from);
			let checks = parts.map(|part| sandbox_part(part, must_be_there)).collect();
			(Some(sandbox), checks)
		},
		Err(e) => {
			let remedy = "engines cannot be tried before this is mended";
			(None, vec![Check::problem("sandbox", e.to_string(), remedy)])
		},
	}
}

/// `must_be_there`: a worker does not start without it.
fn sandbox_part(status: SandboxStatus, must_be_there: bool) -> Check {
	let SandboxStatus { part, state, hint } = status;
	let finding = format!("{part} {state}");
	let hint = hint.unwrap_or_else(|| "leave out --sandbox none to confine engines".into());
	match state.as_str() {
		"active" => Check::ok("sandbox", finding),
		"missing" if must_be_there && part != "cgroup" => {
			let way_out = "or start with --sandbox available, which goes without it";
			Check::problem("sandbox", finding, format!("{hint}; {way_out}"))
		},
		_ => Check::warning("sandbox", finding, hint),
	}
}

/// `others`: the classes whose engine is there. One is enough for a worker.
fn no_engine(class: &Class, dir: &Path, others: &[&Class]) -> Check {
	let Class { program, name, .. } = class;
	let finding = format!("{program}, for {name}, is not in {}", dir.display());
	let remedy = "install it there, or give its folder with --engine-dir";
	if others.is_empty() {
		Check::problem("engine", finding, remedy)
	} else {
		Check::warning("engine", finding, remedy)
	}
}

/// Starts an engine in its smallest setting and has it compute something known.
fn engine(class: &Class, dir: &Path, sandbox: Option<&Sandbox>) -> Check {
	let program = class.program;
	let Some(sandbox) = sandbox else {
		return Check::warning(
			"engine",
			format!("{program} is there, and was not tried"),
			"mend the sandbox first",
		);
	};
	let (dir, setting, sandbox) = (dir.to_path_buf(), Setting::SMALLEST, sandbox.clone());
	let launcher = Launcher { dir, setting, sandbox, store: None };
	match examine(&launcher, class, PATIENCE) {
		Ok(()) => {
			Check::ok("engine", format!("{program} starts and computes right: {}", class.name))
		},
		Err(ExamError::Wrong) => Check::problem(
			"engine",
			format!("{program} computes wrong"),
			"a worker on this machine would be slashed: install the engine again, and test the \
			 memory and the clock settings of the machine",
		),
		Err(ExamError::Refused(reason)) => Check::problem(
			"engine",
			format!("{program} refuses what it should compute: {reason}"),
			"install the worker and the engine of the same release",
		),
		Err(ExamError::Engine(e)) => Check::problem(
			"engine",
			format!("{program}: {e}"),
			"see what it wrote to the log above; install the worker and the engine of the same \
			 release; try --sandbox none to tell whether the sandbox is in the way",
		),
	}
}

fn memory(plan: &Plan, machine: &Machine) -> Check {
	let taken = gib(plan.memory);
	let finding = format!("{}; the engine takes {taken}", plan.reason);
	match (machine.memory, plan.setting.mode) {
		(Some(free), Mode::Fast) if free < plan.memory => Check::problem(
			"memory",
			finding,
			"free some memory, or take --mode light or --mode auto",
		),
		(Some(free), Mode::Light) if free < plan.memory => {
			Check::problem("memory", finding, "free some memory")
		},
		_ => Check::ok("memory", finding),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::doctor::Verdict;
	use std::num::NonZeroUsize;

	fn part(part: &str, state: &str) -> SandboxStatus {
		SandboxStatus { part: part.into(), state: state.into(), hint: None }
	}

	#[test]
	fn only_a_part_that_must_be_there_is_a_problem() {
		for (name, state, must_be_there, verdict) in [
			("filter", "active", true, Verdict::Ok),
			("filter", "missing", true, Verdict::Problem),
			("filter", "missing", false, Verdict::Warning),
			("cgroup", "missing", true, Verdict::Warning),
			("filter", "off", false, Verdict::Warning),
		] {
			let check = sandbox_part(part(name, state), must_be_there);
			assert_eq!(check.verdict, verdict, "{check}");
			assert_eq!(check.remedy.is_none(), verdict == Verdict::Ok);
		}
	}

	#[test]
	fn memory_that_is_not_there_is_a_problem() {
		let plan = |mode| Plan {
			setting: Setting { mode, ..Setting::SMALLEST },
			memory: 300 << 20,
			reason: "said so".into(),
		};
		let machine = |memory| Machine {
			memory,
			is_confined: false,
			processors: NonZeroUsize::MIN,
			cached_threads: None,
		};
		for mode in [Mode::Light, Mode::Fast] {
			let verdict = |memory| super::memory(&plan(mode), &machine(memory)).verdict;
			assert_eq!(verdict(Some(299 << 20)), Verdict::Problem);
			assert_eq!(verdict(Some(300 << 20)), Verdict::Ok);
			assert_eq!(verdict(None), Verdict::Ok);
		}
	}

	#[test]
	fn one_engine_is_enough() {
		let Some(class) = Class::servable(false).next() else { panic!("no class") };
		assert_eq!(no_engine(class, Path::new("/x"), &[]).verdict, Verdict::Problem);
		assert_eq!(no_engine(class, Path::new("/x"), &[class]).verdict, Verdict::Warning);
	}
}
