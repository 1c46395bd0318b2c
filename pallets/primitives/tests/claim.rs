//! What is claimed in which class.

use sp_core::H256;
use tequio_primitives::{claim::Claim, search::Shares, WorkClass};

fn claims() -> [Claim; 3] {
	let shares = Shares::truncate_from(vec![3, 5]);
	[Claim::Nothing, Claim::Shares(shares), Claim::Seed(H256::repeat_byte(7))]
}

#[test]
fn each_class_claims_one_kind() {
	for class in WorkClass::ALL {
		let expected = match class {
			WorkClass::RandomXSearch => [false, true, false],
			WorkClass::BandedF32 => [false, false, true],
			WorkClass::ExactF64 | WorkClass::ExactF32 | WorkClass::Integer => [true, false, false],
		};
		assert_eq!(claims().map(|claim| claim.is_of(class)), expected, "{class:?}");
	}
	assert!(Claim::Shares(Shares::new()).is_of(WorkClass::RandomXSearch), "it may find none");
}

#[test]
fn a_claim_shows_what_it_is_of() {
	let [nothing, shares, seed] = claims();
	assert_eq!(shares.shares(), [3, 5]);
	assert_eq!(seed.seed(), Some(H256::repeat_byte(7)));
	assert!(nothing.shares().is_empty() && seed.shares().is_empty());
	assert_eq!((nothing.seed(), shares.seed()), (None, None));
	assert_eq!(Claim::default(), Claim::Nothing);
}

#[test]
fn the_numbers_of_the_classes_are_their_places_in_the_codec() {
	for class in WorkClass::ALL {
		let encoded = codec::Encode::encode(&class);
		assert_eq!(encoded.iter().map(|byte| u16::from(*byte)).collect::<Vec<_>>(), [class.id()]);
	}
	assert!(WorkClass::ALL.windows(2).all(|pair| pair[0].id() < pair[1].id()));
}
