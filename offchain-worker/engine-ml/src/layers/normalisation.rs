//! Layer and group normalisation: blocks of elements to mean zero and variance one, then an affine
//! map by feature.

use super::{data, data_mut, Named, Operation, Saved};
use crate::tensor::Tensor;

/// Added to the variance, as in the field's libraries by default.
const EPSILON: f64 = 1e-5;

/// A normalisation: weight, then bias, of one element for each feature.
#[derive(Debug)]
pub(super) struct Normalisation {
	/// Neighbouring elements that are normalised together.
	block: usize,
	/// Neighbouring elements that belong to one feature.
	run: usize,
}

impl Normalisation {
	pub(super) fn new(block: usize, run: usize) -> Self {
		Self { block: block.max(1), run: run.max(1) }
	}
}

impl Operation for Normalisation {
	fn forward(&self, weights: &[Named], input: Tensor) -> (Tensor, Saved) {
		let mut normal = input;
		let mut scales = Tensor::zeros(&[normal.len() / self.block]);
		let blocks = normal.data_mut().chunks_exact_mut(self.block);
		for (block, scale) in blocks.zip(scales.data_mut()) {
			*scale = normalise(block);
		}
		let mut output = normal.clone();
		let features = data(weights, 0).iter().zip(data(weights, 1)).cycle();
		for (run, (weight, bias)) in output.data_mut().chunks_exact_mut(self.run).zip(features) {
			run.iter_mut().for_each(|value| *value = *value * weight + bias);
		}
		(output, Saved::of([normal, scales]))
	}

	fn backward(
		&self,
		weights: &[Named],
		saved: Saved,
		gradient: Tensor,
		into: &mut [Named],
	) -> Tensor {
		let normal = saved.data(0);
		self.add_products(data_mut(into, 0), gradient.data(), normal);
		self.add_sums(data_mut(into, 1), gradient.data());
		let mut input = gradient;
		let features = data(weights, 0).iter().cycle();
		for (run, weight) in input.data_mut().chunks_exact_mut(self.run).zip(features) {
			run.iter_mut().for_each(|value| *value *= weight);
		}
		let blocks = input.data_mut().chunks_exact_mut(self.block);
		let kept = normal.chunks_exact(self.block).zip(saved.data(1));
		for (block, (normal, scale)) in blocks.zip(kept) {
			back_through(block, normal, *scale);
		}
		input
	}
}

impl Normalisation {
	/// Adds up the gradient times the normalised element, by feature.
	fn add_products(&self, sums: &mut [f64], gradient: &[f64], normal: &[f64]) {
		let sample = self.run * sums.len();
		let samples = gradient.chunks_exact(sample.max(1)).zip(normal.chunks_exact(sample.max(1)));
		for (gradient, normal) in samples {
			let runs = gradient.chunks_exact(self.run).zip(normal.chunks_exact(self.run));
			for (sum, (gradient, normal)) in sums.iter_mut().zip(runs) {
				gradient.iter().zip(normal).for_each(|(value, normal)| *sum += value * normal);
			}
		}
	}

	/// Adds up the gradient, by feature.
	fn add_sums(&self, sums: &mut [f64], gradient: &[f64]) {
		let sample = self.run * sums.len();
		for gradient in gradient.chunks_exact(sample.max(1)) {
			for (sum, run) in sums.iter_mut().zip(gradient.chunks_exact(self.run)) {
				run.iter().for_each(|value| *sum += value);
			}
		}
	}
}

/// Normalises a block; what its elements were multiplied with.
fn normalise(block: &mut [f64]) -> f64 {
	let mean = mean_of(block.iter().copied());
	block.iter_mut().for_each(|value| *value -= mean);
	let variance = mean_of(block.iter().map(|value| value * value));
	let scale = 1.0 / (variance + EPSILON).sqrt();
	block.iter_mut().for_each(|value| *value *= scale);
	scale
}

/// Turns the gradient of a normalised block into that of the block before.
fn back_through(gradient: &mut [f64], normal: &[f64], scale: f64) {
	let common = mean_of(gradient.iter().copied());
	let along = mean_of(gradient.iter().zip(normal).map(|(value, normal)| value * normal));
	for (value, normal) in gradient.iter_mut().zip(normal) {
		*value = scale * (*value - common - normal * along);
	}
}

fn mean_of(values: impl ExactSizeIterator<Item = f64>) -> f64 {
	let count = values.len() as f64;
	values.fold(0.0_f64, |sum, value| sum + value) / count
}
