//! The outer optimiser: Nesterov's momentum over rounds, as in DiLoCo (Douillard et al. 2023).
//!
//! A round's aggregated change `c` is the negative of what the outer optimiser takes for a
//! gradient:
//!
//! ```text
//! v ← µ · v + c
//! w ← w + η · (c + µ · v)
//! ```
//!
//! This is the form of PyTorch's `SGD(nesterov=True)` without dampening; `v` starts at zero. With η
//! = 1 and µ = 0 the aggregated change is simply added, which is federated averaging.

use crate::{
	safetensors::{check_finite, NotFinite},
	tensor::State,
};
use serde::{Deserialize, Serialize};

/// Millionths in one: learning rate and momentum are whole millionths, so that they are written
/// without floats.
pub const MILLIONTHS: u32 = 1_000_000;
/// The largest learning rate, in millionths: 10.
pub const MAX_LEARNING_RATE: u32 = 10 * MILLIONTHS;

/// The outer optimiser's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outer {
	/// η in millionths: 1 to [`MAX_LEARNING_RATE`].
	pub learning_rate: u32,
	/// µ in millionths, less than one.
	pub momentum: u32,
}

/// Why there are no new weights.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OuterError {
	/// The learning rate is out of bounds.
	#[error("an outer learning rate of {0} millionths; it takes 1 to {MAX_LEARNING_RATE}")]
	LearningRate(u32),
	/// The momentum would grow without end.
	#[error("an outer momentum of {0} millionths; it takes less than {MILLIONTHS}")]
	Momentum(u32),
	/// Weights, momentum and change are not of one model.
	#[error("weights, momentum and change differ in names, order or shapes")]
	OtherShapes,
	/// The weights have left the numbers.
	#[error("after the outer step, {0}")]
	NotFinite(#[from] NotFinite),
}

impl Outer {
	/// Federated averaging: the change is added as it is.
	pub const PLAIN: Self = Self { learning_rate: MILLIONTHS, momentum: 0 };

	/// Says whether the numbers are in bounds.
	pub fn check(&self) -> Result<(), OuterError> {
		if !(1..=MAX_LEARNING_RATE).contains(&self.learning_rate) {
			return Err(OuterError::LearningRate(self.learning_rate));
		}
		if self.momentum >= MILLIONTHS {
			return Err(OuterError::Momentum(self.momentum));
		}
		Ok(())
	}

	/// Goes one step: the new weights, and the momentum for the next round. `momentum` is zeros in
	/// the first round.
	pub fn step(
		&self,
		weights: &State,
		momentum: &State,
		change: &State,
	) -> Result<(State, State), OuterError> {
		self.check()?;
		if !weights.same_shapes(momentum) || !weights.same_shapes(change) {
			return Err(OuterError::OtherShapes);
		}
		let (rate, decay) = (fraction(self.learning_rate), fraction(self.momentum));
		let (mut weights, mut momentum) = (weights.clone(), momentum.clone());
		let moved = weights.0.iter_mut().flat_map(|(_, tensor)| tensor.data_mut());
		let velocities = momentum.0.iter_mut().flat_map(|(_, tensor)| tensor.data_mut());
		let changes = change.0.iter().flat_map(|(_, tensor)| tensor.data());
		for ((weight, velocity), change) in moved.zip(velocities).zip(changes) {
			*velocity = decay * *velocity + change;
			*weight += rate * (change + decay * *velocity);
		}
		check_finite(&weights)?;
		check_finite(&momentum)?;
		Ok((weights, momentum))
	}
}

/// So many millionths, as a double.
pub(super) fn fraction(millionths: u32) -> f64 {
	f64::from(millionths) / f64::from(MILLIONTHS)
}
