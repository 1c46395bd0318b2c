//! Random sequences of calls and blocks. After each step everything that must hold does; in the end
//! nothing is stuck.

use crate::{mock::*, panel::outputs, types::*, Call, CheckOf, Checks, HoldReason, Panels, Rules};
use frame_support::{
	traits::fungible::{Inspect, InspectHold},
	BoundedVec,
};
use proptest::prelude::*;
use sp_core::H256;
use sp_runtime::Perquintill;
use std::collections::{BTreeMap, BTreeSet};
use tequio_primitives::{
	opening::Opening,
	recompute::{Output, OutputOpening},
	AttemptId, Balance, ChunkId, Role,
};

#[derive(Clone, Copy, Debug)]
enum Says {
	Right,
	Accuses,
	Guesses,
	Near,
}

#[derive(Clone, Debug)]
enum Step {
	Assign {
		chunk: u32,
		worker: u8,
		percent: u64,
		second: u64,
	},
	Commit {
		chunk: u32,
		says: Says,
		part: usize,
	},
	Reveal {
		chunk: u32,
		part: usize,
		other: bool,
	},
	/// Everybody who has a part does what it can, and says the same.
	All {
		chunk: u32,
		says: Says,
	},
	Appeal {
		chunk: u32,
		part: usize,
		by_owner: bool,
	},
	Challenge {
		chunk: u32,
		who: u8,
	},
	Pay {
		chunk: u32,
	},
	Poll(u32),
	Stall(u32),
	Advance(u32),
	Accepting(Vec<u8>),
	Broke(Vec<u8>),
	Dark(bool),
	Unfit(bool),
}

/// What each device has committed to.
type Said = BTreeMap<(u8, AttemptId, Role), Opening>;

/// Devices that may be drawn.
const MOST: u8 = 9;
/// Parts of an attempt: worker, auditors and referees.
const PARTS: usize = 10;

fn says() -> impl Strategy<Value = Says> {
	prop_oneof![
		6 => Just(Says::Right),
		2 => Just(Says::Accuses),
		1 => Just(Says::Guesses),
		1 => Just(Says::Near),
	]
}

fn percent() -> impl Strategy<Value = u64> {
	prop_oneof![Just(0u64), Just(50), Just(100)]
}

fn step() -> impl Strategy<Value = Step> {
	let chunk = || 0..CHUNKS;
	prop_oneof![
		4 => (chunk(), 1u8..=6, percent(), percent())
			.prop_map(|(chunk, worker, percent, second)| {
				Step::Assign { chunk, worker, percent, second }
			}),
		6 => (chunk(), says(), 0..PARTS)
			.prop_map(|(chunk, says, part)| Step::Commit { chunk, says, part }),
		6 => (chunk(), 0..PARTS, prop::bool::weighted(0.1))
			.prop_map(|(chunk, part, other)| Step::Reveal { chunk, part, other }),
		8 => (chunk(), says()).prop_map(|(chunk, says)| Step::All { chunk, says }),
		4 => (chunk(), 0..PARTS, any::<bool>())
			.prop_map(|(chunk, part, by_owner)| Step::Appeal { chunk, part, by_owner }),
		3 => (chunk(), 0..MOST).prop_map(|(chunk, who)| Step::Challenge { chunk, who }),
		1 => chunk().prop_map(|chunk| Step::Pay { chunk }),
		8 => (1u32..12).prop_map(Step::Poll),
		2 => (1u32..20).prop_map(Step::Stall),
		2 => (0u32..=64).prop_map(Step::Advance),
		1 => prop::collection::btree_set(1u8..=MOST, 0..usize::from(MOST))
			.prop_map(|some| Step::Accepting(some.into_iter().collect())),
		2 => Just(Step::Accepting((1..=MOST).collect())),
		1 => prop::collection::vec(1u8..=MOST, 0..3).prop_map(Step::Broke),
		1 => any::<bool>().prop_map(Step::Dark),
		1 => any::<bool>().prop_map(Step::Unfit),
	]
}

/// An attempt at one of the chunks: of searches, of a program, and of one that is compared within a
/// band.
fn of(index: u32, attempt: u8) -> AttemptId {
	let task = match index % 4 {
		1 => PROGRAM,
		3 => BANDED,
		_ => 0,
	};
	AttemptId { chunk: ChunkId { task, index }, attempt }
}

/// The attempt that a chunk is at: the one that is checked or was accepted, or the next one.
fn current(index: u32) -> AttemptId {
	let chunk = of(index, 0).chunk;
	if let Some(check) = Checks::<Test>::get(chunk) {
		return of(index, check.attempt);
	}
	let told = doubles().told;
	let before: BTreeSet<_> =
		told.iter().filter(|(id, _)| id.chunk == chunk).map(|(id, _)| id.attempt).collect();
	of(index, u8::try_from(before.len()).unwrap())
}

/// The devices with a part in an attempt: the worker, then the auditors, then the referees.
fn parts(id: AttemptId) -> Vec<(u8, Role)> {
	let assigned = doubles().assigned.get(&id).map(|assignment| assignment.seat.clone());
	let mut seats: Vec<_> = assigned.map(|seat| (seat, Role::Worker)).into_iter().collect();
	if let Some(check) = Checks::<Test>::get(id.chunk) {
		seats.push((check.assignment.seat.clone(), Role::Worker));
		let auditors = check.auditors.iter().flat_map(|slot| slot.seat.clone());
		seats.extend(auditors.map(|seat| (seat, Role::Auditor)));
		if let Some(panel) = Panels::<Test>::get(id, check.level) {
			let sitting = panel.places.iter().filter_map(|place| place.sitting().cloned());
			seats.extend(sitting.map(|seat| (seat, referee(check.level))));
		}
	}
	seats.into_iter().map(|(seat, role)| (number_of(&seat.device).unwrap(), role)).collect()
}

/// What a party says of work that is compared within a band, or a referee of what was revealed.
fn of_band(id: AttemptId, role: Role, says: Says) -> Opening {
	if matches!(role, Role::Referee { .. }) {
		let right = match says {
			Says::Right => vec![honest(id), banded(8, BAND)],
			Says::Near => vec![banded(9, -BAND)],
			Says::Accuses | Says::Guesses => vec![],
		};
		let right: Vec<H256> = right.iter().map(Opening::answer).collect();
		let shown: BTreeSet<H256> =
			Checks::<Test>::get(id.chunk).iter().flat_map(outputs).collect();
		let near = shown.into_iter().filter(|output| right.contains(output)).collect();
		let near = BoundedVec::truncate_from(near);
		let own = OutputOpening::own(H256::repeat_byte(1));
		return Opening::Output(OutputOpening { near, ..own });
	}
	match says {
		Says::Right if role == Role::Auditor => banded(8, BAND),
		Says::Right => honest(id),
		Says::Near => banded(9, -BAND),
		Says::Accuses | Says::Guesses => guessed(id),
	}
}

fn opening(id: AttemptId, role: Role, says: Says) -> Opening {
	if id.chunk.task == BANDED {
		return of_band(id, role, says);
	}
	let program = id.chunk.task == PROGRAM;
	match says {
		Says::Right => honest(id),
		Says::Accuses if program => output(9),
		Says::Accuses if role != Role::Worker => accusing(id),
		Says::Near if program && role != Role::Worker => {
			let near = BoundedVec::truncate_from(vec![H256::repeat_byte(7)]);
			let output = Output::hidden(H256::repeat_byte(9));
			Opening::Output(OutputOpening { near, ..OutputOpening::showing(output) })
		},
		Says::Accuses | Says::Guesses | Says::Near => guessed(id),
	}
}

fn commit_part(id: AttemptId, (number, role): (u8, Role), says: Says, said: &mut Said) {
	let opening = opening(id, role, says);
	let items = vec![commit_item(number, id, role, &opening)];
	let call = Call::<Test>::commit { items: batch(items.clone()) };
	let free = Verification::free_call_tags(&device(number), &call).is_some();
	let taken = commit(number, items).is_ok();
	assert_eq!(free, taken, "a commit is free exactly if it is taken");
	if taken {
		said.insert((number, id, role), opening);
	}
}

fn reveal_part(id: AttemptId, (number, role): (u8, Role), other: bool, said: &Said) {
	let committed = said.get(&(number, id, role)).filter(|_| !other).cloned();
	let items = vec![reveal_item(number, id, role, &committed.unwrap_or(honest(id)))];
	let call = Call::<Test>::reveal { items: batch(items.clone()) };
	let free = Verification::free_call_tags(&device(number), &call).is_some();
	assert_eq!(free, reveal(number, items).is_ok(), "a reveal is free exactly if it is taken");
}

fn appeal_part(id: AttemptId, number: u8, by_owner: bool) {
	let who = if by_owner { owner(number) } else { device(number) };
	let call = Call::<Test>::appeal { id };
	let free = Verification::free_call_tags(&who, &call).is_some();
	let taken = appeal(who, id).is_ok();
	assert_eq!(free, taken && !by_owner, "an appeal of a device is free exactly if it is taken");
}

fn take(step: Step, said: &mut Said) {
	match step {
		Step::Assign { chunk, worker, percent, second } => {
			let id = current(chunk);
			if parts(id).is_empty() && !doubles().broke.contains(&worker) {
				assign_with(id, worker, |assignment| {
					assignment.terms.audit_rate = Perquintill::from_percent(percent);
					assignment.terms.second = Perquintill::from_percent(second);
				});
			}
		},
		Step::Commit { chunk, says, part } => {
			let id = current(chunk);
			let Some(part) = parts(id).get(part).copied() else { return };
			commit_part(id, part, says, said);
		},
		Step::Reveal { chunk, part, other } => {
			let id = current(chunk);
			let Some(part) = parts(id).get(part).copied() else { return };
			reveal_part(id, part, other, said);
		},
		Step::All { chunk, says } => {
			let id = current(chunk);
			for part in parts(id) {
				commit_part(id, part, says, said);
				reveal_part(id, part, false, said);
			}
		},
		Step::Appeal { chunk, part, by_owner } => {
			let id = current(chunk);
			let Some((number, _)) = parts(id).get(part).copied() else { return };
			appeal_part(id, number, by_owner);
		},
		Step::Challenge { chunk, who } => {
			let _ = challenge(owner(who), current(chunk));
		},
		Step::Pay { chunk } => {
			let id = current(chunk);
			if doubles().accepted.contains(&id) {
				pay(id);
			}
		},
		Step::Poll(blocks) => run_to(now() + blocks),
		Step::Stall(blocks) => stall_to(now() + blocks),
		Step::Advance(limit) => {
			let _ = Verification::advance_agenda(RuntimeOrigin::signed(owner(9)), limit);
		},
		Step::Accepting(accepting) => with_doubles(|state| state.accepting = accepting),
		Step::Broke(broke) => with_doubles(|state| state.broke = broke),
		Step::Dark(dark) => with_doubles(|state| state.dark = dark),
		Step::Unfit(unfit) => with_doubles(|state| state.unfit = unfit),
	}
}

/// What the pot got for referees: of collaterals and appeals, which the double only notes, and of
/// challenges.
fn collected() -> Balance {
	let slashes: Balance = doubles()
		.ended
		.iter()
		.filter_map(|(_, _, end)| match end {
			End::Slashed { referees, .. } => referees.as_ref().map(|(_, amount)| *amount),
			End::Released | End::HandedBack | End::Missed(_) => None,
		})
		.sum();
	slashes + Balances::balance(&pot()) - DEPOSIT
}

/// Nothing is left of any attempt, and every sum went somewhere.
fn assert_nothing_is_left() {
	assert_eq!(Checks::<Test>::iter().count(), 0, "a check is stuck");
	assert_eq!(Panels::<Test>::iter().count(), 0, "a referee is stuck");
	let computing = doubles().assigned.len();
	assert_eq!(doubles().duties.len(), computing, "a duty is left");
	let reason = HoldReason::Challenge.into();
	let held: Balance = (0..MOST).map(|who| Balances::balance_on_hold(&reason, &owner(who))).sum();
	assert_eq!(held, 0, "a bond is left");
	assert_eq!(doubles().accrued.values().sum::<Balance>(), collected(), "pay is lost or made up");
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

	#[test]
	fn no_sequence_of_calls_breaks_an_invariant(
		steps in prop::collection::vec(step(), 1..80),
	) {
		// Small panels, so that all four are called, and short periods.
		let rules = Rules {
			panels: [3, 4, 5, 6],
			appeal_period: 10,
			reveal_period: 10,
			..Default::default()
		};
		let all: Vec<u8> = (1..=MOST).collect();
		ExtBuilder::default().rules(rules).accepting(&all).build_and_execute(|| {
			let mut said = Said::new();
			for step in steps {
				take(step, &mut said);
				assert_sound();
			}
			with_doubles(|state| {
				state.dark = false;
				state.unfit = false;
				state.accepting = all.clone();
			});
			let open = || {
				let judged = |check: CheckOf<Test>| !matches!(check.state, CheckState::Settled);
				Panels::<Test>::iter().next().is_some() || Checks::<Test>::iter_values().any(judged)
			};
			let begun = now();
			while open() {
				run_to(now() + 1);
				assert!(now() < begun + 1_000, "a check or a panel is stuck");
			}
			for id in doubles().accepted {
				pay(id);
			}
			assert_nothing_is_left();
		});
	}
}
