//! Whatever is kept and claimed in whatever order, the pot covers it, and no token vanishes.

use crate::mock::*;
use proptest::prelude::*;
use tequio_primitives::Balance;

#[derive(Clone, Debug)]
enum Step {
	Keep(AccountId, Balance),
	Claim(AccountId),
}

fn step() -> impl Strategy<Value = Step> {
	let owner = 2..=5u64;
	prop_oneof![
		(owner.clone(), 1..30u128).prop_map(|(owner, amount)| Step::Keep(owner, amount)),
		owner.prop_map(Step::Claim),
	]
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(48))]

	#[test]
	fn invariants_hold_after_every_step(steps in prop::collection::vec(step(), 1..60)) {
		build_and_execute(|| {
			let issuance = Balances::total_issuance();
			let mut kept: Balance = 0;
			for step in steps {
				match step {
					Step::Keep(owner, amount) => {
						keep(owner, amount);
						kept += amount;
					},
					// A claim that fails is as good a step as one that does not: it may not change
					// anything.
					Step::Claim(owner) => {
						let _ = Rewards::claim_accrued(RuntimeOrigin::signed(REQUESTER), owner);
					},
				}
				Rewards::do_try_state().unwrap();
				let delivered: Balance = (2..=5)
					.map(|owner: AccountId| Balances::free_balance(owner + 100))
					.sum();
				assert_eq!(crate::TotalAccrued::<Test>::get() + delivered, kept);
				assert_eq!(Balances::total_issuance(), issuance);
			}
		});
	}
}
