//! All sizes of a sample into one.

use super::{batch_of, samples, Named, Operation, Saved};
use crate::tensor::Tensor;

/// Changes shapes, and no element.
#[derive(Debug)]
pub(super) struct Flatten {
	input: Vec<usize>,
}

impl Flatten {
	pub(super) fn new(input: &[usize]) -> Self {
		Self { input: input.to_vec() }
	}
}

impl Operation for Flatten {
	fn forward(&self, _: &[Named], input: Tensor) -> (Tensor, Saved) {
		let samples = samples(&input);
		let size = input.len() / samples.max(1);
		(input.reshaped(vec![samples, size]), Saved::default())
	}

	fn backward(&self, _: &[Named], _: Saved, gradient: Tensor, _: &mut [Named]) -> Tensor {
		let shape = batch_of(samples(&gradient), &self.input);
		gradient.reshaped(shape)
	}
}
