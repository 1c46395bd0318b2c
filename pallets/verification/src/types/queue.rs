//! The queues of the agenda.

use super::LEVELS;
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use tequio_primitives::fifo::WAITS;

/// The queues of the agenda, one for each constant length of a stage.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub enum Queue {
	/// Audits that are certain, and wait for what names the auditors.
	#[codec(index = 0)]
	Drawing,
	/// Empty places of auditors to draw for, by the index of the wait.
	#[codec(index = 1)]
	Vacant(u8),
	/// Ends of audits, by the index of their deadline among the eight.
	#[codec(index = 2)]
	Auditing(u8),
	/// Ends of reveal periods of worker and auditors.
	#[codec(index = 3)]
	Revealing,
	/// Second auditors to decide on.
	#[codec(index = 4)]
	Second,
	/// Empty places of panels to draw for, by the index of the wait.
	#[codec(index = 5)]
	Seating(u8),
	/// Ends of panels' work, by the index of their deadline among the eight.
	#[codec(index = 6)]
	Panel(u8),
	/// Ends of reveal periods of panels.
	#[codec(index = 7)]
	PanelReveal,
	/// Panels whose referees have all revealed: their finding.
	#[codec(index = 8)]
	Finding,
	/// Ends of appeal periods.
	#[codec(index = 9)]
	Appeal,
	/// Panels with referees to dismiss, by their level.
	#[codec(index = 10)]
	Dismissal(u8),
	/// Audits that are left to chance.
	#[codec(index = 11)]
	Chance,
}

impl Queue {
	/// Queues of what ends by itself. An attempt comes into each of them a few times at most.
	pub fn ends() -> impl Iterator<Item = Self> + Clone {
		let audits = (0u8..8).map(Self::Auditing);
		let panels = (0u8..8).map(Self::Panel);
		let dismissals = (0u8..LEVELS).map(Self::Dismissal);
		[Self::Drawing, Self::Chance, Self::Second, Self::Revealing]
			.into_iter()
			.chain(audits)
			.chain([Self::PanelReveal, Self::Finding, Self::Appeal])
			.chain(panels)
			.chain(dismissals)
	}

	/// Queues of draws after which an attempt comes into another one of draws only if somebody was
	/// found: those that are made for the first time, or go on.
	pub fn first_draws() -> impl Iterator<Item = Self> {
		[Self::Vacant(0), Self::Seating(0)].into_iter()
	}

	/// Queues of draws that are made again and again until somebody is found.
	pub fn vacant() -> impl Iterator<Item = Self> {
		let waits = (1u8..).take(WAITS.len().saturating_sub(1));
		waits.clone().map(Self::Vacant).chain(waits.map(Self::Seating))
	}

	/// Every queue.
	pub fn all() -> impl Iterator<Item = Self> {
		Self::ends().chain(Self::first_draws()).chain(Self::vacant())
	}
}
