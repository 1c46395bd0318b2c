//! The numbers by which results are checked.

use crate::{
	types::{Queue, LEVELS, MAX_BARRED, MAX_REFEREES, MAX_WINDOW, MIN_REFEREES},
	Config, CurrentRules, Error, Event, Pallet,
};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{dispatch::DispatchResult, ensure};
use scale_info::TypeInfo;
use sp_runtime::{traits::Zero, Perquintill};
use tequio_primitives::{reputation::Trust, terms::Adversary, WorkClass, MAX_AUDITORS};

/// How results of a kind of class are audited.
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
#[serde(deny_unknown_fields)]
pub struct AuditRules {
	/// Least chance that a result is audited, above zero, whoever computed it.
	pub floor: Perquintill,
	/// Auditors of an audit, from 1 to 6.
	pub auditors: u8,
	/// Chance that another auditor is drawn after these have committed.
	pub second: Perquintill,
}

/// The numbers by which results are checked, which Root may change.
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
	/// Blocks after a commit whose outputs name the auditors (m) where every result is audited, from
	/// 1 to 15.
	pub draw_window: u32,
	/// Blocks after a commit whose outputs decide on the audit (m) where that is left to chance, from
	/// 1 to 15: the more, the less does it help a worker who also makes blocks to choose when to
	/// commit.
	pub chance_window: u32,
	/// Blocks for the reveals, at least 1.
	pub reveal_period: u32,
	/// Blocks in which who was found wrong may appeal, at least 1.
	pub appeal_period: u32,
	/// Times that auditors of an attempt are drawn again because some stayed silent or none could
	/// be drawn, and how many more than an audit has may report bad input before it ends; at most 8.
	pub max_redraws: u8,
	/// What an auditor or referee who stays silent loses, as a part of its collateral.
	pub audit_miss_fine: Perquintill,
	/// What is assumed of those who would cheat; collateral follows from it.
	pub adversary: Adversary,
	/// Deadlines in blocks above this leave much time to choose when to commit.
	pub patience: u32,
	/// What is assumed of the blanked draws (σ of the adversary) then.
	pub blanked_with_patience: Perquintill,
	/// How searches are audited.
	pub search: AuditRules,
	/// How programs are audited.
	pub programs: AuditRules,
	/// When and how much reputation lowers the audit rate.
	pub trust: Trust,
	/// Votes of the panels, level by level: ascending, from 3 to 99. Where a class has no more owners
	/// who may judge, all of them do.
	pub panels: [u32; 4],
	/// The level of the panel that judges a challenge.
	pub challenge_level: u8,
	/// What an appeal or a challenge puts at stake, as a multiple of what the referees of the panel
	/// that it calls are paid; in percent, at least 100.
	pub bond_percent: u32,
}

impl Default for Rules {
	/// Production, at three seconds a block.
	fn default() -> Self {
		Self {
			draw_window: 8,
			chance_window: 15,
			reveal_period: 20,
			appeal_period: 200,
			max_redraws: 3,
			audit_miss_fine: Perquintill::from_percent(5),
			adversary: Adversary::default(),
			patience: 512,
			blanked_with_patience: Perquintill::from_percent(80),
			// A share is checked by hashing it, so a search is audited always and by two.
			search: AuditRules {
				floor: Perquintill::one(),
				auditors: 2,
				second: Perquintill::zero(),
			},
			// A program is checked by running it once more, so only as often as it must.
			programs: AuditRules {
				floor: Perquintill::from_percent(20),
				auditors: 1,
				second: Perquintill::from_percent(20),
			},
			trust: Trust::default(),
			panels: [3, 9, 31, MAX_REFEREES],
			challenge_level: 1,
			bond_percent: 150,
		}
	}
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_set_rules(rules: Rules) -> DispatchResult {
		ensure!(rules.are_sound(), Error::<T>::RulesUnsound);
		CurrentRules::<T>::put(rules);
		Self::deposit_event(Event::RulesChanged { rules });
		Ok(())
	}
}

impl AuditRules {
	fn are_sound(&self) -> bool {
		!self.floor.is_zero() && (1..MAX_AUDITORS).contains(&u32::from(self.auditors))
	}
}

impl Rules {
	/// Whether a chain can run by these numbers.
	pub fn are_sound(&self) -> bool {
		let sizes = self.panels;
		(1..=MAX_WINDOW).contains(&self.draw_window)
			&& (1..=MAX_WINDOW).contains(&self.chance_window)
			&& !self.reveal_period.is_zero()
			&& !self.appeal_period.is_zero()
			&& u32::from(self.max_redraws).saturating_add(MAX_AUDITORS) < MAX_BARRED
			&& self.search.are_sound()
			&& self.programs.are_sound()
			&& sizes.windows(2).all(|pair| pair[0] < pair[1])
			&& sizes.iter().all(|size| (MIN_REFEREES..=MAX_REFEREES).contains(size))
			&& self.challenge_level < LEVELS
			&& self.bond_percent >= 100
	}

	/// Blocks whose outputs decide on an audit of this chance, and the queue of such decisions.
	pub fn window(&self, audit_rate: Perquintill) -> (u32, Queue) {
		if audit_rate.is_one() {
			(self.draw_window, Queue::Drawing)
		} else {
			(self.chance_window, Queue::Chance)
		}
	}

	/// How results of a class are audited.
	pub fn audits(&self, class: WorkClass) -> &AuditRules {
		match class {
			WorkClass::RandomXSearch => &self.search,
			WorkClass::ExactF64
			| WorkClass::ExactF32
			| WorkClass::BandedF32
			| WorkClass::Integer => &self.programs,
		}
	}
}
