//! Work classes: which engine computes a class, what that takes, how much work a payload is, and
//! something to compute whose result is known.

mod program;
mod randomx;
mod torch;

use crate::plan::Setting;
use std::{
	num::{NonZeroU32, NonZeroUsize},
	path::Path,
	time::Duration,
};
use tequio_interface::engine::Mode;

/// A class that this release knows.
#[derive(Debug)]
pub struct Class {
	/// Its number on the chain.
	pub number: u16,
	/// Its name, for people.
	pub name: &'static str,
	/// What a unit of its work is, for people.
	pub unit: &'static str,
	/// File name of its engine.
	pub program: &'static str,
	/// What its engine is told besides how it is run.
	pub arguments: &'static [&'static str],
	/// Units of work in a payload; 0 for what cannot be read, which the engine refuses at once.
	units: fn(&[u8]) -> u32,
	/// The time that the slowest machine we serve needs for a unit.
	time_per_unit: Duration,
	/// Jobs that are computed in less tell nothing of the speed.
	telling_time: Duration,
	/// Bytes that an engine takes in a mode, with so many threads and caches.
	need: fn(Mode, u64, u64) -> u64,
	/// A payload of so many units, different from those that start elsewhere.
	sample: fn(u32, u32) -> Vec<u8>,
	/// A payload of one unit, and its result.
	exam: fn() -> (Vec<u8>, Vec<u8>),
	/// What tells which output a result names, in a class whose engine asks for data and yields
	/// outputs.
	output: Option<OutputOf>,
	/// Whether its results follow a numerics profile, which a build or a machine may lack: the class
	/// is offered once an exam has proved it.
	pub has_profile: bool,
	/// Whether its engine needs libtorch, which is not part of a release.
	pub needs_libtorch: bool,
	/// Whether its profile takes a processor with AVX2.
	pub needs_avx2: bool,
}

/// The blake2_256 hash of the output that a result names. None: it is no result of the class.
pub type OutputOf = fn(&[u8]) -> Option<[u8; 32]>;

/// All of them. One engine computes a class, and may compute several.
pub static CLASSES: [Class; 5] =
	[randomx::CLASS, program::EXACT_F64, torch::EXACT_F32, torch::BANDED_F32, program::INTEGER];

/// What a worker has besides engines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Means {
	/// A place for inputs and outputs of programs.
	pub store: bool,
	/// The folder of libtorch.
	pub libtorch: bool,
	/// A processor with AVX2.
	pub avx2: bool,
}

/// What a class needs and a worker has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
	/// A place for inputs and outputs of programs.
	Store,
	/// The folder of libtorch.
	Libtorch,
	/// A processor with AVX2.
	Avx2,
}

/// Address space for a thread: its stack, and the heap that glibc's allocator reserves for it.
const THREAD_SPACE: u64 = 80 << 20;
/// Address space for everything else: the program, its libraries, what is reserved and given back.
const OTHER_SPACE: u64 = 512 << 20;
/// Address space for libtorch: 450 MiB of library, and what it reserves.
const LIBTORCH_SPACE: u64 = 2 << 30;

impl Class {
	/// The classes that a worker of such means can serve.
	pub fn servable(means: Means) -> impl Iterator<Item = &'static Self> {
		CLASSES.iter().filter(move |class| class.lack(means).is_none())
	}

	/// What keeps a worker of such means from serving it.
	pub fn lack(&self, means: Means) -> Option<Lack> {
		let needs = [
			(self.needs_data() && !means.store, Lack::Store),
			(self.needs_libtorch && !means.libtorch, Lack::Libtorch),
			(self.needs_avx2 && !means.avx2, Lack::Avx2),
		];
		needs.into_iter().find_map(|(is_lacking, lack)| is_lacking.then_some(lack))
	}

	/// Whether its engine asks for data and yields outputs.
	pub fn needs_data(&self) -> bool {
		self.output.is_some()
	}

	/// What tells which output a result names, where results name one.
	pub fn output(&self) -> Option<OutputOf> {
		self.output
	}

	/// Whether its engine lies in `dir`.
	pub fn is_in(&self, dir: &Path) -> bool {
		dir.join(self.program).is_file()
	}

	/// Units of work in a payload.
	pub fn units(&self, payload: &[u8]) -> u32 {
		(self.units)(payload)
	}

	/// The time that the work of a payload may take an engine.
	pub fn time(&self, payload: &[u8], setting: &Setting) -> Duration {
		let time = self.time_per_unit.saturating_mul(self.units(payload));
		let percent = setting.cpu_percent.unwrap_or(100).max(1);
		time.saturating_mul(100_u32.div_ceil(percent))
	}

	/// Whether a job tells how fast its engine is that was computed in so much time.
	pub fn tells_speed(&self, time: Duration) -> bool {
		time >= self.telling_time
	}

	/// Bytes of memory that its engine takes.
	pub fn need(&self, mode: Mode, threads: NonZeroUsize, caches: NonZeroU32) -> u64 {
		let threads = u64::try_from(threads.get()).unwrap_or(u64::MAX);
		(self.need)(mode, threads, caches.get().into())
	}

	/// Bytes of address space that its engine may have: more than it takes, because memory that is
	/// reserved and not used counts. Beside each thread that computes, another may prepare.
	pub fn address_space(&self, setting: &Setting) -> u64 {
		let threads = u64::try_from(setting.threads.get()).unwrap_or(u64::MAX);
		let reserved = THREAD_SPACE.saturating_mul(threads.saturating_mul(2).saturating_add(2));
		let need = self.need(setting.mode, setting.threads, setting.caches);
		let libtorch = if self.needs_libtorch { LIBTORCH_SPACE } else { 0 };
		need.saturating_add(reserved).saturating_add(OTHER_SPACE).saturating_add(libtorch)
	}

	/// A payload to measure with: `units` of work from `start` on.
	pub fn sample(&self, start: u32, units: u32) -> Vec<u8> {
		(self.sample)(start, units)
	}

	/// A payload of one unit, and the result that a sound engine on a sound machine has for it.
	pub fn exam(&self) -> (Vec<u8>, Vec<u8>) {
		(self.exam)()
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn samples_and_exams_are_what_they_say() {
		for class in &CLASSES {
			assert_eq!(class.units(&class.sample(7, 300)), 300);
			assert_eq!(class.units(&class.exam().0), 1);
			assert_ne!(class.sample(7, 300), class.sample(307, 300));
			assert_eq!(class.units(b"nonsense"), 0);
		}
	}

	#[test]
	fn a_result_is_known_or_names_an_output() {
		for class in &CLASSES {
			assert!(class.output().is_none_or(|output| output(b"nonsense").is_none()));
		}
	}

	const ALL: Means = Means { store: true, libtorch: true, avx2: true };
	const RUST: &str = "tequio-engine-ml";
	const TORCH: &str = "tequio-engine-torch";

	#[test]
	fn means_decide_what_is_served_and_by_which_engine() {
		let served = |means| -> Vec<_> {
			Class::servable(means).map(|class| (class.number, class.program)).collect()
		};
		let search = (0, "tequio-engine-randomx");
		assert_eq!(served(Means { store: false, ..ALL }), [search]);
		assert_eq!(served(Means { libtorch: false, ..ALL }), [search, (1, RUST), (4, RUST)]);
		let all = [search, (1, RUST), (2, TORCH), (3, TORCH), (4, RUST)];
		assert_eq!(served(ALL), all);
		let without_avx2 = [search, (1, RUST), (3, TORCH), (4, RUST)];
		assert_eq!(served(Means { avx2: false, ..ALL }), without_avx2);
	}

	#[test]
	fn a_class_has_one_engine() {
		for class in &CLASSES {
			let of_number = CLASSES.iter().filter(|other| other.number == class.number);
			assert_eq!(of_number.count(), 1, "{class:?}");
		}
	}

	#[test]
	fn what_is_lacking_is_told() {
		for class in &CLASSES {
			assert_eq!(class.lack(ALL), None);
			let expected = class.needs_data().then_some(Lack::Store);
			assert_eq!(class.lack(Means::default()), expected);
		}
		let exact_f32 = CLASSES.iter().find(|class| class.number == 2).unwrap();
		let lacking = exact_f32.lack(Means { libtorch: false, ..ALL });
		assert_eq!(lacking, Some(Lack::Libtorch));
		assert_eq!(exact_f32.lack(Means { avx2: false, ..ALL }), Some(Lack::Avx2));
	}

	#[test]
	fn libtorch_has_room() {
		let named = |program: &str| CLASSES.iter().find(|class| class.program == program).unwrap();
		let (torch, rust) = (named(TORCH), named(RUST));
		let setting = Setting::SMALLEST;
		let need = |class: &Class| class.need(setting.mode, setting.threads, setting.caches);
		assert_eq!(need(torch), 7 << 29);
		let (more, more_need) = (
			torch.address_space(&setting) - rust.address_space(&setting),
			need(torch) - need(rust),
		);
		assert_eq!(more, more_need + (2 << 30));
	}

	#[test]
	fn engines_that_share_a_program_are_told_what_they_compute() {
		for (number, class) in CLASSES.iter().enumerate() {
			let is_same = |other: &&Class| {
				(other.program, other.arguments) == (class.program, class.arguments)
			};
			assert_eq!(CLASSES.iter().filter(is_same).count(), 1, "{number}");
		}
	}

	#[test]
	fn time_grows_with_the_work_and_with_the_quota() {
		let class = &CLASSES[0];
		let all = Setting::SMALLEST;
		assert_eq!(class.time(&class.sample(0, 50), &all), Duration::from_secs(10));
		assert_eq!(class.time(b"nonsense", &all), Duration::ZERO);
		let third = Setting { cpu_percent: Some(33), ..all };
		assert_eq!(class.time(&class.sample(0, 50), &third), Duration::from_secs(40));
	}

	#[test]
	fn an_engine_may_have_what_it_takes() {
		for class in &CLASSES {
			for (mode, caches) in [(Mode::Light, 1), (Mode::Fast, 2)] {
				let caches = NonZeroU32::new(caches).unwrap();
				let threads = NonZeroUsize::new(8).unwrap();
				let setting = Setting { mode, threads, caches, ..Setting::SMALLEST };
				assert!(class.address_space(&setting) > class.need(mode, threads, caches));
			}
		}
	}
}
