//! Owners stake, register their devices, and are ready when the chain may draw them.

use crate::{
	accounts::Account,
	network::{Network, Owner, BANK},
	waiting::until,
};
use anyhow::{anyhow, Context, Result};
use pallet_workers::{
	Availability, Call, CurrentRules, Device, Devices, Offer, Offers, Rules, SeatHolders, Seats,
	Worker, Workers,
};
use std::time::Duration;
use tequio_primitives::{device::proof_message, Balance, WorkClass, TEQ};
use tequio_runtime::{AccountId, Runtime, RuntimeCall};

/// What an owner has beside its stake, for fees.
const POCKET: Balance = 10 * TEQ;
/// Seats are fixed, and devices signal, some blocks after the registration.
const READY: Duration = Duration::from_secs(300);

/// What every owner of a network offers and stakes.
#[derive(Clone, Debug)]
pub struct Terms {
	/// Classes of work.
	pub classes: Vec<WorkClass>,
	/// Least pay per unit of any of them, in the token's smallest unit.
	pub ask: Balance,
	/// Units that a device does in a block.
	pub rate: u32,
	/// The stake, in the token's smallest unit; at least that of two seats for each class is taken.
	pub stake: Balance,
}

impl Network {
	/// Funds and registers every owner with its device, and waits until all of them can be drawn.
	pub async fn enroll(&mut self, terms: &Terms) -> Result<()> {
		self.register(terms).await?;
		self.ready(&terms.classes).await
	}

	/// Funds and registers every owner with its device.
	pub async fn register(&self, terms: &Terms) -> Result<()> {
		self.enlist(&self.owners().collect::<Vec<_>>(), terms).await
	}

	/// Funds and registers these owners with their devices, whether a node of this network works
	/// for them or not.
	pub async fn enlist(&self, owners: &[&Owner], terms: &Terms) -> Result<()> {
		let rules: Option<Rules> = self.chain.read(CurrentRules::<Runtime>::hashed_key()).await?;
		let seats = Balance::try_from(terms.classes.len())?.saturating_mul(2);
		let stake = terms.stake.max(rules.unwrap_or_default().seat_stake.saturating_mul(seats));
		let accounts: Vec<_> = owners.iter().map(|owner| owner.account.id()).collect();
		self.fund(&accounts, stake.saturating_add(POCKET)).await?;
		let mut pending = Vec::new();
		for owner in owners {
			let call = self.registration(owner, terms, stake)?;
			pending.push(self.chain.send(&owner.account, call).await?);
		}
		for call in pending {
			self.chain.included(call).await?;
		}
		Ok(())
	}

	/// Waits until every owner has seats in these classes and every device accepts work.
	pub async fn ready(&mut self, classes: &[WorkClass]) -> Result<()> {
		until("every owner can be drawn", READY, async || {
			self.expect_running()?;
			for class in classes {
				if !self.all_seated(*class).await? {
					return Ok(None);
				}
			}
			Ok(self.all_accepting().await?.then_some(()))
		})
		.await
		.with_context(|| self.logs())
	}

	/// Sends money to each of these accounts.
	pub async fn fund(&self, accounts: &[AccountId], amount: Balance) -> Result<()> {
		let bank = Account::from_uri(BANK)?;
		let transfer = |account: &AccountId| {
			let dest = account.clone().into();
			RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
				dest,
				value: amount,
			})
		};
		let calls = accounts.iter().map(transfer).collect();
		self.chain.submit(&bank, pallet_utility::Call::<Runtime>::batch_all { calls }).await?;
		Ok(())
	}

	/// A device as the chain knows it.
	pub async fn device(&self, owner: &Owner) -> Result<Option<Device<AccountId>>> {
		self.chain.read(Devices::<Runtime>::hashed_key_for(owner.device.id())).await
	}

	/// An owner as the chain knows it.
	pub async fn worker(&self, owner: &Owner) -> Result<Option<Worker<AccountId>>> {
		self.chain.read(Workers::<Runtime>::hashed_key_for(owner.account.id())).await
	}

	fn registration(&self, owner: &Owner, terms: &Terms, stake: Balance) -> Result<RuntimeCall> {
		let id = owner.account.id();
		let Terms { classes, ask, rate, .. } = terms;
		let offer = |class: &WorkClass| Offer { class: *class, ask: *ask, rate: *rate };
		let offers: Vec<_> = classes.iter().map(offer).collect();
		let offers = Offers::try_from(offers).map_err(|_| anyhow!("too many offers"))?;
		// What `add_device` says that the device has to sign.
		let message = proof_message(&self.chain.genesis, &id);
		let register = Call::<Runtime>::register { offers, stake, payout: id };
		let device = owner.device.id();
		let add_device = Call::<Runtime>::add_device { device, proof: owner.device.sign(&message) };
		let calls = [register, add_device].map(RuntimeCall::Workers).to_vec();
		Ok(pallet_utility::Call::<Runtime>::batch_all { calls }.into())
	}

	async fn all_seated(&self, class: WorkClass) -> Result<bool> {
		let key = Seats::<Runtime>::hashed_key_for(class);
		let seats: SeatHolders<AccountId> = self.chain.read(key).await?.unwrap_or_default();
		let seated = |owner: &Owner| seats.iter().any(|holder| holder.owner == owner.account.id());
		Ok(self.owners().all(seated))
	}

	async fn all_accepting(&self) -> Result<bool> {
		for owner in self.owners() {
			let device = self.device(owner).await?;
			if !device.is_some_and(|device| device.availability == Availability::Accepting) {
				return Ok(false);
			}
		}
		Ok(true)
	}
}
