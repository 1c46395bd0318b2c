//! `y = W x + b`, on rows.

use super::{parameter, Operation};
use tch::{TchError, Tensor};

/// A dense layer: weight `[units, features]`, then the bias if there is one.
#[derive(Debug)]
pub(super) struct Dense {
	pub(super) bias: bool,
}

impl Operation for Dense {
	fn forward(&self, weights: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		let bias = if self.bias { Some(parameter(weights, 1)?) } else { None };
		input.f_linear(parameter(weights, 0)?, bias)
	}
}
