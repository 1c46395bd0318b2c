//! The node's table of jobs, and what of it the worker process has yet to be told.

use crate::{
	job::{Failure, Job, JobKey, JobState, MAX_RESULT},
	wire::ToWorker,
};
use std::collections::{BTreeMap, VecDeque};

/// Jobs that the table holds.
pub const MAX_JOBS: usize = 256;
/// Cancellations that wait for a connection. Beyond that the oldest are dropped: the worker process
/// computes such jobs once and then forgets them.
const MAX_CANCELS: usize = MAX_JOBS;

/// Jobs by key. Nothing here does input or output.
#[derive(Debug, Default)]
pub struct Table {
	jobs: BTreeMap<JobKey, Entry>,
	cancels: VecDeque<JobKey>,
}

#[derive(Debug)]
struct Entry {
	/// Without its payload once finished: it is not sent again.
	job: Job,
	state: JobState,
	/// Whether the present connection has carried it.
	sent: bool,
}

impl Entry {
	fn finished(&self) -> bool {
		self.state.has_ended()
	}
}

impl Table {
	/// Takes a job, unless its key is known. `false` if the table is full of unfinished ones; a
	/// finished one makes room, because the worker process still knows its result.
	pub fn submit(&mut self, job: Job) -> bool {
		if self.jobs.contains_key(&job.key) {
			return true;
		}
		if self.jobs.len() >= MAX_JOBS {
			let finished =
				self.jobs.iter().find(|(_, entry)| entry.finished()).map(|(key, _)| *key);
			let Some(key) = finished else { return false };
			self.jobs.remove(&key);
		}
		self.jobs.insert(job.key, Entry { job, state: JobState::Queued, sent: false });
		true
	}

	/// How a job stands; `None` if it is not known.
	pub fn poll(&self, key: &JobKey) -> Option<JobState> {
		self.jobs.get(key).map(|entry| entry.state.clone())
	}

	/// Forgets a job. The worker process is told even of a job that the table does not know: it may
	/// have it from before a restart of the node.
	pub fn cancel(&mut self, key: &JobKey) {
		self.jobs.remove(key);
		if self.cancels.contains(key) {
			return;
		}
		if self.cancels.len() >= MAX_CANCELS {
			self.cancels.pop_front();
		}
		self.cancels.push_back(*key);
	}

	/// Takes the next message for the worker process. Cancellations go first, so that a job which
	/// was cancelled and submitted again is computed anew.
	pub fn next_message(&mut self) -> Option<ToWorker> {
		if let Some(key) = self.cancels.pop_front() {
			return Some(ToWorker::Cancel(key));
		}
		let unsent = |entry: &&mut Entry| !entry.sent && !entry.finished();
		let entry = self.jobs.values_mut().find(unsent)?;
		entry.sent = true;
		Some(ToWorker::Submit(entry.job.clone()))
	}

	/// Puts back a message that could not be written.
	pub fn not_sent(&mut self, message: ToWorker) {
		if let ToWorker::Cancel(key) = message {
			self.cancels.push_front(key);
		}
	}

	/// Notes that a job has come to a state. `false`, and nothing changes, if the job is not known
	/// or has finished.
	pub fn update(&mut self, key: &JobKey, state: JobState) -> bool {
		let Some(entry) = self.jobs.get_mut(key).filter(|entry| !entry.finished()) else {
			return false;
		};
		entry.state = match state {
			JobState::Done(result) if result.len() > MAX_RESULT => {
				JobState::Failed(Failure::EngineFailed)
			},
			state => state,
		};
		if entry.finished() {
			entry.job.payload = Vec::new();
		}
		true
	}

	/// Notes that the connection is gone: whatever is unfinished has to be sent again.
	pub fn disconnected(&mut self) {
		for entry in self.jobs.values_mut().filter(|entry| !entry.finished()) {
			entry.sent = false;
			entry.state = JobState::Queued;
		}
	}
}
