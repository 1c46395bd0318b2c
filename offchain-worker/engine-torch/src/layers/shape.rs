//! Layers that put others or their shapes together.

use super::{Chain, Operation};
use tch::{TchError, Tensor};

/// `y = x + f(x)`.
#[derive(Debug)]
pub(super) struct Residual {
	pub(super) inner: Chain,
}

impl Operation for Residual {
	fn forward(&self, weights: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		self.inner.forward(weights, input.shallow_clone())?.f_add(&input)
	}
}

/// All sizes of a sample into one.
#[derive(Debug)]
pub(super) struct Flatten;

impl Operation for Flatten {
	fn forward(&self, _: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		input.f_flatten(1, -1)
	}
}
