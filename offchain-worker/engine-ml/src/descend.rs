//! One step of plain descent in doubles, from singles to singles: what 32-bit backends are measured
//! with. Weights and samples are rounded first, as a 32-bit backend has to round them: what follows
//! from that is no error of its arithmetic. Where they are beyond all singles, nobody computes.
//!
//! ```text
//! change = −η · Σ gradient / batch              each element then to the nearest f32
//! scale  =  η · mean over micro-batches of ‖ Σ gradient / samples ‖
//! ```
//!
//! The second tells how large gradients are where the first cancels out. It depends on how the
//! batch is cut, and so does the last bit of the first: sums run within each micro-batch, then over
//! those.

use crate::{
	backend::Descent,
	dataset::Shard,
	model::{Model, StateError},
	network::{InputError, Network},
	optimiser::{Millionths, Rule},
	tensor::{State, Tensor},
	train::{count, for_each, Schedule, TrainError},
};

/// Descends by one step from `weights` on the rows that `indices` name. The schedule has one step.
pub fn descend(
	model: &Model,
	weights: &State,
	learning_rate: Millionths,
	schedule: &Schedule,
	shard: &Shard,
	indices: &[u32],
) -> Result<Descent, TrainError> {
	check(learning_rate, schedule, indices.len())?;
	let network = Network::new(model, singles(weights)?)?;
	let (mut sum, mut own) = (weights.zeros_like(), weights.zeros_like());
	let (mut loss, mut norms, mut parts) = (0.0_f64, 0.0_f64, 0.0_f64);
	for some in indices.chunks(count(schedule.micro_batch)) {
		for_each(&mut own, |value| *value = 0.0);
		let samples = shard.pick(some)?;
		let x = single_samples(model, samples.x)?;
		let losses = network.add_gradients(x, &samples.y, &mut own)?;
		losses.iter().for_each(|one| loss += one);
		norms += own.norm() / some.len() as f64;
		parts += 1.0;
		for ((_, sum), (_, own)) in sum.0.iter_mut().zip(&own.0) {
			sum.add(own);
		}
	}
	let finite = |is: bool, what| is.then_some(()).ok_or(TrainError::NotFinite { step: 0, what });
	let (rate, samples) = (learning_rate.value(), indices.len() as f64);
	let scale = rate * (norms / parts);
	finite(loss.is_finite(), "loss")?;
	finite(sum.is_finite() && scale.is_finite(), "gradient")?;
	for_each(&mut sum, |value| *value = single(-rate * (*value / samples)));
	finite(sum.is_finite(), "change of a weight")?;
	Ok(Descent { change: sum, scale })
}

/// Says whether this is one step of plain descent, on so many rows, with all numbers in bounds.
pub fn check(
	learning_rate: Millionths,
	schedule: &Schedule,
	rows: usize,
) -> Result<(), TrainError> {
	Rule::Sgd { learning_rate }.check()?;
	schedule.check(rows)?;
	if schedule.steps != 1 {
		return Err(TrainError::OutOfBounds { field: "steps", value: schedule.steps, most: 1 });
	}
	Ok(())
}

/// Weights as a 32-bit backend has them: each the nearest f32. Refused where one is infinite then.
pub fn singles(weights: &State) -> Result<State, TrainError> {
	let mut rounded = weights.clone();
	for (name, tensor) in &mut rounded.0 {
		round(tensor);
		if !tensor.is_finite() {
			return Err(StateError::NotFinite(name.clone()).into());
		}
	}
	Ok(rounded)
}

/// Samples for a model as a 32-bit backend has them: each element the nearest f32. Refused where
/// one is infinite then. Tokens are indices and stay as they are: rounding could make one of what
/// is none.
pub fn single_samples(model: &Model, mut x: Tensor) -> Result<Tensor, TrainError> {
	if model.vocabulary().is_some() {
		return Ok(x);
	}
	round(&mut x);
	x.is_finite().then_some(x).ok_or(InputError::NotFinite.into())
}

fn round(tensor: &mut Tensor) {
	tensor.data_mut().iter_mut().for_each(|value| *value = single(*value));
}

/// The nearest f32, infinite beyond all of them, and without the sign of a zero.
fn single(value: f64) -> f64 {
	f64::from(value as f32) + 0.0
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn numbers_become_the_nearest_single() {
		assert_eq!(single(0.1), f64::from(0.1_f32));
		assert_eq!(single(1e39), f64::INFINITY);
		assert_eq!(single(-1e-60).to_bits(), 0.0_f64.to_bits());
		// Halfway between two singles: the even one.
		let (one, unit) = (1.0, f64::from(f32::EPSILON));
		assert_eq!(single(one + unit / 2.0), one);
		assert_eq!(single(one + unit * 1.5), one + unit * 2.0);
	}
}
