//! Every state of a chunk ends by itself, at its deadline and not before, whoever stays silent; and
//! whoever the table of `tequio_primitives::stage` names can end it earlier.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod walk;

use codec::{Decode, Encode};
use frame_support::BoundedVec;
use pallet_tasks::TaskSpec;
use pallet_verification::{types::Output, Call as Verify, Now, Outputs, RING};
use pallet_workers::Offer;
use serde_json::{json, Value};
use sp_io::hashing::blake2_256;
use sp_runtime::traits::Dispatchable;
use tequio_primitives::{
	clock::DRAWN_AFTER,
	fifo::MAX_STEPS,
	stage::{Deadline, Ending, Party, Stage, ENDINGS},
	WorkClass, WorkHeight,
};
use tequio_runtime::{Runtime, RuntimeCall, RuntimeOrigin};
use tequio_runtime_tests::{
	device::Conduct,
	keys::Key,
	owner::ASK,
	program::{self, Fate},
	search,
};
use walk::{anyone, auditor, referee, worker, Walk, CHUNK, DEADLINE};

const DRAW_WINDOW: u32 = 3;
const REVEAL_PERIOD: u32 = 6;
const APPEAL_PERIOD: u32 = 7;
const CHALLENGE_PERIOD: u32 = 5;
const LIFETIME: u32 = 60;
/// All of something, in 10⁻¹⁸.
const WHOLE: u64 = 1_000_000_000_000_000_000;
/// Blocks after which no state has lasted, an audit with all its redraws included.
const AGES: u32 = 400;

/// Lengths that differ from each other, and a second auditor for every program.
fn rules() -> Value {
	json!({
		"tasks": { "rules": { "challenge_period": CHALLENGE_PERIOD, "task_lifetime": LIFETIME } },
		"verification": { "rules": {
			"draw_window": DRAW_WINDOW,
			"reveal_period": REVEAL_PERIOD,
			"appeal_period": APPEAL_PERIOD,
			"programs": { "second": WHOLE },
		} },
	})
}

/// Blocks from when a state is entered to its deadline.
fn length(deadline: Deadline) -> u32 {
	match deadline {
		Deadline::Lifetime => LIFETIME,
		Deadline::Work | Deadline::Audit | Deadline::Panel => DEADLINE,
		Deadline::DrawWindow => DRAW_WINDOW + 1,
		Deadline::NextOutput => DRAWN_AFTER,
		Deadline::Reveal => REVEAL_PERIOD,
		Deadline::Appeal => APPEAL_PERIOD,
		Deadline::Challenge => CHALLENGE_PERIOD,
	}
}

/// The first height at which a state is over: a worker may commit at its deadline still.
fn over(stage: Stage, due: WorkHeight) -> WorkHeight {
	match stage {
		Stage::Assigned => due + 1,
		_ => due,
	}
}

/// A chunk at this stage.
fn reach(stage: Stage) -> Walk {
	let found = search::task(3, 32, 32, 16);
	let (conduct, spec, price): (Conduct, TaskSpec, _) = match stage {
		// Nobody works for that.
		Stage::Open => (Conduct::Honest, found, ASK / 2),
		Stage::Second => {
			(Conduct::Honest, program::task(WorkClass::Integer, Fate::Runs, 1, 1), ASK)
		},
		Stage::Panel | Stage::PanelReveal | Stage::Appeal => (Conduct::Lies, found, ASK),
		Stage::Assigned
		| Stage::Drawing
		| Stage::Auditing
		| Stage::Revealing
		| Stage::Accepted
		| Stage::Ended => (Conduct::Honest, found, ASK),
	};
	let mut walk = Walk::begin(rules(), conduct, spec, price);
	walk.to(stage);
	walk
}

#[test]
fn the_table_has_every_state_once() {
	let stages = (0..=u8::MAX).filter_map(|index| Stage::decode(&mut [index].as_slice()).ok());
	for stage in stages {
		let times = ENDINGS.iter().filter(|ending| ending.stage == stage).count();
		assert_eq!(times, usize::from(stage != Stage::Ended), "{stage:?}");
	}
	assert!(ENDINGS.iter().all(|ending| ending.parties.contains(&Party::Anyone)));
}

#[test]
fn every_state_ends_by_the_agenda_at_its_deadline() {
	for Ending { stage, deadline, .. } in ENDINGS {
		let mut walk = reach(stage);
		let (_, mut due) = walk.stage().unwrap();
		assert_eq!(due, walk.entered + length(deadline), "{stage:?} is as long as the table says");
		let begun = walk.now();
		while let Some((_, now_due)) = walk.stage().filter(|(present, _)| *present == stage) {
			due = now_due;
			let now = walk.now();
			assert!(now < over(stage, due), "{stage:?} goes on beyond {due}");
			assert!(now - begun < AGES, "{stage:?} does not end");
			walk.block();
		}
		assert_eq!(walk.now(), over(stage, due), "{stage:?} ends at its deadline");
	}
}

#[test]
fn every_state_ends_by_anybodys_call_where_blocks_have_no_room() {
	for Ending { stage, .. } in ENDINGS {
		let mut walk = reach(stage);
		let begun = walk.now();
		while let Some((_, due)) = walk.stage().filter(|(present, _)| *present == stage) {
			while walk.now() + 1 < over(stage, due) {
				tick(&mut walk);
			}
			// What is late now is out of date.
			advance(&mut walk);
			assert_eq!(walk.stage(), Some((stage, due)), "{stage:?} ends before its deadline");
			tick(&mut walk);
			assert!(advance(&mut walk), "nobody can end {stage:?} at {due}");
			assert_ne!(walk.stage(), Some((stage, due)));
			assert!(walk.now() - begun < AGES, "{stage:?} does not end");
		}
		walk.world.check();
	}
}

/// A block whose hooks had weight for the clock and for nothing else.
fn tick(walk: &mut Walk) {
	walk.world.edit(|| {
		let height = Now::<Runtime>::get();
		Now::<Runtime>::put(height + 1);
		Outputs::<Runtime>::mutate(|outputs| {
			outputs.retain(|output| height + 1 - output.height <= RING);
			outputs.try_push(Output { height, vrf: blake2_256(&height.encode()) }).unwrap();
		});
	});
}

/// Has a stranger move on whatever is late; whether something was.
fn advance(walk: &mut Walk) -> bool {
	let limit = MAX_STEPS;
	let calls = [
		RuntimeCall::Tasks(pallet_tasks::Call::advance_agenda { limit }),
		RuntimeCall::Verification(Verify::advance_agenda { limit }),
	];
	let stranger = Key::named("Ferdie").account();
	walk.world.edit(|| {
		let results = calls.map(|call| call.dispatch(RuntimeOrigin::signed(stranger.clone())));
		results.iter().any(Result::is_ok)
	})
}

#[test]
fn every_state_can_be_ended_by_whom_the_table_names() {
	for Ending { stage, parties, .. } in ENDINGS {
		for party in parties {
			let mut walk = reach(stage);
			let (_, due) = walk.stage().unwrap();
			act(&mut walk, stage, *party);
			assert!(!walk.is_at(stage), "{party:?} does not end {stage:?}");
			let early = walk.now() < over(stage, due);
			assert!(early || *party == Party::Anyone, "{party:?} ends {stage:?} too late");
		}
	}
}

/// Has a party do what ends a state.
fn act(walk: &mut Walk, stage: Stage, party: Party) {
	let left = |walk: &mut Walk| !walk.is_at(stage);
	match party {
		Party::Requester => {
			let cancel = pallet_tasks::Call::cancel_task { task: CHUNK.task };
			walk.world.submit(&Key::named("Alice"), RuntimeCall::Tasks(cancel));
			walk.block();
		},
		Party::Drawn => {
			ask_less(walk);
			walk.until("somebody is drawn", left);
		},
		Party::Worker => walk.commit(worker),
		Party::Revealing => walk.reveal(anyone),
		Party::Auditors => walk.commit(auditor),
		Party::Referees => {
			match stage {
				Stage::Panel => walk.commit(referee),
				_ => walk.reveal(referee),
			}
			walk.until("the panel goes on", left);
		},
		Party::Loser => {
			let (id, assignment) = walk.assignment();
			let key = walk.owner_of(&assignment.seat.device).device.key.clone();
			walk.world.submit(&key, RuntimeCall::Verification(Verify::appeal { id }));
			walk.block();
		},
		Party::Challenger => {
			let (id, _) = walk.assignment();
			let call = RuntimeCall::Verification(Verify::challenge { id });
			walk.world.submit(&Key::named("Ferdie"), call);
			walk.block();
		},
		Party::Anyone => {
			while let Some((_, due)) = walk.stage().filter(|(present, _)| *present == stage) {
				while walk.now() < over(stage, due) {
					tick(walk);
				}
				assert!(advance(walk));
			}
		},
	}
}

/// Has the owners work for the price of a task that nobody took.
fn ask_less(walk: &mut Walk) {
	let Walk { world, owners, .. } = walk;
	for owner in owners {
		let offer = Offer { class: WorkClass::RandomXSearch, ask: 1, rate: 1_000 };
		let offers = BoundedVec::truncate_from(vec![offer]);
		let call = pallet_workers::Call::set_offers { offers };
		world.submit(&owner.key, RuntimeCall::Workers(call));
	}
	walk.block();
}
