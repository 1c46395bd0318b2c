//! Which jobs there are, where each of them is, and which one is next. Pure: no clock, no files, no
//! threads.
//!
//! A job that nobody asks for any more, because its node lost its record of it, is known by nothing:
//! it is computed once like any other, and forgotten when so many others have ended after it.
//!
//! Checks go before work: the time of an auditor or referee is shorter, and others wait for it.
//! Within each, first come, first served.

use std::{
	collections::{BTreeMap, HashMap, VecDeque},
	sync::Arc,
};
use tequio_interface::job::{Failure, Job, JobKey, JobState};

/// Jobs that may wait.
pub const MAX_WAITING: usize = 256;
/// Jobs that have ended and are remembered: the last ones.
pub const MAX_ENDED: usize = 512;
/// Role in the key of a job that is work; every other role checks somebody's work.
const WORK: u8 = 0;

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
	/// Computed.
	Done(Vec<u8>),
	/// Not computable here.
	Failed(Failure),
}

impl From<Outcome> for JobState {
	fn from(outcome: Outcome) -> Self {
		match outcome {
			Outcome::Done(result) => Self::Done(result),
			Outcome::Failed(failure) => Self::Failed(failure),
		}
	}
}

/// What became of a submission.
#[derive(Debug, PartialEq, Eq)]
pub enum Submission {
	/// The job is known, and in this state.
	Known(JobState),
	/// It waits now.
	Taken,
	/// Too many others wait.
	Full,
}

/// What became of a cancellation.
#[derive(Debug, PartialEq, Eq)]
pub enum Cancellation {
	/// There is no such job.
	Unknown,
	/// It is forgotten.
	Forgotten,
	/// It is forgotten, and still runs in this slot.
	Running(usize),
}

/// A job that was handed out to be computed.
#[derive(Clone, Debug)]
pub struct Ticket {
	/// The job.
	pub job: Arc<Job>,
	number: u64,
}

/// A place in the order of waiting jobs. Checks sort first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
	is_work: bool,
	number: u64,
}

#[derive(Debug)]
enum Stage {
	Waiting(Turn),
	Running { ticket: Ticket, slot: usize },
	Ended(Outcome),
}

/// The jobs.
#[derive(Debug, Default)]
pub struct Queue {
	stages: HashMap<JobKey, Stage>,
	waiting: BTreeMap<Turn, Arc<Job>>,
	/// Oldest first.
	ended: VecDeque<JobKey>,
	numbers: u64,
}

impl Queue {
	/// Takes a job, unless its key is known or too many others wait.
	pub fn submit(&mut self, job: Job) -> Submission {
		if let Some(state) = self.state(&job.key) {
			return Submission::Known(state);
		}
		if self.waiting.len() >= MAX_WAITING {
			return Submission::Full;
		}
		self.resume(job);
		Submission::Taken
	}

	/// Takes a job that was taken before a restart, if its key is not known.
	pub fn resume(&mut self, job: Job) {
		if self.stages.contains_key(&job.key) {
			return;
		}
		self.numbers += 1;
		let turn = Turn { is_work: job.key.role == WORK, number: self.numbers };
		self.stages.insert(job.key, Stage::Waiting(turn));
		self.waiting.insert(turn, Arc::new(job));
	}

	/// Takes a result from before a restart.
	pub fn restore(&mut self, key: JobKey, result: Vec<u8>) {
		self.forget(&key);
		self.remember(key, Outcome::Done(result));
	}

	/// Where a job is.
	pub fn state(&self, key: &JobKey) -> Option<JobState> {
		self.stages.get(key).map(|stage| match stage {
			Stage::Waiting(_) => JobState::Queued,
			Stage::Running { .. } => JobState::Running,
			Stage::Ended(outcome) => outcome.clone().into(),
		})
	}

	/// The class of a job, if it waits or runs.
	pub fn unfinished_class(&self, key: &JobKey) -> Option<u16> {
		match self.stages.get(key)? {
			Stage::Waiting(turn) => self.waiting.get(turn).map(|job| job.class),
			Stage::Running { ticket, .. } => Some(ticket.job.class),
			Stage::Ended(_) => None,
		}
	}

	/// Jobs that wait.
	pub fn waiting(&self) -> usize {
		self.waiting.len()
	}

	/// The next job of a class. It stays where it is.
	pub fn next_of(&self, class: u16) -> Option<&Arc<Job>> {
		self.waiting.values().find(|job| job.class == class)
	}

	/// Hands out the next job.
	pub fn take(&mut self, slot: usize) -> Option<Ticket> {
		let (turn, job) = self.waiting.pop_first()?;
		let ticket = Ticket { job, number: turn.number };
		self.stages.insert(ticket.job.key, Stage::Running { ticket: ticket.clone(), slot });
		Some(ticket)
	}

	/// Whether the job of this ticket is still wanted. It is not once it was cancelled, even if it
	/// was submitted again.
	pub fn is_wanted(&self, ticket: &Ticket) -> bool {
		matches!(
			self.stages.get(&ticket.job.key),
			Some(Stage::Running { ticket: current, .. }) if current.number == ticket.number
		)
	}

	/// Ends a job that is still wanted, and says whether it is. The oldest ended jobs are
	/// forgotten.
	pub fn end(&mut self, ticket: &Ticket, outcome: Outcome) -> bool {
		let wanted = self.is_wanted(ticket);
		if wanted {
			self.remember(ticket.job.key, outcome);
		}
		wanted
	}

	/// Forgets a job.
	pub fn cancel(&mut self, key: &JobKey) -> Cancellation {
		match self.forget(key) {
			None => Cancellation::Unknown,
			Some(Stage::Running { slot, .. }) => Cancellation::Running(slot),
			Some(Stage::Waiting(_) | Stage::Ended(_)) => Cancellation::Forgotten,
		}
	}

	/// Jobs that run, then those that wait, each in their order.
	pub fn unfinished(&self) -> Vec<&Job> {
		let stages = self.stages.values();
		let running = stages.filter_map(|stage| match stage {
			Stage::Running { ticket, .. } => Some(ticket),
			_ => None,
		});
		let mut running: Vec<&Ticket> = running.collect();
		running.sort_by_key(|ticket| ticket.number);
		let running = running.into_iter().map(|ticket| &*ticket.job);
		running.chain(self.waiting.values().map(|job| &**job)).collect()
	}

	/// Results, oldest first.
	pub fn results(&self) -> Vec<(&JobKey, &[u8])> {
		let ended = self.ended.iter();
		let results = ended.filter_map(|key| match self.stages.get(key) {
			Some(Stage::Ended(Outcome::Done(result))) => Some((key, result.as_slice())),
			_ => None,
		});
		results.collect()
	}

	fn remember(&mut self, key: JobKey, outcome: Outcome) {
		self.stages.insert(key, Stage::Ended(outcome));
		self.ended.push_back(key);
		if self.ended.len() > MAX_ENDED {
			if let Some(oldest) = self.ended.pop_front() {
				self.stages.remove(&oldest);
			}
		}
	}

	fn forget(&mut self, key: &JobKey) -> Option<Stage> {
		let stage = self.stages.remove(key)?;
		match &stage {
			Stage::Waiting(turn) => {
				self.waiting.remove(turn);
			},
			Stage::Ended(_) => self.ended.retain(|ended| ended != key),
			Stage::Running { .. } => {},
		}
		Some(stage)
	}
}

#[cfg(test)]
mod tests;
