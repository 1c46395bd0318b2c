//! The engine as a process: what the worker sees.

#![allow(clippy::unwrap_used)]

use codec::{DecodeAll, Encode};
use hex_literal::hex;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use tequio_interface::{
	engine::{FromEngine, ToEngine},
	randomx::{self, AuditResult, Puzzle, RandomXJob, SearchResult},
	wire::{read_frame, write_frame},
};

struct Engine {
	process: Child,
	to: ChildStdin,
	from: ChildStdout,
}

impl Engine {
	fn start() -> Self {
		let mut process = Command::new(env!("CARGO_BIN_EXE_tequio-engine-randomx"))
			.args(["--mode", "light", "--threads", "2"])
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.spawn()
			.unwrap();
		let (to, from) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
		let mut engine = Self { process, to, from };
		assert_eq!(engine.answer(), FromEngine::Ready { class: randomx::CLASS });
		engine
	}

	fn ask(&mut self, id: u64, payload: Vec<u8>) -> FromEngine {
		write_frame(&mut self.to, &ToEngine::Run { id, payload }).unwrap();
		self.answer()
	}

	fn done<R: DecodeAll>(&mut self, id: u64, job: RandomXJob) -> R {
		match self.ask(id, job.encode()) {
			FromEngine::Done { id: answered, result } if answered == id => {
				R::decode_all(&mut result.as_slice()).unwrap()
			},
			other => panic!("{other:?} is no result of {id}"),
		}
	}

	fn answer(&mut self) -> FromEngine {
		read_frame(&mut self.from).unwrap()
	}

	fn end(mut self) -> ExitStatus {
		drop(self.to);
		self.process.wait().unwrap()
	}
}

fn puzzle() -> Puzzle {
	let mut share_target = [255; 32];
	share_target[31] = 63;
	Puzzle {
		seed: [3; 32],
		template: vec![5; 76],
		nonce_offset: 39,
		share_target,
		target: hex!("000000000000000000000000000000000000000000000000000000000000000f"),
	}
}

#[test]
fn requests_are_answered_until_the_input_ends() {
	let mut engine = Engine::start();
	let search = RandomXJob::Search { puzzle: puzzle(), start: 100, count: 24 };
	let found: SearchResult = engine.done(1, search);
	assert!(found.claim.iter().all(|nonce| (100..124).contains(nonce)));
	assert!(found.winners.iter().all(|winner| found.claim.contains(&winner.nonce)));

	// An auditor of the whole range finds the same, and nothing wrong.
	let audit =
		RandomXJob::Audit { puzzle: puzzle(), claim: found.claim.clone(), start: 100, count: 24 };
	let audited: AuditResult = engine.done(2, audit);
	let honest = AuditResult {
		shares: found.shares,
		winners: found.winners,
		false_shares: vec![],
		unclaimed_shares: vec![],
	};
	assert_eq!(audited, honest);

	// One that is shown nothing finds every share unclaimed.
	let audit = RandomXJob::Audit { puzzle: puzzle(), claim: vec![], start: 100, count: 24 };
	let audited: AuditResult = engine.done(3, audit);
	assert_eq!(audited.unclaimed_shares, found.claim);

	assert!(engine.end().success());
}

#[test]
fn bad_requests_are_refused_and_the_engine_goes_on() {
	let mut engine = Engine::start();
	let outside = Puzzle { nonce_offset: 73, ..puzzle() };
	for (id, payload, reason) in [
		(1, vec![9, 9, 9], "not a RandomX job"),
		(2, vec![], "not a RandomX job"),
		(3, RandomXJob::Search { puzzle: puzzle(), start: 0, count: 0 }.encode(), "no nonces"),
		(4, RandomXJob::Search { puzzle: outside, start: 0, count: 1 }.encode(), "template"),
	] {
		match engine.ask(id, payload) {
			FromEngine::Refused { id: answered, reason: given } => {
				assert_eq!(answered, id);
				assert!(given.contains(reason), "{given}");
			},
			other => panic!("{other:?}"),
		}
	}
	let search = RandomXJob::Search { puzzle: puzzle(), start: 0, count: 1 };
	let _: SearchResult = engine.done(5, search);
	assert!(engine.end().success());
}

#[test]
fn a_frame_that_is_too_long_ends_the_engine() {
	use std::io::Write;
	let mut engine = Engine::start();
	engine.to.write_all(&u32::MAX.to_le_bytes()).unwrap();
	assert!(!engine.end().success());
}
