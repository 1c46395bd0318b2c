//! A model as operations on tensors.

use crate::{layers::Chain, precision::Precision, samples::Samples};
use tch::{Kind, Reduction, TchError, Tensor};
use tequio_engine_ml::Model;

/// Labels that count for nothing: there are none.
const NO_LABEL: i64 = -100;

/// A model without its weights.
#[derive(Debug)]
pub struct Network {
	chain: Chain,
	/// What the loss is computed in.
	scores: Kind,
}

impl Network {
	/// The operations of a model. `loss`: what scores are turned into before the loss is computed of
	/// them, whatever came before.
	pub fn new(model: &Model, precision: Precision, loss: Precision) -> Result<Self, TchError> {
		Ok(Self { chain: Chain::new(model.nodes(), precision)?, scores: loss.kind() })
	}

	/// Scores `[samples, classes]` of samples that the model takes. `weights`: a tensor for each
	/// parameter, in the order of the layers.
	pub fn logits(&self, weights: &[Tensor], samples: &Samples) -> Result<Tensor, TchError> {
		self.chain.forward(weights, samples.inputs.shallow_clone())
	}

	/// The sum of the losses of samples that the model takes, in nats.
	pub fn loss(&self, weights: &[Tensor], samples: &Samples) -> Result<Tensor, TchError> {
		let mut scores = self.logits(weights, samples)?;
		if scores.f_kind()? != self.scores {
			scores = scores.f_to_kind(self.scores)?;
		}
		let labels = &samples.labels;
		scores.f_cross_entropy_loss(labels, None::<Tensor>, Reduction::Sum, NO_LABEL, 0.0)
	}
}
