//! Draws from block randomness: whether a commit is audited, and which seat is taken.
//!
//! All draws are pure functions of a past block's VRF output and the name of what is drawn for, so
//! anybody can check them, and one output serves many draws without relating them.

use crate::{chunk::AttemptId, terms::rate_per_block, WorkHeight};
use codec::Encode;
use sp_core::H256;
use sp_runtime::Perquintill;

/// What a draw is for. Keeps draws for different ends from sharing their luck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode)]
pub enum Purpose {
	/// Which seat computes the attempt.
	#[codec(index = 0)]
	Worker,
	/// Whether the attempt is audited.
	#[codec(index = 1)]
	Audit,
	/// Which seat audits, by place and by how often that place was drawn before.
	#[codec(index = 2)]
	Auditor {
		/// The auditor's place, from 0.
		place: u8,
		/// Times that auditors of this attempt were redrawn.
		redraw: u8,
	},
	/// Which sub-range the auditors look at.
	#[codec(index = 3)]
	SubRange,
	/// Whether one more auditor looks at the attempt.
	#[codec(index = 4)]
	Second,
	/// Which seat a vote of a panel falls on.
	#[codec(index = 5)]
	Referee {
		/// The panel's level.
		level: u8,
		/// The number of the vote, or of the owner where all sit, from 0.
		number: u8,
	},
}

/// The randomness of one draw: `blake2_256(vrf ‖ purpose ‖ attempt)`.
pub fn seed(vrf: &[u8; 32], purpose: Purpose, id: &AttemptId) -> H256 {
	sp_io::hashing::blake2_256(&(vrf, purpose, id).encode()).into()
}

/// A uniform integer below `2⁶⁴` from the randomness of a draw; `round` gives further ones.
pub fn number(seed: &H256, round: u32) -> u64 {
	let bytes = sp_io::hashing::blake2_128(&(seed, round).encode());
	u64::from_le_bytes(core::array::from_fn(|place| bytes[place]))
}

/// Whether an attempt is audited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditDraw {
	/// Audited; what names the auditors and the sub-range, mixed from all outputs of the window.
	Audited([u8; 32]),
	/// Not audited.
	Spared,
	/// The outputs of the window are not there: it is too early, or blocks carried none.
	Unknown,
}

/// Draws for an attempt committed at height `committed`: the outputs of the heights
/// `committed + 1 ..= committed + window` each hit with the chance that makes the whole window hit
/// with `audit_rate`. Auditors are named by all of them together: were it one, its author, who knows
/// it in advance, could tell an allied worker when to commit.
pub fn audit(
	id: &AttemptId,
	committed: WorkHeight,
	window: u32,
	audit_rate: Perquintill,
	output: impl Fn(WorkHeight) -> Option<[u8; 32]>,
) -> AuditDraw {
	let threshold = rate_per_block(audit_rate, window);
	let (mut known, mut hit, mut mixed) = (0u32, false, [0u8; 32]);
	for place in 1..=window {
		let Some(vrf) = output(committed.saturating_add(place)) else { continue };
		known += 1;
		hit |= hits(&seed(&vrf, Purpose::Audit, id), threshold);
		mixed = sp_io::hashing::blake2_256(&(mixed, vrf).encode());
	}
	match (known == window, hit) {
		(true, true) => AuditDraw::Audited(mixed),
		(true, false) => AuditDraw::Spared,
		// A part of the window would let whoever knows that part choose.
		(false, _) => AuditDraw::Unknown,
	}
}

/// Whether a draw falls below a threshold; a threshold of one is always hit, one of zero never.
pub fn hits(seed: &H256, threshold: Perquintill) -> bool {
	let number = u128::from(number(seed, 0));
	let scaled = (number * u128::from(Perquintill::one().deconstruct())) >> 64;
	scaled < u128::from(threshold.deconstruct())
}
