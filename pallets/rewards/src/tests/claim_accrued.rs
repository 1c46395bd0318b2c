use crate::{mock::*, Accrued, Error, Event, TotalAccrued};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::TokenError;
use tequio_primitives::rewards::DistributeRewards;

#[test]
fn claim_accrued_works() {
	build_and_execute(|| {
		keep(2, 4);
		keep(3, 50);
		keep(2, 8);
		System::assert_last_event(Event::<Test>::PayKept { owner: 2, amount: 8 }.into());
		assert_eq!(TotalAccrued::<Test>::get(), 62);

		assert_ok!(Rewards::claim_accrued(RuntimeOrigin::signed(9), 2));
		assert_eq!(Balances::free_balance(102), 12);
		assert_eq!(Balances::free_balance(Rewards::pot()), EXISTENTIAL_DEPOSIT + 50);
		assert!(!Accrued::<Test>::contains_key(2));
		assert_eq!(TotalAccrued::<Test>::get(), 50);
		System::assert_last_event(
			Event::<Test>::PayClaimed { owner: 2, payout: 102, amount: 12 }.into(),
		);
	});
}

#[test]
fn claim_accrued_should_fail_when_nothing_is_kept() {
	build_and_execute(|| {
		keep(2, 12);
		let claim = |owner| Rewards::claim_accrued(RuntimeOrigin::signed(9), owner);
		assert_noop!(claim(3), Error::<Test>::NothingAccrued);
		assert_ok!(claim(2));
		assert_noop!(claim(2), Error::<Test>::NothingAccrued);
	});
}

#[test]
fn claim_accrued_should_fail_when_payout_account_cannot_be_created() {
	build_and_execute(|| {
		keep(2, EXISTENTIAL_DEPOSIT - 1);
		assert_noop!(Rewards::claim_accrued(RuntimeOrigin::signed(9), 2), TokenError::BelowMinimum);
	});
}
