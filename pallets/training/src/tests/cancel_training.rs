//! `cancel_training`.

use crate::{mock::*, types::Phase, Error, Event, Money, Steps, StopReason};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use tequio_primitives::recompute::Output;

const REASON: StopReason = StopReason::Cancelled;

#[test]
fn cancel_training_works_when_nothing_is_in_hand() {
	build_and_execute(|| {
		let id = submit(plan());
		assert_ok!(Training::cancel_training(RuntimeOrigin::signed(ALICE), id));

		let training = record(id);
		assert_eq!(
			(training.phase, training.reason, training.live),
			(Phase::Ended, Some(REASON), 0)
		);
		assert_eq!((held(ALICE), locked(ALICE)), (0, 0));
		assert_eq!(Balances::free_balance(ALICE), FUNDS);
		let money = Money { locked: BUDGET, returned: BUDGET, ..Default::default() };
		System::assert_has_event(Event::TrainingClosing { training: id, reason: REASON }.into());
		System::assert_last_event(
			Event::TrainingEnded {
				training: id,
				reason: REASON,
				rounds: 0,
				state: H256::zero(),
				money,
			}
			.into(),
		);
	});
}

#[test]
fn cancel_training_works_and_lets_chunks_in_hand_finish() {
	build_and_execute(|| {
		let id = submit(plan());
		Prompt::set(false);
		let task = training_task(id);
		assert_ok!(Training::cancel_training(RuntimeOrigin::signed(ALICE), id));
		assert_eq!(record(id).phase, Phase::Closing);
		assert!(order(task).closed);
		advance(STEP + 1);
		assert_eq!(record(id).phase, Phase::Closing);

		pay(task, 0, Output::hidden(given(0, 0)));
		refund(task, 1);
		refund(task, 2);
		advance(1);
		let training = record(id);
		assert_eq!((training.phase, training.live), (Phase::Ended, 0));
		assert_eq!(training.money.spent, 100 * PRICE);
		assert_eq!(Balances::free_balance(ALICE), FUNDS - 100 * PRICE);
		assert_eq!(Steps::<Test>::iter().count(), 0);
	});
}

#[test]
fn cancel_training_closes_the_evaluation_too() {
	build_and_execute(|| {
		let id = submit(plan());
		finish_round(id);
		let tasks = [training_task(id), evaluating_task(id)];
		assert_ok!(Training::cancel_training(RuntimeOrigin::signed(ALICE), id));
		assert!(tasks.into_iter().all(|task| order(task).ended));
		assert_eq!((record(id).phase, record(id).evaluation), (Phase::Ended, None));
	});
}

#[test]
fn cancel_training_keeps_a_state_that_was_paid_for() {
	build_and_execute(|| {
		let id = submit(plan());
		train(id, &[0, 1, 2]);
		advance(1);
		pay(aggregating_task(id), 0, Output::hidden(state(0)));
		assert_ok!(Training::cancel_training(RuntimeOrigin::signed(ALICE), id));
		let training = record(id);
		assert_eq!((training.phase, training.reason), (Phase::Ended, Some(REASON)));
		assert_eq!((training.round, training.state), (1, state(0)));
		System::assert_has_event(
			Event::RoundAggregated { training: id, round: 0, state: state(0) }.into(),
		);
	});
}

#[test]
fn cancel_training_should_fail_when_there_is_no_such_training() {
	build_and_execute(|| {
		assert_noop!(
			Training::cancel_training(RuntimeOrigin::signed(ALICE), 0),
			Error::<Test>::NotFound
		);
	});
}

#[test]
fn cancel_training_should_fail_when_the_caller_is_not_the_requester() {
	build_and_execute(|| {
		let id = submit(plan());
		assert_noop!(
			Training::cancel_training(RuntimeOrigin::signed(BOB), id),
			Error::<Test>::NotRequester
		);
	});
}

#[test]
fn cancel_training_should_fail_when_the_training_stops_already() {
	build_and_execute(|| {
		Prompt::set(false);
		let id = submit(plan());
		let cancel = || Training::cancel_training(RuntimeOrigin::signed(ALICE), id);
		assert_ok!(cancel());
		assert_noop!(cancel(), Error::<Test>::NotRunning);
		// The only task that there is.
		end_task(0);
		advance(1);
		assert_eq!(record(id).phase, Phase::Ended);
		assert_noop!(cancel(), Error::<Test>::NotRunning);
	});
}
