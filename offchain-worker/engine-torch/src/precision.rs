//! Doubles or singles: numbers to tensors and back.

use tch::{Kind, TchError, Tensor};

/// What weights, gradients and everything between them are held in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
	/// IEEE 754 binary32.
	Single,
	/// IEEE 754 binary64.
	Double,
}

impl Precision {
	/// libtorch's name of it.
	pub fn kind(self) -> Kind {
		match self {
			Self::Single => Kind::Float,
			Self::Double => Kind::Double,
		}
	}

	/// Numbers as a tensor of one size, each rounded to this precision.
	pub fn upload(self, numbers: &[f64]) -> Result<Tensor, TchError> {
		match self {
			Self::Single => {
				let singles: Vec<f32> = numbers.iter().map(|number| *number as f32).collect();
				Tensor::f_from_slice(&singles)
			},
			Self::Double => Tensor::f_from_slice(numbers),
		}
	}

	/// The elements of a tensor of this precision in row-major order, as doubles.
	pub fn download(self, tensor: &Tensor) -> Result<Vec<f64>, TchError> {
		let elements = tensor.numel();
		match self {
			Self::Single => {
				let mut singles = vec![0.0_f32; elements];
				tensor.f_copy_data(&mut singles, elements)?;
				Ok(singles.into_iter().map(f64::from).collect())
			},
			Self::Double => {
				let mut doubles = vec![0.0_f64; elements];
				tensor.f_copy_data(&mut doubles, elements)?;
				Ok(doubles)
			},
		}
	}
}

/// Sizes as libtorch takes them.
pub(crate) fn sizes(shape: &[usize]) -> Vec<i64> {
	shape.iter().map(|size| long(*size)).collect()
}

/// A size as libtorch takes it. Models have bounded all of them far below.
pub(crate) fn long(size: usize) -> i64 {
	i64::try_from(size).unwrap_or(i64::MAX)
}

/// Whether no element is infinite or not a number.
pub(crate) fn is_finite(tensor: &Tensor) -> Result<bool, TchError> {
	// A sum hides neither. It may only be too large itself, and then each element is looked at.
	if tensor.f_sum(tensor.f_kind()?)?.f_double_value(&[])?.is_finite() {
		return Ok(true);
	}
	Ok(tensor.f_isfinite()?.f_all()?.f_int64_value(&[])? != 0)
}
