//! Drawing a seat that can do what is needed.

use crate::{
	seats::{self, Table},
	types::{collateral_kept_free, Availability, MAX_DEVICES},
	Config, CurrentRules, Devices, Pallet, Seats, Workers,
};
use alloc::vec::Vec;
use sp_core::H256;
use tequio_primitives::{
	clock::WorkClock,
	draw,
	terms::AuditTerms,
	workers::{Candidate, DrawSeats, Drawn, Holdings, Need, NoSeat, Seat, MAX_LOOKS},
	WorkClass, WorkHeight,
};

/// Seats that one draw looks at before it gives up for this block.
pub const PROBES: u32 = 16;
/// Of so many excluded owners on, draws leave their seats out instead of passing over them: of a
/// panel that takes everybody the last referees would hardly be found otherwise.
const MANY: usize = 4;

/// The seats of a class in a block, with all that draws from them look at besides the owners: it is
/// read once for all of them.
pub struct ClassSeats<AccountId> {
	table: Table<AccountId>,
	exposed: bool,
	now: WorkHeight,
	half_life: u32,
}

impl<T: Config> DrawSeats<T::AccountId> for Pallet<T> {
	type Seats = ClassSeats<T::AccountId>;

	fn seats(class: WorkClass) -> Self::Seats {
		let holders = Seats::<T>::get(class);
		let rules = CurrentRules::<T>::get();
		ClassSeats {
			exposed: seats::are_exposed(&holders, rules.min_owners, rules.max_share),
			table: Table::new(holders),
			now: T::Clock::now(),
			half_life: rules.half_life,
		}
	}

	fn holdings(seats: &Self::Seats, excluded: &[T::AccountId]) -> Holdings {
		seats.table.holdings(excluded)
	}

	fn held_by(seats: &Self::Seats, owner: &T::AccountId) -> u64 {
		seats.table.held_by(owner)
	}

	/// Rejection sampling: a seat that cannot do it is passed over and another one drawn, so that
	/// all that can are equal.
	fn draw(seats: &Self::Seats, seed: H256, need: &Need<T::AccountId>) -> Drawn<T::AccountId> {
		let mut looks = 0;
		let mut passed = Vec::new();
		// Where there are no seats at all, it is not the work that is at fault.
		let mut found = if seats.table.is_empty() { NoSeat::Busy } else { NoSeat::Unfit };
		let others = (need.excluded.len() >= MANY).then(|| seats.table.without(need.excluded));
		let table = others.as_ref().unwrap_or(&seats.table);
		for round in 0..PROBES {
			let Some(owner) = table.pick(draw::number(&seed, round)) else { break };
			if passed.contains(&owner) {
				continue;
			}
			if let Some(index) = need.sitting.iter().position(|sits| sits == owner) {
				return Drawn { seat: Err(NoSeat::Sits(index)), looks };
			}
			// The next owner may have as many devices as can be.
			if looks >= MAX_LOOKS.saturating_sub(MAX_DEVICES) {
				break;
			}
			match Self::seat_for(owner, seats, need, &mut looks) {
				Ok(seat) => return Drawn { seat: Ok(seat), looks },
				Err(NoSeat::Busy) => found = NoSeat::Busy,
				Err(NoSeat::Unfit | NoSeat::Sits(_)) => {},
			}
			passed.push(owner);
		}
		Drawn { seat: Err(found), looks }
	}
}

impl<T: Config> Pallet<T> {
	/// The owner's least loaded device with room, the oldest of several, and the terms for it, if
	/// the owner can do what is needed. Adds the records that it reads to `looks`: one, and one for
	/// each device.
	///
	/// An owner of whose devices none accepts work is not busy, however much it has bound: else it
	/// could have everything drawn for again and again without ever taking anything.
	fn seat_for(
		owner: &T::AccountId,
		seats: &ClassSeats<T::AccountId>,
		need: &Need<T::AccountId>,
		looks: &mut u32,
	) -> Result<(Seat<T::AccountId>, AuditTerms), NoSeat> {
		if need.excluded.contains(owner) {
			return Err(NoSeat::Unfit);
		}
		*looks = looks.saturating_add(1);
		let worker =
			Workers::<T>::get(owner).filter(|worker| worker.serves(need)).ok_or(NoSeat::Unfit)?;
		let reputation = worker.reputation(need.class, seats.now, seats.half_life);
		let candidate = Candidate { reputation, exposed: seats.exposed };
		let terms = (need.terms)(&candidate).ok_or(NoSeat::Unfit)?;
		let collateral = collateral_kept_free(&terms, need.audit);
		if worker.stake < collateral {
			return Err(NoSeat::Unfit);
		}
		*looks = looks.saturating_add(u32::try_from(worker.devices.len()).unwrap_or(MAX_DEVICES));
		let devices = worker.devices.iter().filter_map(|account| {
			let device = Devices::<T>::get(account)?;
			(device.availability == Availability::Accepting).then_some((account, device))
		});
		let accepting: Vec<_> = devices.collect();
		if accepting.is_empty() {
			return Err(NoSeat::Unfit);
		}
		if worker.free_collateral() < collateral {
			return Err(NoSeat::Busy);
		}
		let (device, _) = accepting
			.into_iter()
			.filter(|(_, device)| device.has_room(need.audit))
			.min_by_key(|(_, device)| device.load())
			.ok_or(NoSeat::Busy)?;
		Ok((Seat { owner: owner.clone(), device: device.clone() }, terms))
	}
}
