//! What one process claims of all chunks, in a file.

use crate::{
	chunks::{mapped, Cheat, School},
	support::{elements, itself},
	BANDED, CHEATED, EXACT,
};
use std::{
	fs::{self, File},
	io::{BufWriter, Write},
	num::NonZeroUsize,
	path::PathBuf,
	process::{self, Child, Stdio},
	sync::atomic::{AtomicUsize, Ordering},
};
use tequio_engine_ml::{
	grid::{grid_digest, GridState},
	Backend, Class, Reference, State,
};
use tequio_engine_torch::Libtorch;

/// Which part a process plays, and the file that it leaves.
pub const PART: &str = "TEQUIO_TEST_PART";
pub const FILE: &str = "TEQUIO_TEST_FILE";

/// Bytes of a digest, of a single and of a double.
const DIGEST: usize = 32;
const SINGLE: usize = 4;
const DOUBLE: usize = 8;

/// Who computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
	Libtorch(Class),
	Reference,
}

impl Part {
	const ALL: [Self; 4] = [
		Self::Libtorch(Class::ExactF64),
		Self::Libtorch(Class::ExactF32),
		Self::Libtorch(Class::BandedF32),
		Self::Reference,
	];

	fn name(self) -> String {
		format!("{self:?}")
	}

	pub fn parse(name: &str) -> Self {
		Self::ALL.into_iter().find(|part| part.name() == name).unwrap()
	}

	fn class(self) -> Class {
		match self {
			Self::Libtorch(class) => class,
			Self::Reference => Class::ExactF64,
		}
	}
}

/// Computes all chunks, honest and not, and writes what is claimed.
pub fn claim(part: Part, file: &str) {
	let class = part.class();
	let backend: Box<dyn Backend> = match part {
		Part::Libtorch(class) => Box::new(Libtorch::start(class, NonZeroUsize::MIN).unwrap()),
		Part::Reference => Box::new(Reference),
	};
	let school = School::new();
	let chunk = |number| match class {
		Class::BandedF32 => school.step(number),
		_ => school.chunk(number),
	};
	let mut file = BufWriter::new(File::create(file).unwrap());
	let mut put = |(change, scale): (State, f64)| {
		if class == Class::BandedF32 {
			file.write_all(&scale.to_le_bytes()).unwrap();
			for element in elements(&change) {
				file.write_all(&(element as f32).to_le_bytes()).unwrap();
			}
		} else {
			let change = GridState::round(&change).unwrap();
			file.write_all(&grid_digest(&change)).unwrap();
		}
	};
	let honest = if class == Class::BandedF32 { BANDED } else { EXACT };
	(0..honest).for_each(|number| put(chunk(number).compute(class, backend.as_ref())));
	for cheat in Cheat::ALL {
		(0..CHEATED).for_each(|number| put(cheat.commit(&chunk(number), class, backend.as_ref())));
	}
}

/// Claims that are still computed.
pub struct Claims {
	process: Child,
	file: PathBuf,
}

/// Claims of all honest chunks, and of those cheated in, by cheat.
pub struct Sorted<T> {
	pub honest: Vec<T>,
	pub cheats: Vec<Vec<T>>,
}

/// A step that is claimed.
pub struct Step {
	pub change: State,
	pub scale: f64,
}

impl Claims {
	/// Starts a process with these variables.
	pub fn start(part: Part, environment: &[(&str, &str)]) -> Self {
		static NUMBER: AtomicUsize = AtomicUsize::new(0);
		let number = NUMBER.fetch_add(1, Ordering::Relaxed);
		let file = std::env::temp_dir().join(format!("tequio-claims-{}-{number}", process::id()));
		let (name, path) = (part.name(), file.to_str().unwrap().to_owned());
		let environment = [environment, &[(PART, name.as_str()), (FILE, &path)]].concat();
		let mut command = itself("this_process", &environment);
		Self { process: command.stdout(Stdio::null()).spawn().unwrap(), file }
	}

	fn bytes(&mut self) -> Vec<u8> {
		assert!(self.process.wait().unwrap().success());
		fs::read(&self.file).unwrap()
	}

	pub fn digests(mut self) -> Sorted<[u8; DIGEST]> {
		let bytes = self.bytes();
		let digests = bytes.chunks_exact(DIGEST).map(|digest| digest.try_into().unwrap());
		sorted(digests.collect(), EXACT)
	}

	pub fn steps(mut self) -> Sorted<Step> {
		let (school, bytes) = (School::new(), self.bytes());
		let like = school.step(0).weights.zeros_like();
		let elements = elements(&like).len();
		let read = |bytes: &[u8]| {
			let (scale, singles) = bytes.split_at(DOUBLE);
			let mut singles = singles.chunks_exact(SINGLE).map(|le| le.try_into().unwrap());
			let mut change = mapped(&like, |zero| zero);
			for value in change.0.iter_mut().flat_map(|(_, tensor)| tensor.data_mut()) {
				*value = f64::from(f32::from_le_bytes(singles.next().unwrap()));
			}
			Step { change, scale: f64::from_le_bytes(scale.try_into().unwrap()) }
		};
		sorted(bytes.chunks_exact(DOUBLE + SINGLE * elements).map(read).collect(), BANDED)
	}
}

impl Drop for Claims {
	fn drop(&mut self) {
		self.process.kill().ok();
		self.process.wait().ok();
		fs::remove_file(&self.file).ok();
	}
}

fn sorted<T>(mut honest: Vec<T>, count: usize) -> Sorted<T> {
	let mut rest = honest.split_off(count).into_iter();
	let cheats = Cheat::ALL.map(|_| rest.by_ref().take(CHEATED).collect());
	assert!(rest.next().is_none());
	Sorted { honest, cheats: cheats.into() }
}
