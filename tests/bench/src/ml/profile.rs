//! Numerics profiles: in which arithmetic models are trained.

use super::models::Subject;
use tequio_engine_ml::{Class, Payload};

/// A profile of training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
	/// In doubles, rounded to the grid.
	ExactF64,
	/// In singles, on pinned code paths, rounded to the grid.
	ExactF32,
	/// One step in singles, as fast as it goes.
	BandedF32,
}

impl Profile {
	/// All of them.
	pub const ALL: [Self; 3] = [Self::ExactF64, Self::ExactF32, Self::BandedF32];

	/// The class of the work.
	pub fn class(self) -> Class {
		match self {
			Self::ExactF64 => Class::ExactF64,
			Self::ExactF32 => Class::ExactF32,
			Self::BandedF32 => Class::BandedF32,
		}
	}

	/// A model as it may be trained in this profile.
	pub fn of(self, subject: Subject) -> Subject {
		match self {
			Self::ExactF64 | Self::ExactF32 => subject,
			Self::BandedF32 => subject.smooth(),
		}
	}

	/// What figures and command lines call it.
	pub fn name(self) -> &'static str {
		match self {
			Self::ExactF64 => "exact-f64",
			Self::ExactF32 => "exact-f32",
			Self::BandedF32 => "banded-f32",
		}
	}

	/// How a change is handed over as a whole.
	pub fn payload(self) -> Payload {
		match self {
			Self::ExactF64 | Self::ExactF32 => Payload::Grid,
			Self::BandedF32 => Payload::Single,
		}
	}

	/// Type of numbers, as PyTorch names it.
	pub fn dtype(self) -> &'static str {
		match self {
			Self::ExactF64 => "float64",
			Self::ExactF32 | Self::BandedF32 => "float32",
		}
	}

	/// What pins the code paths of PyTorch, as settings of its environment: what the engine pins its
	/// own with.
	pub fn pins(self) -> &'static [&'static str] {
		match self {
			Self::ExactF64 | Self::BandedF32 => &[],
			Self::ExactF32 => {
				&["ATEN_CPU_CAPABILITY=avx2", "ONEDNN_MAX_CPU_ISA=AVX2", "MKL_CBWR=COMPATIBLE"]
			},
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn names_are_those_of_the_classes() {
		for profile in Profile::ALL {
			assert_eq!(profile.name(), profile.class().to_string());
		}
	}
}
