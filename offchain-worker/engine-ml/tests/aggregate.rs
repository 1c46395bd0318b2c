//! Aggregation: clipping, the three rules, and the outer optimiser.

#![allow(clippy::unwrap_used)]

use proptest::{collection::vec, prelude::*};
use tequio_engine_ml::{
	aggregate::{
		aggregate,
		outer::{Outer, OuterError, MAX_LEARNING_RATE, MILLIONTHS},
		AggregateError, Clip, Contribution, Method, Rule, MAX_CONTRIBUTIONS,
	},
	safetensors::NotFinite,
	tensor::{State, Tensor},
};
use AggregateError::*;

/// A change of two tensors: the first number, and the others.
fn state(elements: &[f64]) -> State {
	let (bias, weight) = elements.split_at(1);
	let tensor = |elements: &[f64]| Tensor::new(vec![elements.len()], elements.to_vec()).unwrap();
	State(vec![("0.bias".into(), tensor(bias)), ("0.weight".into(), tensor(weight))])
}

fn elements(state: &State) -> Vec<f64> {
	state.0.iter().flat_map(|(_, tensor)| tensor.data()).copied().collect()
}

/// Contributions of one sample each.
fn even(changes: &[State]) -> Vec<Contribution<'_>> {
	changes.iter().map(|change| Contribution { change, samples: 1 }).collect()
}

fn states<const N: usize>(changes: &[[f64; N]]) -> Vec<State> {
	changes.iter().map(|change| state(change)).collect()
}

#[test]
fn the_mean_is_weighted_by_samples() {
	// Both norms are 5, so nothing is clipped.
	let changes = states(&[[3.0, 4.0], [-5.0, 0.0]]);
	let contributions = [
		Contribution { change: &changes[0], samples: 3 },
		Contribution { change: &changes[1], samples: 1 },
	];
	let aggregated = aggregate(&contributions, Rule::Mean).unwrap();
	assert_eq!(elements(&aggregated.change), [1.0, 3.0]);
	assert_eq!((aggregated.clipping.bound, aggregated.kept), (5.0, vec![0, 1]));
	assert_eq!(aggregated.clipping.scales, [1.0, 1.0]);
	assert!(aggregated.change.same_shapes(&changes[0]));
}

#[test]
fn whoever_is_alone_is_the_result() {
	let changes = states(&[[0.5, -0.25, 8.0]]);
	let contributions = [Contribution { change: &changes[0], samples: u32::MAX }];
	assert_eq!(aggregate(&contributions, Rule::Mean).unwrap().change, changes[0]);
	let trimmed = aggregate(&contributions, Rule::TrimmedMean { trim: 0 }).unwrap();
	assert_eq!(trimmed.change, changes[0]);
}

#[test]
fn norms_are_clipped_to_their_median() {
	// Norms 5, 10 and 1: the median is 5, so the second one is halved.
	let changes = states(&[[3.0, 4.0], [6.0, 8.0], [1.0, 0.0]]);
	let aggregated = aggregate(&even(&changes), Rule::Mean).unwrap();
	assert_eq!(aggregated.clipping.bound, 5.0);
	assert_eq!(aggregated.clipping.scales, [1.0, 0.5, 1.0]);
	assert_eq!(elements(&aggregated.change), [7.0 / 3.0, 8.0 / 3.0]);
}

#[test]
fn norms_may_be_several_medians() {
	// Norms 5, 20 and 1.
	let changes = states(&[[3.0, 4.0], [12.0, 16.0], [1.0, 0.0]]);
	let clipped = |clip| {
		let method = Method { clip: Clip(clip), rule: Rule::Mean };
		aggregate(&even(&changes), method).map(|aggregated| aggregated.clipping)
	};
	for (clip, bound, scale) in
		[(1_000_000, 5.0, 0.25), (2_000_000, 10.0, 0.5), (8_000_000, 40.0, 1.0)]
	{
		let clipping = clipped(clip).unwrap();
		assert_eq!((clipping.bound, clipping.scales), (bound, vec![1.0, scale, 1.0]));
	}
	assert!(clipped(1_000_000_000).is_ok());
	for clip in [0, 999_999, 1_000_000_001, u32::MAX] {
		assert_eq!(clipped(clip), Err(AggregateError::Clip(clip)));
	}
}

#[test]
fn one_of_two_cannot_raise_the_bound() {
	let changes = states(&[[3.0, 4.0], [3e9, 4e9]]);
	let aggregated = aggregate(&even(&changes), Rule::Mean).unwrap();
	assert_eq!(aggregated.clipping.bound, 5.0);
	assert!((aggregated.change.norm() - 5.0).abs() < 1e-9);
}

#[test]
fn a_bound_of_zero_leaves_nothing() {
	let changes = states(&[[0.0, 0.0], [0.0, 0.0], [1.0, 1.0]]);
	let aggregated = aggregate(&even(&changes), Rule::Mean).unwrap();
	assert_eq!(aggregated.change, changes[0]);
}

#[test]
fn the_trimmed_mean_leaves_out_both_ends_of_each_element() {
	// All norms are 5. Sorted: −5 −3 0 3 4, and −4 0 3 4 5.
	let changes = states(&[[3.0, 4.0], [-3.0, -4.0], [4.0, 3.0], [0.0, 5.0], [-5.0, 0.0]]);
	let trimmed = |trim| aggregate(&even(&changes), Rule::TrimmedMean { trim }).unwrap();
	assert_eq!(elements(&trimmed(2).change), [0.0, 3.0]);
	assert_eq!(elements(&trimmed(1).change), [0.0, 7.0 / 3.0]);
	assert_eq!(trimmed(1).kept, [0, 1, 2, 3, 4]);
}

#[test]
fn multi_krum_keeps_those_that_are_close_to_others() {
	// Norms of about 1; the third and the sixth contribution go the other way.
	let changes = states(&[
		[1.0, 0.0],
		[0.8, 0.6],
		[-1.0, 0.0],
		[0.96, 0.28],
		[1.0, 0.0],
		[0.0, -1.0],
		[0.96, -0.28],
	]);
	let aggregated = aggregate(&even(&changes), Rule::MultiKrum { faulty: 2 }).unwrap();
	// n − f − 2 = 3 are kept. Sums of the squared distances to the nearest three, to 4 digits:
	// 0: 0 + .08 + .08 = .16        1: .1280 + .4 + .4 = .9280      3: .08 + .08 + .1280 = .2880
	// 4: as 0                       6: .08 + .08 + .3136 = .4736    2 and 5: above 3
	assert_eq!(aggregated.kept, [0, 3, 4]);
	assert_eq!(elements(&aggregated.change), [(1.0 + 0.96 + 1.0) / 3.0, 0.28 / 3.0]);
}

#[test]
fn multi_krum_keeps_the_earlier_of_equals_and_weights_by_samples() {
	let changes = states(&[[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]]);
	let samples = [3, 1, 5, 7];
	let contributions: Vec<_> = changes
		.iter()
		.zip(samples)
		.map(|(change, samples)| Contribution { change, samples })
		.collect();
	let aggregated = aggregate(&contributions, Rule::MultiKrum { faulty: 0 }).unwrap();
	assert_eq!(aggregated.kept, [0, 1]);
	assert_eq!(elements(&aggregated.change), [0.75, 0.25]);
}

#[test]
fn aggregate_should_fail_when_contributions_are_bad() {
	let good = state(&[1.0, 2.0]);
	let refused = |bad: &State, samples| {
		let pair =
			[Contribution { change: &good, samples: 1 }, Contribution { change: bad, samples }];
		aggregate(&pair, Rule::Mean).unwrap_err()
	};
	assert_eq!(refused(&good, 0), NoSamples(1));
	assert_eq!(refused(&state(&[1.0, 2.0, 3.0]), 1), OtherShapes(1));
	assert_eq!(refused(&State::default(), 1), OtherShapes(1));
	let source = NotFinite { name: "0.weight".into(), index: 0 };
	let not_finite = AggregateError::NotFinite { contribution: 1, source };
	assert_eq!(refused(&state(&[1.0, f64::NAN]), 1), not_finite);
	assert_eq!(refused(&state(&[1.0, f64::INFINITY]), 1), not_finite);
	assert_eq!(refused(&state(&[1.0, 1e200]), 1), NormOverflows(1));
}

#[test]
fn aggregate_should_fail_when_there_are_too_few_or_too_many() {
	assert_eq!(aggregate(&[], Rule::Mean), Err(Contributions(0)));
	let changes = vec![state(&[1.0, 2.0]); MAX_CONTRIBUTIONS + 1];
	let most = aggregate(&even(&changes[1..]), Rule::Mean).unwrap();
	assert_eq!(most.kept.len(), MAX_CONTRIBUTIONS);
	let too_many = aggregate(&even(&changes), Rule::Mean);
	assert_eq!(too_many, Err(Contributions(MAX_CONTRIBUTIONS + 1)));
	for (rule, least) in [
		(Rule::TrimmedMean { trim: 2 }, 5),
		(Rule::MultiKrum { faulty: 2 }, 7),
		(Rule::MultiKrum { faulty: 0 }, 3),
	] {
		let given = least - 1;
		let refused = aggregate(&even(&changes[..given]), rule);
		assert_eq!(refused, Err(TooFew { given, least }), "{rule:?}");
		assert!(aggregate(&even(&changes[..least]), rule).is_ok(), "{rule:?}");
	}
	let most = Rule::MultiKrum { faulty: u16::MAX };
	let refused = TooFew { given: 1, least: 2 * 65_535 + 3 };
	assert_eq!(aggregate(&even(&changes[..1]), most), Err(refused));
}

#[test]
fn rules_are_written_in_json() {
	for (rule, json) in [
		(Rule::Mean, r#""mean""#),
		(Rule::TrimmedMean { trim: 2 }, r#"{"trimmed_mean":{"trim":2}}"#),
		(Rule::MultiKrum { faulty: 1 }, r#"{"multi_krum":{"faulty":1}}"#),
	] {
		assert_eq!(serde_json::to_string(&rule).unwrap(), json);
		assert_eq!(serde_json::from_str::<Rule>(json).unwrap(), rule);
	}
	for wrong in [r#""median""#, r#"{"trimmed_mean":{"trim":-1}}"#, r#"{"multi_krum":{"f":1}}"#] {
		assert!(serde_json::from_str::<Rule>(wrong).is_err(), "{wrong}");
	}
}

#[test]
fn the_plain_outer_step_adds_the_change() {
	let (weights, change) = (state(&[1.0, 2.0]), state(&[0.5, -0.25]));
	let momentum = weights.zeros_like();
	let (after, momentum) = Outer::PLAIN.step(&weights, &momentum, &change).unwrap();
	assert_eq!(elements(&after), [1.5, 1.75]);
	assert_eq!(momentum, change);
}

#[test]
fn the_outer_step_is_nesterovs() {
	// η = 0.5, µ = 0.5, and a change of 1 twice, from 0:
	// v = 1, w = 0.5 · (1 + 0.5) = 0.75; then v = 1.5, w = 0.75 + 0.5 · (1 + 0.75) = 1.625.
	let outer = Outer { learning_rate: 500_000, momentum: 500_000 };
	let (zero, one) = (state(&[0.0, 0.0]), state(&[1.0, -1.0]));
	let (weights, momentum) = outer.step(&zero, &zero, &one).unwrap();
	assert_eq!(elements(&weights), [0.75, -0.75]);
	assert_eq!(elements(&momentum), [1.0, -1.0]);
	let (weights, momentum) = outer.step(&weights, &momentum, &one).unwrap();
	assert_eq!(elements(&weights), [1.625, -1.625]);
	assert_eq!(elements(&momentum), [1.5, -1.5]);
}

#[test]
fn the_outer_step_should_fail_when_numbers_are_out_of_bounds() {
	let (learning_rate, momentum) = (MILLIONTHS, 0);
	for (outer, refused) in [
		(Outer { learning_rate: 0, momentum }, OuterError::LearningRate(0)),
		(
			Outer { learning_rate: MAX_LEARNING_RATE + 1, momentum },
			OuterError::LearningRate(MAX_LEARNING_RATE + 1),
		),
		(Outer { learning_rate, momentum: MILLIONTHS }, OuterError::Momentum(MILLIONTHS)),
	] {
		assert_eq!(outer.check(), Err(refused.clone()));
		let one = state(&[1.0, 1.0]);
		assert_eq!(outer.step(&one, &one, &one), Err(refused));
	}
	let (one, other) = (state(&[1.0, 1.0]), state(&[1.0, 1.0, 1.0]));
	assert_eq!(Outer::PLAIN.step(&one, &other, &one), Err(OuterError::OtherShapes));
	assert_eq!(Outer::PLAIN.step(&one, &one, &other), Err(OuterError::OtherShapes));
	let large = state(&[1.0, f64::MAX]);
	let overflow = NotFinite { name: "0.weight".into(), index: 0 };
	assert_eq!(Outer::PLAIN.step(&large, &one, &large), Err(overflow.into()));
}

/// Up to eight changes of the same five elements.
fn changes() -> impl Strategy<Value = Vec<State>> {
	vec(vec(-1e3..1e3f64, 5), 1..9)
		.prop_map(|changes| changes.iter().map(|one| state(one)).collect::<Vec<_>>())
}

proptest! {
	#[test]
	fn the_mean_is_no_longer_than_the_bound(changes in changes()) {
		let aggregated = aggregate(&even(&changes), Rule::Mean).unwrap();
		let bound = aggregated.clipping.bound;
		prop_assert!(aggregated.change.norm() <= bound * (1.0 + 1e-12));
		let below = changes.iter().filter(|change| change.norm() <= bound).count();
		prop_assert!(2 * below >= changes.len());
	}

	#[test]
	fn a_minority_moves_the_mean_by_no_more_than_its_part(
		honest in vec(vec(-1.0..1.0f64, 5), 3..6),
		false_one in vec(-1e9..1e9f64, 5),
	) {
		let mut all: Vec<_> = honest.iter().map(|one| state(one)).collect();
		let largest = all.iter().map(State::norm).fold(0.0, f64::max);
		all.push(state(&false_one));
		let aggregated = aggregate(&even(&all), Rule::Mean).unwrap();
		prop_assert!(aggregated.clipping.bound <= largest);
		prop_assert!(aggregated.change.norm() <= largest * (1.0 + 1e-12));
	}

	#[test]
	fn trimmed_means_lie_between_the_clipped_values(changes in changes(), trim in 0u16..4) {
		let rule = Rule::TrimmedMean { trim };
		let Ok(aggregated) = aggregate(&even(&changes), rule) else {
			prop_assert!(changes.len() <= 2 * usize::from(trim));
			return Ok(());
		};
		for (place, element) in elements(&aggregated.change).into_iter().enumerate() {
			let scales = &aggregated.clipping.scales;
			let values = changes.iter().zip(scales).map(|(one, scale)| elements(one)[place] * scale);
			let (least, most) = values.fold((f64::MAX, f64::MIN), |(least, most), value| {
				(least.min(value), most.max(value))
			});
			prop_assert!(least - 1e-9 <= element && element <= most + 1e-9);
		}
	}

	#[test]
	fn multi_krum_keeps_as_many_as_it_should(changes in changes(), faulty in 0u16..3) {
		let rule = Rule::MultiKrum { faulty };
		let (given, faulty) = (changes.len(), usize::from(faulty));
		match aggregate(&even(&changes), rule) {
			Ok(aggregated) => {
				prop_assert_eq!(aggregated.kept.len(), given - faulty - 2);
				prop_assert!(aggregated.kept.windows(2).all(|pair| pair[0] < pair[1]));
			},
			Err(refused) => {
				prop_assert_eq!(refused, TooFew { given, least: 2 * faulty + 3 });
			},
		}
	}
}
