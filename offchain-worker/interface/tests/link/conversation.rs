//! What a sound worker process is told, and what becomes of its answers.

use crate::stage::*;
use tequio_interface::{
	host::ComputeService,
	job::{Failure, JobState, MAX_RESULT},
	link::MAX_JOBS,
	wire::{write_frame, FromWorker, Refusal, ToWorker},
};

#[test]
fn a_job_goes_out_and_its_result_comes_back() {
	let stage = Stage::new();
	let mut worker = stage.worker();
	stage.wait_for(|link| link.capabilities() == able());
	assert!(stage.link.submit(job(0)));
	assert!(stage.link.submit(job(0)));
	assert_eq!(next(&mut worker), ToWorker::Submit(job(0)));
	for state in [JobState::Running, JobState::Done(vec![1, 2, 3])] {
		write_frame(&mut worker, &FromWorker::State(key(0), state.clone())).unwrap();
		stage.wait_for(|link| link.poll(&key(0)) == Some(state.clone()));
	}
	// The second submission made no second message: the next one is about the next job.
	assert!(stage.link.submit(job(1)));
	assert_eq!(next(&mut worker), ToWorker::Submit(job(1)));
	assert_eq!(stage.link.poll(&key(2)), None);
}

#[test]
fn a_worker_tells_anew_what_it_can_do() {
	let stage = Stage::new();
	let mut worker = stage.worker();
	stage.wait_for(|link| link.capabilities() == able());
	let mut faster = able();
	faster[0].rate += 1;
	write_frame(&mut worker, &FromWorker::Capabilities(faster.clone())).unwrap();
	stage.wait_for(|link| link.capabilities() == faster);
	// More than is kept.
	let many = vec![faster[0].clone(); 1_000];
	write_frame(&mut worker, &FromWorker::Capabilities(many)).unwrap();
	stage.wait_for(|link| (2..100).contains(&link.capabilities().len()));
	drop(worker);
	stage.wait_for(|link| link.capabilities().is_empty());
}

#[test]
fn what_may_let_somebody_go_on_is_news() {
	let stage = Stage::new();
	assert_eq!(stage.news(), 0);
	stage.link.set_finalized(7);
	assert_eq!(stage.news(), 1);
	stage.link.set_finalized(7);
	assert_eq!(stage.news(), 1, "the same height is no news");

	let mut worker = stage.worker();
	stage.wait_for(|_| stage.news() == 2);
	assert_eq!(stage.link.capabilities(), able());
	assert!(stage.link.submit(job(0)));
	assert_eq!(next(&mut worker), ToWorker::Submit(job(0)));
	// Neither that it runs is news nor what is said of a job that nobody asked for.
	let done = JobState::Done(vec![1]);
	for (chunk, state) in [(0, JobState::Running), (9, done.clone()), (0, done.clone())] {
		write_frame(&mut worker, &FromWorker::State(key(chunk), state)).unwrap();
	}
	stage.wait_for(|_| stage.news() == 3);
	assert_eq!(stage.link.poll(&key(0)), Some(done));

	let mut faster = able();
	faster[0].rate += 1;
	write_frame(&mut worker, &FromWorker::Capabilities(faster.clone())).unwrap();
	stage.wait_for(|_| stage.news() == 4);
	assert_eq!(stage.link.capabilities(), faster);
	drop(worker);
	stage.wait_for(|_| stage.news() == 5);
	assert!(stage.link.capabilities().is_empty());
}

#[test]
fn two_orders_of_a_duty_are_two_jobs() {
	let stage = Stage::new();
	let mut worker = stage.worker();
	let mut other = job(0);
	other.key.order = [1; 32];
	assert!(stage.link.submit(job(0)));
	assert_eq!(next(&mut worker), ToWorker::Submit(job(0)));
	stage.link.cancel(&key(0));
	assert!(stage.link.submit(other.clone()));
	assert_eq!(next(&mut worker), ToWorker::Cancel(key(0)));
	assert_eq!(next(&mut worker), ToWorker::Submit(other.clone()));
	// A result of the first order that was on its way is none of the second.
	let states = [(key(0), JobState::Done(vec![1])), (other.key, JobState::Done(vec![2]))];
	for (key, state) in states {
		write_frame(&mut worker, &FromWorker::State(key, state)).unwrap();
	}
	stage.wait_for(|link| link.poll(&other.key) == Some(JobState::Done(vec![2])));
	assert_eq!(stage.link.poll(&key(0)), None);
}

#[test]
fn a_new_connection_carries_what_is_unfinished_and_nothing_else() {
	let stage = Stage::new();
	assert!(stage.link.submit(job(0)));
	assert!(stage.link.submit(job(1)));
	let mut first = stage.worker();
	assert_eq!(next(&mut first), ToWorker::Submit(job(0)));
	assert_eq!(next(&mut first), ToWorker::Submit(job(1)));
	let failed = JobState::Failed(Failure::BadInput);
	write_frame(&mut first, &FromWorker::State(key(0), failed.clone())).unwrap();
	write_frame(&mut first, &FromWorker::State(key(1), JobState::Running)).unwrap();
	stage.wait_for(|link| link.poll(&key(1)) == Some(JobState::Running));
	drop(first);
	stage.wait_for(|link| link.capabilities().is_empty());
	assert_eq!(stage.link.poll(&key(1)), Some(JobState::Queued));

	let mut second = stage.worker();
	assert_eq!(next(&mut second), ToWorker::Submit(job(1)));
	assert_eq!(stage.link.poll(&key(0)), Some(failed));
	assert!(stage.link.submit(job(2)));
	assert_eq!(next(&mut second), ToWorker::Submit(job(2)));
}

#[test]
fn a_cancellation_waits_for_a_connection_and_goes_first() {
	let stage = Stage::new();
	assert!(stage.link.submit(job(0)));
	stage.link.cancel(&key(0));
	stage.link.cancel(&key(5));
	assert_eq!(stage.link.poll(&key(0)), None);
	assert!(stage.link.submit(job(0)));
	let mut worker = stage.worker();
	assert_eq!(next(&mut worker), ToWorker::Cancel(key(0)));
	assert_eq!(next(&mut worker), ToWorker::Cancel(key(5)));
	assert_eq!(next(&mut worker), ToWorker::Submit(job(0)));
}

#[test]
fn a_finished_job_stays_as_it_is_and_a_cancelled_one_stays_away() {
	let stage = Stage::new();
	let mut worker = stage.worker();
	assert!(stage.link.submit(job(0)));
	assert!(stage.link.submit(job(1)));
	stage.link.cancel(&key(1));
	let done = JobState::Done(vec![1]);
	for (chunk, state) in [
		(0, done.clone()),
		(0, JobState::Running),
		(0, JobState::Done(vec![2])),
		(1, JobState::Done(vec![3])),
	] {
		write_frame(&mut worker, &FromWorker::State(key(chunk), state)).unwrap();
	}
	// The last message is read after those before it.
	assert!(stage.link.submit(job(2)));
	write_frame(&mut worker, &FromWorker::State(key(2), JobState::Running)).unwrap();
	stage.wait_for(|link| link.poll(&key(2)) == Some(JobState::Running));
	assert_eq!(stage.link.poll(&key(0)), Some(done));
	assert_eq!(stage.link.poll(&key(1)), None);
}

#[test]
fn an_oversized_result_is_a_failure() {
	let stage = Stage::new();
	let mut worker = stage.worker();
	assert!(stage.link.submit(job(0)));
	let state = JobState::Done(vec![0; MAX_RESULT + 1]);
	write_frame(&mut worker, &FromWorker::State(key(0), state)).unwrap();
	let failed = Some(JobState::Failed(Failure::EngineFailed));
	stage.wait_for(|link| link.poll(&key(0)) == failed);
}

#[test]
fn a_refusal_is_taken_and_the_node_comes_back() {
	let stage = Stage::new();
	let mut worker = stage.accept();
	write_frame(&mut worker, &FromWorker::Refused(Refusal::OtherChain)).unwrap();
	assert!(ends(&mut worker));
	drop(stage.worker());
}

#[test]
fn the_table_is_bounded_and_finished_jobs_make_room() {
	let stage = Stage::new();
	let count = u32::try_from(MAX_JOBS).unwrap();
	for chunk in 0..count {
		assert!(stage.link.submit(job(chunk)));
	}
	assert!(!stage.link.submit(job(count)));
	let mut worker = stage.worker();
	write_frame(&mut worker, &FromWorker::State(key(3), JobState::Done(vec![]))).unwrap();
	stage.wait_for(|link| link.poll(&key(3)) == Some(JobState::Done(vec![])));
	assert!(stage.link.submit(job(count)));
	assert_eq!(stage.link.poll(&key(3)), None);
}

#[test]
fn dropping_the_link_ends_the_connection() {
	let stage = Stage::new();
	let mut worker = stage.worker();
	stage.wait_for(|link| !link.capabilities().is_empty());
	let Stage { link, .. } = stage;
	drop(link);
	assert!(ends(&mut worker));
}

#[test]
fn the_finalised_height_is_what_was_last_said() {
	let stage = Stage::new();
	assert_eq!(stage.link.finalized(), 0);
	stage.link.set_finalized(41);
	assert_eq!(stage.link.finalized(), 41);
}
