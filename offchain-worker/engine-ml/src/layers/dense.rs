//! `y = W x + b`, on rows.

use super::{
	add_rows, data, data_mut,
	matrix::{multiply_add, transposed},
	Named, Operation, Saved,
};
use crate::tensor::Tensor;

/// A dense layer: weight `[units, features]`, then the bias.
#[derive(Debug)]
pub(super) struct Dense {
	pub(super) features: usize,
	pub(super) units: usize,
	pub(super) bias: bool,
}

impl Operation for Dense {
	fn forward(&self, weights: &[Named], input: Tensor) -> (Tensor, Saved) {
		let mut output = Tensor::zeros(&with_last(input.shape(), self.units));
		if self.bias {
			set_rows(output.data_mut(), data(weights, 1));
		}
		let turned = transposed(data(weights, 0), self.features);
		multiply_add(output.data_mut(), input.data(), &turned, self.features, self.units);
		(output, Saved::of([input]))
	}

	fn backward(
		&self,
		weights: &[Named],
		saved: Saved,
		gradient: Tensor,
		into: &mut [Named],
	) -> Tensor {
		let sizes = (self.features, self.units);
		add_weight_gradient(data_mut(into, 0), saved.data(0), gradient.data(), sizes);
		if self.bias {
			add_rows(data_mut(into, 1), gradient.data());
		}
		let mut input = Tensor::zeros(&with_last(gradient.shape(), self.features));
		let weight = data(weights, 0);
		multiply_add(input.data_mut(), gradient.data(), weight, self.units, self.features);
		input
	}
}

/// Adds the gradient of a weight `[units, features]` between rows of input and of output gradient;
/// `sizes` are features and units.
pub(super) fn add_weight_gradient(
	into: &mut [f64],
	input: &[f64],
	gradient: &[f64],
	sizes: (usize, usize),
) {
	let (features, units) = sizes;
	let rows = gradient.len() / units.max(1);
	multiply_add(into, &transposed(gradient, units), input, rows, features);
}

/// Sets each row to the same.
pub(super) fn set_rows(rows: &mut [f64], row: &[f64]) {
	for target in rows.chunks_exact_mut(row.len().max(1)) {
		target.iter_mut().zip(row).for_each(|(value, set)| *value = *set);
	}
}

fn with_last(shape: &[usize], size: usize) -> Vec<usize> {
	let kept = shape.len().saturating_sub(1);
	shape.iter().copied().take(kept).chain([size]).collect()
}
