//! Rows of a shard as tensors.

use crate::{
	fault::Fault,
	precision::{long, Precision},
};
use tch::{Kind, TchError, Tensor};
use tequio_engine_ml::{
	dataset::{DatasetError, Shard, MAX_PICKED},
	loss::NoSuchClass,
	network::InputError,
	train::TrainError,
	Model,
};

/// Samples that a model takes, and their labels.
#[derive(Debug)]
pub struct Samples {
	/// `[samples, …]`: numbers, or indices into a table.
	pub inputs: Tensor,
	/// `[samples]`: classes.
	pub labels: Tensor,
}

impl Samples {
	/// The same numbers in a precision that is no lower. Indices stay what they are.
	pub fn held_in(self, precision: Precision) -> Result<Self, TchError> {
		let found = self.inputs.f_kind()?;
		if found == Kind::Int64 || found == precision.kind() {
			return Ok(self);
		}
		Ok(Self { inputs: self.inputs.f_to_kind(precision.kind())?, ..self })
	}
}

/// Picks rows of a shard for a model, rounded to a precision.
///
/// It refuses what [`check_micro_batch`](tequio_engine_ml::network::check_micro_batch) refuses, and in
/// singles what [`single_samples`](tequio_engine_ml::descend::single_samples) refuses, but copies rows
/// once. All numbers of a shard are finite: who reads one has checked that.
#[derive(Debug)]
pub struct Picker<'a> {
	shard: &'a Shard,
	precision: Precision,
	/// Numbers of a row.
	width: usize,
	/// Sizes of a sample.
	sizes: Vec<i64>,
	classes: usize,
	vocabulary: Option<u32>,
}

impl<'a> Picker<'a> {
	/// For a shard whose samples have the shape of the model's input.
	pub fn new(model: &Model, shard: &'a Shard, precision: Precision) -> Result<Self, TrainError> {
		let (found, expected) = (shard.sample_shape(), model.input());
		if found != expected {
			let (found, expected) = (found.to_vec(), expected.to_vec());
			return Err(InputError::Shape { found, expected }.into());
		}
		Ok(Self {
			shard,
			precision,
			width: expected.iter().product(),
			sizes: expected.iter().map(|size| long(*size)).collect(),
			classes: model.classes(),
			vocabulary: model.vocabulary(),
		})
	}

	/// The samples that an index list names, in its order.
	pub fn pick(&self, rows: &[u32]) -> Result<Samples, Fault> {
		let labels = self.labels(rows)?;
		let flat = match (self.vocabulary, self.precision) {
			(Some(vocabulary), _) => {
				let indices = self.numbers(rows, |number| number as i64);
				let below = |index: &i64| (0..i64::from(vocabulary)).contains(index);
				if !self.whole(rows) || !indices.iter().all(below) {
					return Err(TrainError::from(InputError::NoSuchToken { vocabulary }).into());
				}
				Tensor::f_from_slice(&indices)?
			},
			(None, Precision::Single) => {
				let singles = self.numbers(rows, |number| number as f32);
				if !singles.iter().all(|single| single.is_finite()) {
					return Err(TrainError::from(InputError::NotFinite).into());
				}
				Tensor::f_from_slice(&singles)?
			},
			(None, Precision::Double) => {
				Tensor::f_from_slice(&self.numbers(rows, |number| number))?
			},
		};
		let sizes = [&[long(rows.len())][..], &self.sizes].concat();
		Ok(Samples {
			inputs: flat.f_view(sizes.as_slice())?,
			labels: Tensor::f_from_slice(&labels)?,
		})
	}

	/// The labels of rows, if these are there and the model knows those.
	fn labels(&self, rows: &[u32]) -> Result<Vec<i64>, TrainError> {
		self.shard.check(rows)?;
		let (count, width) = (rows.len(), self.width);
		if count.checked_mul(width).is_none_or(|elements| elements > MAX_PICKED) {
			return Err(DatasetError::TooMuch { rows: count, width }.into());
		}
		let all = &self.shard.samples().y;
		let mut labels = Vec::with_capacity(count);
		for label in rows.iter().filter_map(|row| all.get(*row as usize)) {
			let (label, classes) = (*label, self.classes);
			if label as usize >= classes {
				return Err(InputError::from(NoSuchClass { label, classes }).into());
			}
			labels.push(i64::from(label));
		}
		Ok(labels)
	}

	/// The numbers of rows that are there, one row after another.
	fn numbers<T>(&self, rows: &[u32], convert: impl Fn(f64) -> T) -> Vec<T> {
		let mut numbers = Vec::with_capacity(rows.len() * self.width);
		for row in rows {
			numbers.extend(self.row(*row).iter().map(|number| convert(*number)));
		}
		numbers
	}

	/// Whether rows that are there hold whole numbers alone.
	fn whole(&self, rows: &[u32]) -> bool {
		rows.iter().all(|row| self.row(*row).iter().all(|number| number.trunc() == *number))
	}

	fn row(&self, row: u32) -> &[f64] {
		let start = (row as usize).saturating_mul(self.width);
		let all = self.shard.samples().x.data();
		all.get(start..start.saturating_add(self.width)).unwrap_or_default()
	}
}
