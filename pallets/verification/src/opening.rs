//! Which openings are well formed: what can be told without computing anything. Pure.

use sp_core::H256;
use tequio_primitives::{
	opening::{ChunkWork, Opening},
	recompute::OutputOpening,
	search::{meets, Claim, Fault, Nonce, SearchOpening},
	Role,
};

/// Whether an opening can be that of somebody in this role.
///
/// `revealed` are the hashes of outputs that the parties of a panel have revealed, which its referees
/// may call near; it is looked at for nobody else. Without a `sub_range`, auditors and referees of a
/// search have looked at the claimed nonces alone.
pub(crate) fn fits(
	opening: &Opening,
	role: Role,
	claim: &Claim,
	work: &ChunkWork,
	sub_range: Option<(Nonce, u32)>,
	revealed: &[H256],
) -> bool {
	match (opening, work, role) {
		(Opening::Search(opening), ChunkWork::Search(spec, _), Role::Worker) => {
			fits_worker(opening, claim, &spec.target)
		},
		(
			Opening::Search(opening),
			ChunkWork::Search(spec, _),
			Role::Auditor | Role::Referee { .. },
		) => fits_auditor(opening, claim, sub_range.unwrap_or_default(), &spec.target),
		(Opening::Output(opening), ChunkWork::Recompute(_), Role::Worker | Role::Auditor) => {
			opening.output.is_sound() && opening.near.is_empty()
		},
		(Opening::Output(opening), ChunkWork::Recompute(_), Role::Referee { .. }) => {
			opening.output.is_sound() && names_near(opening, revealed)
		},
		(Opening::Search(_) | Opening::Output(_), _, _) => false,
	}
}

/// Whether an opening can be a worker's: no faults, and winners among what it claimed.
pub(crate) fn fits_worker(opening: &SearchOpening, claim: &Claim, target: &[u8; 32]) -> bool {
	opening.faults.is_empty() && names_winners(opening, claim, target)
}

/// Whether an opening can be an auditor's: faults in order, each where it can be, and winners among
/// what was claimed.
pub(crate) fn fits_auditor(
	opening: &SearchOpening,
	claim: &Claim,
	sub_range: (Nonce, u32),
	target: &[u8; 32],
) -> bool {
	let (start, count) = sub_range;
	let claimed = |nonce: &Nonce| claim.binary_search(nonce).is_ok();
	let possible = opening.faults.iter().all(|fault| match fault {
		Fault::FalseShare(nonce) => claimed(nonce),
		Fault::UnclaimedShare(nonce) => {
			!claimed(nonce) && nonce.checked_sub(start).is_some_and(|place| place < count)
		},
	});
	let in_order = opening.faults.windows(2).all(|pair| order(&pair[0]) < order(&pair[1]));
	possible && in_order && names_winners(opening, claim, target)
}

/// Where a fault comes in the list: false shares first, then by nonce.
fn order(fault: &Fault) -> (u8, Nonce) {
	match fault {
		Fault::FalseShare(nonce) => (0, *nonce),
		Fault::UnclaimedShare(nonce) => (1, *nonce),
	}
}

/// Whether the winners are claimed nonces, ascending, whose hashes meet the target.
fn names_winners(opening: &SearchOpening, claim: &Claim, target: &[u8; 32]) -> bool {
	let ascending = opening.winners.windows(2).all(|pair| pair[0].nonce < pair[1].nonce);
	let real = opening
		.winners
		.iter()
		.all(|winner| claim.binary_search(&winner.nonce).is_ok() && meets(&winner.hash, target));
	ascending && real
}

/// Whether what a referee calls near are outputs that were revealed, ascending, without its own.
fn names_near(opening: &OutputOpening, revealed: &[H256]) -> bool {
	let ascending = opening.near.windows(2).all(|pair| pair[0] < pair[1]);
	let known = |hash: &H256| *hash != opening.output.hash && revealed.contains(hash);
	ascending && opening.near.iter().all(known)
}
