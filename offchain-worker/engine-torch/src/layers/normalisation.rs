//! Layer and group normalisation: blocks of elements to mean zero and variance one, then an affine
//! map by feature. Parameters: weight, then bias.

use super::{parameter, Operation};
use crate::precision::long;
use tch::{TchError, Tensor};

/// Added to the variance.
const EPSILON: f64 = 1e-5;

/// Normalises groups of channels together.
#[derive(Debug)]
pub(super) struct GroupNorm {
	groups: i64,
}

impl GroupNorm {
	pub(super) fn new(groups: u32) -> Self {
		Self { groups: groups.into() }
	}
}

impl Operation for GroupNorm {
	fn forward(&self, weights: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		let (weight, bias) = (parameter(weights, 0)?, parameter(weights, 1)?);
		input.f_group_norm(self.groups, Some(weight), Some(bias), EPSILON, false)
	}
}

/// Normalises the features of each position.
#[derive(Debug)]
pub(super) struct LayerNorm {
	features: i64,
}

impl LayerNorm {
	pub(super) fn new(features: usize) -> Self {
		Self { features: long(features) }
	}
}

impl Operation for LayerNorm {
	fn forward(&self, weights: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		let (weight, bias) = (parameter(weights, 0)?, parameter(weights, 1)?);
		input.f_layer_norm([self.features], Some(weight), Some(bias), EPSILON, false)
	}
}
