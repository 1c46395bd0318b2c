//! Convolution, as the field calls cross-correlation.

use super::{parameter, Operation};
use tch::{TchError, Tensor};

/// A convolution: weight `[filters, channels, kernel, kernel]`, then the bias if there is one.
#[derive(Debug)]
pub(super) struct Conv2d {
	stride: [i64; 2],
	padding: [i64; 2],
	bias: bool,
}

impl Conv2d {
	pub(super) fn new(stride: u32, padding: u32, bias: bool) -> Self {
		Self { stride: [stride.into(); 2], padding: [padding.into(); 2], bias }
	}
}

impl Operation for Conv2d {
	fn forward(&self, weights: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		let bias = if self.bias { Some(parameter(weights, 1)?) } else { None };
		input.f_conv2d(parameter(weights, 0)?, bias, self.stride, self.padding, [1, 1], 1)
	}
}
