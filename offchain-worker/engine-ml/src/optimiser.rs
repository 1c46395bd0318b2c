//! Optimisers: how a gradient changes the weights.
//!
//! With gradient `g`, weights `w`, learning rate `η`, and steps `t` counted from 1:
//!
//! ```text
//! sgd        w ← w − η g
//! momentum   v ← μ v + g                  w ← w − η v
//! adamw      m ← β₁ m + (1 − β₁) g        w ← (1 − η λ) w
//!            v ← β₂ v + (1 − β₂) g²           − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
//! ```
//!
//! They are PyTorch's forms (without dampening, Nesterov or AMSGrad), AdamW after arXiv 1711.05101.
//! Hyper-parameters are integers, so that no reader of JSON rounds them differently.

use crate::tensor::{State, Tensor};
use serde::{Deserialize, Serialize};

/// Steps that one optimiser may take in its life.
pub const MAX_STEPS: u32 = 1 << 24;
/// One, in millionths.
const ONE: u32 = 1_000_000;
/// Largest learning rate, in millionths: 100.
pub const MAX_LEARNING_RATE: u32 = 100 * ONE;
/// Largest ε, in trillionths: one thousandth.
pub const MAX_EPSILON: u32 = 1_000_000_000;

/// A number in millionths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millionths(pub u32);

impl Millionths {
	/// The double next to it.
	pub fn value(self) -> f64 {
		f64::from(self.0) / 1e6
	}
}

/// A number in trillionths (10⁻¹²).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Trillionths(pub u32);

impl Trillionths {
	/// The double next to it.
	pub fn value(self) -> f64 {
		f64::from(self.0) / 1e12
	}
}

/// A rule and its hyper-parameters. None has a default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Rule {
	/// Stochastic gradient descent.
	Sgd {
		/// `η`: above 0, at most 100.
		learning_rate: Millionths,
	},
	/// The same with momentum.
	Momentum {
		/// `η`: above 0, at most 100.
		learning_rate: Millionths,
		/// `μ`: below 1.
		momentum: Millionths,
	},
	/// Adam with decoupled weight decay.
	AdamW {
		/// `η`: above 0, at most 100.
		learning_rate: Millionths,
		/// `β₁`: below 1.
		beta1: Millionths,
		/// `β₂`: below 1.
		beta2: Millionths,
		/// `ε`, in trillionths: above 0, at most a thousandth.
		epsilon: Trillionths,
		/// `λ`: at most 1.
		weight_decay: Millionths,
	},
}

/// Why hyper-parameters are refused, or a step is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptimiserError {
	/// A hyper-parameter is out of bounds.
	#[error("{name} is {value} {unit}; {least} to {most} are allowed")]
	OutOfBounds {
		/// Its name.
		name: &'static str,
		/// Its value.
		value: u32,
		/// The unit of these numbers.
		unit: &'static str,
		/// The smallest allowed.
		least: u32,
		/// The largest allowed.
		most: u32,
	},
	/// The gradient is not one of these weights.
	#[error("the gradient has other names or shapes than the weights that it should change")]
	Shapes,
	/// There were too many steps.
	#[error("{MAX_STEPS} steps were taken, which are the most")]
	TooManySteps,
}

impl Rule {
	/// Says whether all hyper-parameters are within their bounds.
	pub fn check(&self) -> Result<(), OptimiserError> {
		let rate =
			|rate: Millionths| within("learning_rate", rate.0, "millionths", 1..=MAX_LEARNING_RATE);
		let factor = |name, factor: Millionths| within(name, factor.0, "millionths", 0..=ONE - 1);
		match *self {
			Self::Sgd { learning_rate } => rate(learning_rate),
			Self::Momentum { learning_rate, momentum } => {
				rate(learning_rate)?;
				factor("momentum", momentum)
			},
			Self::AdamW { learning_rate, beta1, beta2, epsilon, weight_decay } => {
				rate(learning_rate)?;
				factor("beta1", beta1)?;
				factor("beta2", beta2)?;
				within("epsilon", epsilon.0, "trillionths", 1..=MAX_EPSILON)?;
				within("weight_decay", weight_decay.0, "millionths", 0..=ONE)
			},
		}
	}

	/// Moments that the rule keeps.
	fn moments(&self) -> usize {
		match self {
			Self::Sgd { .. } => 0,
			Self::Momentum { .. } => 1,
			Self::AdamW { .. } => 2,
		}
	}
}

fn within(
	name: &'static str,
	value: u32,
	unit: &'static str,
	allowed: std::ops::RangeInclusive<u32>,
) -> Result<(), OptimiserError> {
	if allowed.contains(&value) {
		return Ok(());
	}
	let (least, most) = allowed.into_inner();
	Err(OptimiserError::OutOfBounds { name, value, unit, least, most })
}

/// A rule, and all that it remembers between steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimiser {
	rule: Rule,
	steps: u32,
	moments: Vec<State>,
}

impl Optimiser {
	/// A rule before its first step on these weights: all moments are zero.
	pub fn new(rule: Rule, weights: &State) -> Result<Self, OptimiserError> {
		rule.check()?;
		let moments = (0..rule.moments()).map(|_| weights.zeros_like()).collect();
		Ok(Self { rule, steps: 0, moments })
	}

	/// Steps taken.
	pub fn steps(&self) -> u32 {
		self.steps
	}

	/// What is remembered: nothing, `v`, or `m` and `v`.
	pub fn moments(&self) -> &[State] {
		&self.moments
	}

	/// Changes weights by one step against a gradient.
	pub fn step(&mut self, weights: &mut State, gradient: &State) -> Result<(), OptimiserError> {
		let alike = self.moments.iter().all(|moment| moment.same_shapes(weights));
		if !alike || !weights.same_shapes(gradient) {
			return Err(OptimiserError::Shapes);
		}
		if self.steps >= MAX_STEPS {
			return Err(OptimiserError::TooManySteps);
		}
		self.steps += 1;
		match (self.rule, self.moments.as_mut_slice()) {
			(Rule::Sgd { learning_rate }, _) => descend(weights, gradient, learning_rate.value()),
			(Rule::Momentum { learning_rate, momentum }, [velocity]) => {
				let momentum = momentum.value();
				each(velocity, gradient, |value, slope| *value = momentum * *value + slope);
				descend(weights, velocity, learning_rate.value());
			},
			(Rule::AdamW { .. }, [first, second]) => {
				Adam::at(self.rule, self.steps).step(weights, gradient, first, second);
			},
			// A rule has as many moments as it was made with.
			(Rule::Momentum { .. } | Rule::AdamW { .. }, _) => return Err(OptimiserError::Shapes),
		}
		Ok(())
	}
}

fn descend(weights: &mut State, direction: &State, rate: f64) {
	each(weights, direction, |weight, slope| *weight -= rate * slope);
}

/// Does something to each element, given the other state's element in its place.
fn each(state: &mut State, other: &State, mut change: impl FnMut(&mut f64, f64)) {
	for ((_, tensor), (_, other)) in state.0.iter_mut().zip(&other.0) {
		for (value, other) in tensor.data_mut().iter_mut().zip(other.data()) {
			change(value, *other);
		}
	}
}

/// AdamW's factors for one step, in doubles: the same for every backend.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Adam {
	/// `β₁`.
	pub beta1: f64,
	/// `β₂`.
	pub beta2: f64,
	/// `ε`.
	pub epsilon: f64,
	/// What weights are multiplied with: `1 − η λ`.
	pub keep: f64,
	/// `η / (1 − β₁ᵗ)`.
	pub rate: f64,
	/// `√(1 − β₂ᵗ)`.
	pub correction: f64,
}

impl Adam {
	/// Those of a step, counted from 1. Zeros where the rule is another one.
	pub fn at(rule: Rule, step: u32) -> Self {
		let Rule::AdamW { learning_rate, beta1, beta2, epsilon, weight_decay } = rule else {
			return Self::default();
		};
		let (beta1, beta2) = (beta1.value(), beta2.value());
		Self {
			beta1,
			beta2,
			epsilon: epsilon.value(),
			keep: 1.0 - learning_rate.value() * weight_decay.value(),
			rate: learning_rate.value() / (1.0 - power(beta1, step)),
			correction: (1.0 - power(beta2, step)).sqrt(),
		}
	}

	fn step(&self, weights: &mut State, gradient: &State, first: &mut State, second: &mut State) {
		each(first, gradient, |mean, slope| {
			*mean = self.beta1 * *mean + (1.0 - self.beta1) * slope;
		});
		each(second, gradient, |square, slope| {
			*square = self.beta2 * *square + (1.0 - self.beta2) * slope * slope;
		});
		let moments = first.0.iter().zip(&second.0);
		for ((_, tensor), ((_, first), (_, second))) in weights.0.iter_mut().zip(moments) {
			self.move_tensor(tensor, first, second);
		}
	}

	fn move_tensor(&self, weights: &mut Tensor, first: &Tensor, second: &Tensor) {
		let moments = first.data().iter().zip(second.data());
		for (weight, (mean, square)) in weights.data_mut().iter_mut().zip(moments) {
			let spread = square.sqrt() / self.correction + self.epsilon;
			*weight = *weight * self.keep - self.rate * mean / spread;
		}
	}
}

/// A power by squaring, from the lowest bit of the exponent: `f64::powi` may round differently on
/// other machines.
pub fn power(base: f64, exponent: u32) -> f64 {
	let (mut result, mut square, mut left) = (1.0, base, exponent);
	while left > 0 {
		if left & 1 == 1 {
			result *= square;
		}
		square *= square;
		left >>= 1;
	}
	result
}
