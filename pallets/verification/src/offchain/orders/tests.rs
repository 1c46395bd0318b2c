//! How jobs are named.

#![allow(clippy::unwrap_used)]

use super::*;
use codec::DecodeAll;
use tequio_interface::program::ProgramJob;
use tequio_primitives::{
	recompute::{Arguments, RecomputeSpec},
	AttemptId, ChunkId,
};

fn spec(class: WorkClass) -> RecomputeSpec {
	RecomputeSpec { class, program: H256::repeat_byte(5), chunks: 4, units: 50, replicas: 1 }
}

/// What worker and auditors run.
fn own() -> Order {
	with(Arguments::default())
}

/// The same where the task has these arguments.
fn with(arguments: Arguments) -> Order {
	Order::Program(Program::own(spec(WorkClass::ExactF64), 3, arguments))
}

/// What a referee runs over one output that was shown, in a class with a tolerance.
fn judging(shown: u8) -> Order {
	let own = Program::own(spec(WorkClass::BandedF32), 3, Arguments::default());
	Order::Program(own.judging(vec![H256::repeat_byte(shown)]))
}

/// What an auditor runs whose worker has claimed this seed.
fn auditing(seed: u8) -> Order {
	let own = Program::own(spec(WorkClass::BandedF32), 3, Arguments::default());
	Order::Program(own.auditing(&Claim::Seed(H256::repeat_byte(seed))))
}

fn duty(attempt: u8, role: Role) -> Duty {
	Duty { id: AttemptId { chunk: ChunkId { task: 7, index: 3 }, attempt }, role }
}

fn key(order: &Order, duty: Duty) -> Option<JobKey> {
	order.job([1; 32], [2; 32], &duty).map(|job| job.key)
}

#[test]
fn keys_tell_roles_attempts_and_orders_apart() {
	let referee = duty(0, Role::Referee { level: 0 });
	let worker = key(&own(), duty(0, Role::Worker));
	assert!(worker.is_some());
	assert_eq!(worker, key(&own(), duty(0, Role::Worker)));
	assert_ne!(worker, key(&own(), duty(0, Role::Auditor)));
	assert_ne!(worker, key(&own(), duty(1, Role::Worker)));
	assert_ne!(key(&judging(7), referee), key(&judging(9), referee));
	let later = Arguments { round: 1, ..Default::default() };
	assert_ne!(worker, key(&with(later), duty(0, Role::Worker)));
	assert_ne!(
		key(&auditing(7), duty(0, Role::Auditor)),
		key(&auditing(9), duty(0, Role::Auditor))
	);
}

#[test]
fn keys_number_the_roles() {
	let number = |role| key(&own(), duty(0, role)).map(|key| key.role);
	assert_eq!(number(Role::Worker), Some(0));
	assert_eq!(number(Role::Auditor), Some(1));
	assert_eq!(number(Role::Referee { level: 0 }), Some(2));
	assert_eq!(number(Role::Referee { level: 3 }), Some(5));
	assert_eq!(number(Role::Referee { level: u8::MAX }), None);
	assert_eq!(number(Role::Appellant { level: 0 }), None);
}

#[test]
fn a_job_says_its_class_and_what_it_pays() {
	for class in WorkClass::ALL.into_iter().filter(|class| *class != WorkClass::RandomXSearch) {
		let order = Order::Program(Program::own(spec(class), 3, Arguments::default()));
		let job = order.job([1; 32], [2; 32], &duty(0, Role::Worker)).unwrap();
		assert_eq!((job.class, order.class()), (class.id(), class));
		assert_eq!(H256(job.key.order), H256(blake2_256(&job.payload)));
		let said = ProgramJob::decode_all(&mut job.payload.as_slice()).unwrap();
		assert_eq!(u64::from(said.units), order.units());
	}
}
