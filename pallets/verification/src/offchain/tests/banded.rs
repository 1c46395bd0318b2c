//! Work that is right within a band: the seed goes from the worker to its auditors, and referees
//! tell what is near.

use super::{
	programs::{go_on_until, ordered, serve_only, with_many},
	steps::{calls, hook},
};
use crate::{
	mock::{
		assign, first_of, found, owner, run_to_due, told, with_doubles, System, Test, Told, BAND,
		BANDED,
	},
	offchain::mock::{declined, with_node},
	types::{CheckState, Standing},
	Checks,
};
use codec::Encode;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use tequio_interface::{
	job::{Job, JobState},
	program::{ProgramResult, Projection, PROJECTED},
};
use tequio_primitives::{
	claim::Claim, projection::seed_of, recompute::Output, stage::DeclineReason, tasks::Delivered,
	WorkClass,
};

const CLASS: WorkClass = WorkClass::BandedF32;

/// The seed of the bytes that all workers here get.
fn seed() -> H256 {
	seed_of(&H256::repeat_byte(7))
}

/// The projection of these bytes, all of whose sums are so far away from those of the worker's.
fn projection(change: u8, away: i32) -> Projection {
	let numbers = [away; PROJECTED];
	Projection { change: [change; 32], exponent: -20, scale: 1 << 30, numbers }
}

/// The output that such a projection is.
fn output(change: u8, away: i32) -> [u8; 32] {
	blake2_256(&projection(change, away).encode())
}

/// What the engine of a worker or an auditor gives.
fn projected(change: u8, away: i32) -> JobState {
	let projection = Some(projection(change, away));
	let (output, shown, near) = (output(change, away), vec![], vec![]);
	JobState::Done(ProgramResult { output, shown, near, projection }.encode())
}

/// Engines of which the auditor's is so far away from the worker's; the reference calls near what the
/// worker got.
fn engine(job: &Job, away: i32) -> JobState {
	let said = ordered(job);
	match job.key.role {
		0 => {
			assert_eq!(said.seed, None, "a worker projects by its own file");
			projected(7, 0)
		},
		1 => {
			assert_eq!(said.seed, Some(seed().0));
			projected(13, away)
		},
		_ => {
			let mut others = vec![output(7, 0), output(13, away)];
			others.sort_unstable();
			assert_eq!((said.others, said.seed), (others, Some(seed().0)));
			let (output, shown, near) = ([1; 32], vec![], vec![output(7, 0)]);
			JobState::Done(ProgramResult { output, shown, near, projection: None }.encode())
		},
	}
}

#[test]
fn what_is_within_the_band_goes_from_assignment_to_acceptance() {
	with_node(&[1, 2], |node| {
		serve_only(node, CLASS);
		with_doubles(|state| state.accepting = vec![2]);
		let id = first_of(BANDED);
		assign(id, 1);
		hook();
		node.desk.end(|job| engine(job, BAND));
		hook();
		assert_eq!(node.pool.include(), 1);
		assert_eq!(Checks::<Test>::get(id.chunk).unwrap().claim, Claim::Seed(seed()));

		run_to_due(id);
		hook();
		let audits = node.desk.ordered().into_iter().filter(|job| job.key.role == 1);
		let seeds: Vec<_> = audits.map(|job| ordered(&job).seed).collect();
		assert_eq!(seeds, vec![Some(seed().0)]);
		node.desk.end(|job| engine(job, BAND));
		hook();
		assert_eq!(node.pool.include(), 1);

		node.desk.finalize(System::block_number());
		hook();
		assert_eq!(node.pool.include(), 2);
		let Some(Told::Accepted { delivered, auditors, .. }) = told(id) else {
			panic!("the work is right");
		};
		let output = Output::hidden(H256(output(7, 0)));
		assert_eq!((delivered, auditors), (Delivered::Whole(output), vec![owner(2)]));
	});
}

#[test]
fn what_is_outside_the_band_is_settled_by_what_referees_call_near() {
	with_many(BANDED, |node| {
		let id = first_of(BANDED);
		let settled = |state: &CheckState<u32>| matches!(state, CheckState::Settled);
		go_on_until(node, id, |job| engine(job, 2 * BAND), settled);
		found(id, 0, &[Standing::Right, Standing::Wrong]);
	});
}

#[test]
fn a_result_without_a_projection_is_not_committed() {
	with_node(&[1], |node| {
		let id = first_of(BANDED);
		assign(id, 1);
		hook();
		node.desk.end(|_| {
			let (output, shown, near) = ([7; 32], vec![], vec![]);
			JobState::Done(ProgramResult { output, shown, near, projection: None }.encode())
		});
		hook();
		assert_eq!(calls(node, 1), vec![declined(id, DeclineReason::Unsupported)]);
	});
}

#[test]
fn a_device_takes_work_while_its_worker_process_serves_the_class() {
	with_node(&[1], |node| {
		serve_only(node, CLASS);
		hook();
		assert!(node.pool.pending().is_empty());
	});
}
