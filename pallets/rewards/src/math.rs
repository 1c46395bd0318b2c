//! The parts of a fee. Pure functions.

use crate::Rules;
use tequio_primitives::Balance;

/// The parts of a fee: the treasury's, rounded down, and the author's, which is all the rest. They
/// add up to the fee.
pub fn split(fee: Balance, rules: &Rules) -> (Balance, Balance) {
	let treasury = rules.treasury_part.mul_floor(fee);
	(treasury, fee.saturating_sub(treasury))
}
