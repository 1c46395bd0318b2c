//! Steps of a panel, and what comes after.

use super::*;
use crate::types::{CheckState, Seating, Standing};
use frame_support::{dispatch::DispatchResult, BoundedVec};
use sp_core::H256;
use tequio_primitives::{
	opening::Opening,
	recompute::{Output, OutputOpening},
	stage::Stage,
};

pub fn referee(level: u8) -> Role {
	Role::Referee { level }
}

/// Worker 1 and both auditors have revealed these, and a panel is called about it.
pub fn panel_called(id: AttemptId, openings: [&Opening; 3]) -> [u8; 2] {
	let both = revealed(id, 1, openings, [true; 3]);
	assert_eq!(stage(id), Some(Stage::Panel));
	both
}

pub fn stage(id: AttemptId) -> Option<Stage> {
	Verification::stage_of(&id.chunk).map(|(stage, _)| stage)
}

/// Whether an attempt is accepted and may be challenged.
pub fn is_settled(id: AttemptId) -> bool {
	let check = Checks::<Test>::get(id.chunk).filter(|check| check.attempt == id.attempt);
	check.is_some_and(|check| matches!(check.state, CheckState::Settled))
}

/// Polls until every vote of a panel is given out. The referees by place.
pub fn seated(id: AttemptId, level: u8) -> Vec<u8> {
	for _ in 0..1_000 {
		if Panels::<Test>::get(id, level).unwrap().open() == 0 {
			return referees(id, level).into_iter().flatten().collect();
		}
		assert_eq!(stage(id), Some(Stage::Panel), "a panel was never complete");
		run_to(now() + 1);
	}
	panic!("nobody sits down")
}

/// Worker 1 and one auditor have revealed these outputs of a program, and a panel is called. The
/// auditor.
pub fn outputs_differ(id: AttemptId, own: &Opening, audited: &Opening) -> u8 {
	assign(id, 1);
	commit_one(1, id, Role::Worker, own).unwrap();
	run_to_due(id);
	let auditor = auditors(id)[0].unwrap();
	commit_one(auditor, id, Role::Auditor, audited).unwrap();
	reveal_one(1, id, Role::Worker, own).unwrap();
	reveal_one(auditor, id, Role::Auditor, audited).unwrap();
	assert_eq!(stage(id), Some(Stage::Panel));
	auditor
}

/// An output that its referee finds near others.
pub fn near(byte: u8, others: &[u8]) -> Opening {
	let near = others.iter().map(|other| H256::repeat_byte(*other)).collect();
	let near = BoundedVec::truncate_from(near);
	let output = Output::hidden(H256::repeat_byte(byte));
	Opening::Output(OutputOpening { near, ..OutputOpening::showing(output) })
}

/// An output that its referee finds near what these show.
pub fn near_to(byte: u8, others: &[&Opening]) -> Opening {
	let mut near: Vec<H256> = others.iter().map(|other| other.answer()).collect();
	near.sort_unstable();
	let near = BoundedVec::truncate_from(near);
	let output = Output::hidden(H256::repeat_byte(byte));
	Opening::Output(OutputOpening { near, ..OutputOpening::showing(output) })
}

/// A panel of a level was called in which each seat of so many owners, with a seat each, has a vote.
pub fn called_all(id: AttemptId, level: u8, votes: u64) {
	assert_last(Event::PanelCalled { id, level, seating: Seating::Everybody, votes });
}

/// A panel of a level with so many votes was called, which are drawn.
pub fn called(id: AttemptId, level: u8, votes: u64) {
	assert_last(Event::PanelCalled { id, level, seating: Seating::Drawn, votes });
}

/// A panel has found this, about the worker and then about each auditor.
pub fn found(id: AttemptId, level: u8, standings: &[Standing]) {
	let standings = BoundedVec::truncate_from(standings.to_vec());
	assert_has(Event::PanelFound { id, level, standings });
}

/// Has every referee of a panel commit and reveal, by place, and the panel find. The referees by
/// place.
pub fn panel_says(id: AttemptId, level: u8, said: &[&Opening]) -> Vec<u8> {
	let numbers = seated(id, level);
	assert_eq!(numbers.len(), said.len(), "a panel has another size");
	for (number, opening) in numbers.iter().zip(said) {
		commit_one(*number, id, referee(level), opening).unwrap();
	}
	for (number, opening) in numbers.iter().zip(said) {
		reveal_one(*number, id, referee(level), opening).unwrap();
	}
	run_to(now() + 1);
	numbers
}

pub fn appeal(who: AccountId, id: AttemptId) -> DispatchResult {
	Verification::appeal(RuntimeOrigin::signed(who), id)
}

pub fn challenge(who: AccountId, id: AttemptId) -> DispatchResult {
	Verification::challenge(RuntimeOrigin::signed(who), id)
}

/// What `tasks` was told about an attempt in the end.
pub fn told_last(id: AttemptId) -> Option<Told> {
	let mut told = doubles().told.into_iter().rev();
	told.find(|(about, _)| *about == id).map(|(_, told)| told)
}

/// What the pot keeps for the owner of a device.
pub fn accrued(number: u8) -> Balance {
	doubles().accrued.get(&owner(number)).copied().unwrap_or(0)
}

/// Polls until every referee of an attempt is dismissed.
pub fn dismissed(id: AttemptId) {
	for _ in 0..100 {
		if Panels::<Test>::iter_prefix(id).next().is_none() {
			return;
		}
		run_to(now() + 1);
	}
	panic!("referees are never dismissed")
}

/// Slashed, and what the referees are owed goes to the pot: the rest is burned.
pub fn slashed_for_referees(amount: Balance) -> End {
	End::Slashed { compensation: vec![], bounty: vec![], referees: Some((pot(), amount)) }
}
