//! Accounts that make random calls.
//!
//! Some calls are what a device would send, some are that with a flaw, others are drawn at random.

use crate::{
	device::{Conduct, Device},
	keys::Key,
	lesson::{self, Course},
	owner::{Owner, ASK},
	program::{self, Fate},
	search,
};
use frame_support::BoundedVec;
use pallet_tasks::{types::ChunkState, TaskSpec};
use pallet_training::{NextTraining, Plan, Stage, StopRule, Trainings};
use pallet_verification::{
	types::{CheckState, CommitItem, RevealItem},
	Call as Verify, CheckOf, Checks,
};
use pallet_workers::{Devices, Offer};
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use sp_runtime::Permill;
use tequio_primitives::{
	claim::Claim,
	device::proof_message,
	opening::Opening,
	recompute::{OutputOpening, RecomputeSpec},
	stage::DeclineReason,
	AttemptId, Balance, ChunkId, Role, WorkClass, TEQ,
};
use tequio_runtime::{AccountId, Runtime, RuntimeCall, System};

/// Classes that the owners serve.
const CLASSES: [WorkClass; 3] =
	[WorkClass::RandomXSearch, WorkClass::ExactF64, WorkClass::BandedF32];

/// Everybody who acts.
pub struct Crowd {
	owners: Vec<Key>,
	devices: Vec<Device>,
	rng: StdRng,
}

impl Crowd {
	/// Twelve owners, each with a device: enough that some are left to judge those who quarrel.
	pub fn team() -> Vec<Owner> {
		let names = ["Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie", "One", "Two"];
		let more = ["Bob//stash", "Charlie//stash", "Dave//stash", "Eve//stash"];
		let team = names.into_iter().chain(more).zip(1..);
		let new = |(name, number)| Owner::new(name, number, Conduct::Honest).serving(&CLASSES);
		team.map(new).collect()
	}

	/// The owners of a team and their devices, and as many devices that belong to nobody yet.
	pub fn new(team: Vec<Owner>, seed: u64) -> Self {
		let (owners, mut devices): (Vec<Key>, Vec<Device>) =
			team.into_iter().map(|owner| (owner.key, owner.device)).unzip();
		devices.extend((101..109).map(|number| Device::new(Key::device(number), Conduct::Honest)));
		Self { owners, devices, rng: StdRng::seed_from_u64(seed) }
	}

	/// What happens in one block: what devices send by themselves, and `random` calls more. Reads
	/// the state before each.
	pub fn act(&mut self, random: u32, mut send: impl FnMut(AccountId, RuntimeCall)) {
		self.change_conduct();
		for device in &mut self.devices {
			if self.rng.gen_bool(0.7) {
				let who = device.key.account();
				device.calls().into_iter().for_each(|call| send(who.clone(), call));
			}
		}
		for _ in 0..random {
			let (who, call) = self.random_call();
			send(who, call);
		}
	}

	/// One random call. Reads the state.
	pub fn random_call(&mut self) -> (AccountId, RuntimeCall) {
		match self.rng.gen_range(0..13) {
			0..=1 => self.task_call(),
			2..=5 => self.worker_call(),
			6..=8 => self.check_call(),
			9..=10 => self.quarrel_call(),
			11 => self.training_call(),
			_ => self.money_call(),
		}
	}

	/// Mostly a device is honest; now and then one becomes something else, or honest again. Most of the
	/// others lie: without lies there is no panel, and without panels no appeal.
	fn change_conduct(&mut self) {
		let place = self.rng.gen_range(0..self.devices.len());
		self.devices[place].conduct = match self.rng.gen_range(0..20) {
			0..=2 => Conduct::Lies,
			3 => Conduct::Sleeps,
			4 => Conduct::Withholds,
			_ => Conduct::Honest,
		};
	}

	fn task_call(&mut self) -> (AccountId, RuntimeCall) {
		let who = self.owner();
		match self.rng.gen_range(0..8) {
			0..=1 => (who, RuntimeCall::Tasks(self.submission())),
			2 => {
				let task = self.rng.gen_range(0..=pallet_tasks::NextTask::<Runtime>::get());
				let requester = pallet_tasks::Tasks::<Runtime>::get(task)
					.filter(|_| self.rng.gen_bool(0.9))
					.map_or(who, |task| task.requester);
				(requester, RuntimeCall::Tasks(pallet_tasks::Call::cancel_task { task }))
			},
			3..=5 => {
				let (device, id) = self.assigned().unwrap_or((self.device(), self.attempt()));
				let reasons = [DeclineReason::Busy, DeclineReason::BadInput];
				let reason = *reasons.choose(&mut self.rng).unwrap();
				(device, RuntimeCall::Tasks(pallet_tasks::Call::decline { id, reason }))
			},
			_ => {
				let limit = self.rng.gen_range(0..70);
				(who, RuntimeCall::Tasks(pallet_tasks::Call::advance_agenda { limit }))
			},
		}
	}

	/// A device and the chunk that it has, where there is one and mostly.
	fn assigned(&mut self) -> Option<(AccountId, AttemptId)> {
		let chunks = pallet_tasks::Chunks::<Runtime>::iter();
		let assigned: Vec<_> = chunks
			.filter_map(|(chunk, record)| match record.state {
				ChunkState::Assigned { assignment, .. } => {
					Some((assignment.seat.device, AttemptId { chunk, attempt: record.attempt }))
				},
				_ => None,
			})
			.collect();
		assigned.choose(&mut self.rng).cloned().filter(|_| self.rng.gen_bool(0.7))
	}

	/// A task of up to five chunks. Some are malformed, some pay less than anybody asks, some pay
	/// next to nothing.
	fn submission(&mut self) -> pallet_tasks::Call<Runtime> {
		let spec = if self.rng.gen_bool(0.5) { self.search() } else { self.program() };
		let rng = &mut self.rng;
		let price = *[0, 1, ASK / 2, ASK, ASK, 3 * ASK, TEQ, 1 << 120].choose(rng).unwrap();
		let deadline = *[0, 1, 16, 16, 20, 32, 30_000].choose(rng).unwrap();
		let bonus = *[0, 0, 1, TEQ, 100 * TEQ].choose(rng).unwrap();
		pallet_tasks::Call::submit_task { spec, price, deadline, bonus }
	}

	fn search(&mut self) -> TaskSpec {
		let rng = &mut self.rng;
		let chunk = *[15, 16, 24, 32, 64].choose(rng).unwrap();
		let count = chunk * rng.gen_range(1..=5) + if rng.gen_bool(0.2) { 16 } else { 0 };
		let lambda = *[16, 16, 16, 20, 3].choose(rng).unwrap();
		search::task(rng.gen(), count, chunk, lambda)
	}

	fn program(&mut self) -> TaskSpec {
		let rng = &mut self.rng;
		let (exact, banded) = (WorkClass::ExactF64, WorkClass::BandedF32);
		let class = *[exact, exact, banded, banded, WorkClass::Integer].choose(rng).unwrap();
		let fates = [Fate::Runs, Fate::Runs, Fate::Runs, Fate::Unreachable, Fate::Unsupported];
		let program = program::program(*fates.choose(rng).unwrap(), rng.gen());
		let (chunks, units) = (rng.gen_range(0..=5), *[0, 1, 32, 32].choose(rng).unwrap());
		let replicas = *[0, 1, 1, 1, 2, 3, 7, 8].choose(rng).unwrap();
		TaskSpec::Recompute(RecomputeSpec { class, program, chunks, units, replicas })
	}

	fn training_call(&mut self) -> (AccountId, RuntimeCall) {
		use pallet_training::Call;
		let who = self.owner();
		let (who, call) = match self.rng.gen_range(0..3) {
			0 => {
				let budget = *[0, TEQ, 10 * TEQ, 10 * TEQ, 1 << 120].choose(&mut self.rng).unwrap();
				(who, Call::submit_training { plan: self.plan(), budget })
			},
			1 => {
				// One of the last, which may still run; or one that is not there.
				let next = NextTraining::<Runtime>::get();
				let training = next.saturating_sub(self.rng.gen_range(0..6));
				let requester = Trainings::<Runtime>::get(training)
					.filter(|_| self.rng.gen_bool(0.9))
					.map_or(who, |training| training.requester);
				(requester, Call::cancel_training { training })
			},
			_ => (who, Call::advance_trainings { limit: self.rng.gen_range(0..70) }),
		};
		(who, RuntimeCall::Training(call))
	}

	/// Up to three rounds over up to three shards. Some plans are malformed, some pay too little.
	fn plan(&mut self) -> Plan {
		let courses = [Course::Learns, Course::Learns, Course::Learns, Course::Ignores(0)];
		let (train, aggregate) = (self.stage(&courses), self.stage(&[Course::Learns]));
		let evaluate = self.stage(&[Course::Learns, Course::Stalls]);
		let rng = &mut self.rng;
		let evaluation = lesson::evaluation(evaluate, rng.gen_range(1..3));
		let (exact, banded) = (WorkClass::ExactF64, WorkClass::BandedF32);
		Plan {
			class: *[exact, exact, banded, WorkClass::Integer].choose(rng).unwrap(),
			train,
			shards: *[0, 1, 2, 3, 3].choose(rng).unwrap(),
			aggregate,
			evaluate: rng.gen_bool(0.5).then_some(evaluation),
			carry: rng.gen(),
			rounds: *[0, 1, 2, 3, 3].choose(rng).unwrap(),
			quorum: *[0, 1, 1, 2].choose(rng).unwrap(),
			replicas: *[1, 1, 1, 2].choose(rng).unwrap(),
			price: *[0, ASK, ASK, 3 * ASK].choose(rng).unwrap(),
			deadline: *[16, 16, 32].choose(rng).unwrap(),
			step_deadline: *[32, 32, 64, 64].choose(rng).unwrap(),
			stop: StopRule {
				target: rng.gen_bool(0.2).then_some(Permill::from_percent(20)),
				plateau: rng.gen_range(0..2),
			},
		}
	}

	/// A program of one of these courses, which pays little or nothing.
	fn stage(&mut self, courses: &[Course]) -> Stage {
		let rng = &mut self.rng;
		let program = lesson::program(*courses.choose(rng).unwrap(), rng.gen());
		Stage { program, units: *[1, 1, 1, 1, 1, 1, 1, 0].choose(rng).unwrap() }
	}

	fn worker_call(&mut self) -> (AccountId, RuntimeCall) {
		use pallet_workers::Call;
		let device = self.device();
		let any = self.owner();
		let owner =
			Devices::<Runtime>::get(&device).map_or_else(|| any.clone(), |found| found.owner);
		let (who, call) = match self.rng.gen_range(0..40) {
			0 => (any, Call::drain {}),
			1..=4 => (any, Call::unbond {}),
			5..=8 => (any, Call::withdraw {}),
			9..=12 => {
				let (offers, payout) = (self.offers(), self.payee());
				let stake = self.rng.gen_range(50..2_000) * TEQ;
				(any, Call::register { offers, stake, payout })
			},
			13..=19 => return self.addition(),
			20..=28 => (device, Call::set_accepting { accepting: self.rng.gen_bool(0.8) }),
			29..=30 => (owner, Call::remove_device { device }),
			31 => (owner, Call::pause_device { device }),
			32..=34 => (owner, Call::resume_device { device }),
			35..=36 => (any, Call::add_stake { amount: self.rng.gen_range(0..100) * TEQ }),
			37 => (any, Call::set_offers { offers: self.offers() }),
			_ => (any, Call::set_payout { payout: self.payee() }),
		};
		(who, RuntimeCall::Workers(call))
	}

	/// Adds a device to an owner, mostly with the proof that belongs to both.
	fn addition(&mut self) -> (AccountId, RuntimeCall) {
		let (owner, other) = (self.owner(), self.owner());
		let named = if self.rng.gen_bool(0.9) { &owner } else { &other };
		let message = proof_message(&System::block_hash(0u32), named);
		let key = &self.devices.choose(&mut self.rng).unwrap().key;
		let (device, proof) = (key.account(), key.prove(&message));
		(owner, RuntimeCall::Workers(pallet_workers::Call::add_device { device, proof }))
	}

	/// What a device would send, sometimes with something wrong in it; or a push to the agenda.
	fn check_call(&mut self) -> (AccountId, RuntimeCall) {
		let place = self.rng.gen_range(0..self.devices.len());
		let who = self.devices[place].key.account();
		let calls = self.devices[place].calls();
		let limit = self.rng.gen_range(0..70);
		let advance = RuntimeCall::Verification(Verify::advance_agenda { limit });
		let call = calls.choose(&mut self.rng).cloned().unwrap_or(advance);
		let call = match call {
			RuntimeCall::Verification(Verify::commit { items }) if self.rng.gen_bool(0.05) => {
				let (id, role) = items
					.first()
					.map_or_else(|| (self.attempt(), Role::Auditor), |item| (item.id, item.role));
				Verify::report_bad_input { id, role }
			},
			RuntimeCall::Verification(Verify::commit { mut items }) => {
				items.iter_mut().take(1).for_each(|item| self.spoil_commit(item));
				Verify::commit { items }
			},
			RuntimeCall::Verification(Verify::reveal { mut items }) => {
				items.iter_mut().take(1).for_each(|item| self.spoil_reveal(item));
				Verify::reveal { items }
			},
			other => return (who, other),
		};
		let signer = if self.rng.gen_bool(0.1) { self.device() } else { who };
		(signer, RuntimeCall::Verification(call))
	}

	fn spoil_commit(&mut self, item: &mut CommitItem) {
		match self.rng.gen_range(0..8) {
			0 => item.id = self.attempt(),
			1 => item.id.attempt = item.id.attempt.wrapping_add(1),
			2 => item.role = Role::Referee { level: self.rng.gen_range(0..5) },
			3 => item.claim = Claim::Shares(BoundedVec::truncate_from(vec![5, 4])),
			4 => item.claim = Claim::Seed(item.commitment),
			5 => item.commitment = Default::default(),
			_ => {},
		}
	}

	fn spoil_reveal(&mut self, item: &mut RevealItem) {
		match self.rng.gen_range(0..6) {
			0 => item.salt = [0; 32],
			1 => item.role = Role::Auditor,
			2 => item.opening = Opening::Output(OutputOpening::own(Default::default())),
			3 => item.id.chunk.index ^= 1,
			_ => {},
		}
	}

	/// Doubts what was found or accepted, mostly where there is something to doubt.
	fn quarrel_call(&mut self) -> (AccountId, RuntimeCall) {
		let mut checks: Vec<_> = Checks::<Runtime>::iter().collect();
		// Few of them wait for an appeal, and not for long.
		let appealable =
			|(_, check): &(_, CheckOf<Runtime>)| matches!(check.state, CheckState::Appeal { .. });
		if checks.iter().any(appealable) && self.rng.gen_bool(0.5) {
			checks.retain(appealable);
		}
		let some = checks.choose(&mut self.rng).filter(|_| self.rng.gen_bool(0.9));
		let (id, parties) = match some {
			Some((chunk, check)) => {
				let seats = check.auditors.iter().filter_map(|slot| slot.seat.as_ref());
				let seats = seats.chain([&check.assignment.seat]);
				let parties = seats.flat_map(|seat| [seat.owner.clone(), seat.device.clone()]);
				(AttemptId { chunk: *chunk, attempt: check.attempt }, parties.collect())
			},
			None => (self.attempt(), vec![self.device()]),
		};
		let party = parties.choose(&mut self.rng).cloned().unwrap_or_else(|| self.device());
		let (who, call) = match self.rng.gen_range(0..4) {
			0 => (self.owner(), Verify::challenge { id }),
			_ => (party, Verify::appeal { id }),
		};
		(who, RuntimeCall::Verification(call))
	}

	/// Moves balances about, so that accounts that are paid come and go.
	fn money_call(&mut self) -> (AccountId, RuntimeCall) {
		let (owner, payee) = (self.owner(), self.payee());
		match self.rng.gen_range(0..4) {
			0 => {
				let claim = pallet_rewards::Call::claim_accrued { owner: owner.clone() };
				(payee, RuntimeCall::Rewards(claim))
			},
			1 => {
				let dest = owner.into();
				let all = pallet_balances::Call::transfer_all { dest, keep_alive: false };
				(self.stranger(), RuntimeCall::Balances(all))
			},
			_ => {
				let value = *[1, TEQ / 1_000, TEQ].choose(&mut self.rng).unwrap();
				let dest = self.stranger().into();
				let call = pallet_balances::Call::transfer_allow_death { dest, value };
				(owner, RuntimeCall::Balances(call))
			},
		}
	}

	fn owner(&mut self) -> AccountId {
		self.owners.choose(&mut self.rng).unwrap().account()
	}

	fn device(&mut self) -> AccountId {
		self.devices.choose(&mut self.rng).unwrap().key.account()
	}

	/// An account that is neither owner nor device; it may not exist.
	fn stranger(&mut self) -> AccountId {
		[self.rng.gen_range(240u8..244); 32].into()
	}

	/// Somebody that pay could go to.
	fn payee(&mut self) -> AccountId {
		match self.rng.gen_range(0..10) {
			0..=5 => self.stranger(),
			6 => self.device(),
			_ => self.owner(),
		}
	}

	fn offers(&mut self) -> pallet_workers::Offers {
		let ask: Balance = *[1, ASK, ASK, 2 * ASK].choose(&mut self.rng).unwrap();
		let rate = *[0, 1, 1_000, 1_000, 1_000].choose(&mut self.rng).unwrap();
		let served = self.rng.gen_range(1..=CLASSES.len());
		let offers = CLASSES.iter().take(served).map(|class| Offer { class: *class, ask, rate });
		BoundedVec::truncate_from(offers.collect())
	}

	/// The name of an attempt that may or may not be.
	fn attempt(&mut self) -> AttemptId {
		let task = self.rng.gen_range(0..=pallet_tasks::NextTask::<Runtime>::get());
		let chunk = ChunkId { task, index: self.rng.gen_range(0..6) };
		AttemptId { chunk, attempt: self.rng.gen_range(0..3) }
	}
}
