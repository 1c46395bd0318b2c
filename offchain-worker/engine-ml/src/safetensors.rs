//! The safetensors format: named arrays as plain bytes, read without trusting them.
//!
//! ```text
//! u64, little-endian: bytes of the header │ header: JSON, padded with spaces │ elements
//! {"name":{"dtype":"F64","shape":[2,3],"data_offsets":[0,48]}, …}
//! ```
//!
//! Source: the format's description in the repository `huggingface/safetensors`. We read less than
//! it allows, so that a file has one meaning and costs no more than its length:
//!
//! - the header lists tensors in the order of their elements, which follow each other without gap
//!   or overlap and end with the file;
//! - names have 1 to [`MAX_NAME`] bytes and are unique, shapes have up to [`MAX_DIMENSIONS`]
//!   dimensions, and there are up to [`MAX_TENSORS`] tensors;
//! - element types are those of [`Dtype`]; a tensor is refused where it is not of the wanted type.
//!
//! Nothing is allocated for elements until all lengths were checked against the bytes that are
//! there. Elements are little-endian and row-major.

mod error;
mod header;
mod write;

pub use error::{NotFinite, SafetensorsError};
pub use write::{write, write_state, Source, Values};

use crate::tensor::{elements, State, Tensor};
use header::Listing;
use std::{collections::BTreeSet, fmt};

/// Bytes that a header may have, padding included.
pub const MAX_HEADER: usize = 1 << 20;
/// Tensors that a file may have.
pub const MAX_TENSORS: usize = 10_000;
/// Dimensions that a tensor may have.
pub const MAX_DIMENSIONS: usize = 8;
/// Bytes that a name may have.
pub const MAX_NAME: usize = 256;
/// Bytes that tell the length of the header.
const LENGTH_BYTES: usize = 8;

/// Type of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
	/// IEEE 754 binary64.
	F64,
	/// IEEE 754 binary32.
	F32,
	/// Signed 64-bit integer.
	I64,
	/// Byte.
	U8,
}

impl Dtype {
	/// Bytes of an element.
	pub fn width(self) -> usize {
		match self {
			Self::F64 | Self::I64 => 8,
			Self::F32 => 4,
			Self::U8 => 1,
		}
	}

	/// Name in the header.
	pub fn name(self) -> &'static str {
		match self {
			Self::F64 => "F64",
			Self::F32 => "F32",
			Self::I64 => "I64",
			Self::U8 => "U8",
		}
	}

	fn named(name: &str) -> Option<Self> {
		[Self::F64, Self::F32, Self::I64, Self::U8].into_iter().find(|dtype| dtype.name() == name)
	}
}

impl fmt::Display for Dtype {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		formatter.write_str(self.name())
	}
}

/// A file whose lengths were checked. Elements are still the bytes of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive<'a> {
	entries: Vec<Entry<'a>>,
}

/// A tensor of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
	name: String,
	dtype: Dtype,
	shape: Vec<usize>,
	bytes: &'a [u8],
}

impl<'a> Archive<'a> {
	/// Reads a file of at most `max_bytes`. Beside the bytes themselves it takes some multiple of
	/// the header, which has [`MAX_HEADER`] bytes at most.
	pub fn parse(bytes: &'a [u8], max_bytes: usize) -> Result<Self, SafetensorsError> {
		let length = bytes.len();
		if length > max_bytes {
			return Err(SafetensorsError::TooLong { length, limit: max_bytes });
		}
		let (header, elements) = split(bytes)?;
		let tensors = header::read(header)?;
		let mut entries = Vec::with_capacity(tensors.len());
		let mut position = 0;
		for (name, listing) in tensors {
			let (entry, end) = place(name, listing, position, elements)?;
			position = end;
			entries.push(entry);
		}
		if let Some(name) = first_duplicate(entries.iter().map(Entry::name)) {
			return Err(SafetensorsError::Duplicate(name.to_owned()));
		}
		match elements.len().saturating_sub(position) {
			0 => Ok(Self { entries }),
			trailing => Err(SafetensorsError::Trailing(trailing)),
		}
	}

	/// Its tensors, in the order of the file.
	pub fn entries(&self) -> &[Entry<'a>] {
		&self.entries
	}

	/// The tensor of this name.
	pub fn get(&self, name: &str) -> Option<&Entry<'a>> {
		self.entries.iter().find(|entry| entry.name == name)
	}
}

impl Entry<'_> {
	/// Its name.
	pub fn name(&self) -> &str {
		&self.name
	}

	/// Type of its elements.
	pub fn dtype(&self) -> Dtype {
		self.dtype
	}

	/// Its size in each dimension; empty for a single number.
	pub fn shape(&self) -> &[usize] {
		&self.shape
	}

	/// Its elements as doubles, which is exact for both types of floats. They may be NaN or
	/// infinite: see [`check_values`].
	pub fn floats(&self) -> Result<Tensor, SafetensorsError> {
		let elements: Vec<f64> = match self.dtype {
			Dtype::F64 => {
				self.bytes.as_chunks::<8>().0.iter().map(|le| f64::from_le_bytes(*le)).collect()
			},
			Dtype::F32 => {
				let singles =
					self.bytes.as_chunks::<4>().0.iter().map(|le| f32::from_le_bytes(*le));
				singles.map(f64::from).collect()
			},
			Dtype::I64 | Dtype::U8 => return Err(self.refusal("F64 or F32")),
		};
		let found = elements.len();
		Tensor::new(self.shape.clone(), elements).ok_or_else(|| SafetensorsError::WrongSize {
			name: self.name.clone(),
			found: found.saturating_mul(self.dtype.width()),
			needed: self.bytes.len(),
		})
	}

	/// Its elements as integers. Bytes take eight times their length then.
	pub fn integers(&self) -> Result<Vec<i64>, SafetensorsError> {
		match self.dtype {
			Dtype::I64 => {
				Ok(self.bytes.as_chunks::<8>().0.iter().map(|le| i64::from_le_bytes(*le)).collect())
			},
			Dtype::U8 => Ok(self.bytes.iter().map(|byte| i64::from(*byte)).collect()),
			Dtype::F64 | Dtype::F32 => Err(self.refusal("I64 or U8")),
		}
	}

	/// The refusal of this tensor's type.
	pub(crate) fn refusal(&self, wanted: &'static str) -> SafetensorsError {
		SafetensorsError::WrongDtype { name: self.name.clone(), dtype: self.dtype, wanted }
	}
}

/// Reads weights, or a change of them, from a file of at most `max_bytes`: floats, all of them
/// finite.
pub fn read_state(bytes: &[u8], max_bytes: usize) -> Result<State, SafetensorsError> {
	let archive = Archive::parse(bytes, max_bytes)?;
	let mut tensors = Vec::with_capacity(archive.entries.len());
	for entry in &archive.entries {
		tensors.push((entry.name.clone(), entry.floats()?));
	}
	let state = State(tensors);
	check_finite(&state)?;
	Ok(state)
}

/// Refuses NaN and infinities.
pub fn check_finite(state: &State) -> Result<(), NotFinite> {
	state.0.iter().try_for_each(|(name, tensor)| check_values(name, tensor.data()))
}

/// Refuses NaN and infinities among the elements of the tensor `name`.
pub fn check_values(name: &str, elements: &[f64]) -> Result<(), NotFinite> {
	match elements.iter().position(|element| !element.is_finite()) {
		Some(index) => Err(NotFinite { name: name.to_owned(), index }),
		None => Ok(()),
	}
}

/// Header and elements.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), SafetensorsError> {
	let (length, rest) =
		bytes.split_first_chunk::<LENGTH_BYTES>().ok_or(SafetensorsError::NoLength(bytes.len()))?;
	let length = u64::from_le_bytes(*length);
	let claimed = usize::try_from(length)
		.ok()
		.filter(|claimed| *claimed <= MAX_HEADER)
		.ok_or(SafetensorsError::HeaderTooLong(length))?;
	rest.split_at_checked(claimed).ok_or(SafetensorsError::HeaderCut { claimed, left: rest.len() })
}

/// The tensor whose elements start at `expected`, and where they end.
fn place(
	name: String,
	listing: Listing,
	expected: usize,
	elements: &[u8],
) -> Result<(Entry<'_>, usize), SafetensorsError> {
	check_name(&name)?;
	let Some(dtype) = Dtype::named(&listing.dtype) else {
		let dtype = listing.dtype.chars().take(16).collect();
		return Err(SafetensorsError::UnknownDtype { name, dtype });
	};
	let shape = listing.shape.sizes;
	let needed = check_shape(&name, listing.shape.listed, &shape, dtype)?;
	let [begin, end] = listing.data_offsets;
	if begin != expected {
		return Err(SafetensorsError::OutOfPlace { name, begin, expected });
	}
	let found = end.saturating_sub(begin);
	if found != needed {
		return Err(SafetensorsError::WrongSize { name, found, needed });
	}
	match elements.get(begin..end) {
		Some(bytes) => Ok((Entry { name, dtype, shape, bytes }, end)),
		None => Err(SafetensorsError::Cut { name, end, length: elements.len() }),
	}
}

fn check_name(name: &str) -> Result<(), SafetensorsError> {
	if name == header::METADATA {
		return Err(SafetensorsError::ReservedName);
	}
	let length = name.len();
	(1..=MAX_NAME).contains(&length).then_some(()).ok_or(SafetensorsError::NameLength(length))
}

/// Bytes of elements that a shape takes. `dimensions` may be more than the shape has, where the
/// shape was cut while it was read.
fn check_shape(
	name: &str,
	dimensions: usize,
	shape: &[usize],
	dtype: Dtype,
) -> Result<usize, SafetensorsError> {
	if dimensions > MAX_DIMENSIONS {
		return Err(SafetensorsError::TooManyDimensions { name: name.to_owned(), dimensions });
	}
	elements(shape)
		.and_then(|elements| elements.checked_mul(dtype.width()))
		.ok_or_else(|| SafetensorsError::Uncountable(name.to_owned()))
}

/// The first name that was there before.
fn first_duplicate<'n>(mut names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
	let mut seen = BTreeSet::new();
	names.find(|name| !seen.insert(*name))
}
