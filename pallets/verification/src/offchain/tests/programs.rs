//! Programs: what is ordered for a chunk, what referees call near, and input that is not to be had.

use super::steps::{calls, hook, skip, RESEND_BLOCKS};
use crate::{
	mock::{
		assign, auditors, commit_one, device, end_of, first_of, found, honest, now, number_of,
		owner, referee, run_to, run_to_due, told, with_doubles, AccountId, End, RuntimeCall,
		System, Test, Told, COUNTS, FLOATS, PROGRAM, UNITS,
	},
	offchain::mock::{declined, with_node, Node},
	types::{CheckState, Standing},
	Call, Checks, Panels,
};
use codec::{DecodeAll, Encode};
use frame_support::BoundedVec;
use sp_core::H256;
use tequio_interface::{
	job::{Failure, Job, JobState},
	program::{ProgramJob, ProgramResult},
};
use tequio_primitives::{
	recompute::{Arguments, Output},
	stage::DeclineReason,
	tasks::Delivered,
	AttemptId, Role, TaskId, WorkClass,
};

/// Role number of the referees of the first panel.
const FIRST_PANEL: u8 = 2;

/// Runs a test on a node with so many devices that there can be a panel, of which device 1 works on
/// the first chunk of a task.
pub fn with_many(task: TaskId, test: impl FnOnce(&Node)) {
	let all: Vec<u8> = (1..=10).collect();
	with_node(&all, |node| {
		with_doubles(|doubles| doubles.accepting = all.clone());
		assign(first_of(task), 1);
		test(node);
	});
}

/// The worker process serves this class and no other, and owners offer no other.
pub fn serve_only(node: &Node, class: WorkClass) {
	node.desk.serve_only(class.id());
	with_doubles(|state| state.offers = vec![class]);
}

/// Lets blocks pass in which every device does its part, and what the engines say is up to `engine`,
/// until the check of an attempt is where `reached` says.
pub fn go_on_until(
	node: &Node,
	id: AttemptId,
	engine: impl Fn(&Job) -> JobState,
	reached: impl Fn(&CheckState<u32>) -> bool,
) {
	for _ in 0..500 {
		if Checks::<Test>::get(id.chunk).is_some_and(|check| reached(&check.state)) {
			return;
		}
		node.desk.finalize(System::block_number());
		hook();
		node.desk.end(&engine);
		hook();
		node.pool.include();
		run_to(now() + 1);
	}
	panic!("the check never comes so far");
}

/// What an engine was asked to run.
pub fn ordered(job: &Job) -> ProgramJob {
	ProgramJob::decode_all(&mut job.payload.as_slice()).unwrap()
}

fn done(output: u8, near: Vec<[u8; 32]>) -> JobState {
	let (output, shown) = ([output; 32], vec![]);
	JobState::Done(ProgramResult { output, shown, near, projection: None }.encode())
}

/// An engine by which the auditor of a chunk gets another output than everybody else, who call near
/// whatever else they are told of.
fn an_edge(job: &Job) -> JobState {
	match job.key.role {
		0 => done(7, vec![]),
		1 => done(13, vec![]),
		_ => {
			let others = ordered(job).others.into_iter();
			done(7, others.filter(|other| *other != [7; 32]).collect())
		},
	}
}

/// Jobs of the first panel.
fn of_panel(node: &Node) -> Vec<Job> {
	node.desk.ordered().into_iter().filter(|job| job.key.role == FIRST_PANEL).collect()
}

/// Goes on to where there are jobs of the first panel.
fn to_panel(node: &Node, id: AttemptId) -> Vec<Job> {
	go_on_until(node, id, an_edge, |state| matches!(state, CheckState::Panel { .. }));
	for _ in 0..100 {
		hook();
		let jobs = of_panel(node);
		if !jobs.is_empty() {
			return jobs;
		}
		run_to(now() + 1);
	}
	panic!("no referee computes");
}

fn report(id: AttemptId, role: Role) -> RuntimeCall {
	RuntimeCall::Verification(Call::report_bad_input { id, role })
}

#[test]
fn a_chunk_of_a_program_goes_from_assignment_to_acceptance() {
	for (task, class) in [
		(PROGRAM, WorkClass::ExactF64),
		(FLOATS, WorkClass::ExactF32),
		(COUNTS, WorkClass::Integer),
	] {
		with_node(&[1, 2], |node| {
			serve_only(node, class);
			with_doubles(|state| state.accepting = vec![2]);
			let id = first_of(task);
			assign(id, 1);
			hook();
			let jobs = node.desk.ordered();
			let [job] = &jobs[..] else { panic!("one job") };
			assert_eq!(job.class, class.id());
			let expected = ProgramJob {
				program: [5; 32],
				chunk: 0,
				round: 0,
				inputs: vec![],
				units: UNITS,
				others: vec![],
				seed: None,
			};
			assert_eq!(ordered(job), expected);
			node.desk.finish();
			hook();
			assert_eq!(node.pool.include(), 1);

			run_to_due(id);
			hook();
			let audits = node.desk.ordered().into_iter().filter(|job| job.key.role == 1);
			assert_eq!(audits.map(|job| ordered(&job)).collect::<Vec<_>>(), vec![expected]);
			node.desk.finish();
			hook();
			assert_eq!(node.pool.include(), 1);

			node.desk.finalize(System::block_number());
			hook();
			assert_eq!(node.pool.include(), 2);
			let Some(Told::Accepted { delivered, auditors, .. }) = told(id) else {
				panic!("the work is right");
			};
			let output = Output::hidden(H256::repeat_byte(7));
			assert_eq!((delivered, auditors), (Delivered::Whole(output), vec![owner(2)]));
		});
	}
}

#[test]
fn a_chunk_with_arguments_is_ordered_with_them_and_shows_what_is_short() {
	with_node(&[1, 2], |node| {
		serve_only(node, WorkClass::Integer);
		let inputs = BoundedVec::truncate_from(vec![H256::repeat_byte(8)]);
		with_doubles(|state| {
			state.accepting = vec![2];
			state.arguments.insert(COUNTS, Arguments { round: 3, inputs });
		});
		let id = first_of(COUNTS);
		assign(id, 1);
		let counted = |_: &Job| {
			let counts = Output::of(b"counts");
			let (output, shown, near) = (counts.hash.0, counts.shown.into_inner(), vec![]);
			JobState::Done(ProgramResult { output, shown, near, projection: None }.encode())
		};
		go_on_until(node, id, counted, |state| matches!(state, CheckState::Auditing { .. }));
		hook();
		let jobs = node.desk.ordered();
		assert!(jobs.iter().any(|job| job.key.role == 1), "the auditor has work");
		for job in jobs {
			let job = ordered(&job);
			assert_eq!((job.round, job.inputs), (3, vec![[8; 32]]));
		}
		go_on_until(node, id, counted, |state| matches!(state, CheckState::Settled));
		let Some(Told::Accepted { delivered, .. }) = told(id) else { panic!("it is right") };
		assert_eq!(delivered, Delivered::Whole(Output::of(b"counts")));
	});
}

#[test]
fn a_result_that_shows_something_else_is_not_committed() {
	with_node(&[1], |node| {
		let id = first_of(PROGRAM);
		assign(id, 1);
		hook();
		node.desk.end(|_| {
			let (output, shown, near) = ([7; 32], b"counts".to_vec(), vec![]);
			JobState::Done(ProgramResult { output, shown, near, projection: None }.encode())
		});
		hook();
		assert_eq!(calls(node, 1), vec![declined(id, DeclineReason::Unsupported)]);
	});
}

#[test]
fn a_device_takes_work_while_its_worker_process_runs_programs() {
	for class in [WorkClass::ExactF64, WorkClass::ExactF32, WorkClass::Integer] {
		with_node(&[1], |node| {
			serve_only(node, class);
			for _ in 0..2 {
				hook();
				skip(RESEND_BLOCKS);
			}
			hook();
			assert!(node.pool.pending().is_empty());
		});
	}
}

#[test]
fn referees_compute_for_themselves_and_are_told_nothing_where_everybody_gets_the_same() {
	for task in [PROGRAM, FLOATS, COUNTS] {
		with_many(task, |node| {
			let id = first_of(task);
			for job in to_panel(node, id) {
				assert!(ordered(&job).others.is_empty());
			}
			go_on_until(node, id, an_edge, |state| matches!(state, CheckState::Settled));
			found(id, 0, &[Standing::Right, Standing::Wrong]);
		});
	}
}

#[test]
fn a_result_that_calls_near_what_nobody_showed_is_not_committed() {
	with_many(PROGRAM, |node| {
		let id = first_of(PROGRAM);
		let jobs = to_panel(node, id);
		node.desk.end(|_| done(7, vec![[8; 32]]));
		hook();
		assert!(node.pool.pending().is_empty());
		let panel = Panels::<Test>::get(id, 0).unwrap();
		assert!(panel.places.iter().all(|place| place.commitment.is_none()));
		// It is computed again.
		skip(RESEND_BLOCKS);
		hook();
		let again = of_panel(node).into_iter().map(|job| job.key);
		assert_eq!(again.collect::<Vec<_>>(), jobs.iter().map(|job| job.key).collect::<Vec<_>>());
	});
}

/// The first chunk of the program is done by device 1, which is elsewhere, and device 2 audits it.
fn audited() -> AttemptId {
	let id = first_of(PROGRAM);
	with_doubles(|state| state.accepting = vec![2]);
	assign(id, 1);
	commit_one(1, id, Role::Worker, &honest(id)).unwrap();
	run_to_due(id);
	assert_eq!(auditors(id), vec![Some(2)]);
	id
}

#[test]
fn an_auditor_without_input_reports_it_once() {
	with_node(&[2], |node| {
		let id = audited();
		hook();
		node.desk.fail(Failure::BadInput);
		for _ in 0..2 {
			hook();
			assert_eq!(calls(node, 2), vec![report(id, Role::Auditor)]);
			assert!(node.desk.jobs().is_empty());
		}
		assert_eq!(node.pool.include(), 1);
		assert_eq!(end_of(2, id, Role::Auditor), Some(End::HandedBack));
		skip(RESEND_BLOCKS);
		hook();
		assert!(node.pool.pending().is_empty());
		assert!(node.desk.jobs().is_empty());
	});
}

#[test]
fn an_auditor_whose_engine_fails_otherwise_reports_nothing() {
	for failure in [Failure::Unsupported, Failure::EngineFailed, Failure::Busy] {
		with_node(&[2], |node| {
			audited();
			hook();
			node.desk.fail(failure);
			hook();
			assert!(node.pool.pending().is_empty());
			skip(RESEND_BLOCKS);
			hook();
			assert_eq!(node.desk.jobs(), vec![(device(2), 1)], "it is tried again");
		});
	}
}

#[test]
fn an_auditor_that_is_too_late_to_report_tries_again() {
	with_node(&[2], |node| {
		let id = audited();
		hook();
		run_to(now() + 5);
		node.desk.fail(Failure::BadInput);
		hook();
		assert!(node.pool.pending().is_empty());
		skip(RESEND_BLOCKS);
		hook();
		assert_eq!(node.desk.jobs(), vec![(device(2), 1)]);
		node.desk.finish();
		hook();
		assert_eq!(node.pool.include(), 1);
		let check = Checks::<Test>::get(id.chunk).unwrap();
		assert!(matches!(check.state, CheckState::Revealing { .. }));
	});
}

#[test]
fn referees_without_input_report_it_once() {
	with_many(PROGRAM, |node| {
		let id = first_of(PROGRAM);
		let jobs = to_panel(node, id);
		node.desk.fail(Failure::BadInput);
		for _ in 0..2 {
			hook();
			assert_eq!(node.pool.pending().len(), jobs.len());
		}
		let devices = jobs.iter().map(|job| number_of(&AccountId::new(job.key.device)).unwrap());
		let devices: Vec<u8> = devices.collect();
		for number in &devices {
			assert_eq!(calls(node, *number), vec![report(id, referee(0))]);
		}
		assert_eq!(node.pool.include(), jobs.len());
		for number in &devices {
			assert_eq!(end_of(*number, id, referee(0)), Some(End::HandedBack));
		}
		hook();
		assert!(node.pool.pending().is_empty());
	});
}
