//! Who is connected, and how many may be.
//!
//! A stranger too many costs the one that has been silent for longest, so that a crowd of them keeps
//! nobody out who has something to say. A node too many goes itself.

use std::{
	collections::VecDeque,
	io,
	net::Shutdown,
	os::unix::net::UnixStream,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Nodes that may be connected.
pub const MAX_NODES: usize = 8;
/// Connections that may not have said yet what they are.
pub const MAX_STRANGERS: usize = 16;

/// Everybody who is connected.
#[derive(Debug, Default)]
pub struct Guests(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
	/// Numbers given so far.
	numbers: u64,
	/// Oldest first.
	strangers: VecDeque<(u64, UnixStream)>,
	nodes: usize,
}

/// A place among the guests. It is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
	guests: Arc<Guests>,
	number: u64,
	is_node: bool,
}

impl Guests {
	/// Gives a new connection a place among the strangers.
	pub fn take_in(self: &Arc<Self>, stream: &UnixStream) -> io::Result<Place> {
		let held = stream.try_clone()?;
		let mut inner = self.lock();
		if inner.strangers.len() >= MAX_STRANGERS {
			if let Some((_, oldest)) = inner.strangers.pop_front() {
				// Whoever reads from it finds its end. It may be down already, which is as good.
				let _ = oldest.shutdown(Shutdown::Both);
			}
		}
		inner.numbers += 1;
		let number = inner.numbers;
		inner.strangers.push_back((number, held));
		Ok(Place { guests: self.clone(), number, is_node: false })
	}

	/// No operation here can be left half done.
	fn lock(&self) -> MutexGuard<'_, Inner> {
		self.0.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Place {
	/// The stranger is a node. `false` if there are as many as may be.
	pub fn becomes_node(&mut self) -> bool {
		let mut inner = self.guests.lock();
		if self.is_node || inner.nodes >= MAX_NODES {
			return self.is_node;
		}
		inner.nodes += 1;
		inner.strangers.retain(|(number, _)| *number != self.number);
		drop(inner);
		self.is_node = true;
		true
	}
}

impl Drop for Place {
	fn drop(&mut self) {
		let mut inner = self.guests.lock();
		if self.is_node {
			inner.nodes = inner.nodes.saturating_sub(1);
		} else {
			inner.strangers.retain(|(number, _)| *number != self.number);
		}
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use std::io::{ErrorKind, Read};

	/// A guest, and the other side's end of its connection.
	fn guest(guests: &Arc<Guests>) -> (Place, UnixStream, UnixStream) {
		let (ours, theirs) = UnixStream::pair().unwrap();
		theirs.set_nonblocking(true).unwrap();
		(guests.take_in(&ours).unwrap(), ours, theirs)
	}

	fn is_hung_up_on(theirs: &mut UnixStream) -> bool {
		match theirs.read(&mut [0]) {
			Ok(read) => read == 0,
			Err(e) => e.kind() != ErrorKind::WouldBlock,
		}
	}

	#[test]
	fn a_crowd_of_strangers_loses_its_oldest() {
		let guests = Arc::new(Guests::default());
		let mut all: Vec<_> = (0..MAX_STRANGERS).map(|_| guest(&guests)).collect();
		let (place, ..) = &mut all[0];
		assert!(place.becomes_node());
		// The node has made room.
		all.push(guest(&guests));
		assert!(!all.iter_mut().any(|(_, _, theirs)| is_hung_up_on(theirs)));
		all.push(guest(&guests));
		let gone: Vec<_> = all.iter_mut().map(|(_, _, theirs)| is_hung_up_on(theirs)).collect();
		let expected: Vec<_> = (0..all.len()).map(|number| number == 1).collect();
		assert_eq!(gone, expected);
		drop(all);
		assert!(guests.lock().strangers.is_empty());
		assert_eq!(guests.lock().nodes, 0);
	}

	#[test]
	fn nodes_are_bounded_and_make_room_when_they_leave() {
		let guests = Arc::new(Guests::default());
		let mut nodes: Vec<_> = (0..MAX_NODES).map(|_| guest(&guests)).collect();
		assert!(nodes.iter_mut().all(|(place, ..)| place.becomes_node()));
		let (mut late, ..) = guest(&guests);
		assert!(!late.becomes_node());
		drop(nodes.pop());
		assert!(late.becomes_node());
	}
}
