//! Behaviour of the queue, and its bounds after random use.

#![allow(clippy::unwrap_used)]

use super::*;
use proptest::prelude::*;

fn key(task: u64, role: u8) -> JobKey {
	JobKey { genesis: [0; 32], device: [1; 32], task, chunk: 0, attempt: 0, role, order: [0; 32] }
}

fn job(task: u64, role: u8) -> Job {
	Job { key: key(task, role), class: 0, payload: vec![] }
}

fn done(byte: u8) -> Outcome {
	Outcome::Done(vec![byte])
}

#[test]
fn checks_go_before_work_and_each_in_its_order() {
	let mut queue = Queue::default();
	// Work, audits, and seats on panels of the first and of the last level.
	for (task, role) in [(1, 0), (2, 1), (3, 0), (4, 5), (5, 2), (6, 1)] {
		assert_eq!(queue.submit(job(task, role)), Submission::Taken);
	}
	let order: Vec<_> = std::iter::from_fn(|| queue.take(0)).map(|t| t.job.key.task).collect();
	assert_eq!(order, vec![2, 4, 5, 6, 1, 3]);
}

#[test]
fn the_same_key_twice_is_one_job() {
	let mut queue = Queue::default();
	assert_eq!(queue.submit(job(1, 0)), Submission::Taken);
	assert_eq!(queue.submit(job(1, 0)), Submission::Known(JobState::Queued));
	let ticket = queue.take(0).unwrap();
	assert_eq!(queue.submit(job(1, 0)), Submission::Known(JobState::Running));
	assert!(queue.end(&ticket, done(9)));
	assert_eq!(queue.submit(job(1, 0)), Submission::Known(JobState::Done(vec![9])));
	assert!(queue.take(0).is_none());
}

#[test]
fn a_cancelled_job_is_not_ended_by_whoever_still_runs_it() {
	let mut queue = Queue::default();
	queue.submit(job(1, 0));
	let old = queue.take(3).unwrap();
	assert_eq!(queue.cancel(&key(1, 0)), Cancellation::Running(3));
	assert_eq!(queue.cancel(&key(1, 0)), Cancellation::Unknown);

	// Submitted again, it is another job.
	assert_eq!(queue.submit(job(1, 0)), Submission::Taken);
	let new = queue.take(4).unwrap();
	assert!(!queue.end(&old, done(1)));
	assert!(queue.is_wanted(&new));
	assert!(queue.end(&new, done(2)));
	assert_eq!(queue.state(&key(1, 0)), Some(JobState::Done(vec![2])));
	assert_eq!(queue.cancel(&key(1, 0)), Cancellation::Forgotten);
	assert_eq!(queue.state(&key(1, 0)), None);
}

#[test]
fn submit_should_fail_when_the_queue_is_full() {
	let mut queue = Queue::default();
	for task in 0..MAX_WAITING {
		assert_eq!(queue.submit(job(task as u64, 0)), Submission::Taken);
	}
	assert_eq!(queue.submit(job(u64::MAX, 0)), Submission::Full);
	assert_eq!(queue.submit(job(0, 0)), Submission::Known(JobState::Queued));
	// What was promised before a restart is kept nevertheless.
	queue.resume(job(u64::MAX, 0));
	assert_eq!(queue.unfinished().len(), MAX_WAITING + 1);
}

#[test]
fn the_oldest_results_are_forgotten() {
	let mut queue = Queue::default();
	for task in 0..=MAX_ENDED {
		queue.restore(key(task as u64, 0), vec![7]);
	}
	assert_eq!(queue.state(&key(0, 0)), None);
	assert_eq!(queue.results().len(), MAX_ENDED);
	assert_eq!(queue.results()[0].0.task, 1);
}

#[test]
fn the_next_job_of_a_class_can_be_looked_at() {
	let mut queue = Queue::default();
	queue.submit(job(1, 0));
	queue.submit(Job { class: 5, ..job(2, 1) });
	assert_eq!(queue.next_of(0).map(|job| job.key), Some(key(1, 0)));
	assert_eq!(queue.next_of(5).map(|job| job.key), Some(key(2, 1)));
	assert_eq!(queue.next_of(6), None);
	assert_eq!((queue.waiting(), queue.unfinished_class(&key(2, 1))), (2, Some(5)));
	let ticket = queue.take(0).unwrap();
	assert_eq!((queue.waiting(), queue.unfinished_class(&key(2, 1))), (1, Some(5)));
	queue.end(&ticket, done(1));
	assert_eq!(queue.unfinished_class(&key(2, 1)), None);
}

#[derive(Clone, Debug)]
enum Step {
	Submit(u64, u8),
	Take,
	End(usize, bool),
	Cancel(u64, u8),
}

fn step() -> impl Strategy<Value = Step> {
	prop_oneof![
		(0..40_u64, 0..3_u8).prop_map(|(task, role)| Step::Submit(task, role)),
		Just(Step::Take),
		(0..8_usize, any::<bool>()).prop_map(|(which, well)| Step::End(which, well)),
		(0..40_u64, 0..3_u8).prop_map(|(task, role)| Step::Cancel(task, role)),
	]
}

proptest! {
	/// Every waiting job is in the order exactly once, every ended one in the list of ended ones
	/// exactly once.
	#[test]
	fn the_indices_agree(steps in proptest::collection::vec(step(), 0..200)) {
		let mut queue = Queue::default();
		let mut tickets: Vec<Ticket> = vec![];
		for step in steps {
			match step {
				Step::Submit(task, role) => {
					queue.submit(job(task, role));
				},
				Step::Take => tickets.extend(queue.take(0)),
				Step::End(which, well) if which < tickets.len() => {
					let outcome = if well { done(1) } else { Outcome::Failed(Failure::EngineFailed) };
					queue.end(&tickets.remove(which), outcome);
				},
				Step::End(..) => {},
				Step::Cancel(task, role) => {
					queue.cancel(&key(task, role));
				},
			}
			let (mut waiting, mut ended) = (0, 0);
			for (key, stage) in &queue.stages {
				match stage {
					Stage::Waiting(turn) => {
						waiting += 1;
						prop_assert_eq!(queue.waiting[turn].key, *key);
					},
					Stage::Running { ticket, .. } => prop_assert!(queue.is_wanted(ticket)),
					Stage::Ended(_) => {
						ended += 1;
						prop_assert!(queue.ended.contains(key));
					},
				}
			}
			prop_assert_eq!(waiting, queue.waiting.len());
			prop_assert_eq!(ended, queue.ended.len());
		}
	}
}
