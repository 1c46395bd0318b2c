//! Random sequences of calls and blocks. After each step everything that must hold does; in the end
//! nothing is stuck.

use crate::{mock::*, Call, Checks};
use proptest::prelude::*;
use sp_runtime::Perquintill;
use std::collections::BTreeMap;
use tequio_primitives::{search::Opening, AttemptId, Role};

#[derive(Clone, Copy, Debug)]
enum Says {
	Right,
	Accuses,
	Guesses,
}

#[derive(Clone, Debug)]
enum Step {
	Assign { chunk: u32, worker: u8, percent: u64 },
	Commit { chunk: u32, says: Says, part: usize },
	Reveal { chunk: u32, part: usize, other: bool },
	Poll(u32),
	Stall(u32),
	Advance(u32),
	Accepting(Vec<u8>),
	Dark(bool),
	Unfit(bool),
}

/// What each device has committed to.
type Said = BTreeMap<(u8, AttemptId), Opening>;

fn says() -> impl Strategy<Value = Says> {
	prop_oneof![4 => Just(Says::Right), 1 => Just(Says::Accuses), 1 => Just(Says::Guesses)]
}

fn step() -> impl Strategy<Value = Step> {
	let chunk = || 0..CHUNKS;
	prop_oneof![
		4 => (chunk(), 1u8..=6, prop_oneof![Just(0u64), Just(50), Just(100)])
			.prop_map(|(chunk, worker, percent)| Step::Assign { chunk, worker, percent }),
		8 => (chunk(), says(), 0usize..3)
			.prop_map(|(chunk, says, part)| Step::Commit { chunk, says, part }),
		8 => (chunk(), 0usize..3, prop::bool::weighted(0.1))
			.prop_map(|(chunk, part, other)| Step::Reveal { chunk, part, other }),
		6 => (1u32..12).prop_map(Step::Poll),
		2 => (1u32..20).prop_map(Step::Stall),
		2 => (0u32..=64).prop_map(Step::Advance),
		1 => prop::collection::vec(1u8..=6, 0..6).prop_map(Step::Accepting),
		1 => any::<bool>().prop_map(Step::Dark),
		1 => any::<bool>().prop_map(Step::Unfit),
	]
}

/// The attempt that a chunk is at: as many verdicts were given for it before.
fn current(chunk: u32) -> AttemptId {
	let told = doubles().told;
	let before = told.iter().filter(|(id, _)| id.chunk.index == chunk).count();
	attempt(chunk, u8::try_from(before).unwrap())
}

/// The devices with a part in an attempt: the worker, then the auditors.
fn parts(id: AttemptId) -> Vec<(u8, Role)> {
	let assigned = doubles().assigned.get(&id).map(|assignment| assignment.seat.clone());
	let check = Checks::<Test>::get(id.chunk);
	let seats = check.iter().flat_map(|check| {
		let auditors = check.auditors.iter().flat_map(|slot| slot.seat.clone());
		let worker = (check.assignment.seat.clone(), Role::Worker);
		std::iter::once(worker).chain(auditors.map(|seat| (seat, Role::Auditor)))
	});
	let seats = assigned.map(|seat| (seat, Role::Worker)).into_iter().chain(seats);
	seats.map(|(seat, role)| (number_of(&seat.device).unwrap(), role)).collect()
}

fn take(step: Step, said: &mut Said) {
	match step {
		Step::Assign { chunk, worker, percent } => {
			let id = current(chunk);
			if parts(id).is_empty() {
				assign_at_rate(id, worker, Perquintill::from_percent(percent));
			}
		},
		Step::Commit { chunk, says, part } => {
			let id = current(chunk);
			let Some((number, role)) = parts(id).get(part).copied() else { return };
			let opening = match says {
				Says::Right => honest(id),
				Says::Accuses if role == Role::Auditor => accusing(id),
				Says::Accuses | Says::Guesses => guessed(id),
			};
			let items = vec![commit_item(number, id, role, &opening)];
			let call = Call::<Test>::commit { items: batch(items.clone()) };
			let free = Verification::free_call_tags(&device(number), &call).is_some();
			let taken = commit(number, items).is_ok();
			assert_eq!(free, taken, "a commit is free exactly if it is taken");
			if taken {
				said.insert((number, id), opening);
			}
		},
		Step::Reveal { chunk, part, other } => {
			let id = current(chunk);
			let Some((number, role)) = parts(id).get(part).copied() else { return };
			let committed = said.get(&(number, id)).filter(|_| !other).cloned();
			let items = vec![reveal_item(number, id, role, &committed.unwrap_or(honest(id)))];
			let call = Call::<Test>::reveal { items: batch(items.clone()) };
			let free = Verification::free_call_tags(&device(number), &call).is_some();
			assert_eq!(
				free,
				reveal(number, items).is_ok(),
				"a reveal is free exactly if it is taken"
			);
		},
		Step::Poll(blocks) => run_to(now() + blocks),
		Step::Stall(blocks) => stall_to(now() + blocks),
		Step::Advance(limit) => {
			let _ = Verification::advance_agenda(RuntimeOrigin::signed(owner(9)), limit);
		},
		Step::Accepting(accepting) => with_doubles(|state| state.accepting = accepting),
		Step::Dark(dark) => with_doubles(|state| state.dark = dark),
		Step::Unfit(unfit) => with_doubles(|state| state.unfit = unfit),
	}
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

	#[test]
	fn no_sequence_of_calls_breaks_an_invariant(
		steps in prop::collection::vec(step(), 1..60),
	) {
		ExtBuilder::default().build_and_execute(|| {
			let mut said = Said::new();
			for step in steps {
				take(step, &mut said);
				assert_sound();
			}
			with_doubles(|state| {
				state.dark = false;
				state.accepting = (1..=6).collect();
			});
			run_to(now() + 400);
			assert_eq!(Checks::<Test>::iter().count(), 0, "a check is stuck");
			let computing = doubles().assigned.len();
			assert_eq!(doubles().duties.len(), computing, "a duty is left");
		});
	}
}
