//! On which terms work is assigned.

use crate::{Config, CurrentRules, Pallet, Rules};
use sp_runtime::Perquintill;
use tequio_primitives::{
	terms::{audit_terms, AuditPlan, AuditPolicy, AuditTerms, Priced},
	workers::Candidate,
	WorkClass, MAX_AUDITORS,
};

impl<T: Config> AuditPolicy for Pallet<T> {
	fn most_audits(class: WorkClass, replicas: u8) -> u8 {
		let (auditors, second) = auditors(&CurrentRules::<T>::get(), class, replicas);
		auditors.saturating_add(u8::from(!second.is_zero()))
	}

	fn terms(work: &Priced, candidate: &Candidate) -> Option<AuditTerms> {
		let rules = CurrentRules::<T>::get();
		let (auditors, second) = auditors(&rules, work.class, work.replicas);
		let audit_rate = if candidate.exposed || work.replicas > 1 {
			Perquintill::one()
		} else {
			let floor = rules.audits(work.class).floor;
			candidate.reputation.audit_rate(work.max_payment, floor, &rules.trust)
		};
		let mut adversary = rules.adversary;
		// An audit that is certain cannot be blanked, however long one waits.
		if work.deadline > rules.patience && !audit_rate.is_one() {
			let blanked = adversary.blanked_draws.max(rules.blanked_with_patience);
			adversary.blanked_draws = blanked;
		}
		let plan = AuditPlan { audit_rate, auditors, second };
		audit_terms(work.max_payment, plan, &adversary)
	}
}

/// Auditors of an audit, at least one for each replica beside the worker's own, and the chance of
/// one more where there is room for it.
fn auditors(rules: &Rules, class: WorkClass, replicas: u8) -> (u8, Perquintill) {
	let audits = rules.audits(class);
	let auditors = audits.auditors.max(replicas.saturating_sub(1));
	let second =
		if u32::from(auditors) < MAX_AUDITORS { audits.second } else { Perquintill::zero() };
	(auditors, second)
}
