//! Owners, each with a device.

use crate::{
	device::{Conduct, Device},
	keys::Key,
	World,
};
use frame_support::BoundedVec;
use pallet_verification::Call as Verify;
use pallet_workers::{Call, Offer};
use std::collections::BTreeSet;
use tequio_primitives::{device::proof_message, Balance, WorkClass, TEQ};
use tequio_runtime::{AccountId, RuntimeCall, System};

/// What every owner stakes: ten seats.
pub const STAKE: Balance = 1_000 * TEQ;
/// What every owner asks for a unit.
pub const ASK: Balance = TEQ / 1_000;
/// Owners who register in one block: each has the seats to come of every class counted as proof.
const REGISTRATIONS: usize = 24;

/// Somebody who stakes, with one device.
pub struct Owner {
	/// The key that stakes and is paid.
	pub key: Key,
	/// The device.
	pub device: Device,
	/// Classes of work that it serves.
	pub classes: Vec<WorkClass>,
}

impl Owner {
	/// The well-known account of this name with the device of this number. Serves searches.
	pub fn new(name: &str, number: u32, conduct: Conduct) -> Self {
		let device = Device::new(Key::device(number), conduct);
		Self { key: Key::named(name), device, classes: vec![WorkClass::RandomXSearch] }
	}

	/// The same serving these classes. Its seats are divided among them.
	pub fn serving(self, classes: &[WorkClass]) -> Self {
		Self { classes: classes.to_vec(), ..self }
	}

	/// The account that stakes and is paid.
	pub fn account(&self) -> AccountId {
		self.key.account()
	}

	/// The call that registers the owner.
	pub fn registration(&self) -> RuntimeCall {
		let offer = |class: &WorkClass| Offer { class: *class, ask: ASK, rate: 1_000 };
		let offers = BoundedVec::truncate_from(self.classes.iter().map(offer).collect());
		RuntimeCall::Workers(Call::register { offers, stake: STAKE, payout: self.account() })
	}

	/// The call that adds the device. Reads the state.
	pub fn addition(&self) -> RuntimeCall {
		let message = proof_message(&System::block_hash(0u32), &self.account());
		let proof = self.device.key.prove(&message);
		RuntimeCall::Workers(Call::add_device { device: self.device.key.account(), proof })
	}
}

impl World {
	/// Registers owners, has their devices accept work, and makes blocks until their seats are in
	/// force.
	pub fn enroll(&mut self, owners: &[Owner]) {
		for owners in owners.chunks(REGISTRATIONS) {
			for owner in owners {
				self.submit(&owner.key, owner.registration());
			}
			self.block_ok();
		}
		for owner in owners {
			let addition = self.read(|| owner.addition());
			self.submit(&owner.key, addition);
		}
		self.block_ok();
		for owner in owners {
			let signal = RuntimeCall::Workers(Call::set_accepting { accepting: true });
			self.submit(&owner.device.key, signal);
		}
		self.block_ok();
		for _ in 0..6 {
			self.block();
		}
	}

	/// Enrolls so many honest owners, none of them well known.
	pub fn enroll_many(&mut self, number: u32) -> Vec<Owner> {
		let owners: Vec<Owner> = (1_000..)
			.take(number as usize)
			.map(|number| Owner::new(&format!("Owner{number}"), number, Conduct::Honest))
			.collect();
		owners.iter().for_each(|owner| self.fund(&owner.account(), 10 * STAKE));
		self.enroll(&owners);
		owners
	}

	/// Makes a block in which every device sends what it has to, all of which has to succeed.
	pub fn work(&mut self, owners: &mut [Owner]) {
		let mut appealed = BTreeSet::new();
		for owner in owners {
			for call in self.read(|| owner.device.calls()) {
				// The first appeal calls the next panel: a second one is not taken any more.
				if let RuntimeCall::Verification(Verify::appeal { id }) = &call {
					if !appealed.insert(*id) {
						continue;
					}
				}
				self.submit(&owner.device.key, call);
			}
		}
		self.block_ok();
	}

	/// Lets devices work until `done` or for so many blocks; whether it was done.
	pub fn work_until(
		&mut self,
		owners: &mut [Owner],
		blocks: u32,
		done: impl Fn() -> bool,
	) -> bool {
		for _ in 0..blocks {
			if self.read(&done) {
				return true;
			}
			self.work(owners);
		}
		self.read(done)
	}
}
