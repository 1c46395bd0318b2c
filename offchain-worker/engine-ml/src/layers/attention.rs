//! Scaled dot-product attention with several heads, of positions to positions of the same sample.

use super::{
	add_rows, data, data_mut,
	dense::{add_weight_gradient, set_rows},
	matrix::{multiply_add, transposed},
	Named, Operation, Saved,
};
use crate::{loss::softmax, tensor::Tensor};

// Places of the parameters.
const QUERY: usize = 0;
const KEY: usize = 1;
const VALUE: usize = 2;
const OUTPUT: usize = 3;
const OUTPUT_BIAS: usize = 4;

// Places of what is kept; the first three are those of the parameters that make them.
const MIXED: usize = 3;
const INPUT: usize = 4;
const SHARES: usize = 5;

/// Attention of `[positions, features]` to itself.
#[derive(Debug)]
pub(super) struct SelfAttention {
	positions: usize,
	features: usize,
	heads: usize,
	causal: bool,
}

impl SelfAttention {
	pub(super) fn new(positions: usize, features: usize, heads: usize, causal: bool) -> Self {
		Self { positions, features, heads: heads.max(1), causal }
	}

	/// Features of one head.
	fn head_features(&self) -> usize {
		self.features / self.heads
	}

	/// Elements of a sample.
	fn sample(&self) -> usize {
		self.positions * self.features
	}

	fn scale(&self) -> f64 {
		1.0 / (self.head_features() as f64).sqrt()
	}

	/// `rows · weightᵀ`, a square weight.
	fn project(&self, weight: &[f64], rows: &Tensor) -> Tensor {
		let mut projected = Tensor::zeros(rows.shape());
		let turned = transposed(weight, self.features);
		multiply_add(projected.data_mut(), rows.data(), &turned, self.features, self.features);
		projected
	}

	/// Adds `gradient · weight`: what a projection's gradient says about its rows.
	fn add_back(&self, rows: &mut Tensor, gradient: &[f64], weight: &[f64]) {
		multiply_add(rows.data_mut(), gradient, weight, self.features, self.features);
	}

	/// The features of one head of one sample: positions in rows.
	fn head(&self, sample: &[f64], head: usize) -> Vec<f64> {
		let size = self.head_features();
		let mut own = Vec::with_capacity(self.positions * size);
		for row in sample.chunks_exact(self.features) {
			own.extend(row.iter().skip(head * size).take(size));
		}
		own
	}

	/// Puts back what [`Self::head`] takes out.
	fn set_head(&self, sample: &mut [f64], head: usize, values: &[f64]) {
		let rows = values.chunks_exact(self.head_features());
		for (target, row) in sample.chunks_exact_mut(self.features).zip(rows) {
			let own = target.iter_mut().skip(head * self.head_features());
			own.zip(row).for_each(|(value, set)| *value = *set);
		}
	}

	/// How much each position takes of each: rows that sum to one.
	fn shares(&self, query: &[f64], key: &[f64], shares: &mut [f64]) {
		let (turned, scale) = (transposed(key, self.head_features()), self.scale());
		multiply_add(shares, query, &turned, self.head_features(), self.positions);
		for (position, row) in shares.chunks_exact_mut(self.positions).enumerate() {
			row.iter_mut().for_each(|score| *score *= scale);
			if self.causal {
				row.iter_mut().skip(position + 1).for_each(|score| *score = f64::NEG_INFINITY);
			}
			softmax(row);
		}
	}

	/// From the gradient of what one head says of one sample to those of its queries, keys and
	/// values.
	fn head_backward(&self, head: &Head, gradient: &[f64]) -> [Vec<f64>; 3] {
		let (positions, features, scale) = (self.positions, self.head_features(), self.scale());
		let mut value = vec![0.0; gradient.len()];
		let turned = transposed(head.shares, positions);
		multiply_add(&mut value, &turned, gradient, positions, features);
		let mut scores = vec![0.0; head.shares.len()];
		let turned = transposed(&head.value, features);
		multiply_add(&mut scores, gradient, &turned, features, positions);
		let rows = scores.chunks_exact_mut(positions).zip(head.shares.chunks_exact(positions));
		for (scores, shares) in rows {
			let products = scores.iter().zip(shares).map(|(score, share)| score * share);
			let common = products.fold(0.0_f64, |sum, product| sum + product);
			for (score, share) in scores.iter_mut().zip(shares) {
				*score = share * (*score - common) * scale;
			}
		}
		let mut query = vec![0.0; gradient.len()];
		multiply_add(&mut query, &scores, &head.key, positions, features);
		let mut key = vec![0.0; gradient.len()];
		let turned = transposed(&scores, positions);
		multiply_add(&mut key, &turned, &head.query, positions, features);
		[query, key, value]
	}
}

/// What one head computed with for one sample.
struct Head<'a> {
	query: Vec<f64>,
	key: Vec<f64>,
	value: Vec<f64>,
	shares: &'a [f64],
}

impl Operation for SelfAttention {
	fn forward(&self, weights: &[Named], input: Tensor) -> (Tensor, Saved) {
		let projected = [QUERY, KEY, VALUE].map(|place| self.project(data(weights, place), &input));
		let [query, key, value] = &projected;
		let samples = super::samples(&input);
		let pairs = self.positions * self.positions;
		let mut shares = Tensor::zeros(&[samples, self.heads, self.positions, self.positions]);
		let mut mixed = Tensor::zeros(input.shape());
		let all = query.data().chunks_exact(self.sample());
		let all = all.zip(key.data().chunks_exact(self.sample()));
		let all = all.zip(value.data().chunks_exact(self.sample()));
		let targets = mixed.data_mut().chunks_exact_mut(self.sample());
		let targets = targets.zip(shares.data_mut().chunks_exact_mut(self.heads * pairs));
		for (((query, key), value), (mixed, shares)) in all.zip(targets) {
			for (head, shares) in shares.chunks_exact_mut(pairs).enumerate() {
				self.shares(&self.head(query, head), &self.head(key, head), shares);
				let mut said = vec![0.0; self.positions * self.head_features()];
				let value = self.head(value, head);
				multiply_add(&mut said, shares, &value, self.positions, self.head_features());
				self.set_head(mixed, head, &said);
			}
		}
		let mut output = Tensor::zeros(input.shape());
		set_rows(output.data_mut(), data(weights, OUTPUT_BIAS));
		let turned = transposed(data(weights, OUTPUT), self.features);
		multiply_add(output.data_mut(), mixed.data(), &turned, self.features, self.features);
		let [query, key, value] = projected;
		(output, Saved::of([query, key, value, mixed, input, shares]))
	}

	fn backward(
		&self,
		weights: &[Named],
		saved: Saved,
		gradient: Tensor,
		into: &mut [Named],
	) -> Tensor {
		let square = (self.features, self.features);
		add_weight_gradient(data_mut(into, OUTPUT), saved.data(MIXED), gradient.data(), square);
		add_rows(data_mut(into, OUTPUT_BIAS), gradient.data());
		let mut mixed = Tensor::zeros(gradient.shape());
		self.add_back(&mut mixed, gradient.data(), data(weights, OUTPUT));
		let gradients = self.heads_backward(&saved, &mixed);
		let mut input = Tensor::zeros(gradient.shape());
		for (place, gradient) in [QUERY, KEY, VALUE].into_iter().zip(&gradients) {
			let gradient = gradient.data();
			add_weight_gradient(data_mut(into, place), saved.data(INPUT), gradient, square);
			self.add_back(&mut input, gradient, data(weights, place));
		}
		input
	}
}

impl SelfAttention {
	/// From the gradient of what all heads say to those of queries, keys and values.
	fn heads_backward(&self, saved: &Saved, gradient: &Tensor) -> [Tensor; 3] {
		let mut gradients = [QUERY, KEY, VALUE].map(|_| Tensor::zeros(gradient.shape()));
		let (sample, pairs) = (self.sample(), self.positions * self.positions);
		let part = |place: usize, sample_place: usize, head: usize| {
			let mut samples = saved.data(place).chunks_exact(sample);
			self.head(samples.nth(sample_place).unwrap_or_default(), head)
		};
		let shares = saved.data(SHARES).chunks_exact(self.heads * pairs);
		for (at, (mixed, shares)) in gradient.data().chunks_exact(sample).zip(shares).enumerate() {
			for (head, shares) in shares.chunks_exact(pairs).enumerate() {
				let [query, key, value] = [QUERY, KEY, VALUE].map(|place| part(place, at, head));
				let own = Head { query, key, value, shares };
				let found = self.head_backward(&own, &self.head(mixed, head));
				for (tensor, values) in gradients.iter_mut().zip(&found) {
					let target = tensor.data_mut().chunks_exact_mut(sample).nth(at);
					self.set_head(target.unwrap_or_default(), head, values);
				}
			}
		}
		gradients
	}
}
