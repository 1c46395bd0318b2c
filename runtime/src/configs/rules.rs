//! The rules of the work: every number that Root may change, with its unit and why it is what it
//! is.
//!
//! These are the numbers of production, where a block takes three seconds. What a development
//! chain has instead is in [`crate::genesis_config_presets`]. Heights and periods are blocks of
//! the work clock, amounts are in 10⁻¹² TEQ.

use crate::TEQ;
use pallet_verification::AuditRules;
use sp_runtime::Perquintill;
use tequio_primitives::{reputation::Trust, terms::Adversary};

/// Blocks of an hour, of a day, of a week.
const HOUR: u32 = 1_200;
const DAY: u32 = 24 * HOUR;
const WEEK: u32 = 7 * DAY;

/// Stake, seats, devices and reputation.
pub fn workers() -> pallet_workers::Rules {
	pallet_workers::Rules {
		// What one chance in a draw costs: enough that nobody buys seats by the thousand for a day.
		seat_stake: 100 * TEQ,
		// Seats stand still between two fixings, so that nobody moves stake to where a draw is.
		seat_period: HOUR,
		// A stolen key cannot lead the pay away before its owner has slept on it.
		payout_delay: DAY,
		// Longer than any chunk takes, its panels included: who cheats cannot leave with the stake.
		unbond_period: WEEK,
		// Ten minutes without work for a device that went silent: less load on those who wait for it
		// than a redraw each time, and no punishment for a restart.
		suspension: 200,
		// Half a minute between two signals of a device, which are free.
		signal_period: 10,
		// What was done weighs half after a week: who comes back after a month is new again.
		half_life: WEEK,
		// With fewer owners, or one of them above a fifth, auditor and worker are too often friends:
		// everything is audited.
		min_owners: 20,
		max_share: Perquintill::from_percent(20),
	}
}

/// Commitments, draws, audits, panels.
pub fn verification() -> pallet_verification::Rules {
	pallet_verification::Rules {
		// The outputs of eight authors name the auditors. Whoever knows one of them knows little.
		draw_window: 8,
		// Who makes three blocks in ten, commits where most of the next ones are its own and
		// withholds those that would have it audited brings the chance of an audit down from a
		// fifth to a twelfth, if it has twenty minutes to choose from: that still costs it a tenth
		// of the pay each time. With eight outputs it would earn.
		chance_window: 15,
		// A minute: finality takes some ten seconds, a node that restarts less than half of that.
		reveal_period: 20,
		// Ten minutes for a node to notice that it was found wrong, though its device does so at
		// the next block.
		appeal_period: 200,
		// A class in which three times nobody audits is not one that can be checked now.
		max_redraws: 3,
		// Silence is not proof of anything; it costs as much as it delays.
		audit_miss_fine: Perquintill::from_percent(5),
		// σ, x̄ and f of the design: half of the draws blanked, a third of the seats, and no captured
		// verdicts, because panels grow until nobody below two thirds can capture them.
		adversary: Adversary {
			blanked_draws: Perquintill::from_percent(50),
			seats: Perquintill::from_rational(1u64, 3u64),
			captured_verdicts: Perquintill::zero(),
		},
		// Somebody who makes three blocks in ten, and has a day to wait for the fifteen that suit him
		// best, brings the chance of an audit down to a fifth of what it should be.
		patience: 512,
		blanked_with_patience: Perquintill::from_percent(80),
		// Checking a search costs less than a two-hundredth of it, so it is always done, and twice.
		search: AuditRules { floor: Perquintill::one(), auditors: 2, second: Perquintill::zero() },
		// Checking a program costs as much as running it. One in five is what collateral of 25 times
		// the pay makes up for; one audit in five gets another auditor, so that agreeing blindly
		// does not pay.
		programs: AuditRules {
			floor: Perquintill::from_percent(20),
			auditors: 1,
			second: Perquintill::from_percent(20),
		},
		trust: Trust { audits: 10 },
		// Three are quick and cheap. Who has three seats in ten captures two thirds of 31 votes with a
		// chance of 10⁻⁵, and of 99 with one below 10⁻¹².
		panels: [3, 9, 31, 99],
		// Whoever doubts what was accepted gets a panel that is hard to capture at once.
		challenge_level: 1,
		// The referees' pay, and half as much again that is lost with the doubt.
		bond_percent: 150,
	}
}

/// Tasks, their periods and fines.
pub fn tasks() -> pallet_tasks::Rules {
	pallet_tasks::Rules {
		// Five minutes between acceptance and payment, for challenges.
		challenge_period: 100,
		// A week for a task to be done.
		task_lifetime: WEEK,
		// A day to read how a task ended before all but its root is removed.
		keep_ended: DAY,
		// A task has a place in queues that all share, so it binds some money.
		min_lock: 10 * TEQ,
		// A chunk that eight owners did not bring to an end is not worth a ninth.
		max_attempts: 8,
		// Three owners who decline a chunk for what it is are not all wrong.
		max_declines: 3,
		// Missing a deadline costs a twentieth of the chunk's pay, once: a nuisance, not a loss.
		miss_fine: Perquintill::from_percent(5),
		// What it costs to try to fetch what is not there.
		fetch_fee: TEQ / 100,
	}
}

/// The protocol's part.
pub fn rewards() -> pallet_rewards::Rules {
	pallet_rewards::Rules {
		// Of every payment, beside it.
		fee_rate: Perquintill::from_percent(5),
		// What a result costs the chain, whose sender pays nothing for it.
		min_fee: TEQ / 100,
		// Half to the treasury, half to the author of the block in which it is paid.
		treasury_part: Perquintill::from_percent(50),
	}
}

#[cfg(test)]
mod tests {
	/// A chain whose genesis says nothing of rules has these: what the pallets take by themselves.
	#[test]
	fn the_defaults_of_the_pallets_are_these() {
		assert_eq!(super::workers(), pallet_workers::Rules::default());
		assert_eq!(super::verification(), pallet_verification::Rules::default());
		assert_eq!(super::tasks(), pallet_tasks::Rules::default());
		assert_eq!(super::rewards(), pallet_rewards::Rules::default());
	}
}
