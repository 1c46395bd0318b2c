//! Requesters who want something else than results.

use crate::{
	arena::{submission, work},
	strategy::{honest, Answer, Question, Strategy},
	PRICE, VALUE,
};
use pallet_tasks::Call;
use tequio_primitives::{
	api::{TaskStatus, TaskSummary},
	stage::DeclineReason,
	workers::InspectWorkers,
	TaskId, WorkClass,
};
use tequio_runtime::{AccountId, RuntimeCall, Tasks, Workers};
use tequio_runtime_tests::program::Fate;

/// Class of their work.
const CLASS: WorkClass = WorkClass::ExactF64;
/// Chunks of a task that is to torment.
const TORMENT: u32 = 30;
/// Chunks of a task that its requester does itself.
const DEALT: u32 = 64;
/// Chunks of a task for a reputation, and the part of a chunk's pay that each pays.
const DUST: u32 = 200;
const DUST_PART: u128 = 100;

/// The last of the requester's tasks, if it has not ended.
fn running(own: &[TaskId]) -> Option<(TaskId, TaskSummary<AccountId>)> {
	let task = *own.last()?;
	let summary = Tasks::summary(task)?;
	(summary.status != TaskStatus::Ended).then_some((task, summary))
}

/// Submits tasks that bring nobody anything, one after the other: one whose input is nowhere, one
/// that it cancels as soon as somebody works on it, one that no engine runs.
pub struct Griefer;

impl Strategy for Griefer {
	fn requests(&mut self, own: &[TaskId]) -> Vec<RuntimeCall> {
		let Some((task, summary)) = running(own) else {
			let fates = [Fate::Unreachable, Fate::Runs, Fate::Unsupported];
			let fate = fates[own.len() % fates.len()];
			return vec![submission(work(CLASS, fate, number(own), TORMENT), PRICE)];
		};
		// The second kind; the others end by themselves.
		let cancels = own.len() % 3 == 2 && summary.status == TaskStatus::Running;
		if cancels && summary.chunks.assigned > 0 {
			return vec![RuntimeCall::Tasks(Call::cancel_task { task })];
		}
		Vec::new()
	}
}

/// Submits tasks at a price that only its own owners take, who compute nothing and agree with each
/// other.
pub struct SelfDealer;

impl Strategy for SelfDealer {
	fn work(&mut self, question: &Question) -> Answer {
		Answer::pretend(question.lie())
	}

	fn audit(&mut self, question: &Question) -> Answer {
		Answer::pretend(question.lie())
	}

	fn judge(&mut self, question: &Question) -> Answer {
		Answer::pretend(question.lie())
	}

	fn requests(&mut self, own: &[TaskId]) -> Vec<RuntimeCall> {
		if running(own).is_some() {
			return Vec::new();
		}
		vec![submission(work(CLASS, Fate::Runs, number(own), DEALT), PRICE / 2)]
	}
}

/// Builds its reputation on tasks of its own that pay next to nothing, hands all other work back
/// meanwhile, and returns noise for that once enough audits are passed.
pub struct DustBuilder;

impl Strategy for DustBuilder {
	fn work(&mut self, question: &Question) -> Answer {
		if question.value() < VALUE {
			return honest(question);
		}
		let passed = Workers::reputation_of(question.owner, CLASS).passed;
		if passed < question.rules.trust.audits {
			return Answer::Decline(DeclineReason::Busy);
		}
		Answer::pretend(question.noise())
	}

	fn requests(&mut self, own: &[TaskId]) -> Vec<RuntimeCall> {
		if running(own).is_some() {
			return Vec::new();
		}
		vec![submission(work(CLASS, Fate::Runs, number(own), DUST), PRICE / DUST_PART)]
	}
}

/// Another program for each task than those of anybody else.
fn number(own: &[TaskId]) -> u64 {
	1_000_000 + own.len() as u64
}
