//! Weights in one piece of memory, and their gradients.
//!
//! A step of an optimiser is then a handful of operations on all weights at once, however many layers
//! there are. Each parameter begins at a multiple of [`ALIGNMENT`] elements, so that where it lies in
//! memory is the same in every model; zeros fill what is between them, and stay zeros.

use crate::precision::{long, sizes, Precision};
use std::ops::RangeInclusive;
use tch::{Kind, TchError, Tensor};
use tequio_engine_ml::{tensor, State};

/// Elements that parameters are aligned to: 64 bytes of singles.
pub const ALIGNMENT: usize = 16;

/// Sums of squares that are neither too large nor too small to be taken in singles.
const SQUARES: RangeInclusive<f64> = 1e-20..=1e30;

/// Where a parameter lies.
#[derive(Clone, Debug)]
struct Place {
	start: usize,
	length: usize,
	/// Its shape.
	sizes: Vec<i64>,
}

/// The weights of a model.
#[derive(Debug)]
pub struct Parameters {
	precision: Precision,
	places: Vec<Place>,
	/// All of them.
	flat: Tensor,
	/// Each of them as a tensor of its shape, in the memory of all. Gradients are taken by these.
	leaves: Vec<Tensor>,
}

impl Parameters {
	/// Weights, rounded to a precision.
	pub fn new(weights: &State, precision: Precision) -> Result<Self, TchError> {
		let (mut places, mut elements) = (Vec::with_capacity(weights.0.len()), Vec::new());
		for (_, tensor) in &weights.0 {
			let (start, length) = (elements.len(), tensor.len());
			elements.extend_from_slice(tensor.data());
			elements.resize(elements.len().next_multiple_of(ALIGNMENT), 0.0);
			places.push(Place { start, length, sizes: sizes(tensor.shape()) });
		}
		let flat = precision.upload(&elements)?;
		drop(elements);
		let mut leaves = views(&flat, &places)?;
		for leaf in &mut leaves {
			*leaf = leaf.f_set_requires_grad(true)?;
		}
		Ok(Self { precision, places, flat, leaves })
	}

	/// What its elements are held in.
	pub fn precision(&self) -> Precision {
		self.precision
	}

	/// Each parameter as a tensor of its shape, in the order of the model's layers.
	pub fn leaves(&self) -> &[Tensor] {
		&self.leaves
	}

	/// All parameters in one size, those zeros included that lie between them. Whoever changes it
	/// changes them.
	pub fn flat(&self) -> Tensor {
		self.flat.shallow_clone()
	}

	/// Room for a gradient: zeros.
	pub fn gradient(&self) -> Result<Gradient, TchError> {
		let flat = self.flat.f_zeros_like()?;
		Ok(Gradient { parts: views(&flat, &self.places)?, flat })
	}

	/// Numbers in one size as tensors of these names and shapes, each changed by a function of the
	/// number that `names` has in its place.
	pub fn unpack(
		&self,
		flat: &Tensor,
		names: &State,
		change: impl Fn(f64, f64) -> f64,
	) -> Result<State, TchError> {
		let elements = self.precision.download(flat)?;
		let mut tensors = Vec::with_capacity(names.0.len());
		for (place, (name, like)) in self.places.iter().zip(&names.0) {
			let own = elements.get(place.start..).unwrap_or_default();
			let changed = own.iter().zip(like.data()).map(|(own, other)| change(*own, *other));
			let shape = like.shape().to_vec();
			let tensor = tensor::Tensor::new(shape, changed.collect()).ok_or_else(|| {
				TchError::Shape(format!("`{name}` has another number of elements than its shape"))
			})?;
			tensors.push((name.clone(), tensor));
		}
		Ok(State(tensors))
	}
}

/// A gradient of all parameters, in one piece of memory as they are.
#[derive(Debug)]
pub struct Gradient {
	/// All of it.
	flat: Tensor,
	/// That of each parameter, in the memory of all.
	parts: Vec<Tensor>,
}

impl Gradient {
	/// All of it in one size, as [`Parameters::flat`] is. Whoever changes it changes the gradient.
	pub fn flat(&self) -> Tensor {
		self.flat.shallow_clone()
	}

	/// Sets it to that of a number which was computed from the leaves of these parameters.
	pub fn set(&mut self, parameters: &Parameters, of: &Tensor) -> Result<(), TchError> {
		let found = Tensor::f_run_backward(&[of], parameters.leaves(), false, false)?;
		for (part, found) in self.parts.iter_mut().zip(&found) {
			part.f_copy_(found)?;
		}
		Ok(())
	}

	/// Adds another.
	pub fn add(&mut self, other: &Self) -> Result<(), TchError> {
		self.flat.f_add_(&other.flat).map(drop)
	}

	/// Divides it by a number of samples.
	pub fn divide(&mut self, samples: usize) -> Result<(), TchError> {
		let divisor = samples as f64;
		if samples.is_power_of_two() {
			// The same bits, sooner.
			return self.flat.f_mul_scalar_(1.0 / divisor).map(drop);
		}
		self.flat.f_div_scalar_(divisor).map(drop)
	}

	/// Its L2 norm.
	pub fn norm(&self) -> Result<f64, TchError> {
		// Sums run in pairs of pairs, which keeps their digits in singles too.
		let square = self.flat.f_mul(&self.flat)?.f_sum(self.flat.f_kind()?)?;
		let square = square.f_double_value(&[])?;
		if SQUARES.contains(&square) {
			return Ok(square.sqrt());
		}
		// The squares were too large or too small for singles.
		self.flat.f_to_kind(Kind::Double)?.f_norm()?.f_double_value(&[])
	}
}

/// What lies in these places, each as a tensor of its shape that autograd takes for a new one.
fn views(flat: &Tensor, places: &[Place]) -> Result<Vec<Tensor>, TchError> {
	let view = |place: &Place| {
		let own = flat.f_narrow(0, long(place.start), long(place.length))?;
		own.f_view(place.sizes.as_slice())?.f_detach()
	};
	places.iter().map(view).collect()
}
