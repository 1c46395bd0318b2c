//! On which terms work is assigned.

use crate::{Config, CurrentRules, Pallet};
use sp_runtime::Perquintill;
use tequio_primitives::{
	terms::{audit_terms, AuditPolicy, AuditTerms},
	Balance, WorkClass,
};

impl<T: Config> AuditPolicy for Pallet<T> {
	fn terms(class: WorkClass, max_payment: Balance) -> Option<AuditTerms> {
		let audit_rate = match class {
			WorkClass::RandomXSearch => Perquintill::one(),
		};
		audit_terms(max_payment, audit_rate, &CurrentRules::<T>::get().adversary)
	}
}
