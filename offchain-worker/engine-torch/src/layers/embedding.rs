//! Learnt tables: one that indices pick from, one that tells positions apart.

use super::{parameter, Operation};
use tch::{TchError, Tensor};

/// No index stands for nothing.
const NO_INDEX: i64 = -1;

/// Rows of a table `[vocabulary, width]`.
#[derive(Debug)]
pub(super) struct Embedding;

impl Operation for Embedding {
	fn forward(&self, weights: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		Tensor::f_embedding(parameter(weights, 0)?, &input, NO_INDEX, false, false)
	}
}

/// Adds a table of the shape of a sample.
#[derive(Debug)]
pub(super) struct PositionEmbedding;

impl Operation for PositionEmbedding {
	fn forward(&self, weights: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		input.f_add(parameter(weights, 0)?)
	}
}
