//! The worker's side of the conversation.

use crate::program::hash_of;
use codec::{DecodeAll, Encode};
use std::{
	collections::BTreeMap,
	process::{Child, ChildStdin, Command, ExitStatus, Stdio},
	sync::mpsc::{self, Receiver},
	thread,
	time::Duration,
};
use tequio_interface::{
	engine::{FromEngine, ToEngine, MAX_BLOBS, MAX_PART},
	program::{self, ProgramJob, ProgramResult},
	wire::{read_frame, write_frame},
};

pub const ENGINE: &str = env!("CARGO_BIN_EXE_tequio-engine-ml");
/// For what takes moments on a machine with nothing else to do.
const LIMIT: Duration = Duration::from_secs(120);

/// Bytes by their hash: what the worker's store holds.
pub type Blobs = BTreeMap<[u8; 32], Vec<u8>>;

/// What a request has made.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
	pub result: ProgramResult,
	/// In the order in which they were handed over.
	pub blobs: Vec<Vec<u8>>,
}

impl Answer {
	/// The blob that the result names.
	pub fn output(&self) -> &[u8] {
		self.blobs.iter().find(|blob| hash_of(blob) == self.result.output).unwrap()
	}
}

pub struct Engine {
	process: Child,
	/// None: its input has ended.
	pub to: Option<ChildStdin>,
	said: Receiver<FromEngine>,
}

impl Engine {
	/// Starts it for a class.
	pub fn start(class: &str) -> Self {
		let mut process = Command::new(ENGINE)
			.args(["--class", class])
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
		let number = if class == "integer" { program::INTEGER } else { program::EXACT_F64 };
		assert_eq!(engine.next(), FromEngine::Ready { class: number });
		let about = format!("{class}, plain Rust, 1 thread");
		assert_eq!(engine.next(), FromEngine::Setup { about });
		engine
	}

	/// Says something, which an engine that has ended does not hear.
	pub fn say(&mut self, message: &ToEngine) {
		write_frame(self.to.as_mut().unwrap(), message).ok();
	}

	pub fn next(&self) -> FromEngine {
		self.said.recv_timeout(LIMIT).unwrap()
	}

	pub fn ask(&mut self, id: u64, job: &ProgramJob) {
		self.say(&ToEngine::Run { id, payload: job.encode() });
	}

	/// Sends a blob in parts, or says that there is none.
	pub fn send(&mut self, hash: &[u8; 32], has: &Blobs) {
		let Some(bytes) = has.get(hash) else {
			return self.say(&ToEngine::Missing { hash: *hash });
		};
		// Small parts, so that there are several.
		let parts = bytes.chunks((bytes.len() / 3).clamp(100, MAX_PART));
		let last = parts.len() - 1;
		for (place, part) in parts.enumerate() {
			let (bytes, last) = (part.to_vec(), place == last);
			self.say(&ToEngine::Part { hash: *hash, bytes, last });
		}
	}

	/// Gives the engine what it fetches until it answers: what it has made, or why it refuses.
	pub fn answer(&mut self, asked: u64, has: &Blobs) -> Result<Answer, String> {
		let (mut blobs, mut begun) = (Vec::new(), None::<Vec<u8>>);
		loop {
			match self.next() {
				FromEngine::Fetch { id, hash, most } => {
					assert_eq!(id, asked);
					let length = has.get(&hash).map_or(0, Vec::len);
					if u64::try_from(length).unwrap() > most {
						self.say(&ToEngine::Missing { hash });
					} else {
						self.send(&hash, has);
					}
				},
				FromEngine::Output { id, bytes, last } => {
					assert!(id == asked && bytes.len() <= MAX_PART && (last || !bytes.is_empty()));
					begun.get_or_insert_with(Vec::new).extend(bytes);
					if last {
						blobs.extend(begun.take());
					}
				},
				FromEngine::Done { id, result } => {
					assert!(id == asked && begun.is_none() && blobs.len() <= MAX_BLOBS);
					let result = ProgramResult::decode_all(&mut result.as_slice()).unwrap();
					return Ok(Answer { result, blobs });
				},
				FromEngine::Refused { id, reason } => {
					assert!(id == asked && begun.is_none() && blobs.is_empty());
					return Err(reason);
				},
				other => panic!("{other:?}"),
			}
		}
	}

	/// Has a job computed.
	pub fn done(&mut self, id: u64, job: &ProgramJob, has: &Blobs) -> Answer {
		self.ask(id, job);
		self.answer(id, has).unwrap()
	}

	/// Has a job refused, for this reason.
	pub fn refused(&mut self, job: &ProgramJob, has: &Blobs, reason: &str) {
		self.ask(3, job);
		let given = self.answer(3, has).unwrap_err();
		assert!(given.contains(reason), "{given}, not {reason}");
	}

	pub fn end(mut self) -> ExitStatus {
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
