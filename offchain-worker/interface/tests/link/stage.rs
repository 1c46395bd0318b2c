//! A node's end, and the socket at which the test is the worker process.

use std::{
	io::{ErrorKind, Read, Write},
	os::unix::net::{UnixListener, UnixStream},
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
	thread,
	time::{Duration, Instant},
};
use tempfile::TempDir;
use tequio_interface::{
	host::ComputeService,
	job::{Capability, Job, JobKey, JobState},
	link::WorkerLink,
	wire::{read_frame, write_frame, FromWorker, ToWorker, VERSION},
};

pub const GENESIS: [u8; 32] = [7; 32];
/// For whatever a busy machine takes long for.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Stage {
	pub link: WorkerLink,
	/// How often there was news.
	news: Arc<AtomicUsize>,
	listener: UnixListener,
	_folder: TempDir,
}

impl Stage {
	pub fn new() -> Self {
		Self::with_patience(PATIENCE)
	}

	/// With a node that gives a frame this time.
	pub fn with_patience(patience: Duration) -> Self {
		let folder = tempfile::tempdir().unwrap();
		let socket = folder.path().join("worker.sock");
		let listener = UnixListener::bind(&socket).unwrap();
		let news = Arc::new(AtomicUsize::new(0));
		let heard = news.clone();
		let tell = move || {
			heard.fetch_add(1, Ordering::SeqCst);
		};
		let link = WorkerLink::with_patience(socket, GENESIS, patience, tell).unwrap();
		Self { link, news, listener, _folder: folder }
	}

	/// How often there was news.
	pub fn news(&self) -> usize {
		self.news.load(Ordering::SeqCst)
	}

	/// Takes the next connection up to the node's hello.
	pub fn accept(&self) -> UnixStream {
		let (mut stream, _) = self.listener.accept().unwrap();
		stream.set_read_timeout(Some(PATIENCE)).unwrap();
		let hello = ToWorker::Hello { version: VERSION, genesis: GENESIS };
		assert_eq!(next(&mut stream), hello);
		stream
	}

	/// Takes the next connection and greets it.
	pub fn worker(&self) -> UnixStream {
		let mut stream = self.accept();
		let hello = FromWorker::Hello { version: VERSION, capabilities: able() };
		write_frame(&mut stream, &hello).unwrap();
		stream
	}

	pub fn wait_for(&self, what: impl Fn(&WorkerLink) -> bool) {
		let end = Instant::now() + PATIENCE;
		while !what(&self.link) {
			assert!(Instant::now() < end, "waited {PATIENCE:?} in vain");
			thread::sleep(Duration::from_millis(5));
		}
	}

	/// Has a job computed by the next worker process.
	pub fn expect_service(&self, chunk: u32) {
		let mut worker = self.worker();
		assert!(self.link.submit(job(chunk)));
		while next(&mut worker) != ToWorker::Submit(job(chunk)) {}
		let done = JobState::Done(vec![9]);
		write_frame(&mut worker, &FromWorker::State(key(chunk), done.clone())).unwrap();
		self.wait_for(|link| link.poll(&key(chunk)) == Some(done.clone()));
	}
}

pub fn able() -> Vec<Capability> {
	vec![Capability { class: 0, slots: 1, rate: 30_000, memory: 256 << 20 }]
}

pub fn key(chunk: u32) -> JobKey {
	JobKey {
		genesis: GENESIS,
		device: [2; 32],
		task: 1,
		chunk,
		attempt: 0,
		role: 0,
		order: [0; 32],
	}
}

pub fn job(chunk: u32) -> Job {
	Job { key: key(chunk), class: 0, payload: vec![4; 64] }
}

pub fn next(stream: &mut UnixStream) -> ToWorker {
	read_frame(stream).unwrap()
}

/// Writes a message as bytes, in a frame of its own.
pub fn say_raw(stream: &mut UnixStream, message: &[u8]) {
	let length = u32::try_from(message.len()).unwrap();
	stream.write_all(&[length.to_le_bytes().as_slice(), message].concat()).unwrap();
}

/// Waits until the node hangs up, whatever it says before.
pub fn ends(stream: &mut UnixStream) -> bool {
	loop {
		match stream.read(&mut [0; 1024]) {
			Ok(0) => return true,
			Ok(_) => {},
			Err(error) => return error.kind() == ErrorKind::ConnectionReset,
		}
	}
}
