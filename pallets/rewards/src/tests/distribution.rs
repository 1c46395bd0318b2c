use crate::{mock::*, Contribution, Contributions};
use codec::{Decode, Encode};
use sp_io::hashing::blake2_128;
use tequio_primitives::{rewards::DistributeRewards, Role, TaskId};

#[test]
fn fee_parts_are_for_treasury_and_author() {
	build_and_execute(|| {
		BlockAuthor::set(Some(7));
		assert_eq!(Rewards::fee_parts(101), [(Rewards::treasury(), 50), (7, 51)]);
	});
}

#[test]
fn fee_parts_without_an_author_are_the_treasurys() {
	build_and_execute(|| {
		let treasury = Rewards::treasury();
		assert_eq!(Rewards::fee_parts(101), [(treasury, 101), (treasury, 0)]);
	});
}

#[test]
fn fee_terms_have_a_least_fee() {
	build_and_execute(|| {
		let fee = Rewards::fee_terms();
		assert_eq!(fee.on(1), 2);
		assert_eq!(fee.on(40), 2);
		assert_eq!(fee.on(41), 3);
	});
}

#[test]
fn fee_terms_round_up() {
	build_and_execute(|| {
		let fee = Rewards::fee_terms();
		assert_eq!(fee.on(0), 0);
		assert_eq!(fee.on(100), 5);
		assert_eq!(fee.on(101), 6);
	});
}

#[test]
fn note_contribution_works() {
	build_and_execute(|| {
		Rewards::note_contribution(0, &2, Role::Worker, 30, 300);
		Rewards::note_contribution(0, &2, Role::Worker, 20, 200);
		Rewards::note_contribution(0, &2, Role::Auditor, 0, 7);
		Rewards::note_contribution(0, &3, Role::Referee { level: 1 }, 0, 9);
		Rewards::note_contribution(1, &3, Role::Worker, 1, 1);

		let of = |task: TaskId, owner: AccountId| Contributions::<Test>::get(task, owner);
		let both = Contribution { chunks: 2, units: 50, paid: 500, audits: 1, audit_paid: 7 };
		assert_eq!(of(0, 2), both);
		assert_eq!(of(0, 3), Contribution { audits: 1, audit_paid: 9, ..Default::default() });
		assert_eq!(of(1, 3), Contribution { chunks: 1, units: 1, paid: 1, ..Default::default() });
		assert_eq!(of(1, 2), Contribution::default());
	});
}

#[test]
fn take_contributions_works_in_pieces_and_in_order() {
	build_and_execute(|| {
		for owner in 0..10 {
			Rewards::note_contribution(0, &owner, Role::Worker, 30, 300 + u128::from(owner));
		}
		Rewards::note_contribution(1, &3, Role::Worker, 30, 300);

		let mut taken = Vec::new();
		for expected in [4, 4, 2, 0] {
			let piece = Rewards::take_contributions(0, 4);
			assert_eq!(piece.len(), expected);
			taken.extend(piece);
			assert_eq!(Contributions::<Test>::iter_prefix(0).count(), 10 - taken.len());
		}
		let mut owners: Vec<AccountId> = (0..10).collect();
		owners.sort_by_key(|owner| blake2_128(&owner.encode()));
		for (bytes, owner) in taken.iter().zip(owners) {
			let paid = 300 + u128::from(owner);
			let expected = Contribution { chunks: 1, units: 30, paid, ..Default::default() };
			let decoded = <(AccountId, Contribution)>::decode(&mut bytes.as_slice()).unwrap();
			assert_eq!(decoded, (owner, expected));
		}
		assert_eq!(Contributions::<Test>::iter_prefix(1).count(), 1);
	});
}
