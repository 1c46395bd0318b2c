//! A training that was submitted, and what must hold when it has ended.

use crate::story::Story;
use anyhow::{ensure, Result};
use pallet_training::{Event, Money};
use sp_core::H256;
use std::time::Duration;
use tequio_harness::trainings::{ample_budget, Diary, Ended, Plan};
use tequio_primitives::{training::Counts, Balance, TaskId};
use tequio_runtime::Runtime;

/// What a training tells of itself.
#[derive(Clone, Debug, Default)]
pub struct Told {
	/// Its tasks.
	pub tasks: Vec<TaskId>,
	/// The state after each round.
	pub states: Vec<H256>,
	/// What was counted of each state that was evaluated.
	pub counts: Vec<Counts>,
}

/// A training that was submitted.
pub struct Begun {
	diary: Diary,
	budget: Balance,
	/// All that the requester had right after.
	before: Balance,
}

impl Told {
	fn note(&mut self, event: &Event<Runtime>) {
		match event {
			Event::RoundBegan { task, .. }
			| Event::RoundTrained { task, .. }
			| Event::EvaluationBegan { task, .. } => self.tasks.push(*task),
			Event::RoundAggregated { state, .. } => self.states.push(*state),
			Event::RoundEvaluated { counts, .. } => self.counts.push(*counts),
			_ => {},
		}
	}
}

impl Begun {
	/// Submits a training.
	pub async fn training(story: &Story, plan: Plan) -> Result<Self> {
		let network = &story.network;
		let budget = ample_budget(&plan);
		let block = network.chain.number(network.chain.best().await?).await?;
		let training = network.submit_training(&story.requester, plan, budget).await?;
		// Nothing is paid yet: that takes some blocks.
		let before = wealth(story).await?;
		Ok(Self { diary: Diary::after(block, training), budget, before })
	}

	/// Waits for the end of the training, and sees that all money is accounted for.
	pub async fn ends(mut self, story: &Story, patience: Duration) -> Result<(Ended, Told)> {
		let mut told = Told::default();
		let show = |event: &Event<Runtime>| told.note(event);
		let ended = story.network.training_ended(&mut self.diary, patience, show).await?;
		let Money { locked, held, out, spent, returned } = ended.money;
		ensure!((locked, held, out) == (self.budget, 0, 0), "{ended:?}");
		ensure!(spent > 0 && spent + returned == locked, "money is lost: {ended:?}");
		let paid = self.before - wealth(story).await?;
		ensure!(paid == spent, "{paid} were taken from the requester: {ended:?}");
		let held = story.network.chain.balance(&story.requester.id()).await?.reserved;
		ensure!(held == 0, "{held} of the requester's money is still held");

		let mut sum = 0;
		for task in &told.tasks {
			let books = story.network.chain.task_summary(*task).await?.books;
			ensure!(books.in_escrow() == Some(0), "the books of task {task}: {books:?}");
			let done = story.contributions(*task).await?;
			let same = (done.paid, done.audit_paid) == (books.paid, books.audit);
			ensure!(same, "the owners' records and the books differ: {done:?}, {books:?}");
			sum += books.paid + books.audit + books.fee;
		}
		ensure!(sum == spent, "tasks cost {sum}, and the training {spent}");
		story.expect_collateral().await?;
		Ok((ended, told))
	}
}

/// All that the requester has, free or held.
async fn wealth(story: &Story) -> Result<Balance> {
	let balance = story.network.chain.balance(&story.requester.id()).await?;
	Ok(balance.free + balance.reserved)
}
