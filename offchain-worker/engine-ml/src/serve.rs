//! The conversation with the worker process: see [`tequio_interface::engine`].
//!
//! One thread reads, computes and writes. While a request waits for a blob, requests that come in
//! between wait for their turn.

use crate::{
	backend::Backend,
	blobs::{Blobs, ConversationError, Unavailable},
	class::Class,
	request::{self, Computed, RequestError},
};
use codec::Encode;
use std::{
	collections::VecDeque,
	io::{self, Read, Write},
};
use tequio_interface::{
	engine::{FromEngine, ToEngine, MAX_PART, MAX_SETUP},
	wire::{read_frame, write_frame, FrameError},
};

/// Requests that may come while one waits for its bytes. The worker process asks for one at a time.
pub const MAX_WAITING: usize = 16;

/// Why an engine ends before its input does.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
	/// The worker process says something that it should not, or nothing more.
	#[error(transparent)]
	Conversation(#[from] ConversationError),
	/// The backend is broken: the request that it had is without an answer, and another engine may
	/// have one.
	#[error("the backend fails: {0}")]
	Backend(String),
}

/// A request.
struct Request {
	id: u64,
	payload: Vec<u8>,
}

/// Both directions.
struct Conversation<R, W> {
	from: R,
	to: W,
	waiting: VecDeque<Request>,
	/// The request that is computed.
	current: u64,
}

/// Answers requests of a class until the input ends, training by a backend.
pub fn serve(
	class: Class,
	backend: &dyn Backend,
	from: impl Read,
	to: impl Write,
) -> Result<(), ServeError> {
	let mut conversation = Conversation { from, to, waiting: VecDeque::new(), current: 0 };
	conversation.say(&FromEngine::Ready { class: class.number() })?;
	conversation.say(&FromEngine::Setup { about: setup(class, backend) })?;
	while let Some(Request { id, payload }) = conversation.next_request()? {
		conversation.current = id;
		let answer = match request::run(class, backend, &mut conversation, &payload) {
			Ok(Computed { blobs, result }) => {
				for blob in &blobs {
					conversation.hand_over(id, blob)?;
				}
				FromEngine::Done { id, result: result.encode() }
			},
			Err(RequestError::Refused(refusal)) => {
				FromEngine::Refused { id, reason: refusal.to_string() }
			},
			Err(RequestError::Broken(error)) => return Err(error.into()),
			Err(RequestError::Failed(reason)) => return Err(ServeError::Backend(reason)),
		};
		conversation.say(&answer)?;
	}
	Ok(())
}

/// The engine in one line, for its owner: the words of the backend, as far as there is room for them.
fn setup(class: Class, backend: &dyn Backend) -> String {
	let mut about = format!("{class}, {}", backend.about());
	let end = (0..=MAX_SETUP.min(about.len())).rev().find(|end| about.is_char_boundary(*end));
	about.truncate(end.unwrap_or(0));
	about
}

impl<R: Read, W: Write> Conversation<R, W> {
	fn say(&mut self, message: &FromEngine) -> Result<(), ConversationError> {
		Ok(write_frame(&mut self.to, message)?)
	}

	fn hear(&mut self) -> Result<ToEngine, ConversationError> {
		Ok(read_frame(&mut self.from)?)
	}

	/// The request whose turn it is. None: the input has ended.
	fn next_request(&mut self) -> Result<Option<Request>, ConversationError> {
		if let Some(request) = self.waiting.pop_front() {
			return Ok(Some(request));
		}
		loop {
			match self.hear() {
				Ok(ToEngine::Run { id, payload }) => return Ok(Some(Request { id, payload })),
				// There is nothing that could be made ready.
				Ok(ToEngine::Expect { .. }) => {},
				Ok(ToEngine::Part { .. } | ToEngine::Missing { .. }) => {
					return Err(ConversationError::Unasked);
				},
				Err(ConversationError::Frame(FrameError::Io(error)))
					if error.kind() == io::ErrorKind::UnexpectedEof =>
				{
					return Ok(None);
				},
				Err(error) => return Err(error),
			}
		}
	}

	/// Hands a blob over in parts.
	fn hand_over(&mut self, id: u64, blob: &[u8]) -> Result<(), ConversationError> {
		let mut rest = blob;
		loop {
			let (part, after) = rest.split_at(rest.len().min(MAX_PART));
			let (bytes, last) = (part.to_vec(), after.is_empty());
			self.say(&FromEngine::Output { id, bytes, last })?;
			if last {
				return Ok(());
			}
			rest = after;
		}
	}

	/// What comes next of the blob that was asked for: a part, and whether it is the last. None: it
	/// is not to be had.
	fn next_part(
		&mut self,
		wanted: &[u8; 32],
	) -> Result<Option<(Vec<u8>, bool)>, ConversationError> {
		loop {
			match self.hear()? {
				ToEngine::Part { hash, bytes, last } if hash == *wanted => {
					let length = bytes.len();
					if length > MAX_PART || (length == 0 && !last) {
						return Err(ConversationError::PartLength(length));
					}
					return Ok(Some((bytes, last)));
				},
				ToEngine::Missing { hash } if hash == *wanted => return Ok(None),
				ToEngine::Part { .. } | ToEngine::Missing { .. } => {
					return Err(ConversationError::Unasked);
				},
				ToEngine::Run { .. } if self.waiting.len() >= MAX_WAITING => {
					return Err(ConversationError::TooManyRequests(MAX_WAITING));
				},
				ToEngine::Run { id, payload } => self.waiting.push_back(Request { id, payload }),
				ToEngine::Expect { .. } => {},
			}
		}
	}
}

impl<R: Read, W: Write> Blobs for Conversation<R, W> {
	fn fetch(&mut self, hash: &[u8; 32], most: u64) -> Result<Vec<u8>, Unavailable> {
		self.say(&FromEngine::Fetch { id: self.current, hash: *hash, most })?;
		let mut blob = Vec::new();
		while let Some((part, last)) = self.next_part(hash)? {
			blob.extend_from_slice(&part);
			let fits = u64::try_from(blob.len()).is_ok_and(|length| length <= most);
			if !fits {
				return Err(ConversationError::TooLong(most).into());
			}
			if last {
				// It has grown by doubling, and weights may be a quarter of a gigabyte.
				blob.shrink_to_fit();
				return Ok(blob);
			}
		}
		Err(Unavailable::Missing)
	}
}
