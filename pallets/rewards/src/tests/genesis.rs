use crate::{mock::*, CurrentRules};
use tequio_primitives::rewards::DistributeRewards;

#[test]
fn genesis_gives_pot_and_treasury_a_deposit() {
	build_and_execute(|| {
		for account in [Rewards::pot(), Rewards::treasury()] {
			assert_eq!(Balances::free_balance(account), EXISTENTIAL_DEPOSIT);
			assert_eq!(System::providers(&account), 2);
		}
		assert_ne!(Rewards::pot(), Rewards::treasury());
		assert_eq!(Balances::total_issuance(), ENDOWMENT + 2 * EXISTENTIAL_DEPOSIT);
		assert_eq!(CurrentRules::<Test>::get(), RULES);
	});
}

#[test]
fn pot_takes_pay_below_the_deposit() {
	build_and_execute(|| {
		keep(2, 1);
		assert_eq!(Balances::free_balance(Rewards::pot()), EXISTENTIAL_DEPOSIT + 1);
	});
}
