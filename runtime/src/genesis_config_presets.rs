//! The states that a chain may start from.
//!
//! Only genesis values differ between a chain on one's desk and one in production: the runtime is
//! the same.

use crate::{
	configs::rules, opaque::SessionKeys, AccountId, Balance, BalancesConfig, RuntimeGenesisConfig,
	SessionConfig, TasksConfig, VerificationConfig, WorkersConfig, TEQ,
};
use alloc::{vec, vec::Vec};
use frame_support::build_struct_json_patch;
use serde_json::Value;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// What each well-known account starts with on a development chain.
const ENDOWMENT: Balance = 1_000_000 * TEQ;

/// A chain of one validator, Alice, whose well-known accounts have money, and on which nothing
/// takes long: one output decides on an audit, seats are fixed every five blocks, pay comes one
/// block after acceptance.
pub fn development() -> Value {
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig {
			balances: Sr25519Keyring::iter()
				.map(|account| (account.to_account_id(), ENDOWMENT))
				.collect::<Vec<_>>(),
		},
		session: SessionConfig { keys: vec![validator()] },
		workers: WorkersConfig { rules: workers_rules() },
		verification: VerificationConfig { rules: verification_rules() },
		tasks: TasksConfig { rules: tasks_rules() },
	})
}

/// The preset of this name, as a patch of the default genesis.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	let patch = match id.as_str() {
		DEV_RUNTIME_PRESET => development(),
		_ => return None,
	};
	serde_json::to_vec(&patch).ok()
}

/// Names of the presets.
pub fn preset_names() -> Vec<PresetId> {
	vec![PresetId::from(DEV_RUNTIME_PRESET)]
}

/// The account gets the fees, so it is not one that people try things with.
fn validator() -> (AccountId, AccountId, SessionKeys) {
	let account = Sr25519Keyring::AliceStash.to_account_id();
	let keys = SessionKeys {
		babe: Sr25519Keyring::Alice.public().into(),
		grandpa: Ed25519Keyring::Alice.public().into(),
	};
	(account.clone(), account, keys)
}

fn workers_rules() -> pallet_workers::Rules {
	pallet_workers::Rules {
		seat_period: 5,
		payout_delay: 5,
		unbond_period: 20,
		suspension: 20,
		signal_period: 5,
		..rules::workers()
	}
}

fn verification_rules() -> pallet_verification::Rules {
	pallet_verification::Rules {
		draw_window: 1,
		chance_window: 1,
		appeal_period: 10,
		..rules::verification()
	}
}

fn tasks_rules() -> pallet_tasks::Rules {
	pallet_tasks::Rules {
		challenge_period: 1,
		task_lifetime: 1_200,
		keep_ended: 1_200,
		min_lock: TEQ / 100,
		..rules::tasks()
	}
}
