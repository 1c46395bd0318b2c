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
	descend::{check, singles},
	near::is_well_conditioned,
	optimiser::Millionths,
	train::{count, TrainError},
	Descent, Steps,
};

/// The change `−η g` of one step, where `g` is the mean gradient of the rows, and how large gradients
/// are: `η` times the mean norm of the micro-batches' own mean gradients.
///
/// Gradients are computed and summed in singles. What is done with their sum is done in doubles, and
/// rounded to singles once. [`TrainError::IllConditioned`]: doubles come to something else.
pub fn descend(learning_rate: Millionths, step: &Steps<'_>) -> Result<Descent, Fault> {
	check(learning_rate, step.schedule, step.rows.len())?;
	step.model.check(step.weights).map_err(TrainError::from)?;
	let step = Steps { weights: &singles(step.weights)?, ..*step };
	let by = |precision| outcome(taken(&step, learning_rate.value(), precision));
	match (by(Precision::Single)?, by(Precision::Double)?) {
		(Ok(found), Ok(truth)) if is_well_conditioned(&found, &truth) => Ok(found),
		(Err(diverged), Err(_)) => Err(diverged.into()),
		_ => Err(TrainError::IllConditioned.into()),
	}
}

/// What comes of a step of this rate in a precision. Its weights are singles.
fn taken(step: &Steps<'_>, rate: f64, precision: Precision) -> Result<Descent, Fault> {
	let Steps { model, weights, schedule, shard, rows } = *step;
	let course = Course {
		picker: Picker::new(model, shard, Precision::Single)?,
		network: Network::new(model, precision, Precision::Double)?,
		parameters: Parameters::new(weights, precision)?,
	};
	let (mut sum, mut part) = (course.parameters.gradient()?, course.parameters.gradient()?);
	let (mut loss, mut norms, mut parts) = (0.0_f64, 0.0_f64, 0.0_f64);
	for (place, some) in rows.chunks(count(schedule.micro_batch)).enumerate() {
		let own = if place == 0 { &mut sum } else { &mut part };
		loss += course.gradient(some, own)?;
		norms += own.norm()? / some.len() as f64;
		parts += 1.0;
		if place > 0 {
			sum.add(&part)?;
		}
	}
	let finite = |is: bool, what| is.then_some(()).ok_or(TrainError::NotFinite { step: 0, what });
	let samples = rows.len() as f64;
	let scale = rate * (norms / parts);
	finite(loss.is_finite(), "loss")?;
	finite(is_finite(&sum.flat())? && scale.is_finite(), "gradient")?;
	let change = course.parameters.unpack(&sum.flat(), weights, |slope, _| {
		let change = -rate * (slope / samples);
		// Zero has no sign, so that equal numbers are equal bytes.
		f64::from(change as f32) + 0.0
	})?;
	finite(change.is_finite(), "change of a weight")?;
	Ok(Descent { change, scale })
}

/// A step, or how it diverges; whatever else is wrong with it is an error.
fn outcome(taken: Result<Descent, Fault>) -> Result<Result<Descent, TrainError>, Fault> {
	match taken {
		Ok(step) => Ok(Ok(step)),
		Err(Fault::Train(diverged @ TrainError::NotFinite { .. })) => Ok(Err(diverged)),
		Err(fault) => Err(fault),
	}
}
