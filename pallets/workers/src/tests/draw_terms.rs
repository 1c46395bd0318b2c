//! Draws ask each candidate for collateral on its own terms.

use crate::mock::*;
use frame_support::assert_ok;
use sp_core::H256;
use sp_runtime::Perquintill;
use tequio_primitives::{
	reputation::{Deed, Trust},
	terms::{audit_terms, Adversary, AuditPlan, AuditTerms},
	workers::{Candidate, Draws, EngageSeats, Need, NoSeat},
	Balance,
};

/// What the work earns at most.
const VALUE: Balance = 10;

fn floor() -> Perquintill {
	Perquintill::from_percent(20)
}

/// Terms like those of `verification`: who has passed two audits is audited less often.
fn by_trust(candidate: &Candidate) -> Option<AuditTerms> {
	let trust = Trust { audits: 2 };
	let audit_rate = match candidate.exposed {
		true => Perquintill::one(),
		false => candidate.reputation.audit_rate(VALUE, floor(), &trust),
	};
	let plan = AuditPlan { audit_rate, auditors: 1, second: Perquintill::zero() };
	audit_terms(VALUE, plan, &Adversary::default())
}

/// Lets an owner pass audits of all it did.
fn earn_trust(number: u8) {
	for task in 0..10 {
		let duty = engage(number, task, 1);
		let deed = Deed::Accepted { value: VALUE, audited: true };
		Workers::release(&seat(number), duty, deed);
	}
}

/// The terms that each owner is drawn on, among those who are drawn with these seeds.
fn drawn_terms(owners: u8) -> Vec<Option<AuditTerms>> {
	let need = Need { terms: &by_trust, ..need(false) };
	let mut found = vec![None; usize::from(owners)];
	for seed in 0..100 {
		let mut draws = Draws::<AccountId, Workers>::default();
		let drawn = draws.draw(H256::from_low_u64_be(seed), &need).seat;
		let Ok((seat, terms)) = drawn else { continue };
		let place = (1..=owners).position(|number| owner(number) == seat.owner).unwrap();
		let known = found[place].get_or_insert(terms);
		assert_eq!(*known, terms);
	}
	found
}

fn audit_rates(owners: u8) -> Vec<Option<Perquintill>> {
	let rate = |terms: Option<AuditTerms>| terms.map(|terms| terms.audit_rate);
	drawn_terms(owners).into_iter().map(rate).collect()
}

#[test]
fn a_trusted_owner_is_audited_less_and_binds_more() {
	build_and_execute(|| {
		(1..=4).for_each(|number| worker(number, 1_000));
		earn_trust(1);
		fix_seats();
		let terms = drawn_terms(4);
		let trusted = terms[0].unwrap();
		assert_eq!(trusted.audit_rate, floor());
		for new in &terms[1..] {
			assert_eq!(new.unwrap().audit_rate, Perquintill::one());
			assert!(trusted.collateral > 5 * new.unwrap().collateral);
		}
	});
}

#[test]
fn an_owner_who_cannot_answer_for_its_trust_is_passed_over() {
	build_and_execute(|| {
		(1..=4).for_each(|number| worker(number, 400));
		earn_trust(1);
		fix_seats();
		// 36 twice is what new ones need; 250 twice is more than there is.
		let rates = audit_rates(4);
		assert_eq!(rates, vec![None, rates[1], rates[2], rates[3]]);
		assert!(rates[1..].iter().all(Option::is_some));
		// It could audit, for which it needs no more than once as much.
		let audit = Need { terms: &by_trust, ..need(true) };
		let mut draws = Draws::<AccountId, Workers>::default();
		let seats = (0..100).map(|seed| draws.draw(H256::from_low_u64_be(seed), &audit).seat);
		assert!(seats.flatten().any(|(seat, _)| seat.owner == owner(1)));
	});
}

#[test]
fn trust_fades() {
	build_and_execute(|| {
		(1..=4).for_each(|number| worker(number, 1_000));
		earn_trust(1);
		poll_at(RULES.half_life * 2);
		// A streak of 25 for a value of 10, by two audits.
		assert_eq!(audit_rates(4)[0], Some(Perquintill::from_percent(40)));
		poll_at(RULES.half_life * 3);
		assert_eq!(audit_rates(4)[0], Some(Perquintill::one()));
	});
}

#[test]
fn nobody_is_trusted_where_owners_are_few() {
	build_and_execute(|| {
		(1..=3).for_each(|number| worker(number, 1_000));
		earn_trust(1);
		fix_seats();
		assert_eq!(audit_rates(3), vec![Some(Perquintill::one()); 3]);
		// The fourth counts from the next fixing on.
		worker(4, 1_000);
		assert_eq!(audit_rates(3), vec![Some(Perquintill::one()); 3]);
		fix_seats();
		assert_eq!(audit_rates(4)[0], Some(floor()));
	});
}

#[test]
fn nobody_is_trusted_where_one_has_too_much() {
	build_and_execute(|| {
		(1..=4).for_each(|number| worker(number, 1_000));
		earn_trust(1);
		fix_seats();
		assert_eq!(audit_rates(4)[0], Some(floor()));
		assert_ok!(Workers::add_stake(RuntimeOrigin::signed(owner(4)), 2_000));
		fix_seats();
		assert_eq!(audit_rates(4)[0], Some(floor()));
		assert_ok!(Workers::add_stake(RuntimeOrigin::signed(owner(4)), 100));
		fix_seats();
		assert_eq!(audit_rates(4)[0], Some(Perquintill::one()));
	});
}

#[test]
fn who_gets_no_terms_is_not_drawn() {
	build_and_execute(|| {
		(1..=4).for_each(|number| worker(number, 1_000));
		earn_trust(1);
		fix_seats();
		let for_trusted = |candidate: &Candidate| {
			by_trust(candidate).filter(|terms| terms.audit_rate < Perquintill::one())
		};
		let need = Need { terms: &for_trusted, ..need(false) };
		for seed in 0..40 {
			let mut draws = Draws::<AccountId, Workers>::default();
			match draws.draw(H256::from_low_u64_be(seed), &need).seat {
				Ok((drawn, _)) => assert_eq!(drawn, seat(1)),
				Err(reason) => assert_eq!(reason, NoSeat::Unfit),
			}
		}
	});
}
