//! A client of the chain: storage, runtime APIs and signed calls over JSON-RPC, with the runtime's
//! own types.

use crate::{
	accounts::{Account, Signer},
	transactions::signed,
	waiting::until,
};
use anyhow::{anyhow, bail, ensure, Context, Result};
use codec::{Decode, DecodeAll, Encode};
use frame_support::storage::storage_prefix;
use frame_system::{AccountInfo, EventRecord, Phase};
use jsonrpsee::{
	core::{
		client::{ClientT, Subscription, SubscriptionClientT},
		params::ArrayParams,
		ClientError,
	},
	rpc_params,
	ws_client::{WsClient, WsClientBuilder},
};
use pallet_balances::AccountData;
use serde_json::Value;
use sp_core::{crypto::Ss58Codec, H256};
use std::time::Duration;
use tequio_primitives::{
	api::{DutyStatus, TaskSummary},
	TaskId,
};
use tequio_runtime::{AccountId, Balance, Nonce, Runtime, RuntimeCall, RuntimeError, RuntimeEvent};

/// A call that is in no block after this long will not get into one.
const INCLUSION: Duration = Duration::from_secs(180);

/// A connection to a node.
pub struct Chain {
	client: WsClient,
	/// Hash of the chain's first block.
	pub genesis: H256,
}

/// A call on its way into a block.
pub struct Pending {
	extrinsic: String,
	status: Subscription<Value>,
}

impl Chain {
	/// Connects to a node that listens on this port of the loopback interface, or will within
	/// `patience`.
	pub async fn connect(port: u16, patience: Duration) -> Result<Self> {
		let url = format!("ws://127.0.0.1:{port}");
		let client = until(&format!("{url} answers"), patience, async || {
			Ok(WsClientBuilder::default().build(&url).await.ok())
		})
		.await?;
		let genesis = client.request("chain_getBlockHash", rpc_params![0]).await?;
		Ok(Self { client, genesis })
	}

	/// Any method.
	pub async fn request(&self, method: &str, params: ArrayParams) -> Result<Value> {
		self.client.request(method, params).await.with_context(|| method.to_owned())
	}

	/// The best block.
	pub async fn best(&self) -> Result<H256> {
		Ok(serde_json::from_value(self.request("chain_getBlockHash", rpc_params![]).await?)?)
	}

	/// The last finalised block.
	pub async fn finalised(&self) -> Result<H256> {
		Ok(serde_json::from_value(self.request("chain_getFinalizedHead", rpc_params![]).await?)?)
	}

	/// The block of the best chain with this number, if the chain has come so far.
	pub async fn block(&self, number: u32) -> Result<Option<H256>> {
		let hash = self.request("chain_getBlockHash", rpc_params![number]).await?;
		Ok(serde_json::from_value(hash)?)
	}

	/// A block's number.
	pub async fn number(&self, block: H256) -> Result<u32> {
		let header = self.request("chain_getHeader", rpc_params![block]).await?;
		let number =
			header.get("number").and_then(Value::as_str).context("a header without a number")?;
		Ok(u32::from_str_radix(number.trim_start_matches("0x"), 16)?)
	}

	/// Connected peers of the node.
	pub async fn peers(&self) -> Result<u64> {
		let health = self.request("system_health", rpc_params![]).await?;
		health.get("peers").and_then(Value::as_u64).context("a health without peers")
	}

	/// The value under a storage key at the best block; keys come from `hashed_key_for` of the
	/// runtime's storage items.
	pub async fn read<V: Decode>(&self, key: impl AsRef<[u8]>) -> Result<Option<V>> {
		self.read_at(key, None).await
	}

	/// The value under a storage key at a block.
	pub async fn read_at<V: Decode>(
		&self,
		key: impl AsRef<[u8]>,
		block: Option<H256>,
	) -> Result<Option<V>> {
		match self.request("state_getStorage", rpc_params![to_hex(key.as_ref()), block]).await? {
			Value::Null => Ok(None),
			value => decode(&value).map(Some),
		}
	}

	/// A runtime API's answer at the best block.
	pub async fn call_api<V: Decode>(&self, method: &str, arguments: impl Encode) -> Result<V> {
		let params = rpc_params![method, to_hex(&arguments.encode())];
		decode(&self.request("state_call", params).await?).with_context(|| method.to_owned())
	}

	/// How a task stands.
	pub async fn task_summary(&self, task: TaskId) -> Result<TaskSummary<AccountId>> {
		let summary: Option<_> = self.call_api("WorkApi_task_summary", task).await?;
		summary.with_context(|| format!("there is no task {task}"))
	}

	/// What a device owes.
	pub async fn duties(&self, device: &AccountId) -> Result<Vec<DutyStatus>> {
		self.call_api("WorkApi_duties", device).await
	}

	/// What the chain knows of an account: its transactions so far, its money.
	pub async fn account(
		&self,
		account: &AccountId,
	) -> Result<AccountInfo<Nonce, AccountData<Balance>>> {
		let key = frame_system::Account::<Runtime>::hashed_key_for(account);
		Ok(self.read(key).await?.unwrap_or_default())
	}

	/// What an account has, free and held, in the token's smallest unit.
	pub async fn balance(&self, account: &AccountId) -> Result<AccountData<Balance>> {
		Ok(self.account(account).await?.data)
	}

	/// Signs a call, waits until it is in a block, and returns its events. Fails if the call fails.
	pub async fn submit(
		&self,
		signer: &Account,
		call: impl Into<RuntimeCall>,
	) -> Result<Vec<RuntimeEvent>> {
		let pending = self.send(signer, call).await?;
		self.included(pending).await
	}

	/// Signs a call and hands it to the node.
	pub async fn send(&self, signer: &Account, call: impl Into<RuntimeCall>) -> Result<Pending> {
		let nonce = self.next_nonce(&signer.account()).await?;
		let extrinsic = signed(signer, call.into(), nonce, 0, self.genesis);
		let params = rpc_params![extrinsic.as_str()];
		let (method, end) = ("author_submitAndWatchExtrinsic", "author_unwatchExtrinsic");
		let status = self.client.subscribe(method, params, end).await?;
		Ok(Pending { extrinsic, status })
	}

	/// The number of an account's next transaction, those in the node's pool counted.
	pub async fn next_nonce(&self, account: &AccountId) -> Result<Nonce> {
		let params = rpc_params![account.to_ss58check()];
		Ok(serde_json::from_value(self.request("system_accountNextIndex", params).await?)?)
	}

	/// Hands a transaction to the node, and tells why the node does not take it if it does not.
	pub async fn hand_in(&self, extrinsic: &str) -> Result<Result<(), String>> {
		let method = "author_submitExtrinsic";
		match self.client.request::<H256, _>(method, rpc_params![extrinsic]).await {
			Ok(_) => Ok(Ok(())),
			Err(ClientError::Call(refusal)) => Ok(Err(refusal.to_string())),
			Err(error) => Err(error.into()),
		}
	}

	/// Waits until a call is in a block and returns its events. Fails if the call failed.
	pub async fn included(&self, mut pending: Pending) -> Result<Vec<RuntimeEvent>> {
		let block = tokio::time::timeout(INCLUSION, pending.block()).await;
		let block = block.context("the call is in no block yet; does the chain produce any?")??;
		let extrinsics = self.extrinsics(block).await?;
		let place = extrinsics.iter().position(|extrinsic| *extrinsic == pending.extrinsic);
		let place = u32::try_from(place.context("the block does not hold the call")?)?;
		let events = self.events(block).await?;
		let own = |record: EventRecord<RuntimeEvent, H256>| {
			(record.phase == Phase::ApplyExtrinsic(place)).then_some(record.event)
		};
		let events: Vec<_> = events.into_iter().filter_map(own).collect();
		events.iter().try_for_each(succeeded)?;
		Ok(events)
	}

	/// The transactions of a block in hex, inherents among them.
	pub async fn extrinsics(&self, block: H256) -> Result<Vec<String>> {
		let mut content = self.request("chain_getBlock", rpc_params![block]).await?;
		let extrinsics = content.pointer_mut("/block/extrinsics").map(Value::take);
		Ok(serde_json::from_value(extrinsics.context("a block without extrinsics")?)?)
	}

	/// The events of a block.
	pub async fn events(&self, block: H256) -> Result<Vec<EventRecord<RuntimeEvent, H256>>> {
		let events = self.read_at(storage_prefix(b"System", b"Events"), Some(block)).await?;
		Ok(events.unwrap_or_default())
	}
}

impl Pending {
	/// The block that took the call.
	async fn block(&mut self) -> Result<H256> {
		while let Some(status) = self.status.next().await {
			let status = status?;
			if let Some(block) = status.get("inBlock").or_else(|| status.get("finalized")) {
				return Ok(serde_json::from_value(block.clone())?);
			}
			let waits =
				status == "ready" || status == "future" || status.get("broadcast").is_some();
			ensure!(
				waits || status.get("retracted").is_some(),
				"the node dropped the call: {status}"
			);
		}
		bail!("the node hung up on the call")
	}
}

/// Fails with the error's name if the event is of a failed call.
fn succeeded(event: &RuntimeEvent) -> Result<()> {
	let RuntimeEvent::System(frame_system::Event::ExtrinsicFailed { dispatch_error, .. }) = event
	else {
		return Ok(());
	};
	let named = RuntimeError::from_dispatch_error(*dispatch_error);
	Err(named.map_or_else(
		|| anyhow!("the call failed: {dispatch_error:?}"),
		|error| anyhow!("the call failed: {error:?}"),
	))
}

/// As JSON-RPC writes bytes.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

fn from_hex(digits: &str) -> Result<Vec<u8>> {
	Ok(hex::decode(digits.trim_start_matches("0x"))?)
}

fn decode<V: Decode>(value: &Value) -> Result<V> {
	let bytes = from_hex(value.as_str().context("not hex")?)?;
	Ok(V::decode_all(&mut bytes.as_slice())?)
}
