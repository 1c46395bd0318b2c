//! One device's turn at one run of the hook.

use super::{
	duties::{self, Ask},
	memory::{self, Kind, Memory, Record},
	orders::{decline_reason, job_key, Order, Work},
	outbox::Fate,
	pace::{Load, Pace, Time},
	OutboundCalls, Round, LOG_TARGET,
};
use crate::{
	types::{CommitItem, RevealItem},
	Call, CheckOf, Config, Pallet,
};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::traits::Get;
use frame_system::offchain::{AppCrypto, SigningTypes};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::H256;
use sp_io::hashing::blake2_256;
use sp_runtime::{traits::IdentifyAccount, SaturatedConversion};
use tequio_interface::{
	host::{self, Polled, Submitted},
	job::{Job, JobKey, JobState},
};
use tequio_primitives::{
	clock::WorkClock,
	commitment::{commitment, salt_message},
	device::DeviceId,
	stage::DeclineReason,
	tasks::CheckedTasks,
	workers::InspectWorkers,
	Duty, Role,
};

/// The kind of key that a device key is for the runtime.
type GenericPublic<T> = <<T as Config>::DeviceCrypto as AppCrypto<
	<T as SigningTypes>::Public,
	<T as SigningTypes>::Signature,
>>::GenericPublic;

/// A device whose key is in this node's keystore.
pub(super) struct Device<T: Config> {
	key: DeviceId,
	/// The key as the runtime knows it.
	pub public: T::Public,
	/// The device's account.
	pub account: T::AccountId,
	/// The account's 32 bytes.
	pub bytes: [u8; 32],
}

/// What comes of a device's duties at one run.
#[derive(Default)]
struct Turn {
	/// What there is to say.
	commits: Vec<CommitItem>,
	reveals: Vec<RevealItem>,
	declines: Vec<(Duty, DeclineReason)>,
	/// What the worker process has to do for the duties looked at so far.
	load: Load,
}

/// How far the work for a duty is.
// There is one at a time, and it is taken apart at once.
#[allow(clippy::large_enum_variant)]
enum Progress {
	/// Done.
	Ready(Work),
	/// Under way, or not to be had now.
	Pending,
	/// Not to be done here.
	Failed(DeclineReason),
}

/// Whether a duty is work that the worker process was not given yet, and that a worker may hand
/// back.
fn is_new(duty: &Duty, ask: Ask, record: &Record, now: u64) -> bool {
	ask == Ask::Commit && duty.role == Role::Worker && record.order.is_none() && !record.rests(now)
}

impl<T: Config> Device<T> {
	pub(super) fn new(key: DeviceId) -> Self {
		let public: T::Public = GenericPublic::<T>::from(key.clone()).into();
		let account = public.clone().into_account();
		let bytes = account.clone().into();
		Self { key, public, account, bytes }
	}

	/// Does what can be done for the device's duties now.
	pub(super) fn turn(&self, round: &Round) {
		let before = Memory::load(&self.bytes);
		let mut memory = before.clone();
		let nonce = frame_system::Pallet::<T>::account_nonce(&self.account);
		memory.nonces.observe(nonce.saturated_into(), round.now);

		let duties = T::Workers::duties_of(&self.account);
		let parts = T::Workers::parts_of(&self.account);
		let mut turn = Turn::default();
		for duty in &duties {
			self.attend(duty, round, memory.duty(duty, round.now), &mut turn);
		}
		for (gone, order) in memory.take_gone(&self.bytes, &duties, &parts, round.now) {
			log::debug!(target: LOG_TARGET, "{:?} no longer owes {gone:?}", self.account);
			self.cancel(&gone, order, round);
		}
		// What is missed costs most first.
		self.send_messages(turn.reveals, &mut memory, round.now);
		self.send_messages(turn.commits, &mut memory, round.now);
		self.appeal(&parts, round, &mut memory);
		for (duty, reason) in turn.declines {
			self.decline(&duty, reason, &mut memory, round.now);
		}
		self.signal(round, &mut memory);
		if memory != before {
			memory.store(&self.bytes);
		}
	}

	/// Moves one duty on, and notes what there is to say about it.
	fn attend(&self, duty: &Duty, round: &Round, record: &mut Record, turn: &mut Turn) {
		let (ask, check) = duties::look::<T>(duty, &self.account);
		if ask == Ask::Nothing {
			if let Some(given) = record.order.take() {
				self.cancel(duty, given, round);
			}
			return;
		}
		let result = self.result(duty, ask, check.as_ref(), round, record, turn);
		let Some((key, work)) = result else { return };
		match ask {
			Ask::Commit if record.may_send(Kind::Commit, round.now) => {
				let hidden = self.hide(duty, &work, round);
				turn.commits
					.extend(hidden.map(|(commitment, _)| self.commit(duty, work, commitment)));
			},
			Ask::Reveal { since, commitment }
				if round.may_reveal::<T>(since) && record.may_send(Kind::Reveal, round.now) =>
			{
				match self.hide(duty, &work, round) {
					Some((hidden, salt)) if hidden == commitment => {
						turn.reveals.push(self.reveal(duty, work, salt));
					},
					Some(_) => self.start_over(duty, &key, round.now, record),
					None => {},
				}
			},
			_ => {},
		}
	}

	/// The result for a duty and the name of its job, if it is there. Moves the work on if not, or
	/// hands it back.
	fn result(
		&self,
		duty: &Duty,
		ask: Ask,
		check: Option<&CheckOf<T>>,
		round: &Round,
		record: &mut Record,
		turn: &mut Turn,
	) -> Option<(JobKey, Work)> {
		let order = duties::order::<T>(duty, check)?;
		let job = order.job(round.genesis.0, self.bytes, duty)?;
		let key = job.key;
		self.cancel_other(duty, H256(key.order), round, record);
		if is_new(duty, ask, record, round.now) {
			let reason = self.too_slow(duty, &order, round, &turn.load);
			if reason.is_some_and(|reason| self.hand_back(duty, reason, round.now, record, turn)) {
				return None;
			}
		}
		match self.progress(duty, &order, job, round.now, record) {
			Progress::Ready(work) => Some((key, work)),
			Progress::Pending => {
				if record.order.is_some() {
					turn.load.add(&order);
				}
				None
			},
			Progress::Failed(reason) => {
				if ask == Ask::Commit {
					turn.declines.push((*duty, reason));
				}
				None
			},
		}
	}

	/// Why the worker process, at the rate that it measured, would not be done with new work by the
	/// deadline if it began now. What is given to other devices of the same process is not counted:
	/// that would be to decline on a guess.
	fn too_slow(
		&self,
		duty: &Duty,
		order: &Order,
		round: &Round,
		load: &Load,
	) -> Option<DeclineReason> {
		let time_of = |blocks: u32| u64::from(blocks).saturating_mul(T::BlockMilliseconds::get());
		let blocks_left = T::Tasks::due(&duty.id)?.saturating_sub(Pallet::<T>::now());
		let time = Time {
			whole: time_of(T::Tasks::assigned(&duty.id)?.deadline),
			left: time_of(blocks_left),
		};
		let pace = Pace::of(round.able.iter().find(|able| able.class == order.class().id())?)?;
		pace.too_slow(order.units(), load.units, time)
	}

	/// Hands new work back at once, if the chain still lets go of it, and says whether it does.
	fn hand_back(
		&self,
		duty: &Duty,
		reason: DeclineReason,
		now: u64,
		record: &mut Record,
		turn: &mut Turn,
	) -> bool {
		let lets_go = T::Outbound::decline(&self.account, &duty.id, reason).is_some();
		if lets_go {
			record.failed(now);
			turn.declines.push((*duty, reason));
		}
		lets_go
	}

	/// How far the work for a duty is. Hands it to the worker process if that does not have it yet.
	fn progress(
		&self,
		duty: &Duty,
		order: &Order,
		job: Job,
		now: u64,
		record: &mut Record,
	) -> Progress {
		let hash = H256(job.key.order);
		if let Some(work) = memory::load_work(&self.bytes, duty, &hash) {
			return Progress::Ready(work);
		}
		if record.rests(now) {
			return Progress::Pending;
		}
		let state = match host::poll(&job.key) {
			Polled::State(state) => state,
			Polled::Unknown => return self.hand_over(duty, job, now, record),
			Polled::Unavailable => return Progress::Pending,
		};
		// If the record was lost, it is known again that there is something to cancel one day.
		record.order = Some(hash);
		match state {
			JobState::Queued | JobState::Running => Progress::Pending,
			JobState::Done(result) => match order.work(&result) {
				Ok(work) => {
					memory::store_work(&self.bytes, duty, &hash, &work);
					Progress::Ready(work)
				},
				Err(unusable) => {
					log::warn!(target: LOG_TARGET, "the result for {duty:?} is unusable: {unusable:?}");
					self.give_up(&job.key, now, record, DeclineReason::Unsupported)
				},
			},
			JobState::Failed(failure) => {
				log::warn!(target: LOG_TARGET, "the worker process cannot do {duty:?}: {failure:?}");
				self.give_up(&job.key, now, record, decline_reason(failure))
			},
		}
	}

	/// Gives an order to the worker process.
	fn hand_over(&self, duty: &Duty, job: Job, now: u64, record: &mut Record) -> Progress {
		match host::submit(&job) {
			Submitted::Taken => {
				log::debug!(target: LOG_TARGET, "{:?} starts {duty:?}", self.account);
				record.order = Some(H256(job.key.order));
				Progress::Pending
			},
			Submitted::Full => {
				log::debug!(target: LOG_TARGET, "{duty:?} waits: the node's table of jobs is full");
				Progress::Pending
			},
			Submitted::Malformed => self.give_up(&job.key, now, record, DeclineReason::Unsupported),
			Submitted::Unavailable => Progress::Pending,
		}
	}

	/// Has the worker process forget an order that failed.
	fn give_up(
		&self,
		key: &JobKey,
		now: u64,
		record: &mut Record,
		reason: DeclineReason,
	) -> Progress {
		host::cancel(key);
		record.failed(now);
		Progress::Failed(reason)
	}

	/// Drops an opening that does not open what was committed, to compute it again.
	fn start_over(&self, duty: &Duty, key: &JobKey, now: u64, record: &mut Record) {
		log::warn!(
			target: LOG_TARGET,
			"the result for {duty:?} does not open what {:?} committed; it is computed again",
			self.account,
		);
		memory::remove_work(&self.bytes, duty);
		host::cancel(key);
		record.failed(now);
	}

	/// The commitment to an opening, and its salt. `None` if the key is gone.
	fn hide(&self, duty: &Duty, work: &Work, round: &Round) -> Option<(H256, [u8; 32])> {
		let signature = self.key.sign(&salt_message(&round.genesis, duty))?;
		let salt = blake2_256(&signature.encode());
		let digest = work.opening.digest();
		Some((commitment(&round.genesis, duty, &self.bytes, &digest, &salt), salt))
	}

	fn commit(&self, duty: &Duty, work: Work, commitment: H256) -> CommitItem {
		CommitItem { id: duty.id, role: duty.role, claim: work.claim, commitment }
	}

	fn reveal(&self, duty: &Duty, work: Work, salt: [u8; 32]) -> RevealItem {
		RevealItem { id: duty.id, role: duty.role, opening: work.opening, salt }
	}

	/// Hands a duty back, if the chain lets go of it. Auditors and referees can only for want of input.
	fn decline(&self, duty: &Duty, reason: DeclineReason, memory: &mut Memory, now: u64) {
		let Duty { id, role } = *duty;
		let call = match (role, reason) {
			(Role::Worker, _) => T::Outbound::decline(&self.account, &id, reason),
			(_, DeclineReason::BadInput) => {
				let may = Pallet::<T>::can_report_bad_input(&self.account, *duty);
				may.then(|| Call::<T>::report_bad_input { id, role }.into())
			},
			(_, DeclineReason::Busy | DeclineReason::Unsupported) => None,
		};
		match call {
			Some(call) => {
				if self.send(call, memory, now) == Fate::Sent {
					log::info!(target: LOG_TARGET, "{:?} declines {duty:?}: {reason:?}", self.account);
				}
			},
			None => log::warn!(
				target: LOG_TARGET,
				"{duty:?} failed ({reason:?}) and cannot be declined; it is tried again",
			),
		}
	}

	/// Says whether the device takes work, where the chain believes otherwise. It takes none while
	/// it could be drawn for what cannot be computed here: that would cost fines.
	fn signal(&self, round: &Round, memory: &mut Memory) {
		let lacking = round.lacks(&T::Workers::offered_by(&self.account));
		let Some(accepting) = memory.signal(lacking.is_none(), round.now) else { return };
		// A process that is away lacks everything, for other reasons.
		let told = (!round.able.is_empty()).then(|| memory.note_lack(lacking)).flatten();
		if let Some(class) = told {
			log::warn!(
				target: LOG_TARGET,
				"{:?} takes no work: its owner offers {class:?}, which the worker process does not \
				 serve. Have it serve the class, or take the class out of the offers with \
				 workers.setOffers",
				self.account,
			);
		}
		let Some(call) = T::Outbound::set_accepting(&self.account, accepting) else { return };
		if self.send(call, memory, round.now) == Fate::Sent {
			memory.signalled(round.now);
			log::info!(target: LOG_TARGET, "{:?} accepts work: {accepting}", self.account);
		}
	}

	/// Has the worker process forget what it was given for a duty, if that is another order: a
	/// reorganisation has made other work of the duty.
	fn cancel_other(&self, duty: &Duty, order: H256, round: &Round, record: &mut Record) {
		if let Some(other) = record.take_other(&order) {
			log::debug!(target: LOG_TARGET, "{duty:?} has become another order");
			self.cancel(duty, other, round);
		}
	}

	/// Has the worker process forget an order for a duty.
	fn cancel(&self, duty: &Duty, order: H256, round: &Round) {
		if let Some(key) = job_key(round.genesis.0, self.bytes, duty, order) {
			host::cancel(&key);
		}
	}
}
