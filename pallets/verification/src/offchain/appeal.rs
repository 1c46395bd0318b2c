//! Appeals: a panel has found against what this node knows to be right.
//!
//! A node knows that its device was honest where it has kept the result that it had computed for
//! the duty, and that is what the device revealed. Then a finding against it is a mistake, or was
//! bought, and a larger panel will see that: the device appeals, and puts stake of its owner on it.
//! A node that has lost the result does not know, and leaves it to the owner.

use super::{
	device::Device,
	duties,
	memory::{self, Kind, Memory, Sending},
	outbox::Fate,
	Round, LOG_TARGET,
};
use crate::{types::CheckState, Call, CheckOf, Config, Pallet};
use sp_core::H256;
use tequio_primitives::{opening::Opening, Duty, Role};

impl<T: Config> Device<T> {
	/// Appeals wherever a panel has found against what this node knows, among the device's duties
	/// that have not ended.
	pub(super) fn appeal(&self, parts: &[Duty], round: &Round, memory: &mut Memory) {
		for duty in parts.iter().filter(|duty| self.is_wronged(duty, round)) {
			if !memory.duty(duty, round.now).may_send(Kind::Appeal, round.now) {
				continue;
			}
			let Some(nonce) = memory.nonces.next() else { return };
			let call = Call::<T>::appeal { id: duty.id };
			if self.send(call.into(), memory, round.now) == Fate::Sent {
				log::warn!(
					target: LOG_TARGET,
					"a panel has found against {:?} in {duty:?}, but it was honest: it appeals",
					self.account,
				);
				let sending = Sending { at: round.now, nonce };
				memory.duty(duty, round.now).sent(Kind::Appeal, sending);
			}
		}
	}

	/// Whether a panel has found against the device, which may appeal, though it has revealed what
	/// it computed.
	fn is_wronged(&self, duty: &Duty, round: &Round) -> bool {
		let Some(check) = Pallet::<T>::check_of(&duty.id) else { return false };
		let Some(revealed) = self.revealed(duty, &check) else { return false };
		matches!(check.state, CheckState::Appeal { .. })
			&& Pallet::<T>::can_appeal(&self.account, &duty.id)
			&& self.computed(duty, &check, round).as_ref() == Some(revealed)
	}

	/// What the device has revealed as a party to an attempt.
	fn revealed<'a>(&self, duty: &Duty, check: &'a CheckOf<T>) -> Option<&'a Opening> {
		match duty.role {
			Role::Worker => check.worker_opening.as_ref(),
			Role::Auditor => check.auditor(&self.account)?.1.opening.as_ref(),
			Role::Referee { .. } | Role::Appellant { .. } => None,
		}
	}

	/// What this node has computed for a duty and kept.
	fn computed(&self, duty: &Duty, check: &CheckOf<T>, round: &Round) -> Option<Opening> {
		let order = duties::order::<T>(duty, Some(check))?;
		let key = order.job(round.genesis.0, self.bytes, duty)?.key;
		let work = memory::load_work(&self.bytes, duty, &H256(key.order))?;
		Some(work.opening)
	}
}
