use crate::{mock::*, types::*, Call, Checks, Error, Event};
use codec::Encode;
use frame_support::assert_ok;
use tequio_primitives::{stage::Stage, AttemptId, ChunkId, Duty, Role, MAX_BATCH};

type Tags = Option<Vec<Vec<u8>>>;

fn tags_of_commit(number: u8, items: Vec<CommitItem>) -> Tags {
	let call = Call::commit { items: batch(items) };
	Verification::free_call_tags(&device(number), &call)
}

fn tags_of_reveal(number: u8, items: Vec<RevealItem>) -> Tags {
	let call = Call::reveal { items: batch(items) };
	Verification::free_call_tags(&device(number), &call)
}

fn tag(number: u8, id: AttemptId, stage: Stage) -> Vec<u8> {
	(id.chunk, id.attempt, stage, device(number)).encode()
}

#[test]
fn results_that_are_owed_are_free() {
	ExtBuilder::default().build_and_execute(|| {
		let (id, next) = (attempt(0, 0), attempt(1, 0));
		assign(id, 1);
		assign(next, 1);
		let work = |id| commit_item(1, id, Role::Worker, &honest(id));
		let expected = vec![tag(1, id, Stage::Assigned), tag(1, next, Stage::Assigned)];
		assert_eq!(tags_of_commit(1, vec![work(id), work(next)]), Some(expected));
		assert_ok!(commit(1, vec![work(id)]));
		assert_eq!(tags_of_commit(1, vec![work(id)]), None);

		run_to_due(id);
		let both = both_auditors(id);
		for auditor in both {
			let item = commit_item(auditor, id, Role::Auditor, &honest(id));
			let expected = vec![tag(auditor, id, Stage::Auditing)];
			assert_eq!(tags_of_commit(auditor, vec![item.clone()]), Some(expected));
			assert_ok!(commit(auditor, vec![item.clone()]));
			assert_eq!(tags_of_commit(auditor, vec![item]), None);
		}
		for (number, role) in [(1, Role::Worker), (both[0], Role::Auditor)] {
			let item = reveal_item(number, id, role, &honest(id));
			let expected = vec![tag(number, id, Stage::Revealing)];
			assert_eq!(tags_of_reveal(number, vec![item.clone()]), Some(expected));
			assert_ok!(reveal(number, vec![item.clone()]));
			assert_eq!(tags_of_reveal(number, vec![item]), None);
		}
	});
}

#[test]
fn an_entry_that_went_out_of_date_does_not_spoil_the_others() {
	ExtBuilder::default().build_and_execute(|| {
		let ids: Vec<AttemptId> = (0..u64::from(MAX_BATCH))
			.map(|task| AttemptId { chunk: ChunkId { task, index: 0 }, attempt: 0 })
			.collect();
		ids.iter().for_each(|id| assign(*id, 1));
		let items: Vec<_> =
			ids.iter().map(|id| commit_item(1, *id, Role::Worker, &honest(*id))).collect();
		assert_eq!(tags_of_commit(1, items.clone()).map(|tags| tags.len()), Some(64));

		let late = ids[10];
		with_doubles(|state| {
			state.assigned.remove(&late);
			state.duties.remove(&(device(1), Duty { id: late, role: Role::Worker }));
		});
		let tags = tags_of_commit(1, items.clone()).unwrap();
		assert_eq!(tags.len(), 63);
		assert!(!tags.contains(&tag(1, late, Stage::Assigned)));
		assert_ok!(commit(1, items));
		assert_eq!(Checks::<Test>::iter().count(), 63);
		let error = Error::<Test>::NotAssigned.into();
		assert_last(Event::ItemRefused { id: late, role: Role::Worker, error });
	});
}

#[test]
fn no_more_is_refused_for_free_than_is_taken() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		assign(id, 1);
		let owed = commit_item(1, id, Role::Worker, &honest(id));
		let other = CommitItem { id: attempt(1, 0), ..owed.clone() };
		let expected = Some(vec![tag(1, id, Stage::Assigned)]);
		assert_eq!(tags_of_commit(1, vec![other.clone(), owed.clone()]), expected);
		// What is there twice is taken once.
		assert_eq!(tags_of_commit(1, vec![owed.clone(), owed.clone()]), expected);
		for spoiled in [vec![other.clone(); 2], vec![other, owed.clone()], vec![owed.clone(); 2]] {
			let items = [vec![owed.clone()], spoiled].concat();
			assert_eq!(tags_of_commit(1, items), None);
		}
	});
}

#[test]
fn anything_else_is_not_free() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		assign(id, 1);
		let work = commit_item(1, id, Role::Worker, &honest(id));
		assert_eq!(tags_of_commit(1, vec![]), None);
		assert_eq!(tags_of_reveal(1, vec![]), None);
		assert_eq!(tags_of_commit(2, vec![work.clone()]), None);
		let referee = CommitItem { role: Role::Referee { level: 0 }, ..work };
		assert_eq!(tags_of_commit(1, vec![referee]), None);
		let advance = Call::advance_agenda { limit: 1 };
		assert_eq!(Verification::free_call_tags(&device(1), &advance), None);
	});
}

#[test]
fn a_wrong_reveal_is_not_free_and_a_doubled_one_is_taken_once() {
	ExtBuilder::default().build_and_execute(|| {
		let id = first();
		let [one, other] = reveals_open(id, 1, [&honest(id), &honest(id), &honest(id)]);
		let wrong = reveal_item(one, id, Role::Auditor, &guessed(id));
		assert_eq!(tags_of_reveal(one, vec![wrong]), None);
		let right = reveal_item(other, id, Role::Auditor, &honest(id));
		let expected = Some(vec![tag(other, id, Stage::Revealing)]);
		assert_eq!(tags_of_reveal(other, vec![right.clone(), right]), expected);
	});
}

fn tags_of_appeal(number: u8, id: AttemptId) -> Tags {
	Verification::free_call_tags(&device(number), &Call::appeal { id })
}

#[test]
fn what_referees_owe_is_free_and_so_is_an_appeal() {
	ExtBuilder::default().accepting(&(1..=12).collect::<Vec<_>>()).build_and_execute(|| {
		let id = first();
		let wrong = accusing(id);
		let [one, _] = panel_called(id, [&honest(id), &wrong, &wrong]);
		let sitting = seated(id, 0);
		for number in &sitting {
			let item = commit_item(*number, id, referee(0), &wrong);
			let expected = vec![tag(*number, id, Stage::Panel)];
			assert_eq!(tags_of_commit(*number, vec![item.clone()]), Some(expected));
			assert_eq!(tags_of_commit(1, vec![item.clone()]), None);
			assert_ok!(commit(*number, vec![item.clone()]));
			assert_eq!(tags_of_commit(*number, vec![item]), None);
		}
		for number in &sitting {
			assert_eq!(tags_of_appeal(1, id), None);
			let item = reveal_item(*number, id, referee(0), &wrong);
			let expected = vec![tag(*number, id, Stage::PanelReveal)];
			assert_eq!(tags_of_reveal(*number, vec![item.clone()]), Some(expected));
			assert_ok!(reveal(*number, vec![item.clone()]));
			assert_eq!(tags_of_reveal(*number, vec![item]), None);
		}
		run_to(now() + 1);
		assert_eq!(tags_of_appeal(1, id), Some(vec![tag(1, id, Stage::Appeal)]));
		// Who was found right has nothing to doubt, and who has not the bond cannot.
		assert_eq!(tags_of_appeal(one, id), None);
		assert_eq!(tags_of_appeal(sitting[0], id), None);
		with_doubles(|state| state.broke = vec![1]);
		assert_eq!(tags_of_appeal(1, id), None);
	});
}
