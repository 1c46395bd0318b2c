//! Local steps, and the change that they make.
//!
//! A step takes the next `batch` rows of the index list, `micro_batch` at a time, sums the gradients
//! of these in their order, divides by the number of rows, and lets the optimiser take one step. The
//! weights stay in libtorch's memory from the first step to the last.

use crate::{
	fault::Fault,
	network::Network,
	optimiser::Optimiser,
	parameters::{Gradient, Parameters},
	precision::{is_finite, Precision},
	samples::Picker,
};
use tequio_engine_ml::{
	descend::singles,
	train::{count, TrainError, Trained},
	Rule, Steps,
};

/// Takes steps from weights that are rounded to a precision. The optimiser starts anew. The change is
/// the difference of what weights are afterwards and what they were rounded to.
pub fn train(precision: Precision, rule: Rule, steps: &Steps<'_>) -> Result<Trained, Fault> {
	let Steps { model, weights, schedule, shard, rows } = *steps;
	schedule.check(rows.len())?;
	model.check(weights).map_err(TrainError::from)?;
	rule.check().map_err(TrainError::from)?;
	let rounded;
	let weights = match precision {
		Precision::Single => {
			rounded = singles(weights)?;
			&rounded
		},
		Precision::Double => weights,
	};
	let mut course = Course {
		picker: Picker::new(model, shard, precision)?,
		network: Network::new(model, precision, precision)?,
		parameters: Parameters::new(weights, precision)?,
	};
	let mut optimiser = Optimiser::new(rule, &course.parameters)?;
	let mut mean = Mean::new(&course.parameters)?;
	let mut losses = Vec::new();
	let (batch, micro_batch) = (count(schedule.batch), count(schedule.micro_batch));
	for (step, rows) in rows.chunks_exact(batch).enumerate() {
		let finite = |is: bool, what| is.then_some(()).ok_or(TrainError::NotFinite { step, what });
		let loss = mean.set(&course, rows, micro_batch)?;
		finite(loss.is_finite(), "loss")?;
		finite(is_finite(&mean.gradient.flat())?, "gradient")?;
		optimiser.step(&mut course.parameters, &mut mean.gradient)?;
		finite(is_finite(&course.parameters.flat())?, "change of a weight")?;
		losses.push(loss);
	}
	let parameters = &course.parameters;
	let change = parameters.unpack(&parameters.flat(), weights, |after, before| after - before)?;
	Ok(Trained { change, losses })
}

/// A model in training.
#[derive(Debug)]
pub(crate) struct Course<'a> {
	pub(crate) picker: Picker<'a>,
	pub(crate) network: Network,
	pub(crate) parameters: Parameters,
}

impl Course<'_> {
	/// The summed loss of the rows of one micro-batch, in nats. Sets `gradient` to its gradient.
	pub(crate) fn gradient(&self, rows: &[u32], gradient: &mut Gradient) -> Result<f64, Fault> {
		let samples = self.picker.pick(rows)?.held_in(self.parameters.precision())?;
		let loss = self.network.loss(self.parameters.leaves(), &samples)?;
		gradient.set(&self.parameters, &loss)?;
		Ok(loss.f_double_value(&[])?)
	}
}

/// The mean gradient of a step.
struct Mean {
	gradient: Gradient,
	/// That of one micro-batch, where there are several.
	part: Option<Gradient>,
}

impl Mean {
	fn new(parameters: &Parameters) -> Result<Self, Fault> {
		Ok(Self { gradient: parameters.gradient()?, part: None })
	}

	/// The mean loss of these rows, of which there are some, in nats. Sets the gradient to its
	/// gradient.
	fn set(&mut self, course: &Course, rows: &[u32], micro_batch: usize) -> Result<f64, Fault> {
		let mut sum = 0.0_f64;
		for (place, some) in rows.chunks(micro_batch).enumerate() {
			if place == 0 {
				sum += course.gradient(some, &mut self.gradient)?;
				continue;
			}
			let mut part = match self.part.take() {
				Some(part) => part,
				None => course.parameters.gradient()?,
			};
			sum += course.gradient(some, &mut part)?;
			self.gradient.add(&part)?;
			self.part = Some(part);
		}
		self.gradient.divide(rows.len())?;
		Ok(sum / rows.len() as f64)
	}
}
