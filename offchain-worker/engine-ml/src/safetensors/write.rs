//! Writing files. The same tensors in the same order give the same bytes, everywhere.

use super::{
	check_name, check_shape, check_values, first_duplicate, Dtype, NotFinite, SafetensorsError,
	LENGTH_BYTES, MAX_HEADER, MAX_TENSORS,
};
use crate::tensor::State;
use serde::{Serialize, Serializer};

/// The header is padded to a multiple of this, so that elements are aligned.
const ALIGNMENT: usize = 8;

/// A tensor to write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Source<'a> {
	/// Its name: 1 to [`MAX_NAME`](super::MAX_NAME) bytes.
	pub name: &'a str,
	/// Its size in each dimension.
	pub shape: &'a [usize],
	/// Its elements, row-major.
	pub values: Values<'a>,
}

/// Elements to write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values<'a> {
	/// Doubles, all of them finite.
	F64(&'a [f64]),
	/// Singles, all of them finite.
	F32(&'a [f32]),
	/// Integers.
	I64(&'a [i64]),
	/// Bytes.
	U8(&'a [u8]),
}

/// What the header says about a tensor, in the order of the reference's fields.
#[derive(Serialize)]
struct Listed<'a> {
	dtype: &'static str,
	shape: &'a [usize],
	data_offsets: [usize; 2],
}

/// The header. Its order is that of the tensors.
struct Header<'a>(Vec<(&'a str, Listed<'a>)>);

impl Serialize for Header<'_> {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_map(self.0.iter().map(|entry| (entry.0, &entry.1)))
	}
}

/// Writes weights, or a change of them, as F64. Reading gives the same back.
pub fn write_state(state: &State) -> Result<Vec<u8>, SafetensorsError> {
	let sources = state.0.iter().map(|(name, tensor)| Source {
		name,
		shape: tensor.shape(),
		values: Values::F64(tensor.data()),
	});
	write(&sources.collect::<Vec<_>>())
}

/// Writes tensors in the order given. Refuses what [`Archive::parse`](super::Archive::parse) would.
pub fn write(tensors: &[Source<'_>]) -> Result<Vec<u8>, SafetensorsError> {
	if tensors.len() > MAX_TENSORS {
		return Err(SafetensorsError::TooManyTensors(tensors.len()));
	}
	if let Some(name) = first_duplicate(tensors.iter().map(|tensor| tensor.name)) {
		return Err(SafetensorsError::Duplicate(name.to_owned()));
	}
	let (header, length) = lay_out(tensors)?;
	let header = padded(&header)?;
	let mut bytes =
		Vec::with_capacity(LENGTH_BYTES.saturating_add(header.len()).saturating_add(length));
	bytes.extend_from_slice(&(header.len() as u64).to_le_bytes());
	bytes.extend_from_slice(&header);
	for tensor in tensors {
		tensor.values.append_to(&mut bytes);
	}
	Ok(bytes)
}

/// Gives each tensor its place; the header, and the bytes of all elements.
fn lay_out<'a>(tensors: &[Source<'a>]) -> Result<(Header<'a>, usize), SafetensorsError> {
	let mut header = Header(Vec::with_capacity(tensors.len()));
	let mut begin = 0usize;
	for source in tensors {
		let Source { name, shape, values } = *source;
		check_name(name)?;
		let dtype = values.dtype();
		let needed = check_shape(name, shape.len(), shape, dtype)?;
		let found = values.len().saturating_mul(dtype.width());
		if found != needed {
			return Err(SafetensorsError::WrongSize { name: name.to_owned(), found, needed });
		}
		values.check(name)?;
		let end = begin
			.checked_add(needed)
			.ok_or_else(|| SafetensorsError::Uncountable(name.to_owned()))?;
		header.0.push((name, Listed { dtype: dtype.name(), shape, data_offsets: [begin, end] }));
		begin = end;
	}
	Ok((header, begin))
}

fn padded(header: &Header<'_>) -> Result<Vec<u8>, SafetensorsError> {
	let mut json = serde_json::to_vec(header)
		.map_err(|error| SafetensorsError::Malformed(error.to_string()))?;
	json.resize(json.len().next_multiple_of(ALIGNMENT), b' ');
	if json.len() > MAX_HEADER {
		return Err(SafetensorsError::HeaderTooLong(json.len() as u64));
	}
	Ok(json)
}

impl Values<'_> {
	fn dtype(&self) -> Dtype {
		match self {
			Self::F64(_) => Dtype::F64,
			Self::F32(_) => Dtype::F32,
			Self::I64(_) => Dtype::I64,
			Self::U8(_) => Dtype::U8,
		}
	}

	fn len(&self) -> usize {
		match self {
			Self::F64(elements) => elements.len(),
			Self::F32(elements) => elements.len(),
			Self::I64(elements) => elements.len(),
			Self::U8(elements) => elements.len(),
		}
	}

	/// Refuses NaN and infinities; `name` is the tensor's.
	fn check(&self, name: &str) -> Result<(), NotFinite> {
		match self {
			Self::F64(elements) => check_values(name, elements),
			Self::F32(elements) => match elements.iter().position(|element| !element.is_finite()) {
				Some(index) => Err(NotFinite { name: name.to_owned(), index }),
				None => Ok(()),
			},
			Self::I64(_) | Self::U8(_) => Ok(()),
		}
	}

	fn append_to(&self, bytes: &mut Vec<u8>) {
		match self {
			Self::F64(elements) => {
				for element in *elements {
					bytes.extend_from_slice(&element.to_le_bytes());
				}
			},
			Self::F32(elements) => {
				for element in *elements {
					bytes.extend_from_slice(&element.to_le_bytes());
				}
			},
			Self::I64(elements) => {
				for element in *elements {
					bytes.extend_from_slice(&element.to_le_bytes());
				}
			},
			Self::U8(elements) => bytes.extend_from_slice(elements),
		}
	}
}
