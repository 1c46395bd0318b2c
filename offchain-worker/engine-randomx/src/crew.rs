//! The hashing threads. They are started once, each has a virtual machine of its own, and they do
//! nothing but what this module orders: hash, and fill the dataset. So the engine never takes more
//! processors than its owner gave it, whether it hashes, fills, or does both.
//!
//! While a dataset is being filled, a thread that hashes spends [`FILLING_SHARE`] times as long on
//! filling after each hash: fast mode is ten times as fast, so the sooner it is there the better,
//! but whoever waits for a result does not wait for it. Once it is there, each thread goes on with
//! it after the hash it is at, in the middle of a batch. A thread without a batch fills until there
//! is an order, which it looks for after each piece.

mod hand;

use crate::{
	batch::{Batch, Hashed},
	dataset::Filling,
	pace::Percent,
	pages::Pages,
	search::Hashers,
	Flags, Memory, RandomXError,
};
use core::num::NonZeroUsize;
use hand::Hand;
use std::{
	sync::{
		mpsc::{self, Sender},
		Arc,
	},
	thread::{self, JoinHandle},
};

/// Time for filling in terms of time for hashing, in a thread that has to do both.
pub const FILLING_SHARE: u32 = 3;

/// How the threads work.
#[derive(Clone, Copy, Debug)]
pub struct Tools {
	/// Choices of implementation.
	pub flags: Flags,
	/// What to put scratchpads on.
	pub pages: Option<Pages>,
	/// Share of a processor that each thread takes.
	pub percent: Percent,
}

/// What a thread is told to do. Each answers when it has done it.
enum Order {
	/// Drop the virtual machine, and whatever else reads caches and datasets.
	LetGo(Sender<()>),
	/// Make a virtual machine over this memory. Answers what its scratchpad lies on.
	Equip(Memory, Sender<Result<Pages, RandomXError>>),
	/// Fill this from now on. No answer.
	Fill(Arc<Filling>),
	/// Hash.
	Hash(Arc<Batch>, Sender<Result<Vec<Hashed>, RandomXError>>),
}

/// The threads. They end when this is dropped.
pub struct Crew {
	orders: Vec<Sender<Order>>,
	threads: Vec<JoinHandle<()>>,
}

impl Crew {
	/// Starts them. Each calls `filled` when it has noticed that the dataset is complete, and has
	/// let go of the cache that it was filled from.
	pub fn new(
		threads: NonZeroUsize,
		tools: Tools,
		filled: impl Fn() + Send + Sync + 'static,
	) -> Result<Self, RandomXError> {
		let filled: Arc<dyn Fn() + Send + Sync> = Arc::new(filled);
		let mut crew = Self { orders: Vec::new(), threads: Vec::new() };
		for number in 0..threads.get() {
			let (orders, inbox) = mpsc::channel();
			let hand = Hand::new(inbox, tools, filled.clone());
			let thread = thread::Builder::new().name(format!("hash {number}"));
			let thread = thread.spawn(move || hand.work()).map_err(|_| RandomXError::NoThread)?;
			crew.orders.push(orders);
			crew.threads.push(thread);
		}
		Ok(crew)
	}

	/// Has them drop whatever reads caches and datasets.
	pub fn let_go(&self) -> Result<(), RandomXError> {
		self.ask(Order::LetGo).map(drop)
	}

	/// Has them make virtual machines over `memory`. Returns what their scratchpads lie on: the
	/// same for all, unless the pool was too small for all.
	pub fn equip(&self, memory: &Memory) -> Result<Pages, RandomXError> {
		let equipped = self.ask(|reply| Order::Equip(memory.clone(), reply))?;
		let all: Vec<Pages> = equipped.into_iter().collect::<Result<_, _>>()?;
		let in_pool = all.iter().all(|pages| *pages == Pages::Huge);
		Ok(if in_pool { Pages::Huge } else { Pages::Small })
	}

	/// Has them fill a dataset when they find time. Does not wait.
	pub fn fill(&self, filling: &Arc<Filling>) -> Result<(), RandomXError> {
		for orders in &self.orders {
			orders.send(Order::Fill(filling.clone())).map_err(|_| RandomXError::LostThread)?;
		}
		Ok(())
	}

	/// Gives an order to all of them and waits for their answers.
	fn ask<T>(&self, order: impl Fn(Sender<T>) -> Order) -> Result<Vec<T>, RandomXError> {
		let (reply, replies) = mpsc::channel();
		for orders in &self.orders {
			orders.send(order(reply.clone())).map_err(|_| RandomXError::LostThread)?;
		}
		// Whoever ends without an answer drops its end of the channel too.
		drop(reply);
		let answers: Vec<T> = replies.iter().collect();
		if answers.len() == self.orders.len() {
			Ok(answers)
		} else {
			Err(RandomXError::LostThread)
		}
	}
}

impl Hashers for Crew {
	fn hash_all(&mut self, batch: Batch) -> Result<Vec<Hashed>, RandomXError> {
		let batch = Arc::new(batch);
		let found = self.ask(|reply| Order::Hash(batch.clone(), reply))?;
		let found: Vec<Vec<Hashed>> = found.into_iter().collect::<Result<_, _>>()?;
		Ok(found.concat())
	}
}

impl Drop for Crew {
	fn drop(&mut self) {
		self.orders.clear();
		for thread in self.threads.drain(..) {
			// What it panicked with has been printed.
			thread.join().ok();
		}
	}
}
