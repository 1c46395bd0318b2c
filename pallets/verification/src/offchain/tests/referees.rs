//! Seats on panels.

use super::steps::{go_on_until, hook, skip, state, with_many};
use crate::{
	mock::{first, System, Test},
	offchain::mock::Node,
	types::CheckState,
	CurrentRules, Panels,
};
use tequio_interface::job::JobKey;

/// Role number of the referees of the first panel.
const FIRST_PANEL: u8 = 2;

/// Jobs in the worker process for the first panel.
fn jobs(node: &Node) -> Vec<JobKey> {
	node.desk.keys().into_iter().filter(|key| key.role == FIRST_PANEL).collect()
}

/// Both auditors accuse the worker, and so there is a panel. Goes on to where all of its referees
/// have committed.
fn to_panel_reveal(node: &Node) {
	let auditors_accuse = |key: &JobKey| key.role == 1;
	go_on_until(node, auditors_accuse, |state| matches!(state, CheckState::Panel { .. }));
	// Two are drawn at a time. The first have committed when the third is drawn, and wait.
	go_on_until(node, auditors_accuse, |state| {
		matches!(state, CheckState::Panel { vacant: None, .. })
	});
	hook();
	assert_eq!(jobs(node).len(), 3);
	node.desk.finish();
	hook();
	node.pool.include();
	assert!(matches!(state(), Some(CheckState::PanelReveal { .. })));
	assert!(committed(0));
}

/// Whether every referee of a panel has committed and none has revealed.
fn committed(level: u8) -> bool {
	let panel = Panels::<Test>::get(first(), level).unwrap();
	panel.places.iter().all(|place| place.commitment.is_some() && place.said.is_none())
}

#[test]
fn a_referee_computes_commits_and_reveals_what_is_final() {
	with_many(|node| {
		to_panel_reveal(node);
		let since = System::block_number();
		skip(2);
		node.desk.finalize(since - 1);
		hook();
		assert!(node.pool.pending().is_empty());
		node.desk.finalize(since);
		for _ in 0..2 {
			hook();
			assert_eq!(node.pool.pending().len(), 3);
		}
		assert_eq!(node.pool.include(), 3);
		let panel = Panels::<Test>::get(first(), 0).unwrap();
		assert!(panel.places.iter().all(|place| place.said.is_some()));
		hook();
		assert!(jobs(node).is_empty());
		assert!(node.pool.pending().is_empty());
	});
}

#[test]
fn a_finality_that_stalls_convicts_no_referee() {
	with_many(|node| {
		to_panel_reveal(node);
		node.desk.finalize(0);
		skip(CurrentRules::<Test>::get().reveal_period / 2 - 1);
		hook();
		assert!(node.pool.pending().is_empty());
		skip(1);
		hook();
		assert_eq!(node.pool.include(), 3);
	});
}

#[test]
fn referees_of_a_larger_panel_compute_for_themselves() {
	with_many(|node| {
		// The first panel finds the worker wrong; the worker appeals.
		let accuses = |key: &JobKey| (1..=FIRST_PANEL).contains(&key.role);
		go_on_until(node, accuses, |state| matches!(state, CheckState::Appeal { .. }));
		go_on_until(node, accuses, |state| matches!(state, CheckState::Panel { .. }));
		let panel = || Panels::<Test>::get(first(), 1).unwrap();
		assert!(panel().votes > 3);
		go_on_until(node, accuses, |state| matches!(state, CheckState::PanelReveal { .. }));
		assert!(committed(1));
		let of_panel = |key: &&JobKey| key.role == FIRST_PANEL + 1;
		let keys = node.desk.keys();
		assert_eq!(keys.iter().filter(of_panel).count(), panel().places.len());
	});
}
