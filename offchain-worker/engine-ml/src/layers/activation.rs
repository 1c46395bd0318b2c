//! Functions of single elements.

use super::{Named, Operation, Saved};
use crate::tensor::Tensor;

/// `√(2/π)`.
const ROOT_TWO_OVER_PI: f64 = 0.797_884_560_802_865_4;
/// The cubic term of the `tanh` form of GELU.
const GELU_CUBIC: f64 = 0.044_715;

/// An activation function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Activation {
	/// `max(x, 0)`.
	Relu,
	/// `x σ(x)`.
	Silu,
	/// The `tanh` form.
	Gelu,
	/// Hyperbolic tangent.
	Tanh,
}

impl Activation {
	/// The function. What is not a number stays so.
	fn value(self, x: f64) -> f64 {
		match self {
			Self::Relu if x < 0.0 => 0.0,
			Self::Relu => x,
			Self::Silu => x * sigmoid(x),
			Self::Gelu => 0.5 * x * (1.0 + libm::tanh(gelu_inner(x))),
			Self::Tanh => libm::tanh(x),
		}
	}

	/// Its derivative; zero for ReLU at zero.
	fn slope(self, x: f64) -> f64 {
		match self {
			Self::Relu if x > 0.0 => 1.0,
			Self::Relu => 0.0,
			Self::Silu => {
				let sigmoid = sigmoid(x);
				sigmoid * (1.0 + x * (1.0 - sigmoid))
			},
			Self::Gelu => {
				let tanh = libm::tanh(gelu_inner(x));
				let inner_slope = ROOT_TWO_OVER_PI * (1.0 + 3.0 * GELU_CUBIC * x * x);
				0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * inner_slope
			},
			Self::Tanh => {
				let tanh = libm::tanh(x);
				1.0 - tanh * tanh
			},
		}
	}
}

impl Operation for Activation {
	fn forward(&self, _: &[Named], input: Tensor) -> (Tensor, Saved) {
		let mut output = input.clone();
		output.data_mut().iter_mut().for_each(|value| *value = self.value(*value));
		(output, Saved::of([input]))
	}

	fn backward(&self, _: &[Named], saved: Saved, gradient: Tensor, _: &mut [Named]) -> Tensor {
		let mut input = gradient;
		for (value, x) in input.data_mut().iter_mut().zip(saved.data(0)) {
			*value *= self.slope(*x);
		}
		input
	}
}

fn sigmoid(x: f64) -> f64 {
	1.0 / (1.0 + libm::exp(-x))
}

fn gelu_inner(x: f64) -> f64 {
	ROOT_TWO_OVER_PI * (x + GELU_CUBIC * x * x * x)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn activations_have_their_published_values() {
		use Activation::*;
		for (function, x, expected) in [
			(Relu, -2.0, 0.0),
			(Relu, 3.0, 3.0),
			// 1 / (1 + 1/e)
			(Silu, 1.0, 0.731_058_578_630_004_9),
			(Silu, -1.0, -0.268_941_421_369_995_1),
			(Gelu, 1.0, 0.841_191_990_608_276_8),
			(Gelu, -1.0, -0.158_808_009_391_723_2),
			(Tanh, 0.5, 0.462_117_157_260_009_8),
		] {
			let found: f64 = function.value(x);
			assert!((found - expected).abs() < 1e-12, "{function:?}({x}) is {found}");
		}
	}

	#[test]
	fn activations_hide_no_nan() {
		for function in [Activation::Relu, Activation::Silu, Activation::Gelu, Activation::Tanh] {
			assert!(function.value(f64::NAN).is_nan(), "{function:?}");
		}
	}
}
