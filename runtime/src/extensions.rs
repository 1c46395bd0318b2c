//! What is checked of every transaction, and what makes some of them free.
//!
//! Devices hold no money. What a device owes the chain, and could deliver now, costs nothing: its
//! own commits and reveals, an appeal, a decline of its own work, a report that it cannot have the
//! input, a change of its availability. Whether a call is one of those is for the pallets to say
//! (`free_call_tags`), and they say so only where the call would succeed in the present state.
//! Everything else pays.
//!
//! A free transaction provides one tag per thing delivered, so that the pool keeps one transaction
//! for each; and it precedes all that pay, whatever their tip, because a full block must not make a
//! device miss its deadline. Results precede declines and signals: who misses a reveal loses its
//! collateral, who signals a block later loses nothing.
//!
//! ## The reserve
//! These calls dispatch in the operational class, which has a quarter of every block for itself (see
//! [`crate::configs::system::NORMAL_RATIO`]). What is not owed cannot be had for money either: a
//! signed call of that class is refused ([`InvalidTransaction::Call`]) unless its signer owes it.
//! Else whoever pays could fill the quarter, by the calls themselves, by the same calls in a
//! `utility` batch, which has the class of what it holds, or by calls that only root may make and
//! that fail. So the reserve is used by nobody but devices, for no more than what they owe: a duty
//! is delivered once, at most as many entries of a call are refused as are taken, and a signal may
//! be given once in a period.
//!
//! The class does not matter to a transaction without a signer: an authorised upgrade may still be
//! applied by anyone.

use crate::{
	AccountId, Balance, Runtime, RuntimeCall, RuntimeOrigin, Tasks, Verification, Workers,
};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use frame_support::{
	dispatch::{DispatchClass, DispatchInfo, DispatchResult, PostDispatchInfo},
	weights::Weight,
};
use pallet_transaction_payment::ChargeTransactionPayment;
use pallet_verification::REFEREE_LOOKUP;
use scale_info::{Type, TypeInfo};
use sp_runtime::{
	traits::{Implication, TransactionExtension, TransactionExtensionMetadata, ValidateResult},
	transaction_validity::{
		InvalidTransaction, TransactionPriority, TransactionSource, TransactionValidityError,
		ValidTransaction,
	},
};
use tequio_primitives::Role;

/// What every transaction carries and is checked for, in this order.
pub type TxExtension = (
	frame_system::AuthorizeCall<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckMortality<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	ChargeUnlessOwed,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);

/// Priority of results that are owed.
pub const FREE_PRIORITY: TransactionPriority = TransactionPriority::MAX / 2;
/// Priority of what else is free. What pays stays below it.
pub const SIGNAL_PRIORITY: TransactionPriority = FREE_PRIORITY - 1;
/// Picoseconds that it takes to tell whether one entry of a call is owed by a worker or an auditor.
/// What is read for that is read again by the call, which counts it.
const LOOKUP: u64 = 20_000_000;
/// Picoseconds that it takes to tell whether an appeal would be taken: the owners of a class are
/// counted, and the bond is bound and freed again.
const APPEAL_LOOKUP: u64 = 500_000_000;

type Charge = ChargeTransactionPayment<Runtime>;

/// The ordinary fee, except that a signer who delivers what it owes pays nothing, no tip either.
///
/// To wallets it is `ChargeTransactionPayment`: same name, same bytes, same metadata.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking)]
pub struct ChargeUnlessOwed(Charge);

impl From<Balance> for ChargeUnlessOwed {
	fn from(tip: Balance) -> Self {
		Self(Charge::from(tip))
	}
}

impl TypeInfo for ChargeUnlessOwed {
	type Identity = Charge;

	fn type_info() -> Type {
		Charge::type_info()
	}
}

/// The outcome of one of the fee's steps.
pub enum Either<Paying> {
	/// Owed to the chain.
	Free {
		/// Weight of the fee's own work, which is not done.
		unspent: Weight,
	},
	/// Not owed: whatever the fee makes of it.
	Paying(Paying),
}

/// What this call delivers of what `who` owes, one tag for each; `None` where it is not owed or
/// could not be delivered now.
pub fn owed_tags(who: &AccountId, call: &RuntimeCall) -> Option<Vec<Vec<u8>>> {
	match call {
		RuntimeCall::Workers(call) => Workers::free_call_tags(who, call),
		RuntimeCall::Verification(call) => Verification::free_call_tags(who, call),
		RuntimeCall::Tasks(call) => Tasks::free_call_tags(who, call),
		_ => None,
	}
}

/// How soon a free call is taken.
fn free_priority(call: &RuntimeCall) -> TransactionPriority {
	match call {
		RuntimeCall::Verification(_) => FREE_PRIORITY,
		_ => SIGNAL_PRIORITY,
	}
}

/// Weight of [`owed_tags`].
fn lookup_weight(call: &RuntimeCall) -> Weight {
	use pallet_verification::Call;
	let of = |role: &Role| match role {
		Role::Referee { .. } => REFEREE_LOOKUP,
		Role::Worker | Role::Auditor | Role::Appellant { .. } => LOOKUP,
	};
	let time = match call {
		RuntimeCall::Verification(call) => match call {
			Call::commit { items } => sum(items.iter().map(|item| of(&item.role))),
			Call::reveal { items } => sum(items.iter().map(|item| of(&item.role))),
			Call::report_bad_input { role, .. } => of(role),
			Call::appeal { .. } => APPEAL_LOOKUP,
			_ => 0,
		},
		RuntimeCall::Workers(pallet_workers::Call::set_accepting { .. })
		| RuntimeCall::Tasks(pallet_tasks::Call::decline { .. }) => LOOKUP,
		_ => 0,
	};
	Weight::from_parts(time, 0)
}

fn sum(times: impl Iterator<Item = u64>) -> u64 {
	times.fold(0, u64::saturating_add)
}

impl TransactionExtension<RuntimeCall> for ChargeUnlessOwed {
	const IDENTIFIER: &'static str = <Charge as TransactionExtension<RuntimeCall>>::IDENTIFIER;
	type Implicit = <Charge as TransactionExtension<RuntimeCall>>::Implicit;
	type Val = Either<<Charge as TransactionExtension<RuntimeCall>>::Val>;
	type Pre = Either<<Charge as TransactionExtension<RuntimeCall>>::Pre>;

	fn metadata() -> Vec<TransactionExtensionMetadata> {
		<Charge as TransactionExtension<RuntimeCall>>::metadata()
	}

	fn implicit(&self) -> Result<Self::Implicit, TransactionValidityError> {
		<Charge as TransactionExtension<RuntimeCall>>::implicit(&self.0)
	}

	fn weight(&self, call: &RuntimeCall) -> Weight {
		self.0.weight(call).saturating_add(lookup_weight(call))
	}

	fn validate(
		&self,
		origin: RuntimeOrigin,
		call: &RuntimeCall,
		info: &DispatchInfo,
		len: usize,
		self_implicit: Self::Implicit,
		inherited_implication: &impl Implication,
		source: TransactionSource,
	) -> ValidateResult<Self::Val, RuntimeCall> {
		let signer = frame_system::ensure_signed(origin.clone()).ok();
		let signed = signer.is_some();
		if let Some(tags) = signer.and_then(|who| owed_tags(&who, call)) {
			let validity = ValidTransaction {
				priority: free_priority(call),
				provides: tags.iter().map(|tag| ("owed", tag).encode()).collect(),
				..Default::default()
			};
			return Ok((validity, Either::Free { unspent: self.0.weight(call) }, origin));
		}
		if signed && info.class == DispatchClass::Operational {
			return Err(InvalidTransaction::Call.into());
		}
		let (mut validity, val, origin) = self.0.validate(
			origin,
			call,
			info,
			len,
			self_implicit,
			inherited_implication,
			source,
		)?;
		validity.priority = validity.priority.min(SIGNAL_PRIORITY - 1);
		Ok((validity, Either::Paying(val), origin))
	}

	fn prepare(
		self,
		val: Self::Val,
		origin: &RuntimeOrigin,
		call: &RuntimeCall,
		info: &DispatchInfo,
		len: usize,
	) -> Result<Self::Pre, TransactionValidityError> {
		match val {
			Either::Free { unspent } => Ok(Either::Free { unspent }),
			Either::Paying(val) => self.0.prepare(val, origin, call, info, len).map(Either::Paying),
		}
	}

	fn post_dispatch_details(
		pre: Self::Pre,
		info: &DispatchInfo,
		post_info: &PostDispatchInfo,
		len: usize,
		result: &DispatchResult,
	) -> Result<Weight, TransactionValidityError> {
		match pre {
			Either::Free { unspent } => Ok(unspent),
			Either::Paying(pre) => {
				<Charge as TransactionExtension<RuntimeCall>>::post_dispatch_details(
					pre, info, post_info, len, result,
				)
			},
		}
	}
}
