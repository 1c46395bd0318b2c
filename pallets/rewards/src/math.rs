//! Fee and its parts. Pure functions.

use crate::Rules;
use tequio_primitives::Balance;

/// The fee on a payment: its rate, rounded up, and no less than the least fee. None on nothing.
pub fn fee_on(payment: Balance, rules: &Rules) -> Balance {
	if payment == 0 {
		return 0;
	}
	rules.fee_rate.mul_ceil(payment).max(rules.min_fee)
}

/// The parts of a fee: the treasury's, rounded down, and the author's, which is all the rest. They
/// add up to the fee.
pub fn split(fee: Balance, rules: &Rules) -> (Balance, Balance) {
	let treasury = rules.treasury_part.mul_floor(fee);
	(treasury, fee.saturating_sub(treasury))
}
