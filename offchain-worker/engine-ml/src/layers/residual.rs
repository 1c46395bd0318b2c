//! `y = x + f(x)`.

use super::{Chain, Named, Operation, Saved};
use crate::tensor::Tensor;

/// Layers whose output is added to their input.
#[derive(Debug)]
pub(super) struct Residual {
	pub(super) inner: Chain,
}

impl Operation for Residual {
	fn forward(&self, weights: &[Named], input: Tensor) -> (Tensor, Saved) {
		let (mut output, inner) = self.inner.forward(weights, input.clone());
		output.add(&input);
		(output, Saved { tensors: Vec::new(), inner })
	}

	fn backward(
		&self,
		weights: &[Named],
		saved: Saved,
		gradient: Tensor,
		into: &mut [Named],
	) -> Tensor {
		let mut input = self.inner.backward(weights, saved.inner, gradient.clone(), into);
		input.add(&gradient);
		input
	}
}
