//! What follows from the openings of worker and auditors. Pure: everything it looks at is an
//! argument.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use tequio_primitives::{
	opening::{Comparison, Opening},
	tasks::{RejectReason, UndecidedReason},
};

/// The judgement on an attempt, without the payments that follow.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Outcome {
	/// Right.
	#[codec(index = 0)]
	Accepted,
	/// Wrong, or never revealed.
	#[codec(index = 1)]
	Rejected(RejectReason),
	/// Not to be told.
	#[codec(index = 2)]
	Undecided(UndecidedReason),
}

/// What follows from the openings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
	/// The attempt ends.
	Ends(Outcome),
	/// They disagree: a panel finds out who is right.
	Panel,
}

/// Judges an attempt by what was revealed. `auditors` has an entry for each place; it is empty
/// without an audit. What is near is accepted like what is equal. Nobody is found wrong here, however
/// many auditors say so: that takes two thirds of a panel.
pub fn judge(worker: Option<&Opening>, auditors: &[Option<&Opening>]) -> Judgement {
	let Some(worker) = worker else {
		return Judgement::Ends(Outcome::Rejected(RejectReason::NotRevealed));
	};
	let mut revealed = auditors.iter().flatten();
	let ends = if auditors.is_empty() {
		Outcome::Accepted
	} else if revealed.clone().next().is_none() {
		Outcome::Undecided(UndecidedReason::NoAuditors)
	} else if revealed.all(|auditor| auditor.judges(worker) != Comparison::Wrong) {
		Outcome::Accepted
	} else {
		return Judgement::Panel;
	};
	Judgement::Ends(ends)
}
