//! One of the threads.

use super::{Order, Tools, FILLING_SHARE};
use crate::{
	batch::{Batch, Hashed},
	dataset::Filling,
	pace::Pacer,
	pages::Pages,
	Memory, RandomXError, Vm,
};
use core::time::Duration;
use std::{
	sync::{
		mpsc::{Receiver, RecvTimeoutError},
		Arc,
	},
	time::Instant,
};

/// How long a thread waits for an order before it fills, and before it looks again whether others
/// have filled the last pieces.
const MOMENT: Duration = Duration::from_millis(2);

/// What a thread has.
pub(super) struct Hand {
	inbox: Receiver<Order>,
	tools: Tools,
	pacer: Pacer,
	vm: Option<Vm>,
	/// A dataset to fill. None: none, or nothing is left of it to do here.
	filling: Option<Arc<Filling>>,
	filled: Arc<dyn Fn() + Send + Sync>,
}

impl Hand {
	/// A thread without a virtual machine.
	pub(super) fn new(
		inbox: Receiver<Order>,
		tools: Tools,
		filled: Arc<dyn Fn() + Send + Sync>,
	) -> Self {
		Self { inbox, tools, pacer: Pacer::new(tools.percent), vm: None, filling: None, filled }
	}

	/// Follows orders until there are no more.
	pub(super) fn work(mut self) {
		while let Some(order) = self.next_order() {
			// Nobody waits for an answer any more when the crew is being dropped.
			match order {
				Order::LetGo(reply) => {
					self.vm = None;
					self.filling = None;
					reply.send(()).ok();
				},
				Order::Equip(memory, reply) => {
					reply.send(self.equip(memory)).ok();
				},
				Order::Fill(filling) => self.filling = Some(filling),
				Order::Hash(batch, reply) => {
					let found = self.hash(&batch);
					if found.is_err() {
						batch.stop();
					}
					drop(batch);
					reply.send(found).ok();
				},
			}
		}
	}

	/// Waits for an order, and fills meanwhile.
	fn next_order(&mut self) -> Option<Order> {
		// Whoever has something filled will have something hashed.
		let mut pause = MOMENT;
		while let Some(filling) = self.filling.clone() {
			let start = Instant::now();
			let order = self.inbox.recv_timeout(pause);
			self.pacer.paused(start.elapsed());
			match order {
				Ok(order) => return Some(order),
				Err(RecvTimeoutError::Timeout) => {},
				Err(RecvTimeoutError::Disconnected) => return None,
			}
			let start = Instant::now();
			pause = if filling.fill_piece() { self.pacer.worked(start.elapsed()) } else { MOMENT };
			// After an error there is no virtual machine, which the next batch will say.
			self.look_at(filling).ok();
		}
		self.inbox.recv().ok()
	}

	/// Makes a virtual machine, in place of the one before.
	fn equip(&mut self, memory: Memory) -> Result<Pages, RandomXError> {
		// Its scratchpad first, for the new one to take its place.
		self.vm = None;
		let vm = Vm::new(self.tools.flags, self.tools.pages, memory)?;
		Ok(self.vm.insert(vm).scratchpad())
	}

	/// Takes its part in a batch.
	fn hash(&mut self, batch: &Batch) -> Result<Vec<Hashed>, RandomXError> {
		let mut blob = batch.blob();
		let mut found: Vec<Hashed> = Vec::new();
		// The nonce whose hash was begun.
		let mut begun: Option<u32> = None;
		loop {
			let start = Instant::now();
			let next = batch.next_nonce();
			if let Some(nonce) = next {
				blob.set(nonce);
			}
			let vm = self.vm.as_mut().ok_or(RandomXError::NoVm)?;
			let hash = vm.pipe(next.map(|_| blob.as_bytes()));
			let Some(nonce) = next else {
				found.extend(begun.zip(hash).filter(|(_, hash)| batch.keeps(hash)));
				return Ok(found);
			};
			let before = begun.replace(nonce);
			// What is begun first of all is not worth a pause.
			let Some(hash) = before.zip(hash) else { continue };
			found.extend(Some(hash).filter(|(_, hash)| batch.keeps(hash)));
			let busy = start.elapsed();
			self.pacer.rest(busy);
			if self.fill_beside(busy)? {
				if let Some(vm) = &mut self.vm {
					vm.pipe(Some(blob.as_bytes()));
				}
			}
		}
	}

	/// Fills for its share of the time that hashing took. Whether there is another virtual machine
	/// now, to which what was begun has to be told again.
	fn fill_beside(&mut self, busy: Duration) -> Result<bool, RandomXError> {
		let Some(filling) = self.filling.clone() else { return Ok(false) };
		let mut left = busy.saturating_mul(FILLING_SHARE);
		while left > Duration::ZERO {
			let start = Instant::now();
			if !filling.fill_piece() {
				break;
			}
			let spent = start.elapsed();
			self.pacer.rest(spent);
			left = left.saturating_sub(spent);
		}
		self.look_at(filling)
	}

	/// Goes over to the dataset if it is complete and this thread's key's. Whether it is.
	fn look_at(&mut self, filling: Arc<Filling>) -> Result<bool, RandomXError> {
		let dataset = filling.dataset();
		if dataset.is_some() || filling.is_abandoned() {
			self.filling = None;
		}
		// And with it the cache, of which the machine lets go below.
		drop(filling);
		let Some(dataset) = dataset else { return Ok(false) };
		let light = self.vm.as_ref().is_some_and(|vm| match vm.memory() {
			Memory::Light(cache) => cache.key() == dataset.key(),
			Memory::Fast(_) => false,
		});
		if light {
			self.equip(Memory::Fast(dataset))?;
		}
		(self.filled)();
		Ok(light)
	}
}
