//! The fixed-point grid: what makes two honest results of training equal.
//!
//! Machines that sum in different orders differ in the last bits of a double. Training in doubles
//! and then rounding the *change* of the weights to whole units of 2⁻²⁰ leaves nothing of that but
//! rounding edges: in 1.4 million weights of three models, on several code paths of one processor,
//! no element differed (research note on machine learning, 2.3). The grid is absolute and the same
//! for all models: were it chosen from the data, machines could come to different grids.
//!
//! There is no tolerance beside it: results on the grid are equal, or one of them is wrong. An edge
//! that splits two results would make one of two honest workers wrong, so each class that is
//! compared for equality has one arithmetic, in one order.

mod digest;

pub use digest::{grid_digest, state_digest};

use crate::{
	safetensors::{self, Archive, Dtype, SafetensorsError, Source, Values},
	tensor::{elements, State, Tensor},
};
use std::iter;

/// Units in one: the grid is 2⁻²⁰, about a millionth.
pub const UNITS_PER_ONE: i64 = 1 << 20;
/// Units that an element may have, in both directions: a change by 2²⁰. A weight that moves further
/// in one chunk has diverged. All such numbers, and sums of thousands of them, are exact as
/// doubles.
pub const MAX_UNITS: i64 = 1 << 40;

/// Why a change does not lie on the grid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GridError {
	/// An element is NaN, infinite or too large.
	#[error("element {index} of `{name}` is no number between -2^20 and 2^20")]
	OutOfRange {
		/// Name of the tensor.
		name: String,
		/// Place of the element, row-major, from 0.
		index: usize,
	},
	/// The tensors are not those that they should be.
	#[error("the tensors differ in name, order or shape")]
	OtherShapes,
	/// The bytes are no tensors.
	#[error(transparent)]
	Safetensors(#[from] SafetensorsError),
}

/// A dense row-major array of grid units, none beyond [`MAX_UNITS`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridTensor {
	shape: Vec<usize>,
	units: Vec<i64>,
}

impl GridTensor {
	/// None where the shape does not hold exactly these elements, or one is beyond [`MAX_UNITS`].
	pub fn new(shape: Vec<usize>, units: Vec<i64>) -> Option<Self> {
		let fits = elements(&shape)? == units.len() && units.iter().copied().all(in_range);
		fits.then_some(Self { shape, units })
	}

	/// Its size in each dimension.
	pub fn shape(&self) -> &[usize] {
		&self.shape
	}

	/// Its elements.
	pub fn units(&self) -> &[i64] {
		&self.units
	}
}

/// Named tensors of grid units, in the order of the model's layers: a change of weights.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct GridState(pub Vec<(String, GridTensor)>);

impl GridState {
	/// Rounds a change of weights to the nearest units, ties to even.
	pub fn round(change: &State) -> Result<Self, GridError> {
		let mut tensors = Vec::with_capacity(change.0.len());
		for (name, tensor) in &change.0 {
			let mut units = Vec::with_capacity(tensor.len());
			for (index, element) in tensor.data().iter().enumerate() {
				let rounded = to_units(*element)
					.ok_or_else(|| GridError::OutOfRange { name: name.clone(), index })?;
				units.push(rounded);
			}
			tensors.push((name.clone(), GridTensor { shape: tensor.shape().to_vec(), units }));
		}
		Ok(Self(tensors))
	}

	/// The change in doubles, which is exact.
	pub fn to_state(&self) -> State {
		let tensors = self.0.iter().filter_map(|(name, tensor)| {
			let elements = tensor.units.iter().map(|units| from_units(*units)).collect();
			Some((name.clone(), Tensor::new(tensor.shape.clone(), elements)?))
		});
		State(tensors.collect())
	}

	/// No change at all to a model's weights.
	pub fn zeros_like(weights: &State) -> Self {
		let tensors = weights.0.iter().map(|(name, tensor)| {
			let units = vec![0; tensor.len()];
			(name.clone(), GridTensor { shape: tensor.shape().to_vec(), units })
		});
		Self(tensors.collect())
	}

	/// Whether names, order and shapes are those of a model's weights.
	pub fn fits(&self, weights: &State) -> bool {
		self.0.len() == weights.0.len()
			&& iter::zip(&self.0, &weights.0).all(|((name, tensor), (wanted, weight))| {
				name == wanted && tensor.shape == weight.shape()
			})
	}

	/// Whether names, order and shapes are the same.
	pub fn same_shapes(&self, other: &Self) -> bool {
		self.0.len() == other.0.len()
			&& iter::zip(&self.0, &other.0).all(|((name, tensor), (other_name, other_tensor))| {
				name == other_name && tensor.shape == other_tensor.shape
			})
	}

	/// Units between the two where they are furthest apart. None where names, order or shapes
	/// differ.
	pub fn distance(&self, other: &Self) -> Option<u64> {
		if !self.same_shapes(other) {
			return None;
		}
		let tensors = iter::zip(&self.0, &other.0);
		let units = tensors.flat_map(|(one, two)| iter::zip(one.1.units(), two.1.units()));
		Some(units.map(|(one, two)| one.abs_diff(*two)).max().unwrap_or(0))
	}

	/// The change as the bytes of a safetensors file, its units as I64.
	pub fn write(&self) -> Result<Vec<u8>, SafetensorsError> {
		let sources = self.0.iter().map(|(name, tensor)| Source {
			name,
			shape: &tensor.shape,
			values: Values::I64(&tensor.units),
		});
		safetensors::write(&sources.collect::<Vec<_>>())
	}

	/// Reads what [`write`](Self::write) wrote, of at most `max_bytes`, for a model of these
	/// weights.
	pub fn read(bytes: &[u8], max_bytes: usize, weights: &State) -> Result<Self, GridError> {
		let archive = Archive::parse(bytes, max_bytes)?;
		let mut tensors = Vec::with_capacity(archive.entries().len());
		for entry in archive.entries() {
			if entry.dtype() != Dtype::I64 {
				return Err(entry.refusal("I64").into());
			}
			let (name, units) = (entry.name().to_owned(), entry.integers()?);
			if let Some(index) = units.iter().position(|units| !in_range(*units)) {
				return Err(GridError::OutOfRange { name, index });
			}
			tensors.push((name, GridTensor { shape: entry.shape().to_vec(), units }));
		}
		let state = Self(tensors);
		state.fits(weights).then_some(state).ok_or(GridError::OtherShapes)
	}
}

/// The nearest number of units, ties to even. None: NaN, infinite, or beyond [`MAX_UNITS`].
pub fn to_units(number: f64) -> Option<i64> {
	// A power of two moves only the exponent, so the one rounding is the one that is meant.
	let units = (number * UNITS_PER_ONE as f64).round_ties_even();
	(units.abs() <= MAX_UNITS as f64).then_some(units as i64)
}

/// The number that so many units are. Exact up to [`MAX_UNITS`].
pub fn from_units(units: i64) -> f64 {
	units as f64 / UNITS_PER_ONE as f64
}

/// Whether an element may have so many units.
pub(crate) fn in_range(units: i64) -> bool {
	units.unsigned_abs() <= MAX_UNITS.unsigned_abs()
}
