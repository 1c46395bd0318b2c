//! The node's end of the socket: a table of jobs, and a thread that keeps a worker process
//! connected to it.
//!
//! The table is the truth. The connection only carries what the worker process has not been told
//! yet, so a reconnection is nothing but the unfinished jobs becoming unsent again. Nobody who asks
//! the table waits for the socket.
//!
//! Whoever started the link is told that there is news, so that nobody has to ask again and again: a
//! job has ended, the worker process came, went or tells anew what it can do, a block became final.
//!
//! The worker process is not trusted to be sound: it is hung up on when a frame is too long, too slow
//! or out of turn, it is listened to at a bounded pace, and a process of another user is not spoken
//! to at all.
//!
//! ```text
//!            ┌──────────────────────── pause, up to 5 s ◀───────────┐
//!            ▼                                                      │
//!   connect ───▶ hello ⇄ hello ───▶ one thread writes, one reads ───┴─ connection or protocol failed
//! ```

mod table;

use crate::{
	greeting::Welcome,
	host::ComputeService,
	job::{Capability, Job, JobKey, JobState},
	peer::{self, Pace, Peer},
	wire::{FrameError, FromWorker, Refusal, ToWorker, VERSION},
};
use std::{
	io,
	net::Shutdown,
	os::unix::net::UnixStream,
	path::PathBuf,
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc, Condvar, Mutex, MutexGuard, PoisonError,
	},
	thread,
	time::{Duration, Instant},
};
use table::Table;

pub use table::MAX_JOBS;

const LOG_TARGET: &str = "tequio::worker";
/// Pause before the first new attempt to connect; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Within which a worker process says hello, takes a message, or finishes one that it began.
const PATIENCE: Duration = Duration::from_secs(30);
/// Messages that are read from a worker process at once, and each second after that. It has four for
/// a job.
const BURST: u32 = 2048;
const RATE: u32 = 2048;
/// Classes of which a worker process may tell.
const MAX_CAPABILITIES: usize = 64;

/// Keeps jobs for a worker process, and a connection to it. The connection ends when this is
/// dropped.
pub struct WorkerLink {
	shared: Arc<Shared>,
}

struct Shared {
	socket: PathBuf,
	genesis: [u8; 32],
	patience: Duration,
	finalized: AtomicU64,
	state: Mutex<State>,
	/// The state has something for the thread that writes, or for the one that connects.
	changed: Condvar,
	/// Tells that there is news. Never called with the state locked.
	news: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct State {
	table: Table,
	capabilities: Vec<Capability>,
	/// The connection, once both sides have said hello.
	connection: Option<UnixStream>,
	stopped: bool,
}

/// Why there is no connection, or no longer.
#[derive(Debug, thiserror::Error)]
enum Ended {
	#[error(
		"no worker listens at {path}: {error}. Start tequio-worker with this socket, as a user that \
		 this node may connect to",
		path = .0.display(),
		error = .1
	)]
	NotConnected(PathBuf, io::Error),
	#[error(
		"the worker at {path:?} runs as user {user}, this node as user {own}: start both as the same \
		 user"
	)]
	OtherUser { path: PathBuf, user: u32, own: u32 },
	#[error("the connection to the worker ended: {0}")]
	Frame(#[from] FrameError),
	#[error("the worker refuses this node: {0}")]
	Refused(Refusal),
	#[error(
		"the worker speaks version {0} of the protocol, the node {VERSION}: install the same release \
		 of both"
	)]
	OtherVersion(u16),
	#[error("the worker sent a message out of turn: install the same release of node and worker")]
	OutOfTurn,
	#[error("the node could not set up the connection to the worker: {0}")]
	Socket(#[from] io::Error),
}

impl WorkerLink {
	/// Starts to keep a worker process connected that listens at `socket`, for the chain of this
	/// genesis. Fails only where the system gives no thread; a worker process that is not there yet
	/// is waited for.
	///
	/// `news` is called after each change that may let somebody go on, from threads of the link and
	/// from the caller of [`Self::set_finalized`]. It must not wait.
	pub fn start(
		socket: PathBuf,
		genesis: [u8; 32],
		news: impl Fn() + Send + Sync + 'static,
	) -> io::Result<Self> {
		Self::with_patience(socket, genesis, PATIENCE, news)
	}

	/// The same, for a worker process that has another time for a frame than half a minute.
	pub fn with_patience(
		socket: PathBuf,
		genesis: [u8; 32],
		patience: Duration,
		news: impl Fn() + Send + Sync + 'static,
	) -> io::Result<Self> {
		let shared = Arc::new(Shared {
			socket,
			genesis,
			patience,
			finalized: AtomicU64::new(0),
			state: Mutex::default(),
			changed: Condvar::new(),
			news: Box::new(news),
		});
		let connecting = shared.clone();
		thread::Builder::new()
			.name("worker-link".into())
			.spawn(move || keep_connected(&connecting))?;
		Ok(Self { shared })
	}

	/// Notes the height of the last finalised block.
	pub fn set_finalized(&self, height: u64) {
		if self.shared.finalized.swap(height, Ordering::Relaxed) != height {
			(self.shared.news)();
		}
	}
}

impl Drop for WorkerLink {
	fn drop(&mut self) {
		let mut state = self.shared.state();
		state.stopped = true;
		if let Some(connection) = state.connection.take() {
			// It may be down already, which is as good.
			let _ = connection.shutdown(Shutdown::Both);
		}
		self.shared.changed.notify_all();
	}
}

impl ComputeService for WorkerLink {
	fn submit(&self, job: Job) -> bool {
		let taken = self.shared.state().table.submit(job);
		self.shared.changed.notify_all();
		taken
	}

	fn poll(&self, key: &JobKey) -> Option<JobState> {
		self.shared.state().table.poll(key)
	}

	fn cancel(&self, key: &JobKey) {
		self.shared.state().table.cancel(key);
		self.shared.changed.notify_all();
	}

	fn capabilities(&self) -> Vec<Capability> {
		self.shared.state().capabilities.clone()
	}

	fn finalized(&self) -> u64 {
		self.shared.finalized.load(Ordering::Relaxed)
	}
}

impl Shared {
	/// The state. No operation on it can be left half done, so one that a panic interrupted is
	/// still good.
	fn state(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap_or_else(PoisonError::into_inner)
	}

	fn connected(&self, connection: UnixStream, capabilities: Vec<Capability>) {
		let mut state = self.state();
		if state.stopped {
			// Dropped since the hello: let the reading thread find it closed.
			let _ = connection.shutdown(Shutdown::Both);
		}
		state.connection = Some(connection);
		state.capabilities = capabilities;
		drop(state);
		(self.news)();
	}

	/// The worker process tells anew what it can do.
	fn retold(&self, capabilities: Vec<Capability>) {
		log::debug!(target: LOG_TARGET, "the worker can do something else now: {capabilities:?}");
		self.state().capabilities = capabilities;
		(self.news)();
	}

	/// The worker process tells how a job stands.
	fn told(&self, key: &JobKey, state: JobState) {
		let ended = state.has_ended();
		// A statement of its own, so that the lock is gone before the news.
		let is_open = self.state().table.update(key, state);
		if !is_open {
			log::debug!(target: LOG_TARGET, "the worker tells of a job that is not open: {key:?}");
		} else if ended {
			(self.news)();
		}
	}

	fn disconnected(&self) {
		let mut state = self.state();
		state.connection = None;
		state.capabilities.clear();
		state.table.disconnected();
		self.changed.notify_all();
		drop(state);
		(self.news)();
	}

	/// Waits for the next message to write. `None` once the connection is gone.
	fn next_message(&self) -> Option<ToWorker> {
		let mut state = self.state();
		loop {
			state.connection.as_ref()?;
			if let Some(message) = state.table.next_message() {
				return Some(message);
			}
			state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
		}
	}

	/// Waits for `pause`. `true` if the link has been dropped.
	fn stopped_after(&self, pause: Duration) -> bool {
		let state = self.state();
		let waited = self.changed.wait_timeout_while(state, pause, |state| !state.stopped);
		waited.unwrap_or_else(PoisonError::into_inner).0.stopped
	}
}

fn keep_connected(shared: &Shared) {
	let mut pause = FIRST_PAUSE;
	let mut last = String::new();
	loop {
		let began = Instant::now();
		let ended = match greet(shared) {
			Ok((peer, capabilities)) => {
				log::info!(target: LOG_TARGET, "worker connected: {capabilities:?}");
				last.clear();
				serve(shared, peer, capabilities)
			},
			Err(ended) => ended,
		};
		if shared.stopped_after(Duration::ZERO) {
			return;
		}
		// The same thing is said once, not every five seconds.
		let said = ended.to_string();
		if said == last {
			log::debug!(target: LOG_TARGET, "{said}");
		} else {
			log::warn!(target: LOG_TARGET, "{said}");
			last = said;
		}
		// A worker that says hello and goes, again and again, is waited for like one that is away.
		if began.elapsed() > LONGEST_PAUSE {
			pause = FIRST_PAUSE;
		}
		if shared.stopped_after(pause) {
			return;
		}
		pause = (pause * 2).min(LONGEST_PAUSE);
	}
}

/// Connects and says hello.
fn greet(shared: &Shared) -> Result<(Peer, Vec<Capability>), Ended> {
	let stream = UnixStream::connect(&shared.socket)
		.map_err(|error| Ended::NotConnected(shared.socket.clone(), error))?;
	// Else whoever takes the socket's name first could have the node commit to results of their
	// choice.
	let (user, own) = (peer::user(&stream)?, peer::own_user());
	if !peer::may_serve(own, user) {
		return Err(Ended::OtherUser { path: shared.socket.clone(), user, own });
	}
	let mut peer = Peer::new(stream, shared.patience);
	peer.write(&ToWorker::Hello { version: VERSION, genesis: shared.genesis })?;
	match peer.read_due()? {
		Welcome::Worker { capabilities } => Ok((peer, bounded(capabilities))),
		Welcome::OtherVersion(version) => Err(Ended::OtherVersion(version)),
		Welcome::Refused(refusal) => Err(Ended::Refused(refusal)),
		Welcome::OutOfTurn => Err(Ended::OutOfTurn),
	}
}

/// As much as is kept of what a worker process tells of itself.
fn bounded(mut capabilities: Vec<Capability>) -> Vec<Capability> {
	capabilities.truncate(MAX_CAPABILITIES);
	capabilities.shrink_to_fit();
	capabilities
}

/// Carries messages both ways until the connection ends.
fn serve(shared: &Shared, mut peer: Peer, capabilities: Vec<Capability>) -> Ended {
	let (writing, held) = match (peer.try_clone(), peer.stream().try_clone()) {
		(Ok(writing), Ok(held)) => (writing, held),
		(Err(error), _) | (_, Err(error)) => return error.into(),
	};
	shared.connected(held, capabilities);
	thread::scope(|scope| {
		let writer = thread::Builder::new().name("worker-link".into());
		let ended = match writer.spawn_scoped(scope, || write_messages(shared, writing)) {
			Ok(_) => read_messages(shared, &mut peer),
			Err(error) => error.into(),
		};
		shared.disconnected();
		// Wakes the writing thread if it is at it.
		peer.hang_up();
		ended
	})
}

fn write_messages(shared: &Shared, mut peer: Peer) {
	while let Some(message) = shared.next_message() {
		if let Err(error) = peer.write(&message) {
			log::debug!(target: LOG_TARGET, "cannot write to the worker: {error}");
			shared.state().table.not_sent(message);
			// Wakes the reading thread, which ends the connection.
			peer.hang_up();
			return;
		}
	}
}

fn read_messages(shared: &Shared, peer: &mut Peer) -> Ended {
	let mut pace = Pace::new(BURST, RATE);
	loop {
		match peer.read() {
			Ok(FromWorker::State(key, state)) => shared.told(&key, state),
			Ok(FromWorker::Capabilities(capabilities)) => shared.retold(bounded(capabilities)),
			Ok(FromWorker::Refused(refusal)) => return Ended::Refused(refusal),
			Ok(FromWorker::Hello { .. } | FromWorker::Status(_)) => return Ended::OutOfTurn,
			Err(error) => return error.into(),
		}
		thread::sleep(pace.pause(Instant::now()));
	}
}
