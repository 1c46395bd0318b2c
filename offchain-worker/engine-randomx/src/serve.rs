//! The conversation with the worker process: see [`tequio_interface::engine`].
//!
//! A thread of its own reads, so that what will be asked next is known while a request is computed.

use crate::{
	machine::{Expectations, Machine, Settings},
	request::{self, RequestError},
	RandomXError,
};
use std::{
	io::{self, Read, Write},
	sync::{
		mpsc::{self, SyncSender},
		Arc, Mutex, PoisonError,
	},
	thread,
};
use tequio_interface::{
	engine::{FromEngine, ToEngine},
	randomx,
	wire::{read_frame, write_frame, FrameError},
};

/// Requests that wait for the one that is computed. More are left in the pipe.
const WAITING: usize = 2;

/// Why the conversation ended.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
	/// A frame cannot be read or written.
	#[error(transparent)]
	Frame(#[from] FrameError),
	/// This machine cannot compute. The worker process may start another engine.
	#[error(transparent)]
	RandomX(#[from] RandomXError),
}

/// A request.
struct Request {
	id: u64,
	payload: Vec<u8>,
}

/// What the engine writes to. Whole messages, from any thread.
struct Output<W>(Mutex<W>);

impl<W: Write> Output<W> {
	fn say(&self, message: &FromEngine) -> Result<(), FrameError> {
		let mut to = self.0.lock().unwrap_or_else(PoisonError::into_inner);
		write_frame(&mut *to, message)
	}
}

/// Answers requests until the input ends. The thread that reads ends with the input, too, which may
/// be after this has failed.
pub fn serve<R, W>(settings: Settings, from: R, to: W) -> Result<(), ServeError>
where
	R: Read + Send + 'static,
	W: Write + Send + 'static,
{
	let to = Arc::new(Output(Mutex::new(to)));
	to.say(&FromEngine::Ready { class: randomx::CLASS })?;
	let listening = to.clone();
	let listener = move |about: &str| {
		// If this cannot be written, the next answer cannot either.
		listening.say(&FromEngine::Setup { about: about.to_owned() }).ok();
	};
	let mut machine = Machine::with_listener(settings, Box::new(listener))?;

	let (requests, asked) = mpsc::sync_channel(WAITING);
	let expectations = machine.expectations();
	let reader = thread::Builder::new().name("requests".into());
	reader
		.spawn(move || read(from, &expectations, &requests))
		.map_err(|_| RandomXError::NoThread)?;
	for request in asked {
		let Request { id, payload } = request?;
		let answer = match request::run(&mut machine, &payload) {
			Ok(result) => FromEngine::Done { id, result },
			Err(RequestError::Refused(refusal)) => {
				FromEngine::Refused { id, reason: refusal.to_string() }
			},
			Err(RequestError::RandomX(e)) => return Err(e.into()),
		};
		to.say(&answer)?;
	}
	Ok(())
}

/// Hands on what is read, until the input ends or is no message.
fn read(
	mut from: impl Read,
	expectations: &Expectations,
	requests: &SyncSender<Result<Request, FrameError>>,
) {
	loop {
		let request = match read_frame(&mut from) {
			Ok(ToEngine::Expect { payload }) => {
				// What cannot be used is ignored.
				if let Some(key) = request::key_of(&payload) {
					expectations.expect(key);
				}
				continue;
			},
			Ok(ToEngine::Run { id, payload }) => Ok(Request { id, payload }),
			Ok(ToEngine::Part { .. } | ToEngine::Missing { .. }) => {
				Err(FrameError::Malformed("nothing was to be fetched".into()))
			},
			Err(FrameError::Io(e)) if e.kind() == io::ErrorKind::UnexpectedEof => return,
			Err(e) => Err(e),
		};
		let is_last = request.is_err();
		if requests.send(request).is_err() || is_last {
			return;
		}
	}
}
