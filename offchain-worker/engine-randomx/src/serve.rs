//! The conversation with the worker process: see [`tequio_interface::engine`].

use crate::{
	machine::Machine,
	request::{self, RequestError},
	RandomXError,
};
use std::io::{self, Read, Write};
use tequio_interface::{
	engine::{FromEngine, ToEngine},
	randomx,
	wire::{read_frame, write_frame, FrameError},
};

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

/// Answers requests until the input ends.
pub fn serve(
	machine: &mut Machine,
	from: &mut impl Read,
	to: &mut impl Write,
) -> Result<(), ServeError> {
	write_frame(to, &FromEngine::Ready { class: randomx::CLASS })?;
	loop {
		let ToEngine::Run { id, payload } = match read_frame(from) {
			Err(FrameError::Io(e)) if e.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
			message => message?,
		};
		let answer = match request::run(machine, &payload) {
			Ok(result) => FromEngine::Done { id, result },
			Err(RequestError::Refused(refusal)) => {
				FromEngine::Refused { id, reason: refusal.to_string() }
			},
			Err(RequestError::RandomX(e)) => return Err(e.into()),
		};
		write_frame(to, &answer)?;
	}
}
