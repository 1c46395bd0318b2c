use crate::{mock::*, CurrentRules, Rules};
use sp_runtime::Perquintill;
use tequio_primitives::{
	terms::{audit_terms, AuditPolicy},
	WorkClass,
};

#[test]
fn genesis_sets_the_rules() {
	let rules = Rules { draw_window: 1, reveal_period: 5, ..Default::default() };
	ExtBuilder::default().rules(rules).build_and_execute(|| {
		assert_eq!(CurrentRules::<Test>::get(), rules);
	});
}

#[test]
#[should_panic(expected = "draw_window")]
fn genesis_should_fail_when_the_window_is_longer_than_outputs_are_kept() {
	ExtBuilder::default().rules(Rules { draw_window: 17, ..Default::default() }).build();
}

#[test]
#[should_panic(expected = "reveal_period")]
fn genesis_should_fail_when_nobody_could_reveal() {
	ExtBuilder::default().rules(Rules { reveal_period: 0, ..Default::default() }).build();
}

#[test]
fn searches_are_always_audited_on_the_terms_of_the_rules() {
	ExtBuilder::default().build_and_execute(|| {
		let terms = Verification::terms(WorkClass::RandomXSearch, 7_000).unwrap();
		let adversary = Rules::default().adversary;
		assert_eq!(terms.audit_rate, Perquintill::one());
		assert_eq!(Some(terms), audit_terms(7_000, Perquintill::one(), &adversary));
	});
}
