//! `submit_task`.

use crate::{mock::*, CurrentRules, Error, Event, NextTask, TaskSpec, Tasks as TasksMap};
use frame_support::{assert_noop, assert_ok};
use tequio_primitives::{api::TaskStatus, search::SearchSpec, Balance, WorkClass};

/// One chunk at its cap, a thin search before it, audits of both, the bonus, and 5 % on all of it;
/// and three fetch fees.
const LOCKED: Balance = 940_800_000 + 52_500_000 + FETCH_LOCK;

fn try_submit(spec: TaskSpec) -> frame_support::dispatch::DispatchResult {
	Tasks::submit_task(RuntimeOrigin::signed(ALICE), spec, PRICE, DEADLINE, BONUS)
}

fn changed(change: impl Fn(&mut SearchSpec)) -> TaskSpec {
	let TaskSpec::RandomXSearch(mut spec) = search(2) else { panic!("a search is a search") };
	change(&mut spec);
	TaskSpec::RandomXSearch(spec)
}

#[test]
fn submit_task_works() {
	ExtBuilder::default().build_and_execute(|| {
		let origin = RuntimeOrigin::signed(ALICE);
		assert_ok!(Tasks::submit_task(origin, search(1), PRICE, 10, BONUS));

		assert_eq!(held(ALICE), LOCKED);
		assert_eq!(Balances::free_balance(ALICE), FUNDS - LOCKED);
		let task = TasksMap::<Test>::get(0).unwrap();
		assert_eq!((task.deadline, task.bucket), (16, 0));
		assert_eq!(task.expires_at, 1 + LIFETIME);
		assert_eq!(task.status, TaskStatus::Running);
		assert_eq!((task.counts.open, task.books.locked), (1, LOCKED));
		assert_eq!((task.most_audits, task.fetch_fee, task.fee), (2, FETCH_FEE, Fee::get()));
		assert!(!task.committed && task.decliners.is_empty());
		assert_eq!(NextTask::<Test>::get(), 1);
		System::assert_last_event(
			Event::TaskSubmitted {
				task: 0,
				requester: ALICE,
				class: WorkClass::RandomXSearch,
				chunks: 1,
				locked: LOCKED,
			}
			.into(),
		);
	});
}

#[test]
fn submit_task_works_for_a_million_chunks_at_once() {
	ExtBuilder::default().build_and_execute(|| {
		assert_ok!(Tasks::submit_task(
			RuntimeOrigin::signed(ALICE),
			search(1_000_000),
			1,
			DEADLINE,
			0
		));
		assert_eq!(held(ALICE), 943 * 1_000_000 + FETCH_LOCK);
		assert_eq!(crate::Chunks::<Test>::iter().count(), 0);
	});
}

#[test]
fn submit_task_should_fail_when_the_search_is_malformed() {
	ExtBuilder::default().build_and_execute(|| {
		let cases = [
			(changed(|spec| spec.count = 0), Error::<Test>::EmptyRange),
			(changed(|spec| spec.start = u32::MAX), Error::RangeOverflows),
			(changed(|spec| spec.nonce_offset = 73), Error::NonceOutsideTemplate),
			(changed(|spec| spec.target = [0; 32]), Error::ZeroTarget),
			(changed(|spec| spec.lambda = 15), Error::LambdaOutOfBounds),
			(changed(|spec| spec.lambda = 257), Error::LambdaOutOfBounds),
			(changed(|spec| spec.count = 256 + 15), Error::ChunkTooSmall),
			(changed(|spec| spec.target = [0xff; 32]), Error::TargetTooEasy),
		];
		for (spec, error) in cases {
			assert_noop!(try_submit(spec), error);
		}
	});
}

#[test]
fn submit_task_should_fail_when_the_price_is_zero() {
	ExtBuilder::default().build_and_execute(|| {
		let origin = RuntimeOrigin::signed(ALICE);
		assert_noop!(
			Tasks::submit_task(origin, search(1), 0, DEADLINE, BONUS),
			Error::<Test>::ZeroPrice
		);
	});
}

#[test]
fn submit_task_should_fail_when_the_deadline_is_out_of_bounds() {
	ExtBuilder::default().build_and_execute(|| {
		for deadline in [0, 28_801] {
			assert_noop!(
				Tasks::submit_task(RuntimeOrigin::signed(ALICE), search(1), PRICE, deadline, BONUS),
				Error::<Test>::DeadlineOutOfBounds
			);
		}
	});
}

#[test]
fn submit_task_should_fail_when_the_cost_overflows() {
	ExtBuilder::default().build_and_execute(|| {
		for (price, bonus) in [(Balance::MAX / 100, 0), (PRICE, Balance::MAX)] {
			assert_noop!(
				Tasks::submit_task(RuntimeOrigin::signed(ALICE), search(1), price, DEADLINE, bonus),
				Error::<Test>::CostTooHigh
			);
		}
	});
}

#[test]
fn submit_task_should_fail_when_there_are_no_terms() {
	ExtBuilder::default().build_and_execute(|| {
		Assignable::set(false);
		assert_noop!(try_submit(search(1)), Error::<Test>::NotAssignable);
	});
}

#[test]
fn submit_task_should_fail_when_the_funds_do_not_cover_the_cost() {
	ExtBuilder::default().build_and_execute(|| {
		assert_noop!(
			Tasks::submit_task(RuntimeOrigin::signed(TREASURY), search(1), PRICE, DEADLINE, BONUS),
			Error::<Test>::InsufficientFunds
		);
	});
}

#[test]
fn submit_task_should_fail_when_the_numbers_are_used_up() {
	ExtBuilder::default().build_and_execute(|| {
		NextTask::<Test>::put(u64::MAX);
		assert_noop!(try_submit(search(1)), Error::<Test>::NoTaskNumber);
	});
}

#[test]
fn submit_task_should_fail_when_it_locks_too_little() {
	ExtBuilder::default().build_and_execute(|| {
		CurrentRules::<Test>::mutate(|rules| rules.min_lock = LOCKED + 1);
		assert_noop!(try_submit(search(1)), Error::<Test>::TaskTooSmall);
		CurrentRules::<Test>::mutate(|rules| rules.min_lock = LOCKED);
		assert_ok!(try_submit(search(1)));
	});
}
