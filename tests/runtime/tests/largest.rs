//! The largest results that there can be fit what full blocks leave to them.

#![allow(clippy::unwrap_used, missing_docs)]

use codec::Encode;
use frame_support::{
	dispatch::{DispatchClass, GetDispatchInfo},
	weights::Weight,
	BoundedVec,
};
use pallet_verification::types::{CommitItem, RevealItem};
use sp_core::H256;
use tequio_primitives::{
	claim::Claim,
	opening::Opening,
	projection::{Projection, PROJECTED},
	recompute::{Output, OutputOpening, MAX_NEAR, MAX_SHOWN},
	search::{Fault, SearchOpening, Winner, MAX_CLAIM, MAX_FAULTS, MAX_WINNERS},
	AttemptId, ChunkId, Role, MAX_BATCH,
};
use tequio_runtime::{Nonce, Runtime, RuntimeCall};
use tequio_runtime_tests::{keys::Key, sign_as, World};

#[test]
fn the_largest_results_fit_what_full_blocks_leave_to_them() {
	// Each of another task.
	let id = |task| AttemptId { chunk: ChunkId { task, index: u32::MAX }, attempt: u8::MAX };
	let commits = (0..MAX_BATCH).map(|task| CommitItem {
		id: id(task.into()),
		role: Role::Worker,
		claim: Claim::Shares(BoundedVec::truncate_from(vec![u32::MAX; MAX_CLAIM as usize])),
		commitment: H256::repeat_byte(0xff),
	});
	let commit = BoundedVec::truncate_from(commits.collect());
	let reveal = |opening: Opening| {
		let reveals = (0..MAX_BATCH).map(|task| RevealItem {
			id: id(task.into()),
			role: Role::Auditor,
			opening: opening.clone(),
			salt: [0xff; 32],
		});
		let items = BoundedVec::truncate_from(reveals.collect());
		pallet_verification::Call::reveal { items }
	};

	let mut world = World::new().unchecked();
	let limits = <Runtime as frame_system::Config>::BlockWeights::get();
	let limits = limits.get(DispatchClass::Operational);
	for call in [
		pallet_verification::Call::commit { items: commit },
		reveal(largest_of_search()),
		reveal(largest_of_program()),
	] {
		let call = RuntimeCall::Verification(call);
		let transaction = world.read(|| sign_as(&Key::device(1), call, Nonce::MAX, 0));
		let whole = transaction
			.get_dispatch_info()
			.total_weight()
			.saturating_add(limits.base_extrinsic)
			.saturating_add(Weight::from_parts(0, transaction.encoded_size() as u64));
		assert!(whole.all_lte(limits.reserved.unwrap()), "{whole:?}");
	}
}

fn largest_of_search() -> Opening {
	let winner = Winner { nonce: u32::MAX, hash: [0xff; 32] };
	let fault = Fault::UnclaimedShare(u32::MAX);
	Opening::Search(SearchOpening {
		shares: H256::repeat_byte(0xff),
		winners: BoundedVec::truncate_from(vec![winner; MAX_WINNERS as usize]),
		faults: BoundedVec::truncate_from(vec![fault; MAX_FAULTS as usize]),
	})
}

/// Larger than any that is well formed: with all of it shown, outputs called near, and a projection.
fn largest_of_program() -> Opening {
	let numbers = [i32::MIN; PROJECTED];
	let shown = BoundedVec::truncate_from(vec![0xff; MAX_SHOWN as usize]);
	let hash = H256::repeat_byte(0xff);
	let projection = Projection { change: hash, exponent: i16::MIN, scale: u32::MAX, numbers };
	Opening::Output(OutputOpening {
		output: Output { hash, shown },
		near: BoundedVec::truncate_from(vec![hash; MAX_NEAR as usize]),
		projection: Some(projection),
	})
}
