//! Connected nodes: which jobs each waits for, what it was told, and what it has yet to read.

mod outbox;

pub use outbox::{Letters, Outbox};

use outbox::Unsent;
use std::collections::{HashMap, HashSet};
use tequio_interface::{
	job::{Capability, JobKey, JobState},
	wire::FromWorker,
};
use tracing::warn;

/// Names a connected node.
pub type NodeId = u64;

/// All of them.
#[derive(Debug, Default)]
pub struct Nodes {
	nodes: HashMap<NodeId, Node>,
	last: NodeId,
}

#[derive(Debug)]
struct Node {
	outbox: Outbox,
	/// Jobs that it asked for and that have not ended.
	watched: HashSet<JobKey>,
	/// What it knows of what this worker can do.
	told: Vec<Capability>,
}

impl Nodes {
	/// Adds a node that was `told` what this worker can do.
	pub fn attach(&mut self, outbox: Outbox, told: Vec<Capability>) -> NodeId {
		self.last += 1;
		self.nodes.insert(self.last, Node { outbox, watched: HashSet::new(), told });
		self.last
	}

	/// Removes a node, which closes its outbox.
	pub fn detach(&mut self, id: NodeId) {
		self.nodes.remove(&id);
	}

	/// Removes all.
	pub fn clear(&mut self) {
		self.nodes.clear();
	}

	/// How many there are.
	pub fn len(&self) -> usize {
		self.nodes.len()
	}

	/// A node is told from now on what becomes of a job, until that ends.
	pub fn watch(&mut self, id: NodeId, key: JobKey) {
		if let Some(node) = self.nodes.get_mut(&id) {
			node.watched.insert(key);
		}
	}

	/// A node is told nothing more of a job.
	pub fn unwatch(&mut self, id: NodeId, key: &JobKey) {
		if let Some(node) = self.nodes.get_mut(&id) {
			node.watched.remove(key);
		}
	}

	/// Tells a job's state to the nodes that asked for it.
	pub fn announce(&mut self, key: JobKey, state: JobState) {
		let has_ended = state.has_ended();
		let watchers = self.nodes.iter().filter(|(_, node)| node.watched.contains(&key));
		let watchers: Vec<NodeId> = watchers.map(|(id, _)| *id).collect();
		for id in watchers {
			self.send(id, FromWorker::State(key, state.clone()));
			if has_ended {
				self.unwatch(id, &key);
			}
		}
	}

	/// Tells what this worker can do now to the nodes to which that is news.
	pub fn advertise(&mut self, able: &[Capability]) {
		let behind = self.nodes.iter().filter(|(_, node)| is_news(&node.told, able));
		let behind: Vec<NodeId> = behind.map(|(id, _)| *id).collect();
		for id in behind {
			self.send(id, FromWorker::Capabilities(able.to_vec()));
			if let Some(node) = self.nodes.get_mut(&id) {
				node.told = able.to_vec();
			}
		}
	}

	/// Sends to a node, and hangs up on one that does not read.
	pub fn send(&mut self, id: NodeId, message: FromWorker) {
		let Some(node) = self.nodes.get(&id) else { return };
		if let Err(e) = node.outbox.send(message) {
			if matches!(e, Unsent::Full) {
				warn!("node {id} does not read its messages; hanging up");
			}
			self.nodes.remove(&id);
		}
	}
}

/// Whether a speed has become known, or is another by more than a tenth. What else there is to tell
/// changes together with it.
fn is_news(told: &[Capability], able: &[Capability]) -> bool {
	able.iter().any(|now| {
		let before = told.iter().find(|before| before.class == now.class);
		let before = before.map_or(0, |before| before.rate);
		before.abs_diff(now.rate).saturating_mul(10) > before
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	fn able(rate: u64) -> Vec<Capability> {
		vec![Capability { class: 0, slots: 1, rate, memory: 7 }]
	}

	#[test]
	fn a_speed_is_told_when_it_is_known_and_when_it_changes() {
		let mut nodes = Nodes::default();
		let (outbox, letters) = Outbox::open();
		let id = nodes.attach(outbox, able(0));
		for (rate, is_told) in [
			(0, false),
			(1_000, true),
			(1_100, false),
			(900, false),
			(1_101, true),
			(1_000, false),
			(500, true),
		] {
			nodes.advertise(&able(rate));
			let told = letters.try_next();
			assert_eq!(told, is_told.then(|| FromWorker::Capabilities(able(rate))), "{rate}");
		}
		// One that comes later has heard it already.
		let (outbox, later) = Outbox::open();
		nodes.attach(outbox, able(500));
		nodes.advertise(&able(500));
		assert_eq!(later.try_next(), None);
		nodes.detach(id);
		assert_eq!(nodes.len(), 1);
	}

	#[test]
	fn a_node_that_does_not_read_is_hung_up_on() {
		let mut nodes = Nodes::default();
		let (outbox, letters) = Outbox::open();
		let id = nodes.attach(outbox, able(0));
		let key = JobKey {
			genesis: [0; 32],
			device: [0; 32],
			task: 1,
			chunk: 0,
			attempt: 0,
			role: 0,
			order: [0; 32],
		};
		let long = || FromWorker::State(key, JobState::Done(vec![0; 64 << 10]));
		// Whatever it has read does not count.
		for _ in 0..1_000 {
			nodes.send(id, long());
			assert_eq!(letters.try_next(), Some(long()));
		}
		let sent = (0..1_000).take_while(|_| {
			nodes.send(id, long());
			nodes.len() == 1
		});
		let waiting = sent.count();
		// 4 MiB, less what messages have besides results.
		assert!((32..64).contains(&waiting), "{waiting}");
		assert_eq!(letters.count(), waiting);
	}
}
