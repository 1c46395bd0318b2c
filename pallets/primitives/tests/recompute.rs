//! Which computations can be tasks.

use sp_core::H256;
use tequio_primitives::{
	recompute::{RecomputeError, RecomputeSpec, MAX_REPLICAS},
	WorkClass,
};

fn spec() -> RecomputeSpec {
	let (class, program) = (WorkClass::ExactF64, H256::repeat_byte(3));
	RecomputeSpec { class, program, chunks: 4, units: 100, replicas: 1 }
}

#[test]
fn a_program_of_any_class_but_search_is_valid() {
	for class in WorkClass::ALL {
		let expected = match class {
			WorkClass::RandomXSearch => Err(RecomputeError::NotAProgram),
			WorkClass::ExactF64 | WorkClass::ExactF32 | WorkClass::Integer => Ok(()),
		};
		assert_eq!(RecomputeSpec { class, ..spec() }.validate(), expected);
	}
}

#[test]
fn every_number_of_replicas_up_to_seven_is_valid() {
	for replicas in 1..=MAX_REPLICAS {
		assert_eq!(RecomputeSpec { replicas, ..spec() }.validate(), Ok(()));
	}
}

#[test]
fn what_cannot_be_computed_or_paid_is_not_valid() {
	let refused = |spec: RecomputeSpec, error| assert_eq!(spec.validate(), Err(error));
	refused(RecomputeSpec { chunks: 0, ..spec() }, RecomputeError::NoChunks);
	refused(RecomputeSpec { units: 0, ..spec() }, RecomputeError::NoUnits);
	refused(RecomputeSpec { replicas: 0, ..spec() }, RecomputeError::ReplicasOutOfBounds);
	let too_many = MAX_REPLICAS + 1;
	refused(RecomputeSpec { replicas: too_many, ..spec() }, RecomputeError::ReplicasOutOfBounds);
}
