//! Messages that wait for a node until it reads them: bounded in number, because each takes room
//! beside its own, and in bytes, because some are long.

use codec::Encode;
use std::sync::{
	atomic::{AtomicUsize, Ordering},
	mpsc::{sync_channel, Receiver, SyncSender, TrySendError},
	Arc,
};
use tequio_interface::wire::FromWorker;

/// Messages that may wait: an answer to each that a node may send at once, and news of as many jobs.
const MOST: usize = 512;
/// Bytes that may wait.
const MOST_BYTES: usize = 4 << 20;

/// Where messages are put. When it is dropped, its [`Letters`] end.
#[derive(Debug)]
pub struct Outbox {
	sender: SyncSender<FromWorker>,
	/// Bytes that wait.
	waiting: Arc<AtomicUsize>,
}

/// Where they are fetched: an iterator that waits for the next one.
#[derive(Debug)]
pub struct Letters {
	receiver: Receiver<FromWorker>,
	waiting: Arc<AtomicUsize>,
}

/// Why a message cannot be put there. Nor can another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsent {
	/// Too much waits.
	Full,
	/// Nobody fetches anything any more.
	Closed,
}

impl Outbox {
	/// An empty one, and its other end.
	pub fn open() -> (Self, Letters) {
		let (sender, receiver) = sync_channel(MOST);
		let waiting = Arc::new(AtomicUsize::new(0));
		(Self { sender, waiting: waiting.clone() }, Letters { receiver, waiting })
	}

	/// Puts a message there, without waiting.
	pub fn send(&self, message: FromWorker) -> Result<(), Unsent> {
		let size = message.encoded_size();
		// Counted before it can be fetched, so that the count is never below zero.
		let before = self.waiting.fetch_add(size, Ordering::Relaxed);
		if before.saturating_add(size) > MOST_BYTES {
			return Err(Unsent::Full);
		}
		self.sender.try_send(message).map_err(|e| match e {
			TrySendError::Full(_) => Unsent::Full,
			TrySendError::Disconnected(_) => Unsent::Closed,
		})
	}
}

impl Letters {
	fn fetched(&self, message: FromWorker) -> FromWorker {
		self.waiting.fetch_sub(message.encoded_size(), Ordering::Relaxed);
		message
	}

	/// The next one, if there is one.
	#[cfg(test)]
	pub fn try_next(&self) -> Option<FromWorker> {
		self.receiver.try_recv().ok().map(|message| self.fetched(message))
	}
}

impl Iterator for Letters {
	type Item = FromWorker;

	fn next(&mut self) -> Option<FromWorker> {
		let message = self.receiver.recv().ok()?;
		Some(self.fetched(message))
	}
}
