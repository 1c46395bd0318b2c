//! Tasks: submitting them, waiting for their end, and what their money did.

pub use pallet_tasks::TaskSpec;

use crate::{
	accounts::Account,
	network::{Network, Owner},
	waiting::until,
};
use anyhow::{Context, Result};
use pallet_rewards::{Contribution, Contributions};
use pallet_tasks::{Call, Event};
use std::time::Duration;
use tequio_primitives::{
	api::{TaskStatus, TaskSummary},
	Balance, TaskId, TEQ,
};
use tequio_runtime::{AccountId, Runtime, RuntimeEvent};

/// A task to be.
#[derive(Clone, Debug)]
pub struct Request {
	/// What is computed.
	pub spec: TaskSpec,
	/// Pay per unit, a hash of a search, in the token's smallest unit.
	pub price: Balance,
	/// Blocks for a chunk.
	pub deadline: u32,
	/// What finding a winner earns on top, in the token's smallest unit.
	pub bonus: Balance,
}

impl Request {
	/// More than the task can lock, fees included: pay is capped at twice the expected hashes, an
	/// audit costs no more than the work, and at most four auditors of a chunk are paid. Fees that
	/// are fixed are little.
	fn funds(&self) -> Balance {
		const WORST: Balance = 20;
		let units: u64 = (0..self.spec.chunks()).map(|chunk| self.spec.units(chunk)).sum();
		let work = Balance::from(units).saturating_mul(self.price).saturating_mul(WORST);
		work.saturating_add(self.bonus.saturating_mul(2)).saturating_add(10 * TEQ)
	}
}

impl Network {
	/// Gives the requester enough money, and submits.
	pub async fn submit_task(&self, requester: &Account, request: Request) -> Result<TaskId> {
		self.fund(&[requester.id()], request.funds()).await?;
		let Request { spec, price, deadline, bonus } = request;
		let call = Call::<Runtime>::submit_task { spec, price, deadline, bonus };
		let events = self.chain.submit(requester, call).await?;
		let submitted = |event: RuntimeEvent| match event {
			RuntimeEvent::Tasks(Event::TaskSubmitted { task, .. }) => Some(task),
			_ => None,
		};
		events.into_iter().find_map(submitted).context("the call made no task")
	}

	/// Waits until a task has ended.
	pub async fn ended(&self, task: TaskId, patience: Duration) -> Result<TaskSummary<AccountId>> {
		let mut last = None;
		until("the task ends", patience, async || {
			let summary = self.chain.task_summary(task).await?;
			if summary.status == TaskStatus::Ended {
				return Ok(Some(summary));
			}
			last = Some(summary);
			Ok(None)
		})
		.await
		.with_context(|| format!("{last:?}\n{}", self.logs()))
	}

	/// What an owner did for a task, and got for it.
	pub async fn contribution(&self, task: TaskId, owner: &Owner) -> Result<Contribution> {
		let key = Contributions::<Runtime>::hashed_key_for(task, owner.account.id());
		Ok(self.chain.read(key).await?.unwrap_or_default())
	}
}
