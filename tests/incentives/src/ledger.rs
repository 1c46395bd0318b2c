//! Who got what for which attempt, from the events of the blocks.
//!
//! Each movement of money belongs to an attempt: pay of workers, auditors and referees, slashed
//! collateral and what others get of it, fines. What is entered for the circle's owners adds up to
//! what their accounts have gained or lost, to the last unit; a simulation checks that.

use crate::{
	memory::{Intent, Memory, Said},
	outlook::{share, Pending},
	people::Circle,
	plan::Counted,
	statistics::Sample,
	strategy::in_values,
};
use std::collections::{BTreeMap, BTreeSet};
use tequio_primitives::{AttemptId, Balance, Duty, Role, WorkHeight};
use tequio_runtime::{AccountId, Runtime, RuntimeEvent, RuntimeHoldReason};

/// What an attempt has brought the circle so far.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
	/// What its owners got, less what they lost.
	money: i128,
	/// What they have computed and given to helpers.
	cost: Balance,
	/// One of them computes it.
	worked: bool,
	/// One of them does something else than it should.
	deviates: bool,
	/// Its worker has committed a wrong output.
	wrong: bool,
	/// Its worker was slashed.
	slashed: bool,
}

/// Everything that is counted.
pub struct Ledger {
	counted: Counted,
	open: BTreeMap<AttemptId, Entry>,
	/// Transfers out of a stake whose slash has not been told yet.
	transfers: Vec<(AccountId, AccountId, Balance)>,
	/// Owners whose stake has fallen since they were last asked for.
	poorer: BTreeSet<AccountId>,
	/// Lies of the circle on whose audit the chain has still to decide.
	pub pending: Vec<Pending>,
	/// Profit of what is counted, in chunks' pay.
	pub profits: Sample,
	/// What the circle's owners got in all, less what they lost.
	pub total: i128,
	/// Chunks that were given out and have ended.
	pub ended: u32,
	/// Wrong outputs committed by workers.
	pub lies: u32,
	/// Of these, the sum of the chances that they are convicted.
	pub convictions: f64,
	/// Wrong outputs that were paid for.
	pub wrong_paid: u32,
	/// What was paid for them.
	pub lost: Balance,
	/// Chunks paid to a worker who was slashed for them: none, if the chain is right.
	pub paid_and_slashed: u32,
	/// Slashes of those who did what they should.
	pub honest_slashed: u32,
	/// What those lost who did what they should, fines included.
	pub harm: Balance,
}

impl Ledger {
	/// Nothing yet.
	pub fn new(counted: Counted) -> Self {
		Self {
			counted,
			open: BTreeMap::new(),
			transfers: Vec::new(),
			poorer: BTreeSet::new(),
			pending: Vec::new(),
			profits: Sample::default(),
			total: 0,
			ended: 0,
			lies: 0,
			convictions: 0.0,
			wrong_paid: 0,
			lost: 0,
			paid_and_slashed: 0,
			honest_slashed: 0,
			harm: 0,
		}
	}

	/// Enters what happened in a block of this height.
	pub fn note(
		&mut self,
		height: WorkHeight,
		events: &[RuntimeEvent],
		circle: &Circle,
		memory: &Memory,
	) {
		for event in events {
			match event {
				RuntimeEvent::Tasks(event) => self.note_task(event, circle),
				RuntimeEvent::Workers(event) => self.note_worker(event, circle, memory),
				RuntimeEvent::Verification(event) => {
					self.note_check(height, event, circle, memory);
				},
				RuntimeEvent::Balances(pallet_balances::Event::TransferOnHold {
					reason: RuntimeHoldReason::Workers(pallet_workers::HoldReason::Stake),
					source,
					dest,
					amount,
				}) => self.transfers.push((source.clone(), dest.clone(), *amount)),
				_ => {},
			}
		}
	}

	/// Owners whose stake has fallen since this was last asked.
	pub fn take_poorer(&mut self) -> BTreeSet<AccountId> {
		core::mem::take(&mut self.poorer)
	}

	/// The attempts that are kept here.
	pub fn attempts(&self) -> impl Iterator<Item = &AttemptId> {
		self.open.keys()
	}

	/// Takes attempts that are over into the sample.
	pub fn close(&mut self, lives: impl Fn(&AttemptId) -> bool) {
		let over: Vec<_> = self.open.keys().filter(|id| !lives(id)).copied().collect();
		for entry in over.iter().filter_map(|id| self.open.remove(id)) {
			self.total += entry.money;
			let counts = match self.counted {
				Counted::Deviations => entry.deviates,
				Counted::Work => entry.worked,
				Counted::Rounds => false,
			};
			if counts {
				self.profits.add(in_values(entry.money - signed(entry.cost)));
			}
		}
	}

	fn note_task(&mut self, event: &pallet_tasks::Event<Runtime>, circle: &Circle) {
		use pallet_tasks::Event;
		match event {
			Event::ChunkAssigned { id, owner, .. } => {
				self.entry(id).worked |= circle.contains(owner);
			},
			Event::ChunkPaid { id, owner, amount, .. } => {
				self.ended += 1;
				self.pay(circle, id, owner, *amount);
				let Entry { wrong, slashed, .. } = *self.entry(id);
				if wrong {
					self.wrong_paid += 1;
					self.lost += amount;
				}
				self.paid_and_slashed += u32::from(slashed);
			},
			Event::AuditPaid { id, owner, amount } => self.pay(circle, id, owner, *amount),
			Event::FetchFeePaid { owner, amount, .. } if circle.contains(owner) => {
				self.total += signed(*amount);
			},
			Event::ChunkRefunded { .. } => self.ended += 1,
			_ => {},
		}
	}

	fn note_worker(
		&mut self,
		event: &pallet_workers::Event<Runtime>,
		circle: &Circle,
		memory: &Memory,
	) {
		use pallet_workers::Event;
		match event {
			Event::Slashed { owner, device, duty, amount, .. } => {
				let transfers = core::mem::take(&mut self.transfers);
				let (told, others): (Vec<_>, Vec<_>) =
					transfers.into_iter().partition(|(source, _, _)| source == owner);
				self.transfers = others;
				for (_, dest, amount) in told {
					self.pay(circle, &duty.id, &dest, amount);
				}
				self.entry(&duty.id).slashed |= duty.role == Role::Worker;
				self.take(circle, &duty.id, owner, *amount);
				if !memory.deviates(device, duty) {
					self.honest_slashed += 1;
					self.harm += amount;
				}
			},
			Event::Missed { owner, device, duty, fine } => {
				self.take(circle, &duty.id, owner, *fine);
				if !memory.deviates(device, duty) {
					self.harm += fine;
				}
			},
			_ => {},
		}
	}

	fn note_check(
		&mut self,
		height: WorkHeight,
		event: &pallet_verification::Event<Runtime>,
		circle: &Circle,
		memory: &Memory,
	) {
		use pallet_verification::Event;
		match event {
			Event::Committed { id, role, device } => {
				let duty = Duty { id: *id, role: *role };
				if let Some(intent) = memory.intent(device, &duty) {
					self.note_commit(height, &duty, intent);
				}
			},
			Event::AuditDrawn { id, .. } | Event::AuditSpared { id } => {
				self.pending.retain(|pending| pending.id != *id);
			},
			Event::RefereeDismissed { id, owner, pay, .. } => self.pay(circle, id, owner, *pay),
			_ => {},
		}
	}

	/// Enters a commit by somebody who follows the strategy.
	fn note_commit(&mut self, height: WorkHeight, duty: &Duty, intent: &Intent) {
		let entry = self.entry(&duty.id);
		entry.cost += intent.cost + intent.bribe;
		if intent.said == Said::Truth {
			return;
		}
		entry.deviates = true;
		// Nobody is deceived by who lies about a task of its own.
		if duty.role == Role::Worker && self.counted != Counted::Rounds {
			self.entry(&duty.id).wrong = true;
			self.lies += 1;
			self.convictions += share(intent.conviction);
			let (id, rate) = (duty.id, intent.rate);
			self.pending.push(Pending { id, committed: height, rate });
		}
	}

	/// Enters that a device does not show what it has committed.
	pub fn note_withheld(&mut self, id: &AttemptId) {
		self.entry(id).deviates = true;
	}

	fn entry(&mut self, id: &AttemptId) -> &mut Entry {
		self.open.entry(*id).or_default()
	}

	fn pay(&mut self, circle: &Circle, id: &AttemptId, owner: &AccountId, amount: Balance) {
		if circle.contains(owner) {
			self.entry(id).money += signed(amount);
		}
	}

	fn take(&mut self, circle: &Circle, id: &AttemptId, owner: &AccountId, amount: Balance) {
		if circle.contains(owner) {
			self.entry(id).money -= signed(amount);
		}
		self.poorer.insert(owner.clone());
	}
}

/// Money that may be lost too.
pub fn signed(amount: Balance) -> i128 {
	i128::try_from(amount).unwrap_or(i128::MAX)
}
