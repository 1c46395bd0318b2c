//! Evaluation: counts that add up, labels, and what is refused.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use support::{model_of, shard, tensor, weights};
use tequio_engine_ml::{
	dataset::DatasetError,
	evaluate,
	evaluate::{EvaluateError, LOSS_UNITS},
	network::MAX_MICRO_BATCH,
	Model, State, Tensor,
};

fn identity() -> (Model, State) {
	let model = model_of("[2]", r#"{"kind": "dense", "units": 2, "bias": false}"#);
	let mut weights = model.zeros();
	weights.0[0].1.data_mut().copy_from_slice(&[1.0, 0.0, 0.0, 1.0]);
	(model, weights)
}

#[test]
fn rows_are_counted_and_labelled() {
	let (model, weights) = identity();
	// The third is a tie, which goes to the first class.
	let scores = vec![2.0, 1.0, 0.0, 5.0, 3.0, 3.0, 3.0, 3.0];
	let shard = shard(&Tensor::new(vec![4, 2], scores).unwrap(), &[0, 0, 0, 1], 2);
	let found = evaluate(&model, &weights, &shard, &[0, 1, 2, 3], 3).unwrap();
	assert_eq!((found.rows, found.right), (4, 2));
	assert_eq!(found.labels, [0, 1, 0, 0]);
	// ln(1 + e⁻¹), ln(1 + e⁵), and twice ln 2.
	let losses = [0.313_261_687_518_222_86, 5.006_715_348_489_118, std::f64::consts::LN_2];
	let units = losses.map(|loss| (loss * f64::from(LOSS_UNITS)).round() as u64);
	assert_eq!(found.loss, units[0] + units[1] + 2 * units[2]);
}

#[test]
fn parts_add_up_to_the_whole_however_they_are_cut() {
	let (hidden, output) = (
		r#"{"kind": "dense", "units": 6, "bias": true}, {"kind": "gelu"}"#,
		r#"{"kind": "dense", "units": 3, "bias": true}"#,
	);
	let model = model_of("[4]", &format!("{hidden}, {output}"));
	let weights = weights(&model, 2);
	let labels: Vec<u8> = (0..20).map(|row| row % 3).collect();
	let shard = shard(&tensor(&[20, 4], 9), &labels, 3);
	let of = |indices: &[u32], micro_batch| {
		evaluate(&model, &weights, &shard, indices, micro_batch).unwrap()
	};
	let all: Vec<u32> = (0..20).collect();
	let whole = of(&all, MAX_MICRO_BATCH);
	for micro_batch in [1, 7, 20] {
		assert_eq!(of(&all, micro_batch), whole);
	}
	let (left, right) = (of(&all[..13], 4), of(&all[13..], 5));
	assert_eq!(left.right + right.right, whole.right);
	assert_eq!(left.loss + right.loss, whole.loss);
	assert_eq!([left.labels, right.labels].concat(), whole.labels);
}

#[test]
fn evaluation_should_fail_when_it_cannot_be_done() {
	let (model, weights) = identity();
	let shard = shard(&Tensor::new(vec![1, 2], vec![1e300, 1.0]).unwrap(), &[0], 2);
	let with = |weights: &State, indices: &[u32], micro_batch| {
		evaluate(&model, weights, &shard, indices, micro_batch).unwrap_err()
	};
	assert_eq!(with(&weights, &[0], 0), EvaluateError::MicroBatch(0));
	assert_eq!(with(&weights, &[0], 4_097), EvaluateError::MicroBatch(4_097));
	assert_eq!(with(&weights, &[], 1), EvaluateError::Dataset(DatasetError::NoIndices));
	assert!(matches!(with(&State::default(), &[0], 1), EvaluateError::State(_)));
	let mut large = weights.clone();
	large.0[0].1.data_mut()[0] = 1e300;
	assert_eq!(with(&large, &[0], 1), EvaluateError::NotFinite { index: 0 });
}
