use crate::{mock::*, CurrentRules, Rules};

#[test]
fn genesis_sets_the_rules() {
	let rules = Rules { draw_window: 1, reveal_period: 5, ..Default::default() };
	ExtBuilder::default().rules(rules).build_and_execute(|| {
		assert_eq!(CurrentRules::<Test>::get(), rules);
	});
}

#[test]
#[should_panic(expected = "out of the bounds")]
fn genesis_should_fail_when_the_window_is_longer_than_outputs_are_kept() {
	ExtBuilder::default().rules(Rules { draw_window: 16, ..Default::default() }).build();
}

#[test]
#[should_panic(expected = "out of the bounds")]
fn genesis_should_fail_when_nobody_could_reveal() {
	ExtBuilder::default().rules(Rules { reveal_period: 0, ..Default::default() }).build();
}
