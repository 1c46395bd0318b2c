//! Functions of single elements.

use super::Operation;
use tch::{TchError, Tensor};

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
	/// `max(x, 0)`, with slope 0 at 0.
	Relu,
	/// `x σ(x)`.
	Silu,
	/// The `tanh` form.
	Gelu,
	/// Hyperbolic tangent.
	Tanh,
}

impl Operation for Activation {
	fn forward(&self, _: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		match self {
			Self::Relu => input.f_relu(),
			Self::Silu => input.f_silu(),
			Self::Gelu => input.f_gelu("tanh"),
			Self::Tanh => input.f_tanh(),
		}
	}
}
