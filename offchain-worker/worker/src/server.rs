//! The Unix socket, and who connects to it: nodes, and whoever asks how the worker is.
//!
//! Whoever connects is a stranger until its first message, which has to come in time. One that asks
//! for the status is told and hung up on; a node of our version and chain stays, and talks for as
//! long as it likes. What it writes has to come in whole frames, each within a limit, at a bounded
//! pace; what it is told it has to read within the same limit.
//!
//! ## Memory
//! A stranger has one frame, of 256 KiB at most. A node has one frame to read, one to write, and
//! 4 MiB of messages that wait for it.

mod guests;

use crate::{
	desk::Desk,
	nodes::{Letters, NodeId, Outbox},
};
use anyhow::{bail, ensure, Context};
use guests::{Guests, Place, MAX_NODES};
use nix::sys::{
	socket::{self, AddressFamily, Backlog, SockFlag, SockType, UnixAddr},
	stat::{fchmod, Mode},
};
use std::{
	fs,
	io::{self, ErrorKind},
	os::{
		fd::AsRawFd,
		unix::{
			fs::{FileTypeExt, MetadataExt, PermissionsExt},
			net::{UnixListener, UnixStream},
		},
	},
	path::{Path, PathBuf},
	sync::Arc,
	thread,
	time::{Duration, Instant},
};
use tequio_interface::{
	greeting::Greeting,
	job::Capability,
	peer::{self, Pace, Peer},
	wire::{FrameError, FromWorker, Refusal, ToWorker, VERSION},
};
use tracing::{debug, info, warn};

/// Messages that are taken from a node at once, and each second after that. It has as many when it
/// comes back as its table has jobs; each may be written through to the disk.
const MESSAGES: u32 = 256;
/// Connections that are taken at once, and each second after that.
const CONNECTIONS: u32 = 64;
/// Connections that the kernel keeps for us meanwhile.
const BACKLOG: i32 = 64;
/// Within which a first message comes, and every frame that has begun is whole.
const PATIENCE: Duration = Duration::from_secs(10);
/// Who may connect: our user.
const MODE: u32 = 0o600;

/// The socket. Its file goes when this is dropped.
#[derive(Debug)]
pub struct Socket {
	listener: UnixListener,
	path: PathBuf,
	/// The file itself, whatever its name: device and inode.
	file: (u64, u64),
}

/// Why a connection ends.
#[derive(Debug, thiserror::Error)]
enum Parting {
	/// The connection failed or ended.
	#[error(transparent)]
	Frame(#[from] FrameError),
	/// The node cannot be served.
	#[error("refused: {0}")]
	Refused(#[from] Refusal),
	/// The first message, and only the first, says hello or asks for the status.
	#[error("a message out of turn")]
	OutOfTurn,
	/// There are enough nodes.
	#[error("{MAX_NODES} nodes are connected, which is the most")]
	Crowded,
	/// The system is short of something.
	#[error("the system gives no thread: {0}")]
	NoThread(io::Error),
}

impl Socket {
	/// Listens. A file that a dead worker left behind is replaced; one on which somebody answers,
	/// or which is no socket, is not.
	pub fn bind(path: &Path) -> anyhow::Result<Self> {
		if let Ok(found) = fs::symlink_metadata(path) {
			ensure!(found.file_type().is_socket(), "{path:?} exists and is no socket");
			match UnixStream::connect(path) {
				Err(e) if e.kind() == ErrorKind::ConnectionRefused => fs::remove_file(path)?,
				Err(e) => bail!("{path:?} exists and cannot be tried: {e}"),
				Ok(_) => bail!("another worker listens on {path:?}"),
			}
		}
		let listener = listen(path).with_context(|| format!("cannot listen on {path:?}"))?;
		let file = identity(path)?;
		Ok(Self { listener, path: path.to_path_buf(), file })
	}

	/// A second handle, for the thread that accepts.
	pub fn listener(&self) -> anyhow::Result<UnixListener> {
		Ok(self.listener.try_clone()?)
	}
}

impl Drop for Socket {
	fn drop(&mut self) {
		// Another worker may have taken the name since somebody removed ours.
		if identity(&self.path).is_ok_and(|file| file == self.file) {
			if let Err(e) = fs::remove_file(&self.path) {
				warn!("{:?} cannot be removed: {e}", self.path);
			}
		}
	}
}

/// Makes a socket to which nobody but our user can ever have connected.
fn listen(path: &Path) -> io::Result<UnixListener> {
	let end = socket::socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
	// Linux gives the file the mode that the socket has when it is bound. Where that does not work,
	// the file gets it before anybody listens, and until then every connection is refused.
	let early = fchmod(end.as_raw_fd(), Mode::from_bits_truncate(MODE));
	socket::bind(end.as_raw_fd(), &UnixAddr::new(path)?)?;
	if early.is_err() || mode(path)? != MODE {
		fs::set_permissions(path, fs::Permissions::from_mode(MODE))?;
	}
	socket::listen(&end, Backlog::new(BACKLOG)?)?;
	Ok(end.into())
}

fn mode(path: &Path) -> io::Result<u32> {
	Ok(fs::symlink_metadata(path)?.mode() & 0o777)
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
	let found = fs::symlink_metadata(path)?;
	Ok((found.dev(), found.ino()))
}

/// Serves whoever connects, each on a thread of its own.
pub fn accept(listener: &UnixListener, desk: &Arc<Desk>) {
	let guests = Arc::new(Guests::default());
	let mut pace = Pace::new(CONNECTIONS, CONNECTIONS);
	for stream in listener.incoming() {
		let taken = stream.and_then(|stream| take_in(stream, desk, &guests));
		if let Err(e) = taken {
			warn!("a connection cannot be taken: {e}");
			// The system is short of something; it would be no better at once.
			thread::sleep(Duration::from_secs(1));
		}
		thread::sleep(pace.pause(Instant::now()));
	}
}

/// Begins to serve a connection, if it is our user's or root's.
fn take_in(stream: UnixStream, desk: &Arc<Desk>, guests: &Arc<Guests>) -> io::Result<()> {
	let user = peer::user(&stream)?;
	if !peer::is_trusted(peer::own_user(), user) {
		warn!("a connection of user {user} is refused");
		return Ok(());
	}
	let place = guests.take_in(&stream)?;
	let desk = desk.clone();
	let work = move || match serve(stream, place, &desk) {
		Err(Parting::Frame(FrameError::Io(e))) if e.kind() != ErrorKind::TimedOut => {
			debug!("a connection is gone: {e}");
		},
		Err(e) => warn!("hanging up: {e}"),
		Ok(()) => {},
	};
	thread::Builder::new().name("guest".into()).spawn(work).map(drop)
}

/// Serves a connection until it ends.
fn serve(stream: UnixStream, mut place: Place, desk: &Desk) -> Result<(), Parting> {
	let mut peer = Peer::new(stream, PATIENCE);
	let genesis = match peer.read_due()? {
		Greeting::Node { genesis } => genesis,
		Greeting::OtherVersion(_) => {
			return Err(refuse(&mut peer, Refusal::Version { worker: VERSION }));
		},
		Greeting::Status => {
			peer.write(&FromWorker::Status(desk.status()))?;
			return Ok(());
		},
		Greeting::OutOfTurn => return Err(Parting::OutOfTurn),
	};
	if !place.becomes_node() {
		return Err(Parting::Crowded);
	}
	if let Err(refusal) = desk.bind(genesis) {
		return Err(refuse(&mut peer, refusal));
	}
	let told = desk.capabilities();
	peer.write(&FromWorker::Hello { version: VERSION, capabilities: told.clone() })?;
	converse(peer, desk, told)
}

fn refuse(peer: &mut Peer, refusal: Refusal) -> Parting {
	match peer.write(&FromWorker::Refused(refusal)) {
		Ok(()) => refusal.into(),
		Err(e) => e.into(),
	}
}

/// Talks with a node, which was `told` what this worker can do, until it leaves.
fn converse(mut peer: Peer, desk: &Desk, told: Vec<Capability>) -> Result<(), Parting> {
	let (outbox, letters) = Outbox::open();
	let writing = peer.try_clone().map_err(FrameError::from)?;
	let writer = thread::Builder::new().name("guest".into());
	let writer = writer.spawn(move || write_all(writing, letters)).map_err(Parting::NoThread)?;
	info!("a node is connected");
	let node = desk.attach(outbox, told);
	let parting = read_all(&mut peer, desk, node);
	// Ends the writer, which has no more senders, and whatever it waits for.
	desk.detach(node);
	peer.hang_up();
	drop(writer.join());
	parting
}

/// Reads what a node says until it leaves.
fn read_all(peer: &mut Peer, desk: &Desk, node: NodeId) -> Result<(), Parting> {
	let mut pace = Pace::new(MESSAGES, MESSAGES);
	loop {
		match peer.read()? {
			ToWorker::Submit(job) => desk.submit(node, job),
			ToWorker::Cancel(key) => desk.cancel(node, &key),
			ToWorker::Hello { .. } | ToWorker::Status => return Err(Parting::OutOfTurn),
		}
		thread::sleep(pace.pause(Instant::now()));
	}
}

/// Writes the messages for a node until there are no more senders, then hangs up.
fn write_all(mut peer: Peer, letters: Letters) {
	for message in letters {
		if let Err(e) = peer.write(&message) {
			debug!("a node does not read: {e}");
			break;
		}
	}
	peer.hang_up();
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn nobody_else_can_connect() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("socket");
		let socket = Socket::bind(&path).unwrap();
		// Whatever umask the tests run under.
		assert_eq!(mode(&path).unwrap(), 0o600);
		let ours = UnixStream::connect(&path).unwrap();
		assert_eq!(peer::user(&ours).unwrap(), peer::own_user());
		drop(socket);
		assert!(!path.exists());
	}

	#[test]
	fn the_file_of_somebody_else_is_left_alone() {
		let dir = tempfile::tempdir().unwrap();
		let path = dir.path().join("socket");
		let first = Socket::bind(&path).unwrap();
		fs::remove_file(&path).unwrap();
		let second = Socket::bind(&path).unwrap();
		drop(first);
		assert!(UnixStream::connect(&path).is_ok());
		drop(second);
		assert!(!path.exists());
	}

	#[test]
	fn bind_should_fail_when_the_path_cannot_be_a_socket() {
		let dir = tempfile::tempdir().unwrap();
		let long = dir.path().join("x".repeat(200));
		let failed = format!("{:#}", Socket::bind(&long).unwrap_err());
		assert!(failed.contains("cannot listen on"), "{failed}");
		assert!(Socket::bind(&dir.path().join("none").join("socket")).is_err());
		assert!(Socket::bind(dir.path()).unwrap_err().to_string().contains("is no socket"));
	}
}
