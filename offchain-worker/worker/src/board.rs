//! What there is to tell about this worker: how it is set up, what it counts, how its engines are.
//! Behind a lock of its own, under which nothing else is locked.

use crate::{
	classes::Class,
	engine::Leash,
	measure::Measured,
	plan::Plan,
	processes::{own_memory, Processes},
	rates::{Known, Rate, RatesFile},
	status::{ClassStatus, SandboxStatus, Status},
	tally::{Activity, End, Restart, Tally},
};
use std::{
	collections::BTreeMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, Instant},
};
use tequio_interface::job::Capability;
use tracing::warn;

/// What stays as it is for as long as the worker runs.
#[derive(Debug)]
pub struct Facts {
	/// How engines are run, and why.
	pub plan: Plan,
	/// Jobs that are computed at a time.
	pub slots: u16,
	/// The classes whose engine is there and computes right.
	pub classes: Vec<&'static Class>,
	/// How engines are confined.
	pub sandbox: Vec<SandboxStatus>,
}

/// Shared by all threads.
#[derive(Debug)]
pub struct Board {
	facts: Facts,
	started: Instant,
	inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
	tally: Tally,
	rates: BTreeMap<u16, Rate>,
	/// What an engine of a class took when it was measured.
	memory: BTreeMap<u16, u64>,
	/// By slot and class.
	engines: BTreeMap<(usize, u16), Arc<Leash>>,
	file: RatesFile,
}

impl Board {
	/// Starts with the speeds that were measured before.
	pub fn new(facts: Facts, file: RatesFile) -> Self {
		let (mut rates, mut memory) = (BTreeMap::new(), BTreeMap::new());
		for class in &facts.classes {
			if let Some(known) = file.get(class.number, &facts.plan.setting) {
				rates.insert(class.number, Rate::remembered(known.rate));
				memory.insert(class.number, known.memory);
			}
		}
		let started = Instant::now();
		let classes = facts.classes.iter().map(|class| class.number);
		let tally = Tally::new(classes, facts.slots.into(), started);
		let inner = Inner { tally, rates, memory, engines: BTreeMap::new(), file };
		Self { facts, started, inner: Mutex::new(inner) }
	}

	/// The classes whose engine is there.
	pub fn classes(&self) -> &[&'static Class] {
		&self.facts.classes
	}

	/// The class of this number, if its engine is there.
	pub fn class(&self, number: u16) -> Option<&'static Class> {
		self.facts.classes.iter().copied().find(|class| class.number == number)
	}

	/// What this worker can do, as far as it is measured.
	pub fn capabilities(&self) -> Vec<Capability> {
		let inner = self.lock();
		let capability = |class: &&'static Class| Capability {
			class: class.number,
			slots: self.facts.slots,
			rate: inner.rate(class.number).per_1000_seconds(),
			memory: self.memory(&inner, class),
		};
		self.facts.classes.iter().map(capability).collect()
	}

	/// Bytes that an engine of a class takes, measured or else reckoned.
	fn memory(&self, inner: &Inner, class: &Class) -> u64 {
		let setting = &self.facts.plan.setting;
		let need = || class.need(setting.mode, setting.threads, setting.caches);
		inner.memory.get(&class.number).copied().unwrap_or_else(need)
	}

	/// A slot does something else from now on.
	pub fn enter(&self, slot: usize, activity: Activity) {
		self.lock().tally.enter(slot, activity, Instant::now());
	}

	/// A job has ended.
	pub fn ended(&self, class: u16, end: End) {
		self.lock().tally.ended(class, end);
	}

	/// An engine has to be replaced.
	pub fn restarted(&self, class: u16, reason: Restart) {
		self.lock().tally.restarted(class, reason);
	}

	/// A job was computed in so much time.
	pub fn computed(&self, class: &Class, units: u32, time: Duration) {
		let mut inner = self.lock();
		inner.tally.computed(class.number, units);
		if class.tells_speed(time) {
			inner.rates.entry(class.number).or_default().note(units, time);
		}
	}

	/// An engine was measured.
	pub fn measured(&self, class: u16, measured: &Measured) {
		let mut inner = self.lock();
		inner.rates.entry(class).or_default().note(measured.units, measured.time);
		inner.memory.insert(class, measured.memory);
	}

	/// Whether the speed of a class is known.
	pub fn is_known(&self, class: u16) -> bool {
		self.lock().rate(class) != Rate::default()
	}

	/// A slot has an engine for a class, or has none any more.
	pub fn engine(&self, slot: usize, class: u16, engine: Option<Arc<Leash>>) {
		let mut inner = self.lock();
		match engine {
			Some(engine) => inner.engines.insert((slot, class), engine),
			None => inner.engines.remove(&(slot, class)),
		};
	}

	/// Remembers the speeds for the next start.
	pub fn save(&self) {
		let mut inner = self.lock();
		let inner = &mut *inner;
		for class in &self.facts.classes {
			let rate = inner.rate(class.number).per_1000_seconds();
			if rate > 0 {
				let known = Known { rate, memory: self.memory(inner, class) };
				inner.file.set(class.number, &self.facts.plan.setting, known);
			}
		}
		if let Err(e) = inner.file.save() {
			warn!("the speeds cannot be written down, they will be measured again: {e}");
		}
	}

	/// All of it. `chain`: genesis hash. `queue`: jobs that wait.
	pub fn status(&self, chain: Option<[u8; 32]>, nodes: usize, queue: usize) -> Status {
		let engines = self.lock().engines.clone();
		let processes = Processes::look();
		let classes = self.facts.classes.iter();
		let classes = classes.map(|class| self.class_status(class, &engines, &processes));
		Status {
			version: env!("CARGO_PKG_VERSION").into(),
			uptime_seconds: self.started.elapsed().as_secs(),
			chain: chain.map(|genesis| format!("0x{}", hex::encode(genesis))),
			nodes,
			queue,
			mode: self.facts.plan.setting.mode.to_string(),
			mode_reason: self.facts.plan.reason.clone(),
			memory_bytes: own_memory(),
			sandbox: self.facts.sandbox.clone(),
			classes: classes.collect(),
		}
	}

	fn class_status(
		&self,
		class: &Class,
		engines: &BTreeMap<(usize, u16), Arc<Leash>>,
		processes: &Processes,
	) -> ClassStatus {
		let number = class.number;
		let of_slot = |slot: u16| engines.get(&(slot.into(), number));
		let slots = || (0..self.facts.slots).map(of_slot);
		let setup = slots().map(|engine| match engine {
			Some(engine) => engine.setup(),
			None => "not running".into(),
		});
		let setup = setup.collect();
		let memory = slots().flatten().map(|engine| processes.memory(engine.id())).sum();
		let mut inner = self.lock();
		let counts = inner.tally.counts(number, Instant::now());
		ClassStatus {
			class: number,
			name: class.name.into(),
			engine: class.program.into(),
			rate: inner.rate(number).per_second(),
			memory_bytes: memory,
			threads: self.facts.plan.setting.threads.get(),
			setup,
			jobs: counts.jobs,
			units: counts.units,
			seconds: counts.seconds,
			restarts: counts.restarts,
		}
	}

	/// A thread that panics ends the process, so nobody sees what it left behind under the lock.
	fn lock(&self) -> MutexGuard<'_, Inner> {
		self.inner.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Inner {
	fn rate(&self, class: u16) -> Rate {
		self.rates.get(&class).copied().unwrap_or_default()
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::{classes::CLASSES, plan::Setting};

	#[test]
	fn short_jobs_change_no_speed_but_that_of_searches() {
		let dir = tempfile::tempdir().unwrap();
		let plan = Plan { setting: Setting::SMALLEST, memory: 0, reason: String::new() };
		let classes = CLASSES.iter().collect();
		let facts = Facts { plan, slots: 1, classes, sandbox: vec![] };
		let board = Board::new(facts, RatesFile::open(dir.path()));
		for class in board.classes() {
			board.computed(class, 60, Duration::from_secs(1));
			board.computed(class, 1, Duration::from_millis(999));
		}
		let rates: Vec<_> = board.capabilities().iter().map(|able| able.rate).collect();
		assert_eq!(rates, [30_515, 60_000, 60_000, 60_000, 60_000]);
		let status = board.status(None, 0, 0);
		assert!(status.classes.iter().all(|class| class.units == 61));
	}
}
