//! Transfers from many accounts, signed beforehand and handed in as fast as the node takes them.

use super::{count, hand_in, Count};
use crate::blocks::{Block, Blocks};
use anyhow::{bail, Context, Result};
use frame_system::AccountInfo;
use jsonrpsee::rpc_params;
use pallet_balances::{AccountData, Call};
use std::time::Duration;
use tequio_harness::{
	accounts::Account, chain::Chain, network::Network, transactions::signed, waiting::until,
};
use tequio_primitives::{Balance, TEQ};
use tequio_runtime::{AccountId, Nonce, Runtime, RuntimeEvent};

/// Accounts that send.
const ACCOUNTS: usize = 256;
/// Transfers of each account: together 1 000 a second for longer than a measurement takes.
const EACH: Nonce = 400;
/// Transfers of each account that the node holds at most: together half of what its pool takes.
const AHEAD: Nonce = 16;
/// What each account has for fees.
const FUNDS: Balance = 10 * TEQ;
/// What is sent.
const AMOUNT: Balance = TEQ / 1_000;
/// For the node's pool to become empty.
const EMPTY: Duration = Duration::from_secs(300);

/// Accounts with money.
pub struct Transfers<'a> {
	network: &'a Network,
	/// A connection of its own, so that looking at blocks waits for no transaction.
	client: Chain,
	accounts: Vec<Account>,
}

impl<'a> Transfers<'a> {
	/// Gives each account money.
	pub async fn fund(network: &'a Network) -> Result<Self> {
		let new = |number| Account::from_uri(&format!("//Sender{number}"));
		let accounts: Vec<_> = (0..ACCOUNTS).map(new).collect::<Result<_>>()?;
		let ids: Vec<_> = accounts.iter().map(Account::id).collect();
		network.fund(&ids, FUNDS).await?;
		Ok(Self { network, client: network.client().await?, accounts })
	}

	/// Sends for so many seconds and counts what gets into blocks; then waits until nothing is left
	/// in the node's pool.
	pub async fn send(&self, seconds: u32) -> Result<Count> {
		let first = self.accounts.first().context("nobody sends")?.id();
		let begun = nonce(&self.client, &first).await?;
		let rounds = self.sign().await?;
		let mut blocks = Blocks::after_best(&self.network.chain).await?;
		let counted = tokio::select! {
			counted = count(&mut blocks, seconds, is_transfer, async |_: &Block| Ok(())) => counted?,
			sent = self.hand_in_all(&first, begun, rounds) => {
				sent?;
				bail!("the node took {EACH} transfers of each account in less than {seconds} s")
			},
		};
		until("the node's pool is empty", EMPTY, async || {
			let pending = self.client.request("author_pendingExtrinsics", rpc_params![]).await?;
			let pending: Vec<String> = serde_json::from_value(pending)?;
			Ok(pending.is_empty().then_some(()))
		})
		.await?;
		Ok(counted)
	}

	/// The next transfers of every account, one round of all accounts after the other.
	async fn sign(&self) -> Result<Vec<Vec<String>>> {
		let mut begun = Vec::new();
		for account in &self.accounts {
			begun.push(self.client.next_nonce(&account.id()).await?);
		}
		let sign = |round: Nonce| -> Vec<String> {
			let receivers = self.accounts.iter().cycle().skip(1);
			let signers = self.accounts.iter().zip(receivers).zip(&begun);
			let sign = |((from, to), begun): ((&Account, &Account), &Nonce)| {
				let dest = to.id().into();
				let call = Call::<Runtime>::transfer_keep_alive { dest, value: AMOUNT };
				signed(from, call.into(), begun + round, 0, self.client.genesis)
			};
			signers.map(sign).collect()
		};
		Ok((0..EACH).map(sign).collect())
	}

	/// Hands in every round, never more than the node's pool takes.
	async fn hand_in_all(
		&self,
		first: &AccountId,
		begun: Nonce,
		rounds: Vec<Vec<String>>,
	) -> Result<()> {
		for (round, extrinsics) in (begun..).zip(rounds) {
			while nonce(&self.client, first).await?.saturating_add(AHEAD) < round {
				tokio::time::sleep(Duration::from_millis(50)).await;
			}
			hand_in(&self.client, &extrinsics).await?;
		}
		Ok(())
	}
}

/// Transactions of an account that are in blocks.
async fn nonce(chain: &Chain, account: &AccountId) -> Result<Nonce> {
	let key = frame_system::Account::<Runtime>::hashed_key_for(account);
	let info: Option<AccountInfo<Nonce, AccountData<Balance>>> = chain.read(key).await?;
	Ok(info.map(|info| info.nonce).unwrap_or_default())
}

fn is_transfer(event: &RuntimeEvent) -> bool {
	matches!(event, RuntimeEvent::Balances(pallet_balances::Event::Transfer { .. }))
}
