//! Why bytes are no file, and tensors are not written.

use super::{
	header::METADATA, Dtype, LENGTH_BYTES, MAX_DIMENSIONS, MAX_HEADER, MAX_NAME, MAX_TENSORS,
};

/// Why bytes are no file that we read, or tensors none that we write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SafetensorsError {
	/// The file is longer than the caller takes.
	#[error("the file has {length} bytes; {limit} are the most")]
	TooLong {
		/// Bytes of the file.
		length: usize,
		/// Bytes that the caller takes.
		limit: usize,
	},
	/// The file ends before the length of its header does.
	#[error("the file has {0} bytes; the length of its header alone takes {LENGTH_BYTES}")]
	NoLength(usize),
	/// The header is longer than any that is needed.
	#[error("the header has {0} bytes; {MAX_HEADER} are the most")]
	HeaderTooLong(u64),
	/// The file ends before the header does.
	#[error("the header claims {claimed} bytes; {left} follow")]
	HeaderCut {
		/// Bytes that the header should have.
		claimed: usize,
		/// Bytes that the file has left.
		left: usize,
	},
	/// The header is not the JSON that it should be.
	#[error("the header is not an object of tensors: {0}")]
	Malformed(String),
	/// There are too many tensors.
	#[error("there are {0} tensors; {MAX_TENSORS} are the most")]
	TooManyTensors(usize),
	/// A name is empty or too long.
	#[error("a name has {0} bytes; it takes 1 to {MAX_NAME}")]
	NameLength(usize),
	/// A name of the format itself.
	#[error("`{METADATA}` is no name for a tensor")]
	ReservedName,
	/// A name is there twice.
	#[error("there are two tensors `{0}`")]
	Duplicate(String),
	/// A shape has too many dimensions.
	#[error("`{name}` has {dimensions} dimensions; {MAX_DIMENSIONS} are the most")]
	TooManyDimensions {
		/// Name of the tensor.
		name: String,
		/// Its dimensions.
		dimensions: usize,
	},
	/// No type of element that we know.
	#[error("`{name}` has elements of the type `{dtype}`; F64, F32, I64 and U8 are known")]
	UnknownDtype {
		/// Name of the tensor.
		name: String,
		/// The type, cut after 16 characters.
		dtype: String,
	},
	/// The number of bytes does not fit into the machine's integers.
	#[error("the shape of `{0}` takes more bytes than can be counted")]
	Uncountable(String),
	/// A gap, an overlap, or tensors that are not listed in the order of their elements.
	#[error("`{name}` starts at byte {begin}; the one before it ends at {expected}")]
	OutOfPlace {
		/// Name of the tensor.
		name: String,
		/// Where it starts.
		begin: usize,
		/// Where it should.
		expected: usize,
	},
	/// Shape and type ask for another number of bytes.
	#[error("`{name}` has {found} bytes of elements; its shape takes {needed}")]
	WrongSize {
		/// Name of the tensor.
		name: String,
		/// Bytes that are there, or that the offsets claim.
		found: usize,
		/// Bytes that the shape takes.
		needed: usize,
	},
	/// The file ends before the tensor does.
	#[error("`{name}` ends at byte {end}; the file has {length} bytes of elements")]
	Cut {
		/// Name of the tensor.
		name: String,
		/// Where it ends.
		end: usize,
		/// Bytes of elements in the file.
		length: usize,
	},
	/// There are bytes that belong to no tensor.
	#[error("{0} bytes follow the last tensor")]
	Trailing(usize),
	/// The elements are of a known type, but not of the wanted one.
	#[error("`{name}` has elements of the type {dtype}; {wanted} is wanted")]
	WrongDtype {
		/// Name of the tensor.
		name: String,
		/// Its type.
		dtype: Dtype,
		/// What is wanted, in words.
		wanted: &'static str,
	},
	/// An element is no number.
	#[error(transparent)]
	NotFinite(#[from] NotFinite),
}

/// An element is NaN or infinite. Training goes on from what was read, and would spread it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("element {index} of `{name}` is not a finite number")]
pub struct NotFinite {
	/// Name of the tensor.
	pub name: String,
	/// Place of the element, row-major, from 0.
	pub index: usize,
}
