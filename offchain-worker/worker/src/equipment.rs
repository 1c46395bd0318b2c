//! What it takes to start engines: where they lie, how they are run, what confines them.

use crate::{
	args::EngineArgs,
	classes::{Class, Means},
	engine::Launcher,
	exam::{examine, ExamError},
	libtorch,
	machine::{has_avx2, Machine},
	plan::{decide, Plan, Wishes},
	sandbox::Sandbox,
	status::SandboxStatus,
	store::{Folder, Store},
};
use anyhow::{ensure, Context};
use std::{num::NonZeroU32, path::PathBuf, sync::Arc, time::Duration};
use tracing::{info, warn};

/// Time that an engine may take to prove its profile, besides that of the slowest machine: the worker
/// does not listen meanwhile.
const PATIENCE: Duration = Duration::from_secs(30);
/// Engines that may fail at an exam, one after the other, before their class is left out.
const TRIES: u32 = 3;

/// All that is needed to start engines.
#[derive(Debug)]
pub struct Equipment {
	/// The classes whose engine is there; after [`Self::prove`], those that are offered to nodes.
	pub classes: Vec<&'static Class>,
	/// How engines are run, and why.
	pub plan: Plan,
	/// What starts them.
	pub launcher: Launcher,
}

impl Equipment {
	/// Finds and decides everything. `slots`: engines of a class at a time.
	pub fn gather(args: &EngineArgs, slots: u16) -> anyhow::Result<Self> {
		let sandbox = Sandbox::prepare(args.sandbox)?;
		for SandboxStatus { part, state, hint } in sandbox.report().iter().map(SandboxStatus::from)
		{
			// A cgroup is a convenience of few machines; the status tells of it.
			if state != "active" && part != "cgroup" {
				let hint = hint.unwrap_or_else(|| "as --sandbox says".into());
				warn!("engines are less confined than they might be: {part} {state}: {hint}");
			}
		}
		let dir = engine_dir(args)?;
		let store = store(args)?;
		let libtorch = args.libtorch.as_deref().map(libtorch::find).transpose()?;
		let means = means(args);
		let used = libtorch.as_deref().filter(|_| means.store);
		if let Some(dir) = used.filter(|dir| sandbox.keeps_root_for(dir)) {
			let (finding, remedy) = libtorch::for_root_alone(dir);
			warn!("{finding}: {remedy}");
		}
		let classes: Vec<_> = Class::servable(means).filter(|class| class.is_in(&dir)).collect();
		ensure!(
			!classes.is_empty(),
			"no engine in {dir:?}; there should be {}: give its folder with --engine-dir",
			programs(means).join(" or ")
		);
		let plan = plan(args, slots, &Machine::look(), &classes);
		let launcher = Launcher { dir, setting: plan.setting, sandbox, store, libtorch };
		Ok(Self { classes, plan, launcher })
	}

	/// Leaves out the classes with a numerics profile that their engine does not prove to have: whoever
	/// computes something else is slashed.
	pub fn prove(mut self) -> anyhow::Result<Self> {
		let launcher = &self.launcher;
		self.classes.retain(|class| !class.has_profile || is_proved(launcher, class));
		ensure!(
			!self.classes.is_empty(),
			"no engine computes right: `tequio-worker doctor` says what to do"
		);
		Ok(self)
	}
}

/// Whether the engine of a class passes its exam.
fn is_proved(launcher: &Launcher, class: &Class) -> bool {
	let Class { name, program, .. } = class;
	let examined = with_retries(|| examine(launcher, class, PATIENCE));
	match &examined {
		Ok(()) => info!("{name}: {program} computes right"),
		Err(e) => warn!(
			"{name} is not offered to nodes, because of {program}: {e}; `tequio-worker doctor` says \
			 what to do"
		),
	}
	examined.is_ok()
}

/// Examines up to [`TRIES`] times while engines give no answer. A busy machine is no reason to go
/// without a class; a wrong result is.
fn with_retries(mut examine: impl FnMut() -> Result<(), ExamError>) -> Result<(), ExamError> {
	for _ in 1..TRIES {
		match examine() {
			Err(ExamError::Engine(e)) => warn!("an exam is tried again: {e}"),
			examined => return examined,
		}
	}
	examine()
}

/// What the command line and this machine have besides engines. A folder that is named is there, or
/// the worker does not start.
pub fn means(args: &EngineArgs) -> Means {
	Means { store: args.store.is_some(), libtorch: args.libtorch.is_some(), avx2: has_avx2() }
}

/// File names of the engines of a worker of such means.
fn programs(means: Means) -> Vec<&'static str> {
	let mut programs: Vec<_> = Class::servable(means).map(|class| class.program).collect();
	programs.sort_unstable();
	programs.dedup();
	programs
}

/// Where inputs and outputs of programs are, if the command line names a place.
fn store(args: &EngineArgs) -> anyhow::Result<Option<Arc<dyn Store>>> {
	let Some(dir) = &args.store else { return Ok(None) };
	let folder = Folder::open(dir).with_context(|| format!("--store: {dir:?} cannot be used"))?;
	Ok(Some(Arc::new(folder)))
}

/// The folder of the engines.
pub fn engine_dir(args: &EngineArgs) -> anyhow::Result<PathBuf> {
	if let Some(dir) = &args.engine_dir {
		// An engine is started by its path, whatever the working directory.
		return dir.canonicalize().with_context(|| format!("--engine-dir: no folder {dir:?}"));
	}
	let program = std::env::current_exe().context("the folder of this program is unknown")?;
	Ok(program.parent().map(PathBuf::from).unwrap_or_default())
}

/// How engines are run on a machine.
pub fn plan(args: &EngineArgs, slots: u16, machine: &Machine, classes: &[&Class]) -> Plan {
	let wishes = Wishes {
		mode: args.mode.named(),
		threads: args.threads,
		caches: args.caches.and_then(NonZeroU32::new),
		slots,
		cpu_percent: args.cpu_percent,
		secure: args.secure,
	};
	decide(&wishes, machine, |mode, threads, caches| {
		classes.iter().map(|class| class.need(mode, threads, caches)).fold(0, u64::saturating_add)
	})
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::engine::EngineError;

	/// What comes of an exam whose tries end like this, and how many of them there were no need for.
	fn examined(ends: Vec<Result<(), ExamError>>) -> (Result<(), ExamError>, usize) {
		let mut ends = ends.into_iter();
		let examined = with_retries(|| ends.next().unwrap());
		(examined, ends.len())
	}

	#[test]
	fn an_exam_is_tried_again_only_where_an_engine_gives_no_answer() {
		let failed = || Err(ExamError::Engine(EngineError::OffTopic));
		let wrong = || Err(ExamError::Wrong);
		assert!(matches!(examined(vec![Ok(()), failed()]), (Ok(()), 1)));
		assert!(matches!(examined(vec![failed(), failed(), Ok(())]), (Ok(()), 0)));
		let all_failed = examined(vec![failed(), failed(), failed(), Ok(())]);
		assert!(matches!(all_failed, (Err(ExamError::Engine(_)), 1)));
		assert!(matches!(examined(vec![wrong(), Ok(())]), (Err(ExamError::Wrong), 1)));
		assert!(matches!(examined(vec![failed(), wrong(), Ok(())]), (Err(ExamError::Wrong), 1)));
	}
}
