//! What is stored about owners, their devices and their duties, and what follows from it alone.

use crate::seats;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{defensive, traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_runtime::Perquintill;
use tequio_primitives::{
	reputation::{Deed, Reputation},
	terms::AuditTerms,
	workers::Need,
	Balance, Duty, Role, WorkClass, WorkHeight, TEQ,
};

/// Offers of one owner.
pub const MAX_OFFERS: u32 = 8;
/// Devices of one owner.
pub const MAX_DEVICES: u32 = 16;
/// Duties that one device may have, those included in which it only waits for the end.
pub const MAX_ENGAGEMENTS: u32 = 64;
/// Chunks that a device is given to compute at a time: one, and one that waits, so that it need not
/// pause between two.
pub const WORK_SLOTS: usize = 2;
/// Chunks of a device that may be on their way to a verdict at a time, those that it computes
/// included. More would come faster than they can be audited.
pub const CHECK_SLOTS: usize = 8;
/// Duties of any kind that a device has to compute at a time before it gets no more audits.
pub const AUDIT_SLOTS: usize = 8;
/// Duties that a device keeps room for beyond what it is given to compute: to appeal, which is no
/// work but binds collateral too.
pub const APPEAL_SLOTS: u32 = 8;
/// A deadline is at least this many times what the advertised rate says the work takes.
pub const DEADLINE_FACTOR: u64 = 4;

/// A class of work that an owner serves, and on which terms.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Offer {
	/// The class.
	pub class: WorkClass,
	/// Least pay per unit, in the token's smallest unit. Work that pays less is never assigned.
	pub ask: Balance,
	/// Units that one device does in a block's time.
	pub rate: u32,
}

/// What an owner offers, each class once.
pub type Offers = BoundedVec<Offer, ConstU32<MAX_OFFERS>>;

/// What an owner has done, each class once, in the order in which it began with them.
pub type Reputations = BoundedVec<(WorkClass, Reputation), ConstU32<MAX_OFFERS>>;

// There is room for every class, so that no deed is ever forgotten for want of it.
const _: () = assert!(WorkClass::ALL.len() <= 8, "raise MAX_OFFERS with the number of classes");

/// Whether an owner takes part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum WorkerState {
	/// Its seats are drawn.
	#[codec(index = 0)]
	Active,
	/// Gets no new duties; those it has go on.
	#[codec(index = 1)]
	Draining,
	/// Has no duties and no seats; its stake may be withdrawn later.
	#[codec(index = 2)]
	Unbonding {
		/// First height at which the stake may be withdrawn.
		until: WorkHeight,
	},
}

/// A payout account that is not valid yet.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct PendingPayout<AccountId> {
	/// The account.
	pub account: AccountId,
	/// First height at which pay goes there.
	pub at: WorkHeight,
}

/// An owner.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Worker<AccountId> {
	/// Where pay goes.
	pub payout: AccountId,
	/// Where pay will go.
	pub pending_payout: Option<PendingPayout<AccountId>>,
	/// Stake on hold, bound or not.
	pub stake: Balance,
	/// The part of the stake that is bound to duties.
	pub collateral: Balance,
	/// What it serves.
	pub offers: Offers,
	/// Whether it takes part.
	pub state: WorkerState,
	/// Its devices.
	pub devices: BoundedVec<AccountId, ConstU32<MAX_DEVICES>>,
	/// What it has done, as the numbers were at its last deed in each class.
	pub reputations: Reputations,
}

impl<AccountId: PartialEq> Worker<AccountId> {
	/// Stake that no duty uses.
	pub fn free_collateral(&self) -> Balance {
		self.stake.saturating_sub(self.collateral)
	}

	/// The account that is paid at a height.
	pub fn payout_at(&self, now: WorkHeight) -> &AccountId {
		match &self.pending_payout {
			Some(pending) if pending.at <= now => &pending.account,
			_ => &self.payout,
		}
	}

	/// The offer for a class.
	pub fn offer(&self, class: WorkClass) -> Option<&Offer> {
		self.offers.iter().find(|offer| offer.class == class)
	}

	/// Seats that its stake gives it in each class that it serves: none unless it is active.
	pub fn seats(&self, seat_stake: Balance) -> u32 {
		match self.state {
			WorkerState::Active => seats::seats_from(self.stake, self.offers.len(), seat_stake),
			WorkerState::Draining | WorkerState::Unbonding { .. } => 0,
		}
	}

	/// Seats that its stake gives it in a class.
	pub fn seats_in(&self, class: WorkClass, seat_stake: Balance) -> u32 {
		self.offer(class).map_or(0, |_| self.seats(seat_stake))
	}

	/// Whether it takes such work for such pay and in such time, if it has nothing else to do. Says
	/// nothing about collateral and devices.
	pub fn serves(&self, need: &Need<AccountId>) -> bool {
		let fits = |offer: &Offer| {
			let blocks = need.units.div_ceil(u64::from(offer.rate.max(1)));
			offer.ask <= need.price
				&& blocks.saturating_mul(DEADLINE_FACTOR) <= u64::from(need.deadline)
		};
		self.state == WorkerState::Active && self.offer(need.class).is_some_and(fits)
	}

	/// What it has done in a class, at a height.
	pub fn reputation(&self, class: WorkClass, now: WorkHeight, half_life: u32) -> Reputation {
		self.noted(class).at(now, half_life)
	}

	/// Adds a deed to what it has done in a class.
	pub fn note(&mut self, class: WorkClass, deed: Deed, now: WorkHeight, half_life: u32) {
		if deed == Deed::Nothing {
			return;
		}
		let after = self.noted(class).after(deed, now, half_life);
		let noted = self.reputations.iter_mut().find(|(noted, _)| *noted == class);
		if let Some((_, reputation)) = noted {
			*reputation = after;
		} else if self.reputations.try_push((class, after)).is_err() {
			defensive!("there is room for every class");
		}
	}

	fn noted(&self, class: WorkClass) -> Reputation {
		let noted = self.reputations.iter().find(|(noted, _)| *noted == class);
		noted.map_or_else(Reputation::default, |(_, reputation)| *reputation)
	}
}

/// The free collateral that an owner must have to be given a duty on these terms.
///
/// Work leaves as much of it free as the auditors of one such result bind. Else work alone could
/// bind everybody's stake, and nobody would be left to audit anybody.
pub fn collateral_kept_free(terms: &AuditTerms, audit: bool) -> Balance {
	let kept = if audit { 0 } else { Balance::from(terms.auditors) };
	terms.collateral.saturating_mul(kept.saturating_add(1))
}

/// Whether a device wants work.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Availability {
	/// It has not signalled yet, or signalled that it wants none.
	#[codec(index = 0)]
	Idle,
	/// It does.
	#[codec(index = 1)]
	Accepting,
	/// It missed two deadlines in a row.
	#[codec(index = 2)]
	Suspended {
		/// First height at which it may signal again that it wants work.
		until: WorkHeight,
	},
	/// Its owner keeps it from work.
	#[codec(index = 3)]
	Paused,
}

/// How far a device is with a duty that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Progress {
	/// Has still to compute and to commit.
	#[codec(index = 0)]
	Computing,
	/// Has committed and has still to reveal.
	#[codec(index = 1)]
	Committed,
	/// Has revealed, or had nothing to do: its part is done.
	#[codec(index = 2)]
	Done,
}

/// A duty of a device and what answers for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Engagement {
	/// The duty.
	pub duty: Duty,
	/// Class of the work that it is about.
	pub class: WorkClass,
	/// Stake of the owner that is bound to it.
	pub collateral: Balance,
	/// How far the device is.
	pub progress: Progress,
}

/// A device.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Device<AccountId> {
	/// Whose stake answers for it.
	pub owner: AccountId,
	/// Whether it wants work.
	pub availability: Availability,
	/// Deadlines missed since it last committed or revealed.
	pub misses: u8,
	/// First height at which its next signal is taken.
	pub signal_from: WorkHeight,
	/// Its duties, oldest first.
	pub engagements: BoundedVec<Engagement, ConstU32<MAX_ENGAGEMENTS>>,
}

impl<AccountId> Device<AccountId> {
	/// A device that has done nothing yet.
	pub fn new(owner: AccountId) -> Self {
		Self {
			owner,
			availability: Availability::Idle,
			misses: 0,
			signal_from: 0,
			engagements: BoundedVec::new(),
		}
	}

	/// Duties that it has still to do, oldest first.
	pub fn undone(&self) -> impl Iterator<Item = Duty> + '_ {
		let undone = |engagement: &&Engagement| engagement.progress != Progress::Done;
		self.engagements.iter().filter(undone).map(|engagement| engagement.duty)
	}

	/// Duties that it has still to compute.
	pub fn computing(&self) -> impl Iterator<Item = Duty> + '_ {
		let computing = |engagement: &&Engagement| engagement.progress == Progress::Computing;
		self.engagements.iter().filter(computing).map(|engagement| engagement.duty)
	}

	/// How much it has to compute, as far as draws prefer one device to another.
	pub fn load(&self) -> usize {
		self.computing().count()
	}

	/// Whether it wants and can take one more duty. Work is given out more sparingly than audits,
	/// so that a device which is full of work, or of work that waits for its pay, can still audit.
	pub fn has_room(&self, audit: bool) -> bool {
		let most = if audit { MAX_ENGAGEMENTS - APPEAL_SLOTS } else { MAX_ENGAGEMENTS / 2 };
		let remembered = u32::try_from(self.engagements.len()).unwrap_or(u32::MAX);
		let is_work = |duty: &Duty| duty.role == Role::Worker;
		let free_slot = if audit {
			self.computing().count() < AUDIT_SLOTS
		} else {
			self.computing().filter(is_work).count() < WORK_SLOTS
				&& self.undone().filter(is_work).count() < CHECK_SLOTS
		};
		self.availability == Availability::Accepting && remembered < most && free_slot
	}
}

/// Where all collateral ever bound went, in the token's smallest unit:
/// `engaged = released + compensation + bounty + burned + what is bound now`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct CollateralLedger {
	/// Bound to duties.
	pub engaged: Balance,
	/// Freed again.
	pub released: Balance,
	/// Paid to those who worked in vain, and for referees.
	pub compensation: Balance,
	/// Paid to those who proved a result wrong.
	pub bounty: Balance,
	/// Burned: fines, and what a slash left over.
	pub burned: Balance,
}

/// The numbers by which owners take part, which Root may change. The defaults are production
/// numbers; blocks take three seconds.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	serde::Serialize,
	serde::Deserialize,
)]
#[serde(default, deny_unknown_fields)]
pub struct Rules {
	/// Stake of one seat, in the token's smallest unit, above zero.
	pub seat_stake: Balance,
	/// Blocks between two fixings of the seats, at least 1.
	pub seat_period: u32,
	/// Blocks until a new payout account is valid: time to notice a stolen key.
	pub payout_delay: u32,
	/// Blocks from unbonding to withdrawal.
	pub unbond_period: u32,
	/// Blocks for which a device gets no work after two misses in a row.
	pub suspension: u32,
	/// Blocks between two signals of one device.
	pub signal_period: u32,
	/// Blocks after which what an owner did counts half, at least 1.
	pub half_life: u32,
	/// Owners with seats below whom everything in a class is audited.
	pub min_owners: u32,
	/// Part of the seats of a class above which everything in it is audited, if one owner has it.
	pub max_share: Perquintill,
}

impl Default for Rules {
	fn default() -> Self {
		Self {
			seat_stake: 100 * TEQ,
			seat_period: 1_200,
			payout_delay: 28_800,
			unbond_period: 201_600,
			suspension: 200,
			signal_period: 10,
			half_life: 201_600,
			min_owners: 20,
			max_share: Perquintill::from_percent(20),
		}
	}
}

impl Rules {
	/// Whether a chain can run by these numbers.
	pub fn are_sound(&self) -> bool {
		self.seat_stake > 0 && self.seat_period > 0 && self.half_life > 0
	}
}
