use crate::{
	agenda::heaviest_step, mock::*, types::*, weights::*, Agenda, AgendaEnds, AgendaPages, Error,
};
use frame_support::{assert_noop, assert_ok, weights::Weight};
use sp_runtime::traits::BadOrigin;
use tequio_primitives::{fifo::MAX_STEPS, stage::Stage, Role};

fn advance(limit: u32) -> frame_support::dispatch::DispatchResult {
	Verification::advance_agenda(RuntimeOrigin::signed(owner(9)), limit)
}

fn stages() -> Vec<Option<Stage>> {
	let stage = |index| Verification::stage_of(&attempt(index, 0).chunk).map(|stage| stage.0);
	(0..CHUNKS).map(stage).collect()
}

fn commit_all() {
	for index in 0..CHUNKS {
		let id = attempt(index, 0);
		assign(id, 1);
		assert_ok!(commit_one(1, id, Role::Worker, &honest(id)));
	}
}

#[test]
fn advance_agenda_works() {
	ExtBuilder::default().build_and_execute(|| {
		commit_all();
		stall_to(9);
		assert_eq!(stages(), vec![Some(Stage::Drawing); 4]);
		assert_ok!(advance(3));
		let drawn = stages().into_iter().filter(|stage| *stage == Some(Stage::Auditing)).count();
		assert_eq!(drawn, 3);
		assert_ok!(advance(MAX_STEPS));
		assert_eq!(stages(), vec![Some(Stage::Auditing); 4]);
		assert_noop!(advance(MAX_STEPS), Error::<Test>::NothingLate);
	});
}

#[test]
fn advance_agenda_should_fail_when_nothing_is_late() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(advance(1), Error::<Test>::NothingLate);
		commit_all();
		stall_to(8);
		assert_noop!(advance(1), Error::<Test>::NothingLate);
		stall_to(9);
		assert_ok!(advance(1));
	});
}

#[test]
fn advance_agenda_should_fail_when_too_much_is_asked() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(advance(MAX_STEPS + 1), Error::<Test>::LimitOutOfBounds);
		assert_noop!(advance(0), Error::<Test>::LimitOutOfBounds);
	});
}

#[test]
fn advance_agenda_should_fail_when_it_is_not_signed() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(Verification::advance_agenda(RuntimeOrigin::root(), 1), BadOrigin);
	});
}

#[test]
fn a_block_does_no_more_than_it_has_room_for() {
	ExtBuilder::default().build_and_execute(|| {
		commit_all();
		stall_to(9);
		let weigh = |limit: Weight| {
			let used = poll_with(limit);
			assert!(used.all_lte(limit));
		};
		let heads = Estimated::<Test>::agenda_heads();
		let one = Estimated::<Test>::tick() + heads + heaviest_step::<Test>();
		weigh(one);
		let drawn = stages().into_iter().filter(|stage| *stage == Some(Stage::Auditing)).count();
		assert!((1..4).contains(&drawn), "{drawn} of 4 decisions fitted");
		(0..4).for_each(|_| weigh(one));
		assert_eq!(stages(), vec![Some(Stage::Auditing); 4]);
	});
}

#[test]
fn entries_that_are_out_of_date_are_dropped_without_effect() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let right = honest(id);
		let [one, other] = reveals_open(id, 1, [&right, &right, &right]);
		for (number, role) in [(1, Role::Worker), (one, Role::Auditor), (other, Role::Auditor)] {
			assert_ok!(reveal_one(number, id, role, &right));
		}
		let before = doubles();
		run_to(now() + DEADLINE + 20);
		assert_eq!(doubles(), before);
		assert!(Queue::all().all(|queue| Agenda::<Test>::len(queue) == 0));
		// And a queue without entries leaves nothing in the state.
		assert!(!AgendaEnds::<Test>::exists());
		assert_eq!(AgendaPages::<Test>::iter().count(), 0);
	});
}

#[test]
fn an_entry_of_an_earlier_attempt_does_not_end_the_present_one() {
	ExtBuilder::default().build_and_execute(|| {
		let (early, next) = (attempt(0, 0), attempt(0, 1));
		let right = honest(early);
		let [one, other] = reveals_open(early, 1, [&right, &right, &right]);
		let left = now() + 20;
		for (number, role) in [(1, Role::Worker), (one, Role::Auditor), (other, Role::Auditor)] {
			assert_ok!(reveal_one(number, early, role, &right));
		}
		pay(early);
		run_to(now() + 5);
		reveals_open(next, 1, [&right, &right, &right]);
		run_to(left);
		assert_eq!(
			Verification::stage_of(&next.chunk).map(|stage| stage.0),
			Some(Stage::Revealing)
		);
	});
}
