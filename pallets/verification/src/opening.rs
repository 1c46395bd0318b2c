//! Which openings are well formed: what can be told without computing anything. Pure.

use sp_core::H256;
use tequio_primitives::{
	claim::Claim,
	opening::{ChunkWork, Opening},
	projection::Projection,
	recompute::OutputOpening,
	search::{meets, Fault, Nonce, SearchOpening},
	Role, WorkClass,
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
			fits_worker(opening, claim.shares(), &spec.target)
		},
		(
			Opening::Search(opening),
			ChunkWork::Search(spec, _),
			Role::Auditor | Role::Referee { .. },
		) => {
			let sub_range = sub_range.unwrap_or_default();
			fits_auditor(opening, claim.shares(), sub_range, &spec.target)
		},
		// Auditors were given the seed that was claimed: were it another one than that of the worker's
		// own bytes, it could have been chosen.
		(Opening::Output(opening), ChunkWork::Recompute(spec), Role::Worker) => {
			let seed = opening.projection.as_ref().map(Projection::seed);
			fits_party(opening, spec.class) && claim.seed() == seed
		},
		(Opening::Output(opening), ChunkWork::Recompute(spec), Role::Auditor) => {
			fits_party(opening, spec.class)
		},
		(Opening::Output(opening), ChunkWork::Recompute(_), Role::Referee { .. }) => {
			opening.output.is_sound()
				&& names_near(opening, revealed)
				&& opening.projection.is_none()
		},
		(Opening::Search(_) | Opening::Output(_), _, _) => false,
	}
}

/// Whether an opening can be a worker's: no faults, and winners among what it claimed.
pub(crate) fn fits_worker(opening: &SearchOpening, shares: &[Nonce], target: &[u8; 32]) -> bool {
	opening.faults.is_empty() && names_winners(opening, shares, target)
}

/// Whether an opening can be an auditor's: faults in order, each where it can be, and winners among
/// what was claimed.
pub(crate) fn fits_auditor(
	opening: &SearchOpening,
	shares: &[Nonce],
	sub_range: (Nonce, u32),
	target: &[u8; 32],
) -> bool {
	let (start, count) = sub_range;
	let claimed = |nonce: &Nonce| shares.binary_search(nonce).is_ok();
	let possible = opening.faults.iter().all(|fault| match fault {
		Fault::FalseShare(nonce) => claimed(nonce),
		Fault::UnclaimedShare(nonce) => {
			!claimed(nonce) && nonce.checked_sub(start).is_some_and(|place| place < count)
		},
	});
	let in_order = opening.faults.windows(2).all(|pair| order(&pair[0]) < order(&pair[1]));
	possible && in_order && names_winners(opening, shares, target)
}

/// Where a fault comes in the list: false shares first, then by nonce.
fn order(fault: &Fault) -> (u8, Nonce) {
	match fault {
		Fault::FalseShare(nonce) => (0, *nonce),
		Fault::UnclaimedShare(nonce) => (1, *nonce),
	}
}

/// Whether the winners are claimed nonces, ascending, whose hashes meet the target.
fn names_winners(opening: &SearchOpening, shares: &[Nonce], target: &[u8; 32]) -> bool {
	let ascending = opening.winners.windows(2).all(|pair| pair[0].nonce < pair[1].nonce);
	let real = opening
		.winners
		.iter()
		.all(|winner| shares.binary_search(&winner.nonce).is_ok() && meets(&winner.hash, target));
	ascending && real
}

/// Whether an opening of a program can be that of its worker or of an auditor: nothing is called near,
/// and there is a projection exactly in the class that is compared by it.
fn fits_party(opening: &OutputOpening, class: WorkClass) -> bool {
	let projection = opening.projection.as_ref();
	let projected = match class {
		WorkClass::BandedF32 => projection.is_some_and(Projection::is_well_formed),
		WorkClass::RandomXSearch
		| WorkClass::ExactF64
		| WorkClass::ExactF32
		| WorkClass::Integer => projection.is_none(),
	};
	opening.output.is_sound() && opening.near.is_empty() && projected && is_tied(opening)
}

/// Whether the projection that somebody shows, if any, is the output. A run that has diverged says
/// nothing. Otherwise referees would look at other numbers than those that were compared.
fn is_tied(opening: &OutputOpening) -> bool {
	let Some(projection) = &opening.projection else { return true };
	if opening.output.has_diverged() {
		projection.is_nothing()
	} else {
		opening.output.hash == projection.output()
	}
}

/// Whether what a referee calls near are outputs that were revealed, ascending, without its own.
fn names_near(opening: &OutputOpening, revealed: &[H256]) -> bool {
	let ascending = opening.near.windows(2).all(|pair| pair[0] < pair[1]);
	let known = |hash: &H256| *hash != opening.output.hash && revealed.contains(hash);
	ascending && opening.near.iter().all(known)
}
