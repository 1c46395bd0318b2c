use crate::{
	finding::{agrees, implied, outcome, owed_to_auditors, penalty, Purse, Word},
	types::{Said, Standing, Standings, MAX_REFEREES},
	verdict::Outcome,
};
use frame_support::BoundedVec;
use proptest::prelude::*;
use sp_core::H256;
use tequio_primitives::{
	opening::Comparison,
	tasks::{RejectReason::*, UndecidedReason::*},
	Balance,
};
use Comparison::{Equal, Near};
use Standing::{Right, Unclear};

/// What a panel of so many votes finds whose referees have one each.
fn tally(said: &[&Said], shown: &[bool], votes: usize) -> Standings {
	let words: Vec<_> = said.iter().map(|said| Word { votes: 1, said }).collect();
	crate::finding::tally(&words, shown, votes as u64)
}

/// Of a referee whose answer is that of all others.
fn said(list: &[Comparison]) -> Said {
	answered(0, list)
}

fn answered(answer: u8, list: &[Comparison]) -> Said {
	Said { answer: H256::repeat_byte(answer), findings: BoundedVec::truncate_from(list.to_vec()) }
}

fn standings(list: &[Standing]) -> Standings {
	BoundedVec::truncate_from(list.to_vec())
}

/// What a panel finds of one party of whom so many referees say this, and so many the contrary, the
/// others being silent.
fn find(one: Comparison, votes: usize, against: usize, places: usize) -> Standing {
	let contrary = if one == Comparison::Wrong { Equal } else { Comparison::Wrong };
	// Beside a party that each side agrees with.
	let (findings, contrary) = (said(&[one, Equal]), answered(1, &[contrary, Equal]));
	let mut all = vec![&findings; votes];
	all.extend(vec![&contrary; against]);
	tally(&all, &[true, true], places)[0]
}

#[test]
fn a_finding_takes_exactly_two_thirds_of_those_who_revealed() {
	for places in 3..=MAX_REFEREES as usize {
		for revealed in places.div_ceil(2)..=places {
			let enough = (2 * revealed).div_ceil(3);
			for (one, found) in
				[(Equal, Right), (Near, Right), (Comparison::Wrong, Standing::Wrong)]
			{
				assert_eq!(find(one, enough, revealed - enough, places), found, "{enough}");
				let fewer = find(one, enough - 1, revealed - enough + 1, places);
				assert_ne!(fewer, found, "{} of {revealed}", enough - 1);
			}
		}
	}
}

#[test]
fn nothing_is_found_by_fewer_than_half_of_the_places() {
	for places in 3..=MAX_REFEREES as usize {
		let half = places.div_ceil(2);
		for (one, found) in [(Equal, Right), (Comparison::Wrong, Standing::Wrong)] {
			assert_eq!(find(one, half, 0, places), found);
			assert_eq!(find(one, half - 1, 0, places), Unclear);
			assert_eq!(find(one, 0, 0, places), Unclear);
		}
	}
}

#[test]
fn equal_and_near_count_together() {
	let (equal, near, wrong) = (said(&[Equal]), said(&[Near]), said(&[Comparison::Wrong]));
	assert_eq!(tally(&[&equal, &near, &wrong], &[true], 3)[0], Right);
	assert_eq!(tally(&[&wrong, &near, &wrong], &[true], 3)[0], Standing::Wrong);
	assert_eq!(tally(&[&wrong, &near, &wrong, &equal], &[true], 4)[0], Unclear);
}

#[test]
fn who_contradicts_each_other_slashes_nobody() {
	let wrong = |answer| answered(answer, &[Comparison::Wrong]);
	let (first, second, third, fourth) = (wrong(1), wrong(2), wrong(3), wrong(4));
	assert_eq!(tally(&[&first, &second, &third], &[true], 3)[0], Unclear);
	assert_eq!(tally(&[&first, &first, &third, &third], &[true], 4)[0], Unclear);
	// Answers that nobody else has count for nothing.
	assert_eq!(tally(&[&first, &first, &third], &[true], 3)[0], Standing::Wrong);
	assert_eq!(tally(&[&first, &first, &third, &fourth], &[true], 4)[0], Standing::Wrong);
	let right = answered(0, &[Equal]);
	// But half of the places have to say something that counts.
	assert_eq!(tally(&[&right, &first, &second], &[true], 3)[0], Unclear);
	assert_eq!(tally(&[&right, &first, &first], &[true], 3)[0], Standing::Wrong);
}

#[test]
fn nothing_is_found_of_a_party_that_revealed_nothing() {
	let findings = said(&[Equal, Comparison::Wrong, Comparison::Wrong]);
	let found = tally(&[&findings; 3], &[true, false, true], 3);
	assert_eq!(found, standings(&[Right, Unclear, Standing::Wrong]));
}

#[test]
fn a_referee_agrees_by_this_table() {
	for (one, end, same) in [
		(Equal, Right, true),
		(Near, Right, true),
		(Comparison::Wrong, Right, false),
		(Equal, Standing::Wrong, false),
		(Near, Standing::Wrong, false),
		(Comparison::Wrong, Standing::Wrong, true),
		(Equal, Unclear, true),
		(Comparison::Wrong, Unclear, true),
	] {
		assert_eq!(agrees(&[one], &[end]), same, "{one:?} and {end:?}");
		// One party about whom it was wrong is enough.
		assert_eq!(agrees(&[Equal, one], &[Right, end]), same);
		assert!(!agrees(&[one, Equal], &[end, Standing::Wrong]));
	}
}

#[test]
fn the_worker_decides_on_the_outcome() {
	for other in [Right, Standing::Wrong, Unclear] {
		assert_eq!(outcome(&[Right, other]), Outcome::Accepted);
		assert_eq!(outcome(&[Standing::Wrong, other]), Outcome::Rejected(ProvenWrong));
		assert_eq!(outcome(&[Unclear, other]), Outcome::Undecided(Disagreement));
	}
}

#[test]
fn without_a_panel_parties_stand_by_this_table() {
	let wrong = Standing::Wrong;
	for (outcome, shown, expected) in [
		(Outcome::Accepted, vec![true], vec![Right]),
		(Outcome::Accepted, vec![true, true, false], vec![Right, Right, Unclear]),
		(Outcome::Rejected(NotRevealed), vec![false, true, false], vec![wrong, Right, Unclear]),
		(Outcome::Undecided(Disagreement), vec![true, true], vec![Unclear, Unclear]),
		(Outcome::Undecided(NoAuditors), vec![true, false], vec![Unclear, Unclear]),
	] {
		assert_eq!(implied(outcome, &shown), standings(&expected), "{outcome:?} {shown:?}");
	}
}

fn any_comparison() -> impl Strategy<Value = Comparison> {
	prop_oneof![Just(Equal), Just(Near), Just(Comparison::Wrong)]
}

/// What is true of a party: true if it is right.
fn truth(right: bool) -> (Comparison, Standing) {
	if right {
		(Equal, Right)
	} else {
		(Comparison::Wrong, Standing::Wrong)
	}
}

/// A panel: what is true of each party, its size, and what those say who are not honest, by party.
fn panels() -> impl Strategy<Value = (Vec<bool>, usize, Vec<Vec<Comparison>>)> {
	(prop::collection::vec(any::<bool>(), 1..=8), 3usize..=MAX_REFEREES as usize).prop_flat_map(
		|(truths, places)| {
			let one = prop::collection::vec(any_comparison(), truths.len());
			let others = prop::collection::vec(one, 0..=places);
			(Just(truths), Just(places), others)
		},
	)
}

proptest! {
	#[test]
	fn an_honest_supermajority_is_never_overruled((truths, places, others) in panels()) {
		let honest: Vec<_> = truths.iter().map(|right| truth(*right).0).collect();
		let enough = (2 * places).div_ceil(3);
		let honest = vec![said(&honest); enough];
		let others: Vec<_> =
			others.iter().take(places - enough).map(|one| said(one)).collect();
		let all: Vec<_> = others.iter().chain(&honest).collect();
		let found = tally(&all, &vec![true; truths.len()], places);
		let expected: Vec<_> = truths.iter().map(|right| truth(*right).1).collect();
		prop_assert_eq!(found, standings(&expected));
	}

	#[test]
	fn less_than_a_third_gets_nobody_slashed_or_spared(
		(truths, places, liars) in panels(),
		silent in 0usize..=99,
	) {
		let few = places.div_ceil(3) - 1;
		let liars: Vec<_> = liars.iter().take(few).map(|one| said(one)).collect();
		let honest: Vec<_> = truths.iter().map(|right| truth(*right).0).collect();
		let honest = vec![said(&honest); (places - liars.len()).saturating_sub(silent)];
		let all: Vec<_> = liars.iter().chain(&honest).collect();
		let found = tally(&all, &vec![true; truths.len()], places);
		for (right, found) in truths.iter().zip(&found) {
			let opposite = truth(!*right).1;
			prop_assert_ne!(*found, opposite);
		}
		// And of those who told the truth nobody is slashed, whatever was found.
		for honest in &honest {
			prop_assert!(agrees(&honest.findings, &found));
		}
	}

	#[test]
	fn a_panel_says_what_its_size_and_not_its_order_says(
		(truths, places, said_by) in panels(),
	) {
		let mut all: Vec<_> = said_by.iter().map(|one| said(one)).collect();
		let shown = vec![true; truths.len()];
		let found = tally(&all.iter().collect::<Vec<_>>(), &shown, places);
		all.reverse();
		prop_assert_eq!(tally(&all.iter().collect::<Vec<_>>(), &shown, places), found);
	}

	#[test]
	fn referees_get_what_was_collected_for_them_and_no_more(
		referees in 0usize..=142,
		audit_pay in 0..Balance::MAX / 1_000,
		sources in prop::collection::vec(0..Balance::MAX / 1_000, 0..12),
	) {
		let available: Balance = sources.iter().sum();
		let mut purse = Purse::new(referees, audit_pay, available);
		let mut taken: Balance = 0;
		for source in &sources {
			let asked = purse.ask(*source);
			prop_assert!(asked <= *source);
			purse.collect(asked);
			taken += asked;
		}
		let number = referees as Balance;
		let pay = purse.pay();
		// Nothing is left over in the pot.
		prop_assert_eq!(taken, pay * number);
		prop_assert!(pay <= audit_pay);
		let full = audit_pay * number <= available;
		prop_assert!(referees == 0 || !full || pay == audit_pay);
		prop_assert_eq!(purse.ask(Balance::MAX), 0);
	}

	#[test]
	fn referees_get_no_more_than_arrives(
		referees in 1usize..=142,
		audit_pay in 1..Balance::MAX / 1_000,
		sources in prop::collection::vec((0..Balance::MAX / 1_000, 0u32..=4), 1..12),
	) {
		let available: Balance = sources.iter().map(|(source, _)| source).sum();
		let mut purse = Purse::new(referees, audit_pay, available);
		let mut arrived: Balance = 0;
		for (source, quarters) in sources {
			let amount = purse.ask(source) / 4 * Balance::from(quarters);
			purse.collect(amount);
			arrived += amount;
		}
		prop_assert!(purse.pay() * referees as Balance <= arrived);
	}

	#[test]
	fn a_penalty_gives_no_more_than_was_taken(
		collateral in 0..Balance::MAX / 4,
		audit_pay in any::<Balance>(),
		auditors in 0usize..=7,
		finders in 0usize..=7,
		wanted in any::<Balance>(),
	) {
		let owners = |count: usize| (0..count).collect::<Vec<_>>();
		let left = collateral - owed_to_auditors(collateral, audit_pay, auditors);
		let wanted = wanted.min(left);
		let penalty = penalty(
			collateral,
			audit_pay,
			&owners(auditors),
			&owners(finders),
			Some((99, wanted)),
		);
		let parts = penalty.compensation.iter().chain(&penalty.bounty);
		let sum: Balance = parts.chain(&penalty.referees).map(|(_, part)| *part).sum();
		prop_assert!(sum <= collateral);
		prop_assert!(penalty.compensation.iter().all(|(_, part)| *part <= audit_pay));
		prop_assert!(finders > 0 || penalty.bounty.is_empty());
		prop_assert_eq!(penalty.referees, (wanted > 0).then_some((99, wanted)));
		let bounty: Balance = penalty.bounty.iter().map(|(_, part)| *part).sum();
		prop_assert!(bounty <= (left - wanted) * 3 / 10);
	}
}
