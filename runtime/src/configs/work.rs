//! Work: how the pallets of the work know each other, and what they get of a block.

use crate::{
	configs::{consensus::SLOT_MILLISECONDS, system::BLOCK_WEIGHT},
	extensions::owed_tags,
	AccountId, Authorship, Babe, Balances, Rewards, Runtime, RuntimeCall, Tasks, Training,
	Verification, Workers,
};
use frame_support::{
	parameter_types,
	traits::{ConstU32, ConstU64, Get},
	weights::Weight,
};
use pallet_verification::offchain::{DeviceCrypto, OutboundCalls};
use tequio_primitives::{stage::DeclineReason, AttemptId};

parameter_types! {
	/// The agendas of checks and of tasks have a twentieth of a block's time each. Of its proof they
	/// have a tenth, and an eighth for checks, which look at the seats of every class: what agendas do
	/// is mostly to read and to write small records, for which proof runs out first.
	pub const ChecksBudget: Weight =
		Weight::from_parts(BLOCK_WEIGHT.ref_time() / 20, BLOCK_WEIGHT.proof_size() / 8);
	/// See [`ChecksBudget`].
	pub const AgendaBudget: Weight =
		Weight::from_parts(BLOCK_WEIGHT.ref_time() / 20, BLOCK_WEIGHT.proof_size() / 10);
	/// That of trainings has a fiftieth of the time and a twentieth of the proof: a training has a step
	/// to take once in many blocks.
	pub const TrainingBudget: Weight =
		Weight::from_parts(BLOCK_WEIGHT.ref_time() / 50, BLOCK_WEIGHT.proof_size() / 20);
}

/// Blocks for which a training that has ended stays readable: a day.
const KEEP_TRAININGS: u32 = 28_800;

impl pallet_workers::Config for Runtime {
	type Currency = Balances;
	type Clock = Verification;
	type WeightInfo = pallet_workers::weights::Estimated<Runtime>;
}

impl pallet_verification::Config for Runtime {
	type Randomness = LastOutput;
	type Tasks = Tasks;
	type Workers = Workers;
	type Currency = Balances;
	type Rewards = Rewards;
	type AgendaBudget = ChecksBudget;
	type DeviceCrypto = DeviceCrypto;
	type BlockMilliseconds = ConstU64<SLOT_MILLISECONDS>;
	type Outbound = DeviceCalls;
	type WeightInfo = pallet_verification::weights::Estimated<Runtime>;
}

impl pallet_tasks::Config for Runtime {
	type Currency = Balances;
	type Clock = Verification;
	type Beacon = Verification;
	type Workers = Workers;
	type Policy = Verification;
	type Checks = Verification;
	type Rewards = Rewards;
	type Followers = Training;
	type AgendaBudget = AgendaBudget;
	type WeightInfo = pallet_tasks::weights::Estimated<Runtime>;
}

impl pallet_training::Config for Runtime {
	type Currency = Balances;
	type Clock = Verification;
	type Tasks = Tasks;
	type AgendaBudget = TrainingBudget;
	type KeepEnded = ConstU32<KEEP_TRAININGS>;
	type WeightInfo = pallet_training::weights::Estimated<Runtime>;
}

impl pallet_rewards::Config for Runtime {
	type Currency = Balances;
	type Author = BlockAuthor;
	type Workers = Workers;
	type WeightInfo = pallet_rewards::weights::Estimated<Runtime>;
}

/// The VRF output of the block before this one: BABE records a block's output when that block ends.
pub struct LastOutput;

impl Get<Option<[u8; 32]>> for LastOutput {
	fn get() -> Option<[u8; 32]> {
		Babe::author_vrf_randomness()
	}
}

/// Who made this block.
pub struct BlockAuthor;

impl Get<Option<AccountId>> for BlockAuthor {
	fn get() -> Option<AccountId> {
		Authorship::author()
	}
}

/// The calls that a device's node makes besides those of verification, where they would be free.
pub struct DeviceCalls;

impl OutboundCalls<AccountId, RuntimeCall> for DeviceCalls {
	fn decline(device: &AccountId, id: &AttemptId, reason: DeclineReason) -> Option<RuntimeCall> {
		if_owed(device, RuntimeCall::Tasks(pallet_tasks::Call::decline { id: *id, reason }))
	}

	fn set_accepting(device: &AccountId, accepting: bool) -> Option<RuntimeCall> {
		if_owed(device, RuntimeCall::Workers(pallet_workers::Call::set_accepting { accepting }))
	}
}

fn if_owed(device: &AccountId, call: RuntimeCall) -> Option<RuntimeCall> {
	owed_tags(device, &call).is_some().then_some(call)
}
