//! How engines are run on this machine: mode, threads and caches, each as the command line says or
//! as memory and processors suggest. A pure decision, with its reason.

use crate::{
	machine::{gib, Machine},
	sandbox::Limits,
};
use std::{
	ffi::OsString,
	num::{NonZeroU32, NonZeroUsize},
};
use tequio_interface::engine::Mode;

/// Memory that is left to everything else before a worker takes more than it has to.
const HEADROOM: u64 = 1 << 30;

/// What the command line says about engines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
	/// Mode, unless it is left to us.
	pub mode: Option<Mode>,
	/// Threads of an engine.
	pub threads: Option<NonZeroUsize>,
	/// Caches of an engine.
	pub caches: Option<NonZeroU32>,
	/// Engines at a time.
	pub slots: u16,
	/// Share of its processors that an engine may take.
	pub cpu_percent: Option<u32>,
	/// Whether an engine does without memory that is writable and executable.
	pub secure: bool,
}

/// How an engine is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
	/// Memory against speed.
	pub mode: Mode,
	/// Threads.
	pub threads: NonZeroUsize,
	/// Keys that it keeps ready.
	pub caches: NonZeroU32,
	/// Share of its processors that it may take.
	pub cpu_percent: Option<u32>,
	/// Whether it does without memory that is writable and executable.
	pub secure: bool,
}

impl Setting {
	/// The smallest, in which an engine shows that it works at all.
	pub const SMALLEST: Self = Self {
		mode: Mode::Light,
		threads: NonZeroUsize::MIN,
		caches: NonZeroU32::MIN,
		cpu_percent: None,
		secure: false,
	};

	/// The command line of an engine.
	pub fn args(&self) -> Vec<OsString> {
		let mut args = vec![
			"--mode".into(),
			self.mode.to_string().into(),
			"--threads".into(),
			self.threads.to_string().into(),
			"--caches".into(),
			self.caches.to_string().into(),
		];
		if let Some(percent) = self.cpu_percent {
			args.push("--cpu-percent".into());
			args.push(percent.to_string().into());
		}
		if self.secure {
			args.push("--secure".into());
		}
		args
	}

	/// What its process may take. `memory`: bytes of address space.
	pub fn limits(&self, memory: u64) -> Limits {
		let threads = u32::try_from(self.threads.get()).unwrap_or(u32::MAX);
		Limits { memory, threads, cpu_percent: self.cpu_percent }
	}
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
	/// How each engine is run.
	pub setting: Setting,
	/// Memory that all engines take.
	pub memory: u64,
	/// Why, for people.
	pub reason: String,
}

/// Decides. `need`: bytes that the engines of a slot take in a mode, with so many threads and
/// caches.
pub fn decide(
	wishes: &Wishes,
	machine: &Machine,
	need: impl Fn(Mode, NonZeroUsize, NonZeroU32) -> u64,
) -> Plan {
	let all = |mode, caches| {
		let threads = threads(wishes, machine, mode).0;
		need(mode, threads, caches).saturating_mul(u64::from(wishes.slots.max(1)))
	};
	let fits = |mode, caches| {
		let taken = all(mode, caches).saturating_add(HEADROOM);
		machine.memory.is_some_and(|memory| memory >= taken)
	};
	let fewest = wishes.caches.unwrap_or(NonZeroU32::MIN);
	let (mode, why_mode) = match wishes.mode {
		Some(mode) => (mode, "as --mode says".into()),
		None if fits(Mode::Fast, fewest) => (Mode::Fast, memory_text(machine)),
		None => (Mode::Light, too_little(machine, all(Mode::Fast, fewest))),
	};
	let (threads, why_threads) = threads(wishes, machine, mode);
	let two = NonZeroU32::MIN.saturating_add(1);
	// Whoever asks for light mode asks for little memory.
	let spare = wishes.mode != Some(Mode::Light) && fits(mode, two);
	let caches = wishes.caches.unwrap_or(if spare { two } else { NonZeroU32::MIN });
	let setting =
		Setting { mode, threads, caches, cpu_percent: wishes.cpu_percent, secure: wishes.secure };
	let counts = format!("threads: {threads}, {why_threads}; keys kept ready: {caches}");
	let reason = format!("{mode}, {why_mode}; {counts}");
	Plan { setting, memory: all(mode, caches), reason }
}

/// Threads of an engine, and why.
fn threads(wishes: &Wishes, machine: &Machine, mode: Mode) -> (NonZeroUsize, &'static str) {
	if let Some(threads) = wishes.threads {
		return (threads, "as --threads says");
	}
	let slots = usize::from(wishes.slots.max(1));
	let shared = |count: usize| NonZeroUsize::new(count / slots).unwrap_or(NonZeroUsize::MIN);
	let processors = shared(machine.processors.get());
	// More than their caches hold would be slower. In light mode other memory is what slows down.
	let cached = match (mode, machine.cached_threads) {
		(Mode::Fast, Some(cached)) => shared(cached),
		_ => processors,
	};
	if cached < processors {
		(cached, "as many as the processors' caches have room for")
	} else {
		(processors, "one for each processor")
	}
}

fn too_little(machine: &Machine, fast: u64) -> String {
	let (fast, rest) = (gib(fast), gib(HEADROOM));
	format!("because fast takes {fast}, {rest} is left to the rest, and {}", memory_text(machine))
}

fn memory_text(machine: &Machine) -> String {
	match machine.memory {
		Some(free) if machine.is_confined => format!("{} are free in this cgroup", gib(free)),
		Some(free) => format!("{} are free", gib(free)),
		None => "the kernel does not tell how much memory is free".into(),
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	const GIB: u64 = 1 << 30;

	fn machine(memory: u64) -> Machine {
		Machine {
			memory: Some(memory),
			is_confined: false,
			processors: NonZeroUsize::new(4).unwrap(),
			cached_threads: Some(16),
		}
	}

	/// Fast: two GiB. A quarter of one for each cache.
	fn need(mode: Mode, _: NonZeroUsize, caches: NonZeroU32) -> u64 {
		let dataset = if mode == Mode::Fast { 2 * GIB } else { 0 };
		dataset + u64::from(caches.get()) * (GIB / 4)
	}

	fn wishes() -> Wishes {
		Wishes { slots: 1, ..Wishes::default() }
	}

	fn decided(wishes: &Wishes, machine: &Machine) -> (Mode, usize, u32) {
		let Setting { mode, threads, caches, .. } = decide(wishes, machine, need).setting;
		(mode, threads.get(), caches.get())
	}

	#[test]
	fn memory_decides_the_mode_and_the_caches() {
		for (memory, mode, caches) in [
			(GIB, Mode::Light, 1),
			(3 * GIB / 2, Mode::Light, 2),
			(13 * GIB / 4, Mode::Fast, 1),
			(7 * GIB / 2, Mode::Fast, 2),
		] {
			assert_eq!(decided(&wishes(), &machine(memory)), (mode, 4, caches), "{memory}");
		}
		let unknown = Machine { memory: None, ..machine(0) };
		assert_eq!(decided(&wishes(), &unknown), (Mode::Light, 4, 1));
	}

	#[test]
	fn every_slot_takes_its_share() {
		let two = Wishes { slots: 2, ..wishes() };
		assert_eq!(decided(&two, &machine(5 * GIB)), (Mode::Light, 2, 2));
		assert_eq!(decided(&two, &machine(6 * GIB)), (Mode::Fast, 2, 2));
		assert_eq!(decide(&two, &machine(6 * GIB), need).memory, 5 * GIB);
	}

	#[test]
	fn what_is_said_is_done() {
		let light = Wishes { mode: Some(Mode::Light), ..wishes() };
		assert_eq!(decided(&light, &machine(64 * GIB)), (Mode::Light, 4, 1));
		let fast = Wishes { mode: Some(Mode::Fast), ..wishes() };
		assert_eq!(decided(&fast, &machine(GIB)), (Mode::Fast, 4, 1));
		let all = Wishes {
			mode: Some(Mode::Fast),
			threads: NonZeroUsize::new(9),
			caches: NonZeroU32::new(3),
			..wishes()
		};
		assert_eq!(decided(&all, &machine(GIB)), (Mode::Fast, 9, 3));
	}

	#[test]
	fn threads_in_fast_mode_have_cache_to_work_in() {
		let starved = Machine { cached_threads: Some(2), ..machine(64 * GIB) };
		assert_eq!(decided(&wishes(), &starved), (Mode::Fast, 2, 2));
		let light = Wishes { mode: Some(Mode::Light), ..wishes() };
		assert_eq!(decided(&light, &starved), (Mode::Light, 4, 1));
		let none = Machine { cached_threads: Some(0), ..starved };
		assert_eq!(decided(&wishes(), &none), (Mode::Fast, 1, 2));
	}

	#[test]
	fn the_reason_tells_what_decided() {
		let confined = Machine { is_confined: true, ..machine(GIB) };
		let reason = decide(&wishes(), &confined, need).reason;
		assert!(reason.starts_with("light, because fast takes 2.2 GiB"), "{reason}");
		assert!(reason.contains("1.0 GiB are free in this cgroup"), "{reason}");
		let light = Wishes { mode: Some(Mode::Light), ..wishes() };
		let reason = decide(&light, &confined, need).reason;
		assert!(reason.starts_with("light, as --mode says"), "{reason}");
	}

	#[test]
	fn an_engine_is_told_its_setting() {
		let setting = Setting { cpu_percent: Some(50), secure: true, ..Setting::SMALLEST };
		let args: Vec<_> =
			setting.args().iter().map(|arg| arg.to_str().unwrap().to_string()).collect();
		let expected = "--mode light --threads 1 --caches 1 --cpu-percent 50 --secure";
		assert_eq!(args.join(" "), expected);
		assert_eq!(setting.limits(7).threads, 1);
	}
}
