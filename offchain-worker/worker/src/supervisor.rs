//! A runner computes one job after the other in a slot. It starts engines when they are needed,
//! keeps them for the next job, and starts others in the place of those that crash or hang.

use crate::{
	classes::Class,
	desk::Desk,
	engine::{Answer, Engine, EngineError, Launcher},
	queue::{Outcome, Ticket},
};
use std::{collections::HashMap, sync::Arc, thread, time::Duration};
use tequio_interface::job::Failure;
use tracing::{info, warn};

/// How often a job is tried again after its engine crashed or hung.
const RETRIES: u32 = 3;
/// Pause before the first of them; it grows by as much each time.
const PAUSE: Duration = Duration::from_millis(200);

/// The thread of a slot.
#[derive(Debug)]
pub struct Runner {
	slot: usize,
	desk: Arc<Desk>,
	launcher: Launcher,
	/// How long an engine may be silent besides the time for its work.
	job_timeout: Duration,
	/// By class.
	engines: HashMap<u16, Engine>,
}

impl Runner {
	/// A runner without engines.
	pub fn new(slot: usize, desk: Arc<Desk>, launcher: Launcher, job_timeout: Duration) -> Self {
		Self { slot, desk, launcher, job_timeout, engines: HashMap::new() }
	}

	/// Computes until the worker stops. The engines end with the thread that calls this.
	pub fn run(mut self) {
		while let Some(ticket) = self.desk.next(self.slot) {
			let outcome = self.compute(&ticket);
			self.desk.end(self.slot, &ticket, outcome);
		}
	}

	/// Computes a job; `None` if it is not wanted any more.
	fn compute(&mut self, ticket: &Ticket) -> Option<Outcome> {
		let key = &ticket.job.key;
		let (task, chunk, attempt, role) = (key.task, key.chunk, key.attempt, key.role);
		let Some(class) = Class::of(ticket.job.class) else {
			// Taken by another release, before an update.
			return Some(Outcome::Failed(Failure::Unsupported));
		};
		for retry in 0..=RETRIES {
			thread::sleep(PAUSE.saturating_mul(retry));
			match self.attempt(class, ticket) {
				Ok(None) => return None,
				Ok(Some(Answer::Done(result))) => {
					info!(task, chunk, attempt, role, "done");
					return Some(Outcome::Done(result));
				},
				Ok(Some(Answer::Refused(reason))) => {
					warn!(task, chunk, attempt, role, "the engine refuses: {reason}");
					return Some(Outcome::Failed(Failure::BadInput));
				},
				Err(e) if self.desk.is_wanted(ticket) => {
					warn!(task, chunk, attempt, role, retry, "{e}");
				},
				Err(_) => return None,
			}
		}
		Some(Outcome::Failed(Failure::EngineFailed))
	}

	/// Computes a job with the engine that is there, or with a new one. After an error that engine
	/// is gone.
	fn attempt(&mut self, class: &Class, ticket: &Ticket) -> Result<Option<Answer>, EngineError> {
		let mut engine = match self.engines.remove(&class.number) {
			Some(engine) => engine,
			None => self.launcher.start(class)?,
		};
		let mut answer = None;
		if self.desk.hold(self.slot, ticket, engine.leash()) {
			let payload = ticket.job.payload.clone();
			let limit = self.job_timeout.saturating_add(class.time(&payload));
			answer = Some(engine.compute(payload, limit)?);
		}
		self.engines.insert(class.number, engine);
		Ok(answer)
	}
}
