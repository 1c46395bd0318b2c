//! The host functions, called natively: with the extension they reach the node's table, without it
//! they answer nothing.

#![allow(clippy::unwrap_used, missing_docs)]

use sp_io::TestExternalities;
use std::{
	collections::BTreeMap,
	sync::{Arc, Mutex},
};
use tequio_interface::{
	host::{self, ComputeExt, ComputeService, Polled, Submitted},
	job::{Capability, Job, JobKey, JobState, MAX_PAYLOAD, MAX_RESULT},
};

const ROOM: usize = 3;
const ABLE: Capability = Capability { class: 0, slots: 2, rate: 30_000, memory: 256 << 20 };

#[derive(Default)]
struct Desk(Mutex<BTreeMap<JobKey, JobState>>);

impl ComputeService for Desk {
	fn submit(&self, job: Job) -> bool {
		let mut jobs = self.0.lock().unwrap();
		let room = jobs.len() < ROOM || jobs.contains_key(&job.key);
		if room {
			jobs.entry(job.key).or_insert(JobState::Queued);
		}
		room
	}

	fn poll(&self, key: &JobKey) -> Option<JobState> {
		self.0.lock().unwrap().get(key).cloned()
	}

	fn cancel(&self, key: &JobKey) {
		self.0.lock().unwrap().remove(key);
	}

	fn capabilities(&self) -> Vec<Capability> {
		vec![ABLE]
	}

	fn finalized(&self) -> u64 {
		77
	}
}

fn key(chunk: u32) -> JobKey {
	JobKey {
		genesis: [1; 32],
		device: [2; 32],
		task: 3,
		chunk,
		attempt: 0,
		role: 0,
		order: [0; 32],
	}
}

fn job(chunk: u32) -> Job {
	Job { key: key(chunk), class: 0, payload: vec![9; 100] }
}

fn with_desk(test: impl FnOnce(&Desk)) {
	let desk = Arc::new(Desk::default());
	let mut externalities = TestExternalities::new_empty();
	externalities.register_extension(ComputeExt(desk.clone()));
	externalities.execute_with(|| test(&desk));
}

#[test]
fn without_the_extension_nothing_answers() {
	TestExternalities::new_empty().execute_with(|| {
		assert_eq!(host::finalized(), None);
		assert_eq!(host::submit(&job(0)), Submitted::Unavailable);
		assert_eq!(host::poll(&key(0)), Polled::Unavailable);
		assert_eq!(host::capabilities(), vec![]);
		host::cancel(&key(0));
	});
}

#[test]
fn a_job_is_submitted_polled_and_cancelled() {
	with_desk(|desk| {
		assert_eq!(host::finalized(), Some(77));
		assert_eq!(host::capabilities(), vec![ABLE]);
		assert_eq!(host::poll(&key(0)), Polled::Unknown);
		assert_eq!(host::submit(&job(0)), Submitted::Taken);
		assert_eq!(host::submit(&job(0)), Submitted::Taken);
		assert_eq!(host::poll(&key(0)), Polled::State(JobState::Queued));
		assert_eq!(desk.0.lock().unwrap().len(), 1);
		host::cancel(&key(0));
		assert_eq!(host::poll(&key(0)), Polled::Unknown);
	});
}

#[test]
fn a_result_of_any_permitted_size_comes_back_whole() {
	with_desk(|desk| {
		for size in [0, 1, 4_000, 4_096, 5_000, MAX_RESULT] {
			let state = JobState::Done(vec![size.to_le_bytes()[0]; size]);
			desk.0.lock().unwrap().insert(key(0), state.clone());
			assert_eq!(host::poll(&key(0)), Polled::State(state));
		}
	});
}

#[test]
fn a_full_table_and_a_large_job_are_told_apart() {
	with_desk(|_| {
		let large = Job { payload: vec![0; MAX_PAYLOAD + 1], ..job(0) };
		assert_eq!(host::submit(&large), Submitted::Malformed);
		for chunk in 0..3 {
			assert_eq!(host::submit(&job(chunk)), Submitted::Taken);
		}
		assert_eq!(host::submit(&job(3)), Submitted::Full);
	});
}
