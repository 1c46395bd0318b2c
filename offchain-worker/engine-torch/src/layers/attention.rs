//! Scaled dot-product attention with several heads, of positions to positions of the same sample.
//!
//! It is written out: libtorch's own has several algorithms and picks one by shape and processor.

use super::{parameter, Operation};
use crate::precision::{long, Precision};
use tch::{Device, Kind, TchError, Tensor};

// Places of the parameters.
const QUERY: usize = 0;
const KEY: usize = 1;
const VALUE: usize = 2;
const OUTPUT: usize = 3;
const OUTPUT_BIAS: usize = 4;

/// Attention of `[positions, features]` to itself.
#[derive(Debug)]
pub(super) struct SelfAttention {
	positions: i64,
	features: i64,
	heads: i64,
	/// What scores are multiplied with: one over the root of the features of a head.
	scale: f64,
	/// What is added to scores so that a position sees none of those behind it. None: it sees all.
	mask: Option<Tensor>,
}

impl SelfAttention {
	pub(super) fn new(
		input: &[usize],
		heads: u32,
		causal: bool,
		precision: Precision,
	) -> Result<Self, TchError> {
		let (positions, features) = match *input {
			[positions, features] => (long(positions), long(features)),
			_ => return Err(TchError::Shape(format!("attention gets samples of {input:?}"))),
		};
		let heads = i64::from(heads.max(1));
		let scale = 1.0 / ((features / heads) as f64).sqrt();
		let options = (precision.kind(), Device::Cpu);
		let mask = if causal {
			let never = Tensor::f_full([positions, positions], f64::NEG_INFINITY, options)?;
			Some(never.f_triu(1)?)
		} else {
			None
		};
		Ok(Self { positions, features, heads, scale, mask })
	}

	/// `[samples, positions, features]` to `[samples, heads, positions, features of a head]`.
	fn divide(&self, rows: &Tensor) -> Result<Tensor, TchError> {
		let sizes = [-1, self.positions, self.heads, self.features / self.heads];
		rows.f_view(sizes)?.f_transpose(1, 2)
	}
}

impl Operation for SelfAttention {
	fn forward(&self, weights: &[Tensor], input: Tensor) -> Result<Tensor, TchError> {
		let project = |place| {
			let rows = input.f_linear(parameter(weights, place)?, None::<&Tensor>)?;
			self.divide(&rows)
		};
		let (query, key, value) = (project(QUERY)?, project(KEY)?, project(VALUE)?);
		let scores = query.f_matmul(&key.f_transpose(-1, -2)?)?.f_mul_scalar(self.scale)?;
		let scores = match &self.mask {
			Some(mask) => scores.f_add(mask)?,
			None => scores,
		};
		let mixed = scores.f_softmax(-1, None::<Kind>)?.f_matmul(&value)?;
		let rows = mixed.f_transpose(1, 2)?.f_reshape([-1, self.positions, self.features])?;
		rows.f_linear(parameter(weights, OUTPUT)?, Some(parameter(weights, OUTPUT_BIAS)?))
	}
}
