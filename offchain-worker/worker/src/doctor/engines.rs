//! Whether engines can be started here as the command line says, and compute right.

use super::Check;
use crate::{
	args::EngineArgs,
	classes::{Class, Lack, Means, CLASSES},
	engine::{EngineError, Launcher},
	equipment::{engine_dir, means, plan},
	exam::{examine, ExamError},
	libtorch::{self, LibtorchError},
	machine::{gib, Machine},
	plan::{Plan, Setting},
	sandbox::{Policy, Sandbox},
	status::SandboxStatus,
};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};
use tequio_interface::engine::Mode;

const LIBTORCH: &str = "libtorch";

/// Time that an engine may take for a unit of work, besides that of the slowest machine: it fills
/// its memory first.
const PATIENCE: Duration = Duration::from_secs(120);

pub fn checks(args: &EngineArgs, machine: &Machine) -> Vec<Check> {
	let (sandbox, mut checks) = sandbox(args.sandbox);
	let found = args.libtorch.as_deref().map(libtorch::find).transpose();
	checks.extend(libraries(&found, args.store.is_some()));
	let libtorch = found.ok().flatten();
	let means = Means { libtorch: libtorch.is_some(), ..means(args) };
	let used = libtorch.as_deref().filter(|_| means.store);
	checks.extend(used.and_then(|dir| as_root(sandbox.as_ref()?, dir)));
	checks.extend(not_computed(means));
	let found = match engine_dir(args) {
		Ok(dir) => {
			let (there, missing): (Vec<&Class>, Vec<&Class>) =
				Class::servable(means).partition(|class| class.is_in(&dir));
			checks.extend(missing.into_iter().map(|class| no_engine(class, &dir, &there)));
			let setting = Setting::SMALLEST;
			let launcher =
				sandbox.map(|sandbox| Launcher { dir, setting, sandbox, store: None, libtorch });
			checks.extend(there.iter().map(|class| engine(class, launcher.as_ref())));
			there
		},
		Err(e) => {
			let remedy = "give the folder of the engines with --engine-dir";
			checks.push(Check::problem("engines", format!("{e:#}"), remedy));
			vec![]
		},
	};
	// Without engines, of those that might be there.
	let classes: Vec<&Class> =
		if found.is_empty() { Class::servable(means).collect() } else { found };
	checks.push(memory(&plan(args, 1, machine, &classes), machine));
	checks
}

/// The folder of libtorch, if one is named.
fn libraries(found: &Result<Option<PathBuf>, LibtorchError>, has_store: bool) -> Option<Check> {
	match found {
		Ok(Some(dir)) if has_store => {
			Some(Check::ok(LIBTORCH, format!("it is in {}", dir.display())))
		},
		Ok(Some(_)) => {
			let finding = "without a store no programs are computed, and nothing needs it";
			Some(Check::warning(LIBTORCH, finding, "name a folder with --store"))
		},
		Ok(None) => None,
		Err(e) => {
			let remedy = "name another folder, or leave out --libtorch: the worker does not start";
			Some(Check::problem(LIBTORCH, e.to_string(), remedy))
		},
	}
}

/// Whether the engine with libtorch stays root, because root alone may read the folder.
fn as_root(sandbox: &Sandbox, dir: &Path) -> Option<Check> {
	let (finding, remedy) = libtorch::for_root_alone(dir);
	sandbox.keeps_root_for(dir).then(|| Check::warning(LIBTORCH, finding, remedy))
}

/// What keeps classes of programs from being computed by a worker that computes programs.
fn not_computed(means: Means) -> Vec<Check> {
	let names = |lack| -> Vec<_> {
		let lacking = CLASSES.iter().filter(|class| class.lack(means) == Some(lack));
		lacking.map(|class| class.name).collect()
	};
	let check = |name, lack, why, remedy| {
		let names = names(lack);
		let finding = || format!("{why}: what is not computed is {}", names.join("; "));
		(!names.is_empty()).then(|| Check::warning(name, finding(), remedy))
	};
	let remedy = libtorch::remedy();
	let libtorch = check(LIBTORCH, Lack::Libtorch, "--libtorch names no folder", remedy);
	let remedy = "nothing, if this machine has none; in a virtual machine, pass the host's on";
	let avx2 = check("processor", Lack::Avx2, "it has no AVX2", remedy);
	// Without a store none are wanted.
	libtorch.into_iter().chain(avx2).filter(|_| means.store).collect()
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

/// Starts an engine and has it compute something known.
fn engine(class: &Class, launcher: Option<&Launcher>) -> Check {
	let Class { program, name, .. } = class;
	let Some(launcher) = launcher else {
		return Check::warning(
			"engine",
			format!("{program}, for {name}, is there, and was not tried"),
			"mend the sandbox first",
		);
	};
	match examine(launcher, class, PATIENCE) {
		Ok(()) => Check::ok("engine", format!("{program} starts and computes right: {name}")),
		Err(ExamError::Wrong) => Check::problem(
			"engine",
			format!("{program} computes wrong: {name}"),
			"a worker on this machine would be slashed: install the engine again, and test the \
			 memory and the clock settings of the machine",
		),
		Err(ExamError::Refused(reason)) => Check::problem(
			"engine",
			format!("{program}, for {name}, refuses what it should compute: {reason}"),
			"install the worker and the engine of the same release",
		),
		// It looks for what the profile takes before it is ready, and few machines may have it.
		Err(ExamError::Engine(e @ EngineError::Start { .. })) if class.needs_libtorch => {
			Check::warning(
				"engine",
				format!("{program}, for {name}: {e}"),
				"see what it wrote to the log above; a worker on this machine goes without it",
			)
		},
		Err(ExamError::Engine(e)) => Check::problem(
			"engine",
			format!("{program}, for {name}: {e}"),
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
	fn what_is_not_computed_is_told_with_its_reason() {
		let all = Means { store: true, libtorch: true, avx2: true };
		assert_eq!(not_computed(all), []);
		assert_eq!(not_computed(Means { store: false, libtorch: false, ..all }), []);
		let told = |means| -> Vec<_> {
			let told = |check: Check| (check.name, check.verdict, check.finding);
			not_computed(means).into_iter().map(told).collect()
		};
		let without_libtorch = told(Means { libtorch: false, ..all });
		let [(LIBTORCH, Verdict::Warning, finding)] = without_libtorch.as_slice() else {
			panic!("{without_libtorch:?}")
		};
		assert!(finding.contains("exact 32-bit") && finding.contains("banded"), "{finding}");
		assert!(!finding.contains("64-bit"), "{finding}");
		let without_avx2 = told(Means { avx2: false, ..all });
		let [("processor", Verdict::Warning, finding)] = without_avx2.as_slice() else {
			panic!("{without_avx2:?}")
		};
		assert!(finding.contains("exact 32-bit") && !finding.contains("banded"), "{finding}");
	}

	#[test]
	fn a_folder_without_libtorch_is_a_problem() {
		let verdict = |found, has_store| libraries(&found, has_store).map(|check| check.verdict);
		let none = || LibtorchError::NoLibrary("/x".into());
		assert_eq!(verdict(Err(none()), false), Some(Verdict::Problem));
		assert_eq!(verdict(Ok(Some("/x".into())), true), Some(Verdict::Ok));
		assert_eq!(verdict(Ok(Some("/x".into())), false), Some(Verdict::Warning));
		assert_eq!(verdict(Ok(None), true), None);
	}

	#[test]
	fn one_engine_is_enough() {
		let Some(class) = Class::servable(Means::default()).next() else { panic!("no class") };
		assert_eq!(no_engine(class, Path::new("/x"), &[]).verdict, Verdict::Problem);
		assert_eq!(no_engine(class, Path::new("/x"), &[class]).verdict, Verdict::Warning);
	}
}
