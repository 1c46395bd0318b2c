//! Payloads: how a change of weights is handed over to whoever aggregates. All of it, on the grid or as
//! singles, or the largest elements now and the others with a later change.
//!
//! Singles are what one step of descent makes: steps are so small that the grid would take most of
//! what differs between them. Whoever aggregates rounds them to the grid. Their file is named by the
//! [`projection`](crate::projection) of it, which is the output.

use crate::{
	compress::{self, check_keep, decode, CompressError},
	grid::{GridError, GridState},
	safetensors::{
		self, check_finite, Archive, Dtype, SafetensorsError, Source, Values, MAX_HEADER,
	},
	tensor::State,
};
use serde::{Deserialize, Serialize};

/// Bytes of a grid unit.
const UNIT_BYTES: usize = 8;
/// Bytes of a single.
const SINGLE_BYTES: usize = 4;
/// Bytes of the length of a header.
const LENGTH_BYTES: usize = 8;

/// How a change is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Payload {
	/// All of it, as a safetensors file of grid units.
	Grid,
	/// The largest elements of each tensor, in the encoding of [`compress`](mod@crate::compress). What
	/// is left out is the residual, which the same shard adds to its next change.
	TopK {
		/// Millionths of each tensor's elements: 1 to [`MILLION`](compress::MILLION).
		share: u32,
	},
	/// All of it, as a safetensors file of F32, and as the output its
	/// [`projection`](crate::projection).
	Single,
}

/// Why bytes are no payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PayloadError {
	/// They are no change in grid units.
	#[error(transparent)]
	Grid(#[from] GridError),
	/// They are no compressed change.
	#[error(transparent)]
	Compress(#[from] CompressError),
}

impl Payload {
	/// Says whether the share is in bounds.
	pub fn check(&self) -> Result<(), CompressError> {
		match *self {
			Self::Grid | Self::Single => Ok(()),
			Self::TopK { share } => check_keep(share),
		}
	}

	/// The most bytes that the payload of a change to these weights takes.
	pub fn max_bytes(&self, weights: &State) -> usize {
		match self {
			Self::Grid => file_bytes(weights, UNIT_BYTES),
			Self::TopK { .. } => compress::max_bytes(weights),
			Self::Single => file_bytes(weights, SINGLE_BYTES),
		}
	}

	/// Reads the payload of a change to a model of these weights.
	pub fn read(&self, bytes: &[u8], weights: &State) -> Result<GridState, PayloadError> {
		match self {
			Self::Grid => Ok(GridState::read(bytes, bytes.len(), weights)?),
			Self::TopK { .. } => Ok(decode(bytes, weights)?),
			Self::Single => Ok(GridState::round(&read_single(bytes, weights)?)?),
		}
	}
}

/// A change as a file of singles, whose elements are the nearest to those of the change. No zero in
/// it is negative: equal numbers are equal bytes.
pub fn write_single(change: &State) -> Result<Vec<u8>, SafetensorsError> {
	let mut singles: Vec<Vec<f32>> = Vec::with_capacity(change.0.len());
	for (_, tensor) in &change.0 {
		singles.push(tensor.data().iter().map(|element| *element as f32 + 0.0).collect());
	}
	let sources = change.0.iter().zip(&singles).map(|((name, tensor), singles)| Source {
		name,
		shape: tensor.shape(),
		values: Values::F32(singles),
	});
	safetensors::write(&sources.collect::<Vec<_>>())
}

/// Reads what [`write_single`] wrote, for a model of these weights.
pub fn read_single(bytes: &[u8], weights: &State) -> Result<State, GridError> {
	let archive = Archive::parse(bytes, bytes.len())?;
	let mut tensors = Vec::with_capacity(archive.entries().len());
	for entry in archive.entries() {
		if entry.dtype() != Dtype::F32 {
			return Err(entry.refusal("F32").into());
		}
		tensors.push((entry.name().to_owned(), entry.floats()?));
	}
	let state = State(tensors);
	check_finite(&state).map_err(SafetensorsError::from)?;
	state.same_shapes(weights).then_some(state).ok_or(GridError::OtherShapes)
}

/// The most bytes of a file with elements of so many bytes: header and length come before them.
fn file_bytes(weights: &State, element: usize) -> usize {
	let elements = weights.0.iter().map(|(_, tensor)| tensor.len());
	let elements = elements.fold(0_usize, usize::saturating_add).saturating_mul(element);
	elements.saturating_add(LENGTH_BYTES).saturating_add(MAX_HEADER)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::{safetensors::write_state, tensor::Tensor};

	fn state(elements: &[f64]) -> State {
		let tensor = Tensor::new(vec![elements.len()], elements.to_vec()).unwrap();
		State(vec![("0.weight".into(), tensor)])
	}

	#[test]
	fn singles_are_read_back() {
		let change = state(&[1.5, -0.1, 1e-30, 0.0]);
		let bytes = write_single(&change).unwrap();
		assert!(bytes.len() <= Payload::Single.max_bytes(&change));
		let read = read_single(&bytes, &change).unwrap();
		assert_eq!(read, state(&[1.5, f64::from(-0.1_f32), f64::from(1e-30_f32), 0.0]));
		assert_eq!(write_single(&read), Ok(bytes.clone()));
		// 1.5 · 2²⁰, −0.1 · 2²⁰, and nothing.
		let units = Payload::Single.read(&bytes, &change).unwrap();
		assert_eq!(units.0[0].1.units(), [1_572_864, -104_858, 0, 0]);
	}

	#[test]
	fn equal_numbers_are_equal_bytes() {
		assert_eq!(write_single(&state(&[-0.0])), write_single(&state(&[0.0])));
	}

	#[test]
	fn what_are_no_singles_of_the_model_is_refused() {
		let change = state(&[1.0, 2.0]);
		let doubles = write_state(&change).unwrap();
		assert!(matches!(read_single(&doubles, &change), Err(GridError::Safetensors(_))));
		let bytes = write_single(&change).unwrap();
		let cut = bytes.get(1..).unwrap();
		assert!(matches!(read_single(cut, &change), Err(GridError::Safetensors(_))));
		assert_eq!(read_single(&bytes, &state(&[1.0])), Err(GridError::OtherShapes));
		let mut infinite = bytes;
		let end = infinite.len() - 4;
		infinite.splice(end.., f32::INFINITY.to_le_bytes());
		assert!(matches!(read_single(&infinite, &change), Err(GridError::Safetensors(_))));
		for large in [f64::MAX, f64::NAN] {
			let refused = write_single(&state(&[0.0, large]));
			assert!(matches!(refused, Err(SafetensorsError::NotFinite(_))), "{large}");
		}
		let beyond = write_single(&state(&[0.0, 2e6])).unwrap();
		let refused = Payload::Single.read(&beyond, &change);
		assert!(matches!(refused, Err(PayloadError::Grid(GridError::OutOfRange { .. }))));
	}
}
