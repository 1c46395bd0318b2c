//! What it takes to start engines: where they lie, how they are run, what confines them.

use crate::{
	args::EngineArgs,
	classes::Class,
	engine::Launcher,
	machine::Machine,
	plan::{decide, Plan, Wishes},
	sandbox::Sandbox,
	status::SandboxStatus,
	store::{Folder, Store},
};
use anyhow::{ensure, Context};
use std::{num::NonZeroU32, path::PathBuf, sync::Arc};
use tracing::warn;

/// All that is needed to start engines.
#[derive(Debug)]
pub struct Equipment {
	/// The classes whose engine is there.
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
		let servable = || Class::servable(store.is_some());
		let classes: Vec<_> = servable().filter(|class| class.is_in(&dir)).collect();
		let mut programs: Vec<_> = servable().map(|class| class.program).collect();
		programs.dedup();
		ensure!(
			!classes.is_empty(),
			"no engine in {dir:?}; there should be {}: give its folder with --engine-dir",
			programs.join(" or ")
		);
		let plan = plan(args, slots, &Machine::look(), &classes);
		let launcher = Launcher { dir, setting: plan.setting, sandbox, store };
		Ok(Self { classes, plan, launcher })
	}
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
