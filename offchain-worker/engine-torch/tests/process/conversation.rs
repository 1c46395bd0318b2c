//! The worker's side of the conversation.

use codec::{DecodeAll, Encode};
use sp_crypto_hashing::blake2_256;
use std::{
	collections::BTreeMap,
	env,
	process::{Child, ChildStdin, Command, ExitStatus, Stdio},
	sync::mpsc::{self, Receiver},
	thread,
	time::Duration,
};
use tequio_interface::{
	engine::{FromEngine, ToEngine, MAX_PART},
	program::{self, ProgramJob, ProgramResult},
	wire::{read_frame, write_frame},
};

const ENGINE: &str = env!("CARGO_BIN_EXE_tequio-engine-torch");
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

/// The engine with these words, and with the environment that the worker process gives.
pub fn engine(words: &[&str]) -> Command {
	let mut command = Command::new(ENGINE);
	command.args(words).env_clear();
	command.envs(env::var("LD_LIBRARY_PATH").map(|folder| ("LD_LIBRARY_PATH", folder)));
	command
}

pub struct Engine {
	process: Child,
	/// None: its input has ended.
	pub to: Option<ChildStdin>,
	said: Receiver<FromEngine>,
	pub about: String,
}

impl Engine {
	/// Starts it for a class.
	pub fn start(class: &str) -> Self {
		let mut command = engine(&["--class", class]);
		let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
		let (to, mut from) = (process.stdin.take(), process.stdout.take().unwrap());
		let (say, said) = mpsc::channel();
		thread::spawn(move || {
			while let Ok(message) = read_frame(&mut from) {
				if say.send(message).is_err() {
					break;
				}
			}
		});
		let mut engine = Self { process, to, said, about: String::new() };
		let number = match class {
			"exact-f64" => program::EXACT_F64,
			"exact-f32" => program::EXACT_F32,
			_ => program::BANDED_F32,
		};
		assert_eq!(engine.next(), FromEngine::Ready { class: number });
		let FromEngine::Setup { about } = engine.next() else { panic!("no setup") };
		engine.about = about;
		engine
	}

	/// Says something, which an engine that has ended does not hear.
	pub fn say(&mut self, message: &ToEngine) {
		write_frame(self.to.as_mut().unwrap(), message).ok();
	}

	pub fn next(&self) -> FromEngine {
		self.said.recv_timeout(LIMIT).unwrap()
	}

	/// Sends a blob in parts, or says that there is none.
	fn send(&mut self, hash: &[u8; 32], most: u64, has: &Blobs) {
		let fits = |bytes: &&Vec<u8>| bytes.len() as u64 <= most;
		let Some(bytes) = has.get(hash).filter(fits) else {
			return self.say(&ToEngine::Missing { hash: *hash });
		};
		let parts = bytes.chunks((bytes.len() / 3).clamp(100, MAX_PART));
		let last = parts.len() - 1;
		for (place, part) in parts.enumerate() {
			let (bytes, last) = (part.to_vec(), place == last);
			self.say(&ToEngine::Part { hash: *hash, bytes, last });
		}
	}

	/// Has a job computed: what it makes, or why it is refused.
	pub fn ask(&mut self, job: &ProgramJob, has: &Blobs) -> Result<Answer, String> {
		self.say(&ToEngine::Run { id: 7, payload: job.encode() });
		let (mut blobs, mut begun) = (Vec::new(), Vec::new());
		loop {
			match self.next() {
				FromEngine::Fetch { id: 7, hash, most } => self.send(&hash, most, has),
				FromEngine::Output { id: 7, bytes, last } => {
					begun.extend(bytes);
					if last {
						blobs.push(std::mem::take(&mut begun));
					}
				},
				FromEngine::Done { id: 7, result } => {
					let result = ProgramResult::decode_all(&mut result.as_slice()).unwrap();
					assert_eq!(result.output, blake2_256(blobs.last().unwrap()));
					return Ok(Answer { result, blobs });
				},
				FromEngine::Refused { id: 7, reason } => return Err(reason),
				other => panic!("{other:?}"),
			}
		}
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
