use crate::{mock::*, AuditRules, CurrentRules, Rules};
use sp_runtime::Perquintill;
use tequio_primitives::{
	reputation::Reputation,
	terms::{audit_terms, AuditPlan, AuditPolicy, AuditTerms, Priced},
	workers::Candidate,
	WorkClass, MAX_AUDITORS,
};

const V_MAX: u128 = 7_000;

fn terms(class: WorkClass, replicas: u8, candidate: &Candidate) -> AuditTerms {
	within(class, replicas, candidate, 512)
}

fn within(class: WorkClass, replicas: u8, candidate: &Candidate, deadline: u32) -> AuditTerms {
	let work = Priced { class, max_payment: V_MAX, replicas, deadline };
	Verification::terms(&work, candidate).unwrap()
}

/// Somebody who has passed so many audits worth so much together.
fn known(passed: u32, streak: u128) -> Candidate {
	let reputation = Reputation { passed, streak, ..Default::default() };
	Candidate { reputation, exposed: false }
}

#[test]
fn searches_are_always_audited_by_two_on_the_terms_of_the_rules() {
	ExtBuilder::default().build_and_execute(|| {
		let plan =
			AuditPlan { audit_rate: Perquintill::one(), auditors: 2, second: Perquintill::zero() };
		let expected = audit_terms(V_MAX, plan, &Rules::default().adversary).unwrap();
		for candidate in [known(0, 0), known(1_000, 1_000 * V_MAX)] {
			assert_eq!(terms(WorkClass::RandomXSearch, 1, &candidate), expected);
		}
		assert_eq!(Verification::most_audits(WorkClass::RandomXSearch, 1), 2);
	});
}

#[test]
fn programs_are_audited_the_less_the_more_their_owner_has_passed() {
	ExtBuilder::default().build_and_execute(|| {
		let rate = |candidate: Candidate| terms(WorkClass::ExactF64, 1, &candidate).audit_rate;
		let percent = Perquintill::from_percent;
		assert_eq!(rate(known(0, 0)), percent(100));
		assert_eq!(rate(known(9, 100 * V_MAX)), percent(100));
		assert_eq!(rate(known(10, V_MAX)), percent(100));
		assert_eq!(rate(known(10, 2 * V_MAX)), percent(50));
		assert_eq!(rate(known(10, 5 * V_MAX)), percent(20));
		assert_eq!(rate(known(10, 100 * V_MAX)), percent(20));
	});
}

#[test]
fn who_may_wait_long_for_blocks_that_suit_him_puts_more_at_stake() {
	ExtBuilder::default().build_and_execute(|| {
		let (class, trusted) = (WorkClass::ExactF64, known(10, 100 * V_MAX));
		let (short, long) = (within(class, 1, &trusted, 512), within(class, 1, &trusted, 513));
		assert_eq!(short.audit_rate, long.audit_rate);
		assert!(long.collateral > 2 * short.collateral);
		// An audit that is certain cannot be avoided by waiting.
		let stranger = known(0, 0);
		assert_eq!(within(class, 1, &stranger, 28_800), within(class, 1, &stranger, 16));
	});
}

#[test]
fn fewer_audits_ask_for_more_collateral() {
	ExtBuilder::default().build_and_execute(|| {
		let always = terms(WorkClass::Integer, 1, &known(0, 0));
		let seldom = terms(WorkClass::Integer, 1, &known(10, 100 * V_MAX));
		assert!(seldom.collateral > 5 * always.collateral);
		assert_eq!((seldom.auditors, seldom.second), (1, Perquintill::from_percent(20)));
		assert_eq!(Verification::most_audits(WorkClass::Integer, 1), 2);
	});
}

#[test]
fn in_a_small_class_and_for_replicas_everything_is_audited() {
	ExtBuilder::default().build_and_execute(|| {
		let trusted = known(10, 100 * V_MAX);
		let exposed = Candidate { exposed: true, ..trusted };
		let whole = Perquintill::one();
		for class in [WorkClass::ExactF32, WorkClass::BandedF32] {
			assert_eq!(terms(class, 1, &exposed).audit_rate, whole);
			for replicas in 2..=7 {
				let terms = terms(class, replicas, &trusted);
				assert_eq!((terms.audit_rate, terms.auditors), (whole, replicas - 1));
				assert_eq!(terms.second, Perquintill::from_percent(20));
				assert_eq!(Verification::most_audits(class, replicas), replicas);
			}
		}
	});
}

#[test]
fn no_audit_has_more_auditors_than_a_check_has_places() {
	let audits = AuditRules { auditors: 6, ..Rules::default().programs };
	let rules = Rules { programs: audits, search: audits, ..Default::default() };
	ExtBuilder::default().rules(rules).build_and_execute(|| {
		for class in WorkClass::ALL {
			for replicas in 1..=7 {
				let terms = terms(class, replicas, &known(0, 0));
				let most = Verification::most_audits(class, replicas);
				assert!((terms.auditors..=7).contains(&most) && u32::from(most) <= MAX_AUDITORS);
			}
		}
	});
}

#[test]
fn terms_follow_the_rules_in_force() {
	ExtBuilder::default().build_and_execute(|| {
		let before = terms(WorkClass::ExactF64, 1, &known(10, 100 * V_MAX));
		let audits =
			AuditRules { floor: Perquintill::from_percent(40), ..Rules::default().programs };
		CurrentRules::<Test>::put(Rules { programs: audits, ..Default::default() });
		let after = terms(WorkClass::ExactF64, 1, &known(10, 100 * V_MAX));
		assert_eq!(after.audit_rate, Perquintill::from_percent(40));
		assert!(after.collateral < before.collateral);
	});
}
