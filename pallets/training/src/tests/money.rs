//! The budget: what leaves it, what comes back, and when it is not enough.

use crate::{mock::*, types::Phase, Event, Money, StopReason, StopRule};
use frame_support::{
	assert_ok,
	traits::{fungible::Mutate, tokens::Preservation, LockableCurrency, WithdrawReasons},
};
use sp_runtime::Permill;
use tequio_primitives::{recompute::Output, training::TrainingId, Balance};

/// What a round of the usual plan spends where no auditor is paid.
const ROUND: Balance = (300 + 10 + 10) * PRICE;

/// Has Alice send away all but so much of what she has free.
fn spend_all_but(kept: Balance) {
	let amount = Balances::free_balance(ALICE) - kept;
	assert_ok!(<Balances as Mutate<_>>::transfer(&ALICE, &BOB, amount, Preservation::Preserve));
}

/// Aggregates the round whose shards are trained on, and does all others.
fn finish_rest(id: TrainingId) {
	advance(1);
	let round = record(id).round;
	pay(aggregating_task(id), 0, Output::hidden(state(round)));
	advance(1);
	while record(id).reason.is_none() {
		finish_round(id);
	}
}

fn money(id: TrainingId) -> Money {
	record(id).money
}

#[test]
fn a_task_takes_its_cost_out_of_the_budget_and_gives_back_what_it_did_not_spend() {
	build_and_execute(|| {
		let id = submit(plan());
		let begun =
			Money { locked: BUDGET, held: BUDGET - TRAIN, out: TRAIN, ..Default::default() };
		assert_eq!(money(id), begun);
		assert_eq!((held(ALICE), locked(ALICE)), (BUDGET - TRAIN, TRAIN));

		train(id, &[0, 1, 2]);
		let spent = 300 * PRICE;
		let trained = Money { held: BUDGET - spent, out: 0, spent, ..begun };
		assert_eq!(money(id), trained);
		assert_eq!((held(ALICE), locked(ALICE)), (BUDGET - spent, 0));

		advance(1);
		assert_eq!(money(id).out, AGGREGATE);
		pay(aggregating_task(id), 0, Output::hidden(state(0)));
		advance(1);
		assert_eq!(money(id).out, EVALUATE + TRAIN);
		assert_eq!(money(id).held, BUDGET - 310 * PRICE - EVALUATE - TRAIN);
	});
}

#[test]
fn what_was_not_spent_returns_at_the_end() {
	build_and_execute(|| {
		let id = submit(plan());
		for _ in 0..3 {
			finish_round(id);
			evaluate(id, 50);
		}
		let spent = 3 * ROUND;
		let ended = Money { locked: BUDGET, spent, returned: BUDGET - spent, ..Default::default() };
		assert_eq!(money(id), ended);
		assert_eq!((held(ALICE), locked(ALICE)), (0, 0));
		assert_eq!(Balances::free_balance(ALICE), FUNDS - spent);
		assert_eq!(Balances::free_balance(WORKER), DEPOSIT + spent);
	});
}

#[test]
fn a_training_stops_when_its_budget_does_not_cover_the_next_task() {
	build_and_execute(|| {
		let budget = TRAIN + AGGREGATE + 300 * PRICE;
		let id = submit_for(ALICE, unjudged(), budget);
		finish_round(id);
		assert_eq!(record(id).reason, None);
		let left = budget - 310 * PRICE;
		assert_eq!(money(id).held, left - TRAIN);
		// After the second round there is not enough for a third.
		finish_round(id);
		let training = record(id);
		assert_eq!(
			(training.phase, training.reason),
			(Phase::Ended, Some(StopReason::OutOfBudget))
		);
		assert_eq!((training.round, training.state), (2, state(1)));
		assert_eq!(Balances::free_balance(ALICE), FUNDS - 620 * PRICE);
	});
}

/// A training whose budget covers the evaluation of its first round and no second round.
fn submit_short(stop: StopRule) -> TrainingId {
	let plan = changed(|plan| plan.stop = stop);
	let id = submit_for(ALICE, plan, TRAIN + AGGREGATE + EVALUATE);
	finish_round(id);
	let training = record(id);
	assert_eq!((&training.phase, training.reason), (&Phase::Between, None));
	assert_eq!((training.round, training.live), (1, 1));
	assert!(!order(evaluating_task(id)).closed);
	id
}

#[test]
fn a_training_without_budget_for_a_round_waits_for_its_evaluation_and_stops() {
	build_and_execute(|| {
		let id = submit_short(StopRule::default());
		let evaluating = evaluating_task(id);
		advance(3);
		assert_eq!(evaluating_task(id), evaluating);
		evaluate(id, 50);
		let training = record(id);
		assert_eq!(
			(training.phase, training.reason),
			(Phase::Ended, Some(StopReason::OutOfBudget))
		);
		assert_eq!((training.round, training.scores.last), (1, Some((0, counts(50, 100)))));
		assert_eq!(Balances::free_balance(ALICE), FUNDS - ROUND);
	});
}

#[test]
fn a_training_without_budget_for_a_round_waits_for_its_evaluation_no_longer_than_it_may_take() {
	build_and_execute(|| {
		let id = submit_short(StopRule::default());
		advance(STEP);
		let training = record(id);
		assert_eq!(
			(training.phase, training.reason),
			(Phase::Ended, Some(StopReason::OutOfBudget))
		);
		System::assert_has_event(Event::EvaluationFailed { training: id, round: 0 }.into());
	});
}

#[test]
fn a_training_without_budget_for_a_round_still_reaches_its_target() {
	build_and_execute(|| {
		let target = Some(Permill::from_percent(90));
		let id = submit_short(StopRule { target, plateau: 0 });
		evaluate(id, 95);
		assert_eq!(record(id).reason, Some(StopReason::Target));
	});
}

#[test]
fn a_training_without_budget_for_a_round_can_be_cancelled() {
	build_and_execute(|| {
		let id = submit_short(StopRule::default());
		let evaluating = evaluating_task(id);
		assert_ok!(Training::cancel_training(RuntimeOrigin::signed(ALICE), id));
		assert!(order(evaluating).closed);
		let training = record(id);
		assert_eq!((training.phase, training.reason), (Phase::Ended, Some(StopReason::Cancelled)));
	});
}

#[test]
fn a_training_goes_on_without_an_evaluation_that_its_budget_does_not_cover() {
	// Three times what its two chunks are paid.
	const EVALUATION: Balance = 3 * 2 * 500 * PRICE;
	for rounds in [2, 3] {
		build_and_execute(|| {
			let plan = changed(|plan| {
				plan.rounds = rounds;
				plan.evaluate.as_mut().unwrap().units = 500;
			});
			// Enough for a round, and for the next training beside its evaluation.
			let budget = 2 * TRAIN + AGGREGATE + EVALUATION - 300 * PRICE;
			let id = submit_for(ALICE, plan, budget);
			finish_round(id);
			finish_round(id);
			assert_eq!((&record(id).phase, record(id).round), (&Phase::Fresh, 2));
			evaluate(id, 50);
			assert!(money(id).locked - money(id).spent < EVALUATION);

			let failed = Event::EvaluationFailed { training: id, round: 1 };
			System::assert_has_event(failed.into());
			let training = record(id);
			assert_eq!((training.round, training.evaluation), (2, None));
			if rounds == 2 {
				assert_eq!(training.reason, Some(StopReason::Rounds));
			} else {
				assert_eq!(training.reason, None);
				assert_eq!(order(training_task(id)).arguments.round, 2);
			}
		});
	}
}

#[test]
fn what_comes_back_is_held_again_though_the_requester_has_nothing_else() {
	build_and_execute(|| {
		let id = submit(unjudged());
		spend_all_but(DEPOSIT);
		train(id, &[0, 1, 2]);
		let left = BUDGET - 300 * PRICE;
		assert_eq!((money(id).held, money(id).returned), (left, 0));
		assert_eq!((held(ALICE), Balances::free_balance(ALICE)), (left, DEPOSIT));
		// It is enough to go on with.
		finish_rest(id);
		assert_eq!(record(id).reason, Some(StopReason::Rounds));
	});
}

#[test]
fn what_comes_back_is_held_again_though_a_lock_reaches_into_it() {
	build_and_execute(|| {
		let id = submit(unjudged());
		spend_all_but(DEPOSIT);
		Balances::set_lock(*b"somebody", &ALICE, FUNDS, WithdrawReasons::all());
		train(id, &[0, 1, 2]);
		let left = BUDGET - 300 * PRICE;
		assert_eq!((money(id).held, money(id).returned), (left, 0));
		assert_eq!((held(ALICE), Balances::free_balance(ALICE)), (left, DEPOSIT));
		finish_rest(id);
		assert_eq!(record(id).reason, Some(StopReason::Rounds));
	});
}

#[test]
fn what_cannot_be_held_again_counts_as_returned() {
	build_and_execute(|| {
		let id = submit(unjudged());
		// Something else keeps the account alive, so that it can spend all that it has free.
		System::inc_providers(&ALICE);
		let amount = Balances::free_balance(ALICE);
		assert_ok!(<Balances as Mutate<_>>::transfer(
			&ALICE,
			&BOB,
			amount,
			Preservation::Expendable
		));
		assert_eq!(Balances::free_balance(ALICE), 0);
		// The deposit of the account stays free.
		train(id, &[0, 1, 2]);
		let left = BUDGET - 300 * PRICE - DEPOSIT;
		assert_eq!((money(id).held, money(id).returned), (left, DEPOSIT));
		assert_eq!(money(id).spent, 300 * PRICE);
		assert_eq!((held(ALICE), Balances::free_balance(ALICE)), (left, DEPOSIT));
		finish_rest(id);
		assert_eq!(record(id).reason, Some(StopReason::Rounds));
	});
}

#[test]
fn a_training_that_stops_holds_nothing_again() {
	build_and_execute(|| {
		Prompt::set(false);
		let id = submit(plan());
		assert_ok!(Training::cancel_training(RuntimeOrigin::signed(ALICE), id));
		assert_eq!(money(id).held, BUDGET - TRAIN);
		end_task(0);
		assert_eq!((money(id).held, money(id).returned), (BUDGET - TRAIN, TRAIN));
		advance(1);
		assert_eq!((money(id).held, money(id).returned), (0, BUDGET));
	});
}

#[test]
fn trainings_of_one_requester_share_a_hold_and_not_their_money() {
	build_and_execute(|| {
		let one = submit(plan());
		let other = submit_for(ALICE, plan(), 2 * BUDGET);
		assert_eq!(held(ALICE), 3 * BUDGET - 2 * TRAIN);
		assert_ok!(Training::cancel_training(RuntimeOrigin::signed(ALICE), one));
		assert_eq!(held(ALICE), 2 * BUDGET - TRAIN);
		assert_eq!(money(other).held, 2 * BUDGET - TRAIN);
	});
}
