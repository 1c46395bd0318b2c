//! Maxima and means of windows and of whole planes.

use super::Operation;
use tch::{Kind, TchError, Tensor};

/// The largest of each window; the gradient goes to the first of equal ones.
#[derive(Debug)]
pub(super) struct MaxPool2d {
	kernel: [i64; 2],
	stride: [i64; 2],
}

impl MaxPool2d {
	pub(super) fn new(kernel: u32, stride: u32) -> Self {
		Self { kernel: [kernel.into(); 2], stride: [stride.into(); 2] }
	}
}

impl Operation for MaxPool2d {
	fn forward(&self, _: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		input.f_max_pool2d(self.kernel, self.stride, [0, 0], [1, 1], false)
	}
}

/// The mean of each window.
#[derive(Debug)]
pub(super) struct AvgPool2d {
	kernel: [i64; 2],
	stride: [i64; 2],
}

impl AvgPool2d {
	pub(super) fn new(kernel: u32, stride: u32) -> Self {
		Self { kernel: [kernel.into(); 2], stride: [stride.into(); 2] }
	}
}

impl Operation for AvgPool2d {
	fn forward(&self, _: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		input.f_avg_pool2d(self.kernel, self.stride, [0, 0], false, true, None)
	}
}

/// The mean of each plane, or of each feature over all positions.
#[derive(Debug)]
pub(super) struct GlobalAvgPool {
	dimensions: Vec<i64>,
}

impl GlobalAvgPool {
	/// For samples of this shape.
	pub(super) fn new(input: &[usize]) -> Self {
		let dimensions = if input.len() == 3 { vec![2, 3] } else { vec![1] };
		Self { dimensions }
	}
}

impl Operation for GlobalAvgPool {
	fn forward(&self, _: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		input.f_mean_dim(self.dimensions.as_slice(), false, None::<Kind>)
	}
}
