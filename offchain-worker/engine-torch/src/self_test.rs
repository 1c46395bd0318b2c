//! What an engine computes before it offers anything: a few steps of two small models, which have
//! every kind of layer between them, with every optimiser.
//!
//! | class | what comes of it has to be |
//! | --- | --- |
//! | `exact-f64` | on the grid, what the pure Rust makes of it |
//! | `exact-f32` | of a digest that is known: [`PINNED`] |
//! | `banded-f32` | within the band of what the pure Rust makes of it |
//!
//! A processor for which libtorch has a code path that no pin closes, or another build of libtorch,
//! shows here and not in a worker's lost stake.

mod course;

pub use course::Course;

use hex_literal::hex;
use sp_crypto_hashing::blake2_256;
use tequio_engine_ml::{
	grid::{state_digest, GridError, GridState},
	near::within_band,
	Backend, BackendError, Class, Descent, Reference,
};

/// The digest in `exact-f32` on every machine that the profile is for: `blake2_256` of the digests of
/// all changes, in the order of [`Course::all`].
pub const PINNED: [u8; 32] =
	hex!("415a3880f240347a5b3db5e09505741fd2d6bc358f4d0ea6b28db0575892eb7f");

/// Why a machine is not fit for a class.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
	/// A course cannot be laid out.
	#[error("the self-test cannot be laid out: {0}")]
	Course(String),
	/// The backend fails.
	#[error("the self-test fails: {0}")]
	Backend(#[from] BackendError),
	/// A change does not lie on the grid.
	#[error("the self-test leaves the grid: {0}")]
	Grid(#[from] GridError),
	/// Doubles come to another change.
	#[error("{course}: libtorch comes to another change on the grid than the pure Rust")]
	OffGrid {
		/// Which course.
		course: &'static str,
	},
	/// Singles come to another change.
	#[error(
		"libtorch comes to changes of digest {found}, not {expected}: this processor or this build of \
		 libtorch has a code path that exact-f32 is not pinned to"
	)]
	OtherDigest {
		/// What this machine comes to.
		found: String,
		/// What it should come to.
		expected: String,
	},
	/// Singles come to a change that is too far away.
	#[error("{course}: libtorch comes to a change outside the band of the pure Rust's")]
	OutOfBand {
		/// Which course.
		course: &'static str,
	},
}

/// Says whether a backend computes a class as every machine does.
pub fn run(class: Class, backend: &dyn Backend) -> Result<(), Unfit> {
	let courses = Course::all()?;
	match class {
		Class::ExactF64 => courses.iter().try_for_each(|course| on_grid(course, backend)),
		Class::ExactF32 => {
			let found = digest(&courses, backend)?;
			let (found, expected) = (digits(&found), digits(&PINNED));
			(found == expected).then_some(()).ok_or(Unfit::OtherDigest { found, expected })
		},
		Class::BandedF32 => courses.iter().try_for_each(|course| in_band(course, backend)),
		// No backend has a part in it.
		Class::Integer => Ok(()),
	}
}

/// The digest of what a backend makes of all courses in `exact-f32`.
pub fn digest(courses: &[Course], backend: &dyn Backend) -> Result<[u8; 32], Unfit> {
	let mut digests = Vec::new();
	for course in courses {
		digests.extend(state_digest(&course.train(Class::ExactF32, backend)?));
	}
	Ok(blake2_256(&digests))
}

fn on_grid(course: &Course, backend: &dyn Backend) -> Result<(), Unfit> {
	let [found, expected] = [
		GridState::round(&course.train(Class::ExactF64, backend)?)?,
		GridState::round(&course.train(Class::ExactF64, &Reference)?)?,
	];
	(found == expected).then_some(()).ok_or(Unfit::OffGrid { course: course.name() })
}

fn in_band(course: &Course, backend: &dyn Backend) -> Result<(), Unfit> {
	let Descent { change: expected, scale } = course.descend(&Reference)?;
	let found = course.descend(backend)?.change;
	let course = course.name();
	within_band(&expected, scale, &found).then_some(()).ok_or(Unfit::OutOfBand { course })
}

fn digits(bytes: &[u8]) -> String {
	bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
