//! Where nodes hand in jobs, runners fetch them, and both learn what became of them: queue, journal
//! and connected nodes behind one lock. The journal is written before anybody is told. The board is
//! told what is to be counted; its lock is the only one that is taken under this one.

use crate::{
	board::Board,
	engine::Leash,
	journal::{Journal, Record},
	nodes::{NodeId, Nodes, Outbox},
	queue::{Cancellation, Outcome, Queue, Submission, Ticket},
	status::Status,
	tally::End,
};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use tequio_interface::{
	job::{Capability, Failure, Job, JobKey, JobState, MAX_PAYLOAD},
	wire::{FromWorker, Refusal},
};
use tracing::{error, info};

/// Shared by all threads.
#[derive(Debug)]
pub struct Desk {
	board: Arc<Board>,
	inner: Mutex<Inner>,
	/// There may be a job to take, or none will come any more.
	news: Condvar,
}

#[derive(Debug)]
struct Inner {
	queue: Queue,
	journal: Journal,
	/// Genesis hash of the chain that this worker serves.
	chain: Option<[u8; 32]>,
	/// Classes that can be computed here.
	classes: Vec<u16>,
	nodes: Nodes,
	/// For each slot, the engine that is in use.
	engines: Vec<Option<InUse>>,
	stopping: bool,
}

/// An engine that starts or computes.
#[derive(Debug)]
struct InUse {
	leash: Arc<Leash>,
	class: u16,
	/// The job that it was told to expect.
	expects: Option<JobKey>,
}

impl Desk {
	/// Goes on where the journal ends.
	pub fn new(journal: Journal, records: Vec<Record>, board: Arc<Board>, slots: usize) -> Self {
		let (mut queue, mut chain) = (Queue::default(), None);
		for record in records {
			match record {
				Record::Chain(genesis) => chain = Some(genesis),
				Record::Taken(job) => queue.resume(job),
				Record::Done(key, result) => queue.restore(key, result),
				Record::Dropped(key) => {
					queue.cancel(&key);
				},
			}
		}
		let (unfinished, results) = (queue.unfinished().len(), queue.results().len());
		info!("the journal has {unfinished} unfinished jobs and {results} results");
		let mut inner = Inner {
			queue,
			journal,
			chain,
			classes: board.classes().iter().map(|class| class.number).collect(),
			nodes: Nodes::default(),
			engines: (0..slots).map(|_| None).collect(),
			stopping: false,
		};
		let records = inner.records();
		if let Err(e) = inner.journal.rewrite(&records) {
			// The old one counts.
			error!("the journal cannot be written anew: {e}");
		}
		Self { board, inner: Mutex::new(inner), news: Condvar::new() }
	}

	/// What this worker can do.
	pub fn capabilities(&self) -> Vec<Capability> {
		self.board.capabilities()
	}

	/// How this worker is.
	pub fn report(&self) -> Status {
		let inner = self.lock();
		let (chain, nodes, queue) = (inner.chain, inner.nodes.len(), inner.queue.waiting());
		drop(inner);
		self.board.status(chain, nodes, queue)
	}

	/// How this worker is: a JSON object.
	pub fn status(&self) -> Vec<u8> {
		// What cannot be written is a map without text for keys, and there is none.
		serde_json::to_vec(&self.report()).unwrap_or_default()
	}

	/// Binds the worker to the chain of its first node. Nodes of another chain are refused.
	pub fn bind(&self, genesis: [u8; 32]) -> Result<(), Refusal> {
		let mut inner = self.lock();
		let chain = inner.chain;
		match chain {
			Some(chain) if chain == genesis => Ok(()),
			Some(_) => Err(Refusal::OtherChain),
			None => {
				inner.chain = Some(genesis);
				inner.record(Record::Chain(genesis));
				Ok(())
			},
		}
	}

	/// Adds a node that was `told` what this worker can do. Its messages go to `outbox`; when that is
	/// full, it is closed.
	pub fn attach(&self, outbox: Outbox, told: Vec<Capability>) -> NodeId {
		let mut inner = self.lock();
		let id = inner.nodes.attach(outbox, told);
		if inner.stopping {
			inner.nodes.detach(id);
		}
		// It may have changed since.
		inner.nodes.advertise(&self.board.capabilities());
		id
	}

	/// Removes a node. Its jobs go on.
	pub fn detach(&self, node: NodeId) {
		self.lock().nodes.detach(node);
	}

	/// Tells the nodes what this worker can do, if it is news to them.
	pub fn advertise(&self) {
		let mut inner = self.lock();
		// Under the lock, so that what is told last is what was true last.
		inner.nodes.advertise(&self.board.capabilities());
	}

	/// Takes a job from a node, and tells the node its state then and whenever it changes.
	pub fn submit(&self, node: NodeId, job: Job) {
		let mut inner = self.lock();
		let key = job.key;
		let state = inner.admit(job);
		if matches!(state, JobState::Queued | JobState::Running) {
			inner.nodes.watch(node, key);
		}
		inner.nodes.send(node, FromWorker::State(key, state));
		inner.announce_next();
		drop(inner);
		self.news.notify_one();
	}

	/// Forgets a job for a node, and stops it if it runs. To others who wait for it, it is a job that
	/// found no room: they may submit it again.
	pub fn cancel(&self, by: NodeId, key: &JobKey) {
		let mut inner = self.lock();
		if let Some(class) = inner.queue.unfinished_class(key) {
			self.board.ended(class, End::Cancelled);
		}
		match inner.queue.cancel(key) {
			Cancellation::Unknown => return,
			Cancellation::Forgotten => {},
			Cancellation::Running(slot) => inner.kill(slot),
		}
		inner.record(Record::Dropped(*key));
		inner.nodes.unwatch(by, key);
		inner.nodes.announce(*key, JobState::Failed(Failure::Busy));
		inner.announce_next();
	}

	/// Waits for a job to compute in a slot. `None`: none will come, the worker stops.
	pub fn next(&self, slot: usize) -> Option<Ticket> {
		let mut inner = self.lock();
		loop {
			if inner.stopping {
				return None;
			}
			if let Some(ticket) = inner.queue.take(slot) {
				inner.nodes.announce(ticket.job.key, JobState::Running);
				return Some(ticket);
			}
			inner = self.news.wait(inner).unwrap_or_else(PoisonError::into_inner);
		}
	}

	/// Notes what kills the engine that starts for the job or computes it from now on, and what tells
	/// it which job is next. `false`: the job is not wanted any more.
	pub fn hold(&self, slot: usize, ticket: &Ticket, leash: Arc<Leash>) -> bool {
		let mut inner = self.lock();
		let wanted = inner.is_wanted(ticket);
		if let Some(place) = inner.engines.get_mut(slot).filter(|_| wanted) {
			*place = Some(InUse { leash, class: ticket.job.class, expects: None });
			inner.announce_next();
		}
		wanted
	}

	/// Notes what kills the engine that starts or is measured in a slot from now on. `false`: it is
	/// not to be measured, because there is a job or the worker stops.
	pub fn hold_to_measure(&self, slot: usize, class: u16, leash: Arc<Leash>) -> bool {
		let mut inner = self.lock();
		let idle = inner.is_idle();
		if let Some(place) = inner.engines.get_mut(slot).filter(|_| idle) {
			*place = Some(InUse { leash, class, expects: None });
		}
		idle
	}

	/// The engine in a slot is not in use any more.
	pub fn release(&self, slot: usize) {
		self.lock().release(slot);
	}

	/// Whether no job waits, and the worker is not stopping.
	pub fn is_idle(&self) -> bool {
		self.lock().is_idle()
	}

	/// Whether the job has neither been cancelled nor is the worker stopping.
	pub fn is_wanted(&self, ticket: &Ticket) -> bool {
		self.lock().is_wanted(ticket)
	}

	/// Takes the outcome of a job; `None` if it was given up because nobody wants it any more.
	pub fn end(&self, slot: usize, ticket: &Ticket, outcome: Option<Outcome>) {
		let mut inner = self.lock();
		inner.release(slot);
		let Some(outcome) = outcome else { return };
		let key = ticket.job.key;
		if !inner.queue.end(ticket, outcome.clone()) {
			return;
		}
		let end = if matches!(outcome, Outcome::Done(_)) { End::Done } else { End::Failed };
		self.board.ended(ticket.job.class, end);
		inner.record(match &outcome {
			Outcome::Done(result) => Record::Done(key, result.clone()),
			Outcome::Failed(_) => Record::Dropped(key),
		});
		inner.nodes.announce(key, outcome.into());
	}

	/// Kills the engines that start or compute, hangs up on all nodes, and hands out no more jobs.
	pub fn stop(&self) {
		let mut inner = self.lock();
		inner.stopping = true;
		for slot in 0..inner.engines.len() {
			inner.kill(slot);
		}
		inner.nodes.clear();
		drop(inner);
		self.news.notify_all();
	}

	/// A thread that panics ends the process, so nobody sees what it left behind under the lock.
	fn lock(&self) -> MutexGuard<'_, Inner> {
		self.inner.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Inner {
	/// Takes a job if it can be computed here.
	fn admit(&mut self, job: Job) -> JobState {
		if Some(job.key.genesis) != self.chain || job.payload.len() > MAX_PAYLOAD {
			return JobState::Failed(Failure::BadInput);
		}
		if !self.classes.contains(&job.class) {
			return JobState::Failed(Failure::Unsupported);
		}
		match self.queue.submit(job.clone()) {
			Submission::Known(state) => state,
			Submission::Full => JobState::Failed(Failure::Busy),
			Submission::Taken => {
				self.record(Record::Taken(job));
				JobState::Queued
			},
		}
	}

	fn is_wanted(&self, ticket: &Ticket) -> bool {
		!self.stopping && self.queue.is_wanted(ticket)
	}

	fn is_idle(&self) -> bool {
		!self.stopping && self.queue.waiting() == 0
	}

	fn release(&mut self, slot: usize) {
		if let Some(place) = self.engines.get_mut(slot) {
			*place = None;
		}
	}

	fn kill(&self, slot: usize) {
		if let Some(engine) = self.engines.get(slot).and_then(Option::as_ref) {
			engine.leash.kill();
		}
	}

	/// Tells the engines that compute which job is next, so that they can make ready for it. Any of
	/// them may get it.
	fn announce_next(&mut self) {
		for engine in self.engines.iter_mut().flatten() {
			let Some(next) = self.queue.next_of(engine.class) else { continue };
			if engine.expects != Some(next.key) {
				engine.expects = Some(next.key);
				engine.leash.expect(next.clone());
			}
		}
	}

	/// Writes to the journal. Without a disk the worker goes on: what is lost in a restart then is
	/// time, because nodes submit their jobs again.
	fn record(&mut self, record: Record) {
		let mut written = self.journal.append(&record);
		if self.journal.is_due() {
			let records = self.records();
			written = self.journal.rewrite(&records);
		}
		if let Err(e) = written {
			error!("the journal cannot be written, a restart would compute again: {e}");
		}
	}

	/// All that has to be remembered.
	fn records(&self) -> Vec<Record> {
		let chain = self.chain.map(Record::Chain).into_iter();
		let results = self.queue.results().into_iter();
		let results = results.map(|(key, result)| Record::Done(*key, result.to_vec()));
		let unfinished = self.queue.unfinished().into_iter().cloned().map(Record::Taken);
		chain.chain(results).chain(unfinished).collect()
	}
}
