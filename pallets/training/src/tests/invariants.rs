//! The invariants after every step of random sequences of calls, endings of chunks and blocks.

use crate::{mock::*, Evaluation, NextTraining, Plan, Stage, Steps, StopRule, Trainings};
use codec::Encode;
use frame_support::traits::{fungible::Mutate, tokens::Preservation};
use proptest::{collection::vec, prelude::*};
use sp_core::H256;
use sp_runtime::Permill;
use tequio_primitives::{
	recompute::Output,
	training::{TrainingId, DIVERGED},
	Balance, ChunkIndex, TaskId, WorkClass,
};

#[derive(Clone, Copy, Debug)]
enum Shown {
	Hash(u64),
	Counts { right: u64 },
	Diverged,
}

#[derive(Clone, Debug)]
enum Step {
	Submit {
		by: AccountId,
		plan: Box<Plan>,
		budget: Balance,
	},
	Cancel {
		by: AccountId,
		training: TrainingId,
	},
	/// Chunks of the task that lives longest, or of any other.
	Pay {
		first: bool,
		place: usize,
		shown: Shown,
	},
	PayAll {
		place: usize,
		shown: Shown,
	},
	Refund {
		place: usize,
	},
	EndTask {
		place: usize,
	},
	Advance {
		blocks: u32,
	},
	PassTime {
		blocks: u32,
	},
	AdvanceTrainings {
		limit: u32,
	},
	Spend {
		by: AccountId,
		percent: u128,
	},
	Order {
		takes: bool,
		orderable: bool,
	},
	Prompt {
		on: bool,
	},
}

fn plans() -> impl Strategy<Value = Plan> {
	let stops = (any::<bool>(), 0u32..3);
	let evaluated = prop_oneof![1 => Just(None), 3 => (1u32..4, stops).prop_map(Some)];
	let stage = |number: u8, units: u32| Stage { program: H256::repeat_byte(number), units };
	let classes = vec![WorkClass::ExactF64, WorkClass::ExactF32, WorkClass::BandedF32];
	let class = prop::sample::select(classes);
	(class, 1u32..5, 1u32..5, 1u32..6, any::<bool>(), 10u32..100, evaluated).prop_map(
		move |(class, shards, quorum, rounds, carry, step_deadline, evaluated)| Plan {
			class,
			train: stage(1, 10),
			shards,
			aggregate: stage(2, 3),
			evaluate: evaluated.map(|(chunks, _)| {
				let Stage { program, units } = stage(3, 2);
				Evaluation { program, units, chunks, rows: 100 }
			}),
			carry,
			rounds,
			quorum: quorum.min(shards),
			replicas: 1,
			price: PRICE,
			deadline: 1,
			step_deadline,
			stop: evaluated.map_or(StopRule::default(), |(_, (aims, plateau))| StopRule {
				target: aims.then_some(Permill::from_percent(90)),
				plateau,
			}),
		},
	)
}

fn shown() -> impl Strategy<Value = Shown> {
	prop_oneof![
		6 => any::<u64>().prop_map(Shown::Hash),
		6 => (0u64..=100).prop_map(|right| Shown::Counts { right }),
		1 => Just(Shown::Diverged),
	]
}

fn steps() -> impl Strategy<Value = Step> {
	let accounts = || ALICE..=BOB;
	let budgets = prop_oneof![Just(0), 100_000u128..1_000_000, Just(BUDGET)];
	prop_oneof![
		2 => (accounts(), plans(), budgets).prop_map(|(by, plan, budget)| {
			Step::Submit { by, plan: Box::new(plan), budget }
		}),
		1 => (accounts(), 0u32..8).prop_map(|(by, training)| Step::Cancel { by, training }),
		4 => (any::<bool>(), any::<usize>(), shown())
			.prop_map(|(first, place, shown)| Step::Pay { first, place, shown }),
		8 => (any::<usize>(), shown()).prop_map(|(place, shown)| Step::PayAll { place, shown }),
		2 => any::<usize>().prop_map(|place| Step::Refund { place }),
		1 => any::<usize>().prop_map(|place| Step::EndTask { place }),
		8 => (1u32..6).prop_map(|blocks| Step::Advance { blocks }),
		1 => (1u32..40).prop_map(|blocks| Step::PassTime { blocks }),
		1 => (0u32..70).prop_map(|limit| Step::AdvanceTrainings { limit }),
		1 => (accounts(), 0u128..=100).prop_map(|(by, percent)| Step::Spend { by, percent }),
		1 => (any::<bool>(), any::<bool>())
			.prop_map(|(takes, orderable)| Step::Order { takes, orderable }),
		1 => any::<bool>().prop_map(|on| Step::Prompt { on }),
	]
}

/// One of the tasks that have not ended.
fn pick(place: usize) -> Option<TaskId> {
	let live: Vec<TaskId> = (0..)
		.zip(Orders::get())
		.filter(|(_, placed)| !placed.ended)
		.map(|(task, _)| task)
		.collect();
	live.get(place.checked_rem(live.len())?).copied()
}

fn output(shown: Shown) -> Output {
	match shown {
		Shown::Hash(number) => Output::hidden(H256::from_low_u64_be(number)),
		Shown::Counts { right } => Output::of(&counts(right, 100).encode()),
		Shown::Diverged => Output::of(DIVERGED),
	}
}

fn pay_chunks(task: TaskId, most: usize, shown: Shown) {
	let chunks: Vec<ChunkIndex> = order(task).open.into_iter().take(most).collect();
	for chunk in chunks {
		pay(task, chunk, output(shown));
	}
}

/// Does a step; calls may fail, since they are made at random.
fn take(step: Step) {
	match step {
		Step::Submit { by, plan, budget } => {
			let _ = Training::submit_training(RuntimeOrigin::signed(by), *plan, budget);
		},
		Step::Cancel { by, training } => {
			let _ = Training::cancel_training(RuntimeOrigin::signed(by), training);
		},
		Step::Pay { first, place, shown } => {
			if let Some(task) = pick(if first { 0 } else { place }) {
				pay_chunks(task, 1, shown);
			}
		},
		Step::PayAll { place, shown } => {
			if let Some(task) = pick(place) {
				pay_chunks(task, usize::MAX, shown);
			}
		},
		Step::Refund { place } => {
			if let Some(task) = pick(place) {
				refund(task, order(task).open[0]);
			}
		},
		Step::EndTask { place } => {
			if let Some(task) = pick(place) {
				end_task(task);
			}
		},
		Step::Advance { blocks } => advance(blocks),
		Step::PassTime { blocks } => pass_time(blocks),
		Step::AdvanceTrainings { limit } => {
			let _ = Training::advance_trainings(RuntimeOrigin::signed(BOB), limit);
		},
		Step::Spend { by, percent } => {
			let amount = Balances::free_balance(by) / 100 * percent;
			let alive = Preservation::Preserve;
			let _ = <Balances as Mutate<_>>::transfer(&by, &POOR, amount, alive);
		},
		Step::Order { takes, orderable } => {
			Takes::set(takes);
			Orderable::set(orderable);
		},
		Step::Prompt { on } => Prompt::set(on),
	}
}

/// What trainings have out is what their tasks have locked that have not ended.
fn check_tasks() {
	let out: Balance = Trainings::<Test>::iter_values().map(|training| training.money.out).sum();
	let live = Orders::get().into_iter().filter(|placed| !placed.ended);
	let locked: Balance = live.map(|placed| placed.books.locked).sum();
	assert_eq!(locked, out);
}

/// Lets everything that is under way come to its end, and be forgotten.
fn wind_down() {
	for training in 0..NextTraining::<Test>::get() {
		for by in [ALICE, BOB] {
			let _ = Training::cancel_training(RuntimeOrigin::signed(by), training);
		}
	}
	while let Some(task) = pick(0) {
		end_task(task);
	}
	advance(KEPT + 1);
	// Entries of the longest steps.
	advance(128);
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn invariants_hold_in_random_sequences(sequence in vec(steps(), 1..80)) {
		build_and_execute(|| {
			let issued = Balances::total_issuance();
			let before = keys();
			for step in sequence {
				take(step);
				Training::do_try_state().unwrap();
				check_tasks();
			}
			wind_down();

			assert_eq!(Trainings::<Test>::iter().count(), 0);
			assert_eq!(Steps::<Test>::iter().count(), 0);
			let submitted = NextTraining::<Test>::get();
			assert_eq!(keys().len(), before.len() + usize::from(submitted > 0));
			assert_eq!((held(ALICE), held(BOB)), (0, 0));
			assert_eq!(Balances::total_issuance(), issued);
		});
	}
}
