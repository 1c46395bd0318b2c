//! One step of plain descent in singles, whose change is compared within a band.
//!
//! The scores of a model are turned into doubles before the loss is computed of them. In singles a
//! share close to one has lost the digits that its sample's gradient consists of: near convergence
//! honest machines would then differ by more than any band.
//!
//! Weights and samples may be such that singles lose those digits elsewhere: large numbers that cancel
//! out, or numbers that are too large for singles alone. So the same step is taken in doubles as well,
//! from the same rounded weights and samples. Where the two are further apart than a quarter of the
//! band the step is refused: nobody who is honest hands over what a referee would call wrong.

use crate::{
	fault::Fault,
	network::Network,
	parameters::Parameters,
	precision::{is_finite, Precision},
	samples::Picker,
	train::Course,
};
use tequio_engine_ml::{
	dataset::Shard,
	descend::singles,
	near::is_well_conditioned,
	optimiser::{Millionths, Rule},
	train::{count, Schedule, TrainError},
	Descent, Model, State,
};

/// The change `−η g` of one step, where `g` is the mean gradient of the rows that `indices` name, and
/// how large gradients are: `η` times the mean norm of the micro-batches' own mean gradients.
///
/// Gradients are computed and summed in singles. What is done with their sum is done in doubles, and
/// rounded to singles once. [`TrainError::IllConditioned`]: doubles come to something else.
pub fn descend(
	model: &Model,
	weights: &State,
	learning_rate: Millionths,
	schedule: &Schedule,
	shard: &Shard,
	indices: &[u32],
) -> Result<Descent, Fault> {
	Rule::Sgd { learning_rate }.check().map_err(TrainError::from)?;
	schedule.check(indices.len())?;
	if schedule.steps != 1 {
		return Err(
			TrainError::OutOfBounds { field: "steps", value: schedule.steps, most: 1 }.into()
		);
	}
	model.check(weights).map_err(TrainError::from)?;
	let weights = singles(weights)?;
	let micro_batch = count(schedule.micro_batch);
	let step = Step { model, weights, rate: learning_rate.value(), micro_batch, shard, indices };
	match (outcome(step.by(Precision::Single))?, outcome(step.by(Precision::Double))?) {
		(Ok(found), Ok(truth)) if is_well_conditioned(&found, &truth) => Ok(found),
		(Err(diverged), Err(_)) => Err(diverged.into()),
		_ => Err(TrainError::IllConditioned.into()),
	}
}

/// A step before it is taken.
struct Step<'a> {
	model: &'a Model,
	/// All of them singles.
	weights: State,
	/// Learning rate.
	rate: f64,
	micro_batch: usize,
	shard: &'a Shard,
	indices: &'a [u32],
}

impl Step<'_> {
	/// What comes of it in a precision.
	fn by(&self, precision: Precision) -> Result<Descent, Fault> {
		let course = Course {
			picker: Picker::new(self.model, self.shard, Precision::Single)?,
			network: Network::new(self.model, precision, Precision::Double)?,
			parameters: Parameters::new(&self.weights, precision)?,
		};
		let (mut sum, mut part) = (course.parameters.gradient()?, course.parameters.gradient()?);
		let (mut loss, mut norms, mut parts) = (0.0_f64, 0.0_f64, 0.0_f64);
		for (place, rows) in self.indices.chunks(self.micro_batch).enumerate() {
			let own = if place == 0 { &mut sum } else { &mut part };
			loss += course.gradient(rows, own)?;
			norms += own.norm()? / rows.len() as f64;
			parts += 1.0;
			if place > 0 {
				sum.add(&part)?;
			}
		}
		let finite =
			|is: bool, what| is.then_some(()).ok_or(TrainError::NotFinite { step: 0, what });
		let (rate, samples) = (self.rate, self.indices.len() as f64);
		let scale = rate * (norms / parts);
		finite(loss.is_finite(), "loss")?;
		finite(is_finite(&sum.flat())? && scale.is_finite(), "gradient")?;
		let change = course.parameters.unpack(&sum.flat(), &self.weights, |slope, _| {
			let change = -rate * (slope / samples);
			// Zero has no sign, so that equal numbers are equal bytes.
			f64::from(change as f32) + 0.0
		})?;
		finite(change.is_finite(), "change of a weight")?;
		Ok(Descent { change, scale })
	}
}

/// A step, or how it diverges; whatever else is wrong with it is an error.
fn outcome(taken: Result<Descent, Fault>) -> Result<Result<Descent, TrainError>, Fault> {
	match taken {
		Ok(step) => Ok(Ok(step)),
		Err(Fault::Train(diverged @ TrainError::NotFinite { .. })) => Ok(Err(diverged)),
		Err(fault) => Err(fault),
	}
}
