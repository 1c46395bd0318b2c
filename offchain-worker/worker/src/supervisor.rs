//! A runner computes one job after the other in a slot. It starts engines when they are needed,
//! keeps them for the next job, and starts others in the place of those that crash or hang.

use crate::{
	board::Board,
	classes::Class,
	desk::Desk,
	engine::{Answer, Engine, EngineError, Launcher, Leash},
	measure::measure,
	queue::{Outcome, Ticket},
	tally::{Activity, Restart},
};
use std::{
	collections::HashMap,
	sync::Arc,
	thread,
	time::{Duration, Instant},
};
use tequio_interface::{job::Failure, wire::FrameError};
use tracing::{info, warn};

/// How often a job is tried again after its engine crashed or hung.
const RETRIES: u32 = 3;
/// Pause before the first of them; it grows by as much each time.
const PAUSE: Duration = Duration::from_millis(200);
/// How long an engine is measured, once it is warm.
const MEASURED: Duration = Duration::from_secs(4);

/// The thread of a slot.
#[derive(Debug)]
pub struct Runner {
	slot: usize,
	desk: Arc<Desk>,
	board: Arc<Board>,
	launcher: Launcher,
	/// How long an engine may be silent besides the time for its work.
	job_timeout: Duration,
	/// By class.
	engines: HashMap<u16, Engine>,
}

impl Runner {
	/// A runner without engines.
	pub fn new(
		slot: usize,
		desk: Arc<Desk>,
		board: Arc<Board>,
		launcher: Launcher,
		job_timeout: Duration,
	) -> Self {
		Self { slot, desk, board, launcher, job_timeout, engines: HashMap::new() }
	}

	/// Computes until the worker stops. The engines end with the thread that calls this.
	pub fn run(mut self) {
		loop {
			self.board.enter(self.slot, Activity::Idle);
			let Some(ticket) = self.desk.next(self.slot) else { return };
			let outcome = self.compute(&ticket);
			self.desk.end(self.slot, &ticket, outcome);
		}
	}

	/// Measures the classes whose speed is not known, as long as there is no job.
	pub fn measure(&mut self) {
		for class in self.board.clone().classes() {
			if self.board.is_known(class.number) || !self.desk.is_idle() {
				continue;
			}
			let measured = self.measure_class(class);
			self.desk.release(self.slot);
			if let Err(e) = measured {
				self.board.engine(self.slot, class.number, None);
				if self.desk.is_idle() {
					warn!("{} cannot be measured: {e}", class.program);
				}
			}
		}
		self.board.save();
	}

	fn measure_class(&mut self, class: &Class) -> Result<(), EngineError> {
		let (slot, desk) = (self.slot, self.desk.clone());
		let hold = |leash| desk.hold_to_measure(slot, class.number, leash);
		let Some(mut engine) = self.engine(class, hold)? else { return Ok(()) };
		self.board.enter(slot, Activity::Computing(class.number));
		let (setting, go_on) = (&self.launcher.setting, || desk.is_idle());
		if let Some(measured) = measure(&mut engine, class, setting, MEASURED, go_on)? {
			self.board.measured(class.number, &measured);
			desk.advertise();
		}
		self.engines.insert(class.number, engine);
		Ok(())
	}

	/// Computes a job; `None` if it is not wanted any more.
	fn compute(&mut self, ticket: &Ticket) -> Option<Outcome> {
		let key = &ticket.job.key;
		let (task, chunk, attempt, role) = (key.task, key.chunk, key.attempt, key.role);
		let Some(class) = self.board.class(ticket.job.class) else {
			// Taken by another release, or when its engine was still there and computed right.
			return Some(Outcome::Failed(Failure::Unsupported));
		};
		for retry in 0..=RETRIES {
			if retry > 0 {
				self.board.enter(self.slot, Activity::Waiting(class.number));
				thread::sleep(PAUSE.saturating_mul(retry));
			}
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
				// Neither the payload nor the engine is to blame, and another one would not help.
				Ok(Some(Answer::StoreFailed(reason))) => {
					warn!(task, chunk, attempt, role, "the store fails: {reason}");
					return Some(Outcome::Failed(Failure::EngineFailed));
				},
				Err(e) => {
					self.board.engine(self.slot, class.number, None);
					if !self.desk.is_wanted(ticket) {
						return None;
					}
					warn!(task, chunk, attempt, role, retry, "{e}");
					self.board.restarted(class.number, reason(&e));
				},
			}
		}
		Some(Outcome::Failed(Failure::EngineFailed))
	}

	/// Computes a job with the engine that is there, or with a new one. After an error that engine
	/// is gone.
	fn attempt(&mut self, class: &Class, ticket: &Ticket) -> Result<Option<Answer>, EngineError> {
		let (slot, desk) = (self.slot, self.desk.clone());
		let hold = |leash| desk.hold(slot, ticket, leash);
		let Some(mut engine) = self.engine(class, hold)? else { return Ok(None) };
		self.board.enter(slot, Activity::Computing(class.number));
		let payload = ticket.job.payload.clone();
		let is_worker = ticket.job.key.role == 0;
		let (units, started) = (class.units(&payload), Instant::now());
		let time = class.time(&payload, &self.launcher.setting);
		let computed = engine.compute(payload, self.job_timeout.saturating_add(time), is_worker)?;
		if matches!(computed, Answer::Done(_)) {
			self.board.computed(class, units, started.elapsed());
			desk.advertise();
		}
		self.engines.insert(class.number, engine);
		Ok(Some(computed))
	}

	/// The engine of a class that is there, or a new one. `hold` takes what kills it, and says whether
	/// it is still wanted; `None` if it is not.
	fn engine(
		&mut self,
		class: &Class,
		hold: impl Fn(Arc<Leash>) -> bool,
	) -> Result<Option<Engine>, EngineError> {
		if let Some(engine) = self.engines.remove(&class.number) {
			if hold(engine.leash()) {
				return Ok(Some(engine));
			}
			self.engines.insert(class.number, engine);
			return Ok(None);
		}
		self.board.enter(self.slot, Activity::Starting(class.number));
		let mut engine = self.launcher.launch(class)?;
		// Before it is ready, so that one which hangs is killed as soon as it is not wanted.
		if !hold(engine.leash()) {
			return Ok(None);
		}
		engine.await_ready(class)?;
		// Again: it has not listened to what is next, and may have been killed since it was ready.
		if !hold(engine.leash()) {
			return Ok(None);
		}
		self.board.engine(self.slot, class.number, Some(engine.leash()));
		Ok(Some(engine))
	}
}

fn reason(error: &EngineError) -> Restart {
	match error {
		EngineError::Start { .. } => Restart::Unstartable,
		EngineError::Broken(FrameError::Io(_)) => Restart::Crashed,
		EngineError::Broken(_) | EngineError::OffTopic => Restart::Nonsense,
		EngineError::Silent(_) => Restart::Hung,
	}
}
