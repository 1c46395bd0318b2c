//! What trainings and the engines that compute their chunks agree on.

use codec::{Decode, DecodeAll, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::Permill;

/// A training, numbered from 0 in the order of submission.
pub type TrainingId = u32;

/// Shards that the data of a training is cut into, at most.
pub const MAX_SHARDS: u32 = 64;
/// The output of a run whose numbers have left the finite ones: a result like any other, since
/// everybody who runs it comes to the same.
pub const DIVERGED: &[u8] = b"tequio: diverged";

/// What an evaluation counts.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Counts {
	/// Rows that were labelled right.
	pub right: u64,
	/// Rows that were looked at.
	pub rows: u64,
	/// Cross-entropy summed over the rows, in units of 2⁻²⁰.
	pub loss: u64,
}

impl Counts {
	/// The counts that an output shows, in SCALE; `None` where it shows something else, or more that
	/// is right than was looked at.
	pub fn read(shown: &[u8]) -> Option<Self> {
		let counts = Self::decode_all(&mut &*shown).ok()?;
		(counts.right <= counts.rows).then_some(counts)
	}

	/// The counts of both together. Saturates.
	pub fn plus(self, other: Self) -> Self {
		Self {
			right: self.right.saturating_add(other.right),
			rows: self.rows.saturating_add(other.rows),
			loss: self.loss.saturating_add(other.loss),
		}
	}

	/// Whether the accuracy is higher than that of `other`, or the same with a lower mean loss.
	/// Counts of no rows beat nothing, and are beaten by all others.
	pub fn beats(&self, other: &Self) -> bool {
		if self.rows == 0 || other.rows == 0 {
			return self.rows > other.rows;
		}
		// A fraction is above another one if the products across are.
		let (own_right, other_right) =
			(product(self.right, other.rows), product(other.right, self.rows));
		let (own_loss, other_loss) =
			(product(self.loss, other.rows), product(other.loss, self.rows));
		own_right > other_right || (own_right == other_right && own_loss < other_loss)
	}

	/// Whether the accuracy is at least `target`. Counts of no rows reach nothing.
	pub fn reaches(&self, target: Permill) -> bool {
		let target = target.deconstruct();
		self.rows > 0 && product(self.right, 1_000_000) >= product(self.rows, target.into())
	}
}

/// Fits: two factors of 64 bits each.
fn product(one: u64, other: u64) -> u128 {
	u128::from(one).saturating_mul(other.into())
}
