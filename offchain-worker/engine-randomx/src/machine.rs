//! The engine's machine: hashes under any key, and changes keys without making anybody wait longer
//! than it has to.

use crate::{
	batch::{Batch, Hashed},
	crew::{Crew, Tools},
	keeper::{Keeper, Plan},
	pace::Percent,
	pages::Pages,
	search::Hashers,
	setup::Setup,
	Dataset, Flags, Key, Memory, RandomXError,
};
use core::num::NonZeroUsize;
use std::{
	sync::Arc,
	thread::{self, JoinHandle},
};
use tequio_interface::engine::Mode;

/// Is told each new setup, in a line. It must not call the machine.
pub type Listener = Box<dyn Fn(&str) + Send + Sync>;

/// How to compute.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
	/// Memory against speed.
	pub mode: Mode,
	/// Threads, each with a virtual machine of its own.
	pub threads: NonZeroUsize,
	/// Caches at a time. With more than one, the cache of a key that is expected is built ahead,
	/// and that of the key before is kept while there is room.
	pub caches: NonZeroUsize,
	/// What to put memory on: the best that there is, by default.
	pub pages: Option<Pages>,
	/// Choices of implementation.
	pub flags: Flags,
	/// Share of a processor that each thread takes.
	pub percent: Percent,
}

impl Settings {
	/// As fast as this machine can, with one cache.
	pub fn new(mode: Mode, threads: NonZeroUsize) -> Self {
		Self {
			mode,
			threads,
			caches: NonZeroUsize::MIN,
			pages: None,
			flags: Flags::recommended(),
			percent: Percent::ALL,
		}
	}
}

/// Hashes with any key, quickly with the one it had last.
pub struct Machine {
	crew: Crew,
	keeper: Arc<Keeper>,
	/// The thread that builds caches ahead.
	builder: Option<JoinHandle<()>>,
	/// What the threads are equipped for: a key, and whether with its dataset.
	equipped: Option<(Key, bool)>,
}

/// Says what is coming, from any thread.
#[derive(Clone)]
pub struct Expectations(Arc<Keeper>);

/// A machine that is equipped for a key.
pub struct Equipped<'a> {
	machine: &'a mut Machine,
	key: Key,
	fast: bool,
}

impl Machine {
	/// A machine without a key, and without memory.
	pub fn new(settings: Settings) -> Result<Self, RandomXError> {
		Self::with_listener(settings, Box::new(|_| ()))
	}

	/// A machine that tells `listener` each new setup.
	pub fn with_listener(settings: Settings, listener: Listener) -> Result<Self, RandomXError> {
		let Settings { threads, pages, flags, percent, .. } = settings;
		let keeper = Arc::new(Keeper::new(settings, listener));
		let noticed = keeper.clone();
		let crew = Crew::new(threads, Tools { flags, pages, percent }, move || noticed.filled())?;
		let building = keeper.clone();
		let builder = thread::Builder::new().name("caches".into());
		let builder = builder.spawn(move || building.build_ahead());
		let builder = Some(builder.map_err(|_| RandomXError::NoThread)?);
		Ok(Self { crew, keeper, builder, equipped: None })
	}

	/// Makes ready to hash under `key`: in light mode at least, in fast mode if its dataset is
	/// there. Does nothing if it is ready, and takes half a second if the cache was not built ahead.
	pub fn equip(&mut self, key: &Key) -> Result<Equipped<'_>, RandomXError> {
		let plan = self.keeper.plan(key);
		let fast = matches!(plan, Plan::Fast(_));
		let begins = matches!(plan, Plan::Light { fill: true });
		if begins || self.equipped != Some((*key, fast)) {
			self.equipped = None;
			let scratchpads = self.refit(key, plan)?;
			self.keeper.arrive(key, scratchpads);
			self.equipped = Some((*key, fast));
		}
		Ok(Equipped { machine: self, key: *key, fast })
	}

	/// Equips the threads for `key`. Returns what their scratchpads lie on.
	fn refit(&self, key: &Key, plan: Plan) -> Result<Pages, RandomXError> {
		self.keeper.leave();
		// Held, so that it does not make room for a cache that is expected.
		let held = self.keeper.ready(key);
		// So that nobody reads what has to make room for this key.
		self.crew.let_go()?;
		let memory = match plan {
			Plan::Fast(dataset) => Memory::Fast(dataset),
			Plan::Light { fill } => {
				let cache = self.keeper.cache(key, fill)?;
				if fill {
					self.keeper.begin_filling(&cache);
				}
				Memory::Light(cache)
			},
		};
		drop(held);
		let scratchpads = self.crew.equip(&memory)?;
		if let Some(filling) = self.keeper.filling() {
			self.crew.fill(&filling)?;
		}
		Ok(scratchpads)
	}

	/// Waits until the dataset of the key that it was equipped for last is there, and returns it.
	/// Fails if none is being filled.
	pub fn await_dataset(&self) -> Result<Dataset, RandomXError> {
		self.keeper.await_dataset()
	}

	/// What tells it what is coming.
	pub fn expectations(&self) -> Expectations {
		Expectations(self.keeper.clone())
	}

	/// How it is set up.
	pub fn setup(&self) -> Setup {
		self.keeper.setup()
	}
}

impl Expectations {
	/// Hashes under `key` will probably be asked next: its cache is built when there is room for
	/// it, beside whatever is hashed now. That takes one more thread, for half a second.
	pub fn expect(&self, key: Key) {
		self.0.expect(key);
	}
}

impl Hashers for Equipped<'_> {
	fn hash_all(&mut self, batch: Batch) -> Result<Vec<Hashed>, RandomXError> {
		let hashes = batch.size();
		let found = self.machine.crew.hash_all(batch)?;
		if !self.fast {
			self.machine.keeper.hashed_light(&self.key, hashes);
		}
		Ok(found)
	}
}

impl Drop for Machine {
	fn drop(&mut self) {
		self.keeper.close();
		if let Some(builder) = self.builder.take() {
			// What it panicked with has been printed.
			builder.join().ok();
		}
	}
}
