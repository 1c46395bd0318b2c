//! Whether the engine of a class computes right on this machine: it is asked for something whose
//! result is known.

use crate::{
	classes::Class,
	engine::{Answer, EngineError, Launcher},
};
use std::time::Duration;

/// Why an engine is not to be given work.
#[derive(Debug, thiserror::Error)]
pub enum ExamError {
	/// Its result is another than that of every sound machine.
	#[error("it computes wrong")]
	Wrong,
	/// It does not know the exam.
	#[error("it refuses what it should compute: {0}")]
	Refused(String),
	/// It cannot be started, or gives no answer.
	#[error(transparent)]
	Engine(#[from] EngineError),
}

/// Has an engine of its own compute the exam of a class. `patience`: time that it may take besides
/// that of the slowest machine.
pub fn examine(launcher: &Launcher, class: &Class, patience: Duration) -> Result<(), ExamError> {
	let (payload, expected) = class.exam();
	let limit = class.time(&payload, &launcher.setting).saturating_add(patience);
	match launcher.start(class)?.try_out(payload, limit)? {
		Answer::Done(result) if result == expected => Ok(()),
		Answer::Done(_) => Err(ExamError::Wrong),
		Answer::Refused(reason) | Answer::StoreFailed(reason) => Err(ExamError::Refused(reason)),
	}
}
