//! The header: JSON that lists the tensors.

use super::{SafetensorsError, MAX_DIMENSIONS, MAX_TENSORS};
use serde::{
	de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
	Deserialize, Deserializer,
};
use std::{fmt, mem};

/// Name under which a file may have texts about itself. They are skipped: nothing may depend on
/// them.
pub(super) const METADATA: &str = "__metadata__";
/// Characters of the parser's words that an error repeats: they may quote the header.
const MAX_WORDS: usize = 200;

/// A tensor as the header lists it. Nothing of this was checked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listing {
	/// Type of the elements.
	pub(super) dtype: String,
	/// Size in each dimension.
	pub(super) shape: Shape,
	/// Where the elements start, and where they end.
	pub(super) data_offsets: [usize; 2],
}

/// A shape as the header lists it.
pub(super) struct Shape {
	/// The sizes, of up to [`MAX_DIMENSIONS`] dimensions.
	pub(super) sizes: Vec<usize>,
	/// Dimensions that were listed.
	pub(super) listed: usize,
}

/// Reads a header: names and what is listed under them, in its order.
pub(super) fn read(json: &[u8]) -> Result<Vec<(String, Listing)>, SafetensorsError> {
	if json.first() != Some(&b'{') {
		return Err(SafetensorsError::Malformed("it does not start with `{`".into()));
	}
	let header: Header = serde_json::from_slice(json).map_err(|error| {
		SafetensorsError::Malformed(error.to_string().chars().take(MAX_WORDS).collect())
	})?;
	if header.listed > MAX_TENSORS {
		return Err(SafetensorsError::TooManyTensors(header.listed));
	}
	Ok(header.tensors)
}

/// All that a header has.
struct Header {
	/// The first [`MAX_TENSORS`].
	tensors: Vec<(String, Listing)>,
	/// Tensors that were listed.
	listed: usize,
}

impl<'de> Deserialize<'de> for Header {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		deserializer.deserialize_map(HeaderVisitor)
	}
}

struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
	type Value = Header;

	fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		formatter.write_str("an object of tensors")
	}

	fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
		let mut header = Header { tensors: Vec::new(), listed: 0 };
		let mut has_metadata = false;
		while let Some(name) = map.next_key::<String>()? {
			if name == METADATA {
				if mem::replace(&mut has_metadata, true) {
					return Err(A::Error::duplicate_field(METADATA));
				}
				map.next_value::<Metadata>()?;
				continue;
			}
			header.listed += 1;
			if header.listed <= MAX_TENSORS {
				header.tensors.push((name, map.next_value()?));
			} else {
				map.next_value::<IgnoredAny>()?;
			}
		}
		Ok(header)
	}
}

impl<'de> Deserialize<'de> for Shape {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		deserializer.deserialize_seq(ShapeVisitor)
	}
}

struct ShapeVisitor;

impl<'de> Visitor<'de> for ShapeVisitor {
	type Value = Shape;

	fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		formatter.write_str("an array of sizes")
	}

	fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Shape, A::Error> {
		let mut shape = Shape { sizes: Vec::new(), listed: 0 };
		while let Some(size) = seq.next_element()? {
			shape.listed += 1;
			if shape.listed <= MAX_DIMENSIONS {
				shape.sizes.push(size);
			}
		}
		Ok(shape)
	}
}

/// Texts by name, which are dropped as they are read.
struct Metadata;

impl<'de> Deserialize<'de> for Metadata {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		deserializer.deserialize_map(MetadataVisitor)
	}
}

struct MetadataVisitor;

impl<'de> Visitor<'de> for MetadataVisitor {
	type Value = Metadata;

	fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		formatter.write_str("an object of texts")
	}

	fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Metadata, A::Error> {
		while map.next_entry::<String, String>()?.is_some() {}
		Ok(Metadata)
	}
}
