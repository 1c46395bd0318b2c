//! The engine as a process: what the worker sees.

#![allow(clippy::unwrap_used)]

mod reference;

use codec::{DecodeAll, Encode};
use hex_literal::hex;
use std::{
	fs,
	io::Write,
	process::{Child, ChildStdin, Command, ExitStatus, Stdio},
	sync::mpsc::{self, Receiver},
	thread,
	time::Duration,
};
use tequio_engine_randomx::{bench, Key};
use tequio_interface::{
	engine::{FromEngine, ToEngine},
	randomx::{self, AuditResult, Puzzle, RandomXJob, SearchResult},
	wire::{read_frame, write_frame},
};

const ENGINE: &str = env!("CARGO_BIN_EXE_tequio-engine-randomx");
/// For what takes seconds on a machine with nothing else to do.
const LIMIT: Duration = Duration::from_secs(300);

struct Engine {
	process: Child,
	/// None: its input has ended.
	to: Option<ChildStdin>,
	said: Receiver<FromEngine>,
}

impl Engine {
	/// In light mode.
	fn start(args: &[&str]) -> Self {
		let mut process = Command::new(ENGINE)
			.args(["--mode", "light"])
			.args(args)
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.spawn()
			.unwrap();
		let (to, mut from) = (process.stdin.take(), process.stdout.take().unwrap());
		let (say, said) = mpsc::channel();
		thread::spawn(move || {
			while let Ok(message) = read_frame(&mut from) {
				if say.send(message).is_err() {
					break;
				}
			}
		});
		let engine = Self { process, to, said };
		assert_eq!(engine.next(), FromEngine::Ready { class: randomx::CLASS });
		engine
	}

	fn with_two_threads() -> Self {
		Self::start(&["--threads", "2"])
	}

	fn say(&mut self, message: ToEngine) {
		write_frame(self.to.as_mut().unwrap(), &message).unwrap();
	}

	fn next(&self) -> FromEngine {
		self.said.recv_timeout(LIMIT).unwrap()
	}

	/// The next thing that it says about its setup.
	fn setup(&self) -> String {
		match self.next() {
			FromEngine::Setup { about } => about,
			other => panic!("{other:?} is no setup"),
		}
	}

	/// Asks, and waits for the answer.
	fn ask(&mut self, id: u64, payload: Vec<u8>) -> FromEngine {
		self.say(ToEngine::Run { id, payload });
		loop {
			match self.next() {
				FromEngine::Setup { .. } => {},
				answer => return answer,
			}
		}
	}

	fn done<R: DecodeAll>(&mut self, id: u64, job: RandomXJob) -> R {
		match self.ask(id, job.encode()) {
			FromEngine::Done { id: answered, result } if answered == id => {
				R::decode_all(&mut result.as_slice()).unwrap()
			},
			other => panic!("{other:?} is no result of {id}"),
		}
	}

	fn end(mut self) -> ExitStatus {
		self.to = None;
		self.process.wait().unwrap()
	}
}

impl Drop for Engine {
	fn drop(&mut self) {
		self.process.kill().ok();
		self.process.wait().ok();
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

/// A search under a key of this number, in which nothing is found.
fn vain_search(key: u8, count: u32) -> RandomXJob {
	let puzzle = Puzzle { seed: [key; 32], share_target: [0; 32], target: [0; 32], ..puzzle() };
	RandomXJob::Search { puzzle, start: 0, count }
}

#[test]
fn requests_are_answered_until_the_input_ends() {
	let mut engine = Engine::with_two_threads();
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
fn requests_that_wait_are_answered_in_their_order() {
	let mut engine = Engine::with_two_threads();
	for id in 1..=5 {
		// Under two keys in turn.
		let payload = vain_search(u8::try_from(id % 2).unwrap(), 2).encode();
		engine.say(ToEngine::Run { id, payload });
	}
	engine.to = None;
	let mut answered = Vec::new();
	while let Ok(message) = engine.said.recv_timeout(LIMIT) {
		match message {
			FromEngine::Setup { .. } => {},
			FromEngine::Done { id, .. } => answered.push(id),
			other => panic!("{other:?}"),
		}
	}
	assert_eq!(answered, [1, 2, 3, 4, 5]);
}

#[test]
fn bad_requests_are_refused_and_the_engine_goes_on() {
	let mut engine = Engine::with_two_threads();
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
	let mut engine = Engine::with_two_threads();
	engine.to.as_mut().unwrap().write_all(&u32::MAX.to_le_bytes()).unwrap();
	assert!(!engine.end().success());
}

#[test]
fn what_is_expected_is_made_ready_while_a_request_is_computed() {
	let mut engine = Engine::start(&["--threads", "1", "--caches", "2"]);
	assert_eq!(engine.setup(), "no key yet, 1 thread");
	// Takes years.
	engine.say(ToEngine::Run { id: 1, payload: vain_search(1, u32::MAX).encode() });
	assert!(engine.setup().starts_with("light, 1 thread, cache on "));
	engine.say(ToEngine::Expect { payload: b"nonsense".to_vec() });
	engine.say(ToEngine::Expect { payload: vain_search(2, 0).encode() });
	engine.say(ToEngine::Expect { payload: vain_search(1, 1).encode() });
	engine.say(ToEngine::Expect { payload: vain_search(3, 1).encode() });
	let setup = engine.setup();
	assert!(setup.starts_with("light, 1 thread, cache on "), "{setup}");
	assert!(setup.ends_with(", cache of the next key ready"), "{setup}");
}

#[test]
fn a_request_that_was_expected_has_the_same_result() {
	let mut engine = Engine::start(&["--threads", "2", "--caches", "2"]);
	let search = RandomXJob::Search { puzzle: puzzle(), start: 0, count: 16 };
	let expected: SearchResult = engine.done(1, search.clone());
	let _: SearchResult = engine.done(2, vain_search(8, 1));
	engine.say(ToEngine::Expect { payload: search.encode() });
	let found: SearchResult = engine.done(3, search);
	assert_eq!(found, expected);
	assert!(engine.end().success());
}

#[test]
fn a_light_engine_with_one_cache_stays_within_what_was_promised() {
	let mut engine = Engine::with_two_threads();
	for (id, key) in [(1, 1), (2, 2), (3, 1)] {
		engine.say(ToEngine::Expect { payload: vain_search(9, 1).encode() });
		let _: SearchResult = engine.done(id, vain_search(key, 4));
	}
	let status = fs::read_to_string(format!("/proc/{}/status", engine.process.id())).unwrap();
	let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
	let peak: u64 = peak.trim().strip_suffix(" kB").unwrap().parse().unwrap();
	// A cache, 3 MiB a thread, and the rest.
	let promised = (256 << 10) + 2 * (3 << 10) + 50_000_000 / 1024;
	assert!(peak <= promised, "{peak} KiB of {promised}");
}

#[test]
fn the_owner_is_told_what_was_chosen() {
	let args = ["--threads", "3", "--cpu-percent", "50", "--secure", "--pages", "small"];
	let mut engine = Engine::start(&args);
	let rest = "50 % of a processor each, never writable and executable at once";
	assert_eq!(engine.setup(), format!("no key yet, 3 threads, {rest}"));
	engine.say(ToEngine::Run { id: 1, payload: vain_search(1, 3).encode() });
	let memory = "cache on small pages, scratchpads on small pages";
	assert_eq!(engine.setup(), format!("light, 3 threads, {memory}, {rest}"));
	assert!(matches!(engine.next(), FromEngine::Done { id: 1, .. }));
	assert!(engine.end().success());
}

#[test]
fn the_benchmark_prints_the_digest() {
	let digest = reference::digest(&Key::new(&bench::KEY).unwrap(), 24);
	let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
	for args in [
		["--threads", "2", "--pages", "small", "--nonces", "24"],
		["--threads", "1", "--cpu-percent", "50", "--nonces", "24"],
	] {
		let output = Command::new(ENGINE).args(["bench", "--secure"]).args(args).output().unwrap();
		assert!(output.status.success());
		let text = String::from_utf8(output.stdout).unwrap();
		assert!(text.starts_with("{\"mode\":\"light\",\"threads\":"), "{text}");
		assert!(text.trim_end().ends_with(&format!("\"digest\":\"{digest}\"}}")), "{text}");
	}
}

#[test]
fn arguments_without_a_meaning_are_refused() {
	for args in [
		["--cpu-percent", "0"],
		["--cpu-percent", "101"],
		["--caches", "0"],
		["--threads", "0"],
		["--pages", "large"],
		["--mode", "slow"],
	] {
		let output = Command::new(ENGINE).args(args).output().unwrap();
		assert!(!output.status.success(), "{args:?}");
		assert!(output.stdout.is_empty(), "{args:?}");
	}
}
