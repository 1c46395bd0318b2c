//! The Unix socket and the nodes that connect to it.

use crate::desk::Desk;
use anyhow::{bail, ensure, Context};
use nix::{
	sys::socket::{getsockopt, sockopt::PeerCredentials},
	unistd::{geteuid, Uid},
};
use std::{
	fs,
	io::ErrorKind,
	net::Shutdown,
	os::unix::{
		fs::{FileTypeExt, PermissionsExt},
		net::{UnixListener, UnixStream},
	},
	path::{Path, PathBuf},
	sync::{
		atomic::{AtomicUsize, Ordering},
		mpsc::{sync_channel, Receiver},
		Arc,
	},
	thread,
	time::Duration,
};
use tequio_interface::wire::{
	read_frame, write_frame, FrameError, FromWorker, Refusal, ToWorker, VERSION,
};
use tracing::{debug, info, warn};

/// Nodes that may be connected.
const MAX_NODES: usize = 8;
/// Messages that may wait for a node: its whole queue at once, and more.
const OUTBOX: usize = 1024;
/// How long a node may take to say hello, or to read a message.
const PATIENCE: Duration = Duration::from_secs(10);

/// The socket. Its file goes when this is dropped.
#[derive(Debug)]
pub struct Socket {
	listener: UnixListener,
	path: PathBuf,
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
	/// The first message, and only the first, says hello.
	#[error("the node says hello at the wrong time")]
	Hello,
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
		let listener =
			UnixListener::bind(path).with_context(|| format!("cannot listen on {path:?}"))?;
		let socket = Self { listener, path: path.to_path_buf() };
		fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
		Ok(socket)
	}

	/// A second handle, for the thread that accepts.
	pub fn listener(&self) -> anyhow::Result<UnixListener> {
		Ok(self.listener.try_clone()?)
	}
}

impl Drop for Socket {
	fn drop(&mut self) {
		if let Err(e) = fs::remove_file(&self.path) {
			warn!("{:?} cannot be removed: {e}", self.path);
		}
	}
}

/// Serves whoever connects, each on a thread of its own.
pub fn accept(listener: &UnixListener, desk: &Arc<Desk>) {
	let connected = Arc::new(AtomicUsize::new(0));
	for stream in listener.incoming() {
		let stream = match stream {
			Ok(stream) => stream,
			Err(e) => {
				warn!("a connection cannot be accepted: {e}");
				thread::sleep(Duration::from_secs(1));
				continue;
			},
		};
		if !is_trusted(&stream) {
			warn!("a connection of another user is refused");
			continue;
		}
		if connected.load(Ordering::Acquire) >= MAX_NODES {
			warn!("a connection is refused: {MAX_NODES} nodes are connected");
			continue;
		}
		connected.fetch_add(1, Ordering::AcqRel);
		let (desk, connected) = (desk.clone(), connected.clone());
		thread::spawn(move || {
			match serve(stream, &desk) {
				Err(Parting::Frame(FrameError::Io(e))) => debug!("a node is gone: {e}"),
				Err(e) => warn!("hanging up on a node: {e}"),
				Ok(()) => {},
			}
			connected.fetch_sub(1, Ordering::AcqRel);
		});
	}
}

/// Whether the other side runs as our user or as root.
fn is_trusted(stream: &UnixStream) -> bool {
	let user = getsockopt(stream, PeerCredentials).map(|peer| Uid::from_raw(peer.uid()));
	user.is_ok_and(|user| user == geteuid() || user.is_root())
}

/// Serves a node until it leaves.
fn serve(mut stream: UnixStream, desk: &Desk) -> Result<(), Parting> {
	stream.set_read_timeout(Some(PATIENCE)).map_err(FrameError::from)?;
	stream.set_write_timeout(Some(PATIENCE)).map_err(FrameError::from)?;
	let ToWorker::Hello { version, genesis } = read_frame(&mut stream)? else {
		return Err(Parting::Hello);
	};
	let welcome = match version {
		VERSION => desk.bind(genesis),
		_ => Err(Refusal::Version { worker: VERSION }),
	};
	if let Err(refusal) = welcome {
		write_frame(&mut stream, &FromWorker::Refused(refusal))?;
		return Err(refusal.into());
	}
	let hello = FromWorker::Hello { version: VERSION, capabilities: desk.capabilities() };
	write_frame(&mut stream, &hello)?;
	stream.set_read_timeout(None).map_err(FrameError::from)?;
	info!("a node is connected");

	let writing = stream.try_clone().map_err(FrameError::from)?;
	let (outbox, messages) = sync_channel(OUTBOX);
	let node = desk.attach(outbox);
	let writer = thread::spawn(move || write_all(writing, &messages));
	let parting = read_all(&mut stream, desk, node);
	// Ends the writer, which has no more senders, and whatever it waits for.
	desk.detach(node);
	hang_up(&stream);
	drop(writer.join());
	parting
}

/// Reads what a node says until it leaves.
fn read_all(stream: &mut UnixStream, desk: &Desk, node: u64) -> Result<(), Parting> {
	loop {
		match read_frame(stream)? {
			ToWorker::Submit(job) => desk.submit(node, job),
			ToWorker::Cancel(key) => desk.cancel(node, &key),
			ToWorker::Hello { .. } => return Err(Parting::Hello),
		}
	}
}

/// Writes the messages for a node until there are no more senders, then hangs up.
fn write_all(mut stream: UnixStream, messages: &Receiver<FromWorker>) {
	for message in messages {
		if let Err(e) = write_frame(&mut stream, &message) {
			debug!("a node does not read: {e}");
			break;
		}
	}
	hang_up(&stream);
}

fn hang_up(stream: &UnixStream) {
	if let Err(e) = stream.shutdown(Shutdown::Both) {
		debug!("the connection was closed already: {e}");
	}
}
