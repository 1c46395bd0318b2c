//! The other side of a Unix socket: who it is, and frames that it may begin but not drag out.
//!
//! Between two frames a connection may be idle for as long as it lives. A frame that has begun has
//! to be whole within a limit, whichever side writes it: the limit holds for the frame, not for each
//! byte, so neither a writer nor a reader that moves a byte now and then holds a thread for long.

use crate::wire::{read_frame, write_frame, FrameError};
use codec::{Decode, Encode};
use nix::{
	sys::socket::{getsockopt, sockopt::PeerCredentials},
	unistd::geteuid,
};
use std::{
	io::{self, ErrorKind, Read, Write},
	net::Shutdown,
	os::unix::net::UnixStream,
	time::{Duration, Instant},
};

/// User of root.
const ROOT: u32 = 0;

/// The user as whom the other side made its end: who connected, or who listens.
pub fn user(stream: &UnixStream) -> io::Result<u32> {
	Ok(getsockopt(stream, PeerCredentials)?.uid())
}

/// The user as whom this process acts.
pub fn own_user() -> u32 {
	geteuid().as_raw()
}

/// Whether a process of the user `own` may trust one of the user `other`: it is itself, or root, who
/// could do as it likes anyway.
pub fn is_trusted(own: u32, other: u32) -> bool {
	other == own || other == ROOT
}

/// Whether a process of the user `own` may serve under a worker process of the user `other`. Root
/// asks nobody: its node gives a worker process fewer rights than its own on purpose.
pub fn may_serve(own: u32, other: u32) -> bool {
	own == ROOT || is_trusted(own, other)
}

/// A connection whose other side is trusted neither to hurry nor to stop.
#[derive(Debug)]
pub struct Peer {
	stream: UnixStream,
	patience: Duration,
}

impl Peer {
	/// `patience`: within which a frame that has begun has to be whole.
	pub fn new(stream: UnixStream, patience: Duration) -> Self {
		Self { stream, patience }
	}

	/// The same connection for another thread. Of two handles one reads and one writes.
	pub fn try_clone(&self) -> io::Result<Self> {
		Ok(Self { stream: self.stream.try_clone()?, patience: self.patience })
	}

	/// The connection itself, for whoever may have to end it.
	pub fn stream(&self) -> &UnixStream {
		&self.stream
	}

	/// Waits for the next frame, however long that takes, and reads it.
	pub fn read<M: Decode>(&mut self) -> Result<M, FrameError> {
		let mut first = [0];
		self.stream.set_read_timeout(None)?;
		(&self.stream).read_exact(&mut first)?;
		read_frame(&mut first.as_slice().chain(self.until_late()))
	}

	/// Reads a frame that is due now: the time runs before it has begun.
	pub fn read_due<M: Decode>(&mut self) -> Result<M, FrameError> {
		read_frame(&mut self.until_late())
	}

	/// Writes a frame.
	pub fn write(&mut self, message: &impl Encode) -> Result<(), FrameError> {
		write_frame(&mut self.until_late(), message)
	}

	/// Ends the connection for both sides. Whoever waits for it, in another thread too, gets an
	/// error or its end.
	pub fn hang_up(&self) {
		// It may be down already, which is as good.
		let _ = self.stream.shutdown(Shutdown::Both);
	}

	fn until_late(&self) -> UntilLate<'_> {
		UntilLate { stream: &self.stream, end: Instant::now() + self.patience }
	}
}

/// Reads and writes up to a moment.
struct UntilLate<'a> {
	stream: &'a UnixStream,
	end: Instant,
}

impl UntilLate<'_> {
	fn left(&self) -> io::Result<Duration> {
		let left = self.end.saturating_duration_since(Instant::now());
		(!left.is_zero()).then_some(left).ok_or_else(late)
	}
}

impl Read for UntilLate<'_> {
	fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
		self.stream.set_read_timeout(Some(self.left()?))?;
		self.stream.read(bytes).map_err(named)
	}
}

impl Write for UntilLate<'_> {
	fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
		self.stream.set_write_timeout(Some(self.left()?))?;
		self.stream.write(bytes).map_err(named)
	}

	fn flush(&mut self) -> io::Result<()> {
		Ok(())
	}
}

/// The system says of a socket that runs out of time that it would block.
fn named(error: io::Error) -> io::Error {
	match error.kind() {
		ErrorKind::WouldBlock => late(),
		_ => error,
	}
}

fn late() -> io::Error {
	io::Error::new(ErrorKind::TimedOut, "a frame was not whole in time")
}

/// How fast the other side may go: some at once, and after that a steady number each second. Pure:
/// the clock is an argument.
#[derive(Debug)]
pub struct Pace {
	/// Between two, when it is steady.
	interval: Duration,
	/// How far ahead of that it may be.
	ahead: Duration,
	/// When the next one is on time.
	next: Option<Instant>,
}

impl Pace {
	/// `burst` at once, then `per_second`.
	pub fn new(burst: u32, per_second: u32) -> Self {
		let interval = Duration::from_secs(1) / per_second.max(1);
		Self { interval, ahead: interval.saturating_mul(burst.saturating_sub(1)), next: None }
	}

	/// Notes one more, and says how long to wait before going on.
	pub fn pause(&mut self, now: Instant) -> Duration {
		let on_time = self.next.map_or(now, |next| next.max(now));
		self.next = Some(on_time + self.interval);
		on_time.saturating_duration_since(now).saturating_sub(self.ahead)
	}
}
