//! A shard of a data set: one safetensors file with rows and their labels.
//!
//! | tensor | shape | elements |
//! | --- | --- | --- |
//! | `x` | rows × sizes of a sample | F64 or F32, finite |
//! | `y` | rows | I64 or U8: classes, from 0 |
//!
//! Whoever trains picks rows by an index list, which belongs to the task: the order of the samples
//! is part of what makes results equal.

use crate::{
	safetensors::{check_values, Archive, NotFinite, SafetensorsError},
	tensor::Tensor,
};

/// Classes that labels may tell apart.
pub const MAX_CLASSES: u32 = 1 << 20;
/// Elements that one pick may have: 512 MiB of doubles. An index list may name a long row often.
pub const MAX_PICKED: usize = 1 << 26;

/// Name of the rows.
const ROWS: &str = "x";
/// Name of the labels.
const LABELS: &str = "y";

/// Why bytes are no shard, or rows are not picked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DatasetError {
	/// The bytes are no tensors that we read.
	#[error(transparent)]
	Safetensors(#[from] SafetensorsError),
	/// A sample has an element that is no number.
	#[error(transparent)]
	NotFinite(#[from] NotFinite),
	/// The number of classes is out of bounds.
	#[error("{0} classes; a shard has 1 to {MAX_CLASSES}")]
	Classes(u32),
	/// A tensor is not there.
	#[error("there is no tensor `{0}`")]
	Missing(&'static str),
	/// There is a tensor that nobody reads.
	#[error("there is a tensor `{0}`; a shard has `{ROWS}` and `{LABELS}`")]
	Unexpected(String),
	/// The rows are single numbers, or there are none.
	#[error("`{ROWS}` has the shape {0:?}; it takes one or more rows of one or more numbers")]
	RowShape(Vec<usize>),
	/// The labels are no list as long as the rows.
	#[error("`{LABELS}` has the shape {found:?}; it takes [{rows}], a label for each row")]
	LabelShape {
		/// Shape of the labels.
		found: Vec<usize>,
		/// Rows.
		rows: usize,
	},
	/// A label is no class.
	#[error("row {row} has the label {label}; there are {classes} classes, from 0 on")]
	Label {
		/// The row, from 0.
		row: usize,
		/// Its label.
		label: i64,
		/// Classes.
		classes: u32,
	},
	/// The index list names no rows.
	#[error("no rows are picked")]
	NoIndices,
	/// The index list names a row that is not there.
	#[error("index {place} is row {index}; there are {rows} rows")]
	Index {
		/// Place in the index list, from 0.
		place: usize,
		/// The row that it names.
		index: u32,
		/// Rows.
		rows: usize,
	},
	/// The picked rows are too much at once.
	#[error(
		"{rows} rows of {width} numbers are too much at once: {MAX_PICKED} numbers are the most"
	)]
	TooMuch {
		/// Rows picked.
		rows: usize,
		/// Numbers in each.
		width: usize,
	},
}

/// Samples and their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Shard {
	samples: Samples,
	classes: u32,
	/// Numbers in a row: one or more.
	width: usize,
}

/// Rows and their labels, as many of the one as of the other.
#[derive(Clone, Debug, PartialEq)]
pub struct Samples {
	/// One row for each sample: rows × sizes of a sample.
	pub x: Tensor,
	/// The class of each row.
	pub y: Vec<u32>,
}

impl Shard {
	/// Reads a shard of at most `max_bytes`, whose labels are below `classes`.
	pub fn read(bytes: &[u8], max_bytes: usize, classes: u32) -> Result<Self, DatasetError> {
		if !(1..=MAX_CLASSES).contains(&classes) {
			return Err(DatasetError::Classes(classes));
		}
		let archive = Archive::parse(bytes, max_bytes)?;
		let mut names = archive.entries().iter().map(|entry| entry.name());
		if let Some(name) = names.find(|name| ![ROWS, LABELS].contains(name)) {
			return Err(DatasetError::Unexpected(name.to_owned()));
		}
		let x = archive.get(ROWS).ok_or(DatasetError::Missing(ROWS))?;
		let y = archive.get(LABELS).ok_or(DatasetError::Missing(LABELS))?;
		let (rows, width) = rows_and_width(x.shape())?;
		if y.shape() != [rows] {
			return Err(DatasetError::LabelShape { found: y.shape().to_vec(), rows });
		}
		let y = labels(&y.integers()?, classes)?;
		let x = x.floats()?;
		check_values(ROWS, x.data())?;
		Ok(Self { samples: Samples { x, y }, classes, width })
	}

	/// Its samples.
	pub fn rows(&self) -> usize {
		self.samples.y.len()
	}

	/// Its classes.
	pub fn classes(&self) -> u32 {
		self.classes
	}

	/// Size of a sample in each dimension.
	pub fn sample_shape(&self) -> &[usize] {
		self.samples.x.shape().get(1..).unwrap_or_default()
	}

	/// All of its samples.
	pub fn samples(&self) -> &Samples {
		&self.samples
	}

	/// Says whether an index list names rows, one or more, that are there. It may name one often.
	pub fn check(&self, indices: &[u32]) -> Result<(), DatasetError> {
		if indices.is_empty() {
			return Err(DatasetError::NoIndices);
		}
		let rows = self.rows();
		let mut missing = indices.iter().enumerate().filter(|(_, index)| **index as usize >= rows);
		match missing.next() {
			Some((place, index)) => Err(DatasetError::Index { place, index: *index, rows }),
			None => Ok(()),
		}
	}

	/// Copies the rows that an index list names, in its order: at most [`MAX_PICKED`] numbers.
	pub fn pick(&self, indices: &[u32]) -> Result<Samples, DatasetError> {
		self.check(indices)?;
		let (rows, width) = (indices.len(), self.width);
		let too_much = || DatasetError::TooMuch { rows, width };
		let elements = rows.checked_mul(width).filter(|elements| *elements <= MAX_PICKED);
		let mut x: Vec<f64> = Vec::with_capacity(elements.ok_or_else(too_much)?);
		let mut y: Vec<u32> = Vec::with_capacity(rows);
		for index in indices {
			let row = *index as usize;
			x.extend(self.samples.x.data().chunks_exact(width).nth(row).into_iter().flatten());
			y.extend(self.samples.y.get(row));
		}
		let mut shape = vec![rows];
		shape.extend_from_slice(self.sample_shape());
		// All rows are there, so the shape holds exactly what was copied.
		let x = Tensor::new(shape, x).ok_or_else(too_much)?;
		Ok(Samples { x, y })
	}
}

/// Rows and the numbers in each, of which there are some.
fn rows_and_width(shape: &[usize]) -> Result<(usize, usize), DatasetError> {
	let refusal = || DatasetError::RowShape(shape.to_vec());
	let (rows, sizes) = shape.split_first().ok_or_else(refusal)?;
	let width = sizes.iter().try_fold(1usize, |width, size| width.checked_mul(*size));
	match width {
		Some(width) if *rows > 0 && width > 0 && !sizes.is_empty() => Ok((*rows, width)),
		_ => Err(refusal()),
	}
}

/// Labels as classes, all of them below `classes`.
fn labels(labels: &[i64], classes: u32) -> Result<Vec<u32>, DatasetError> {
	let class = |(row, label): (usize, &i64)| {
		u32::try_from(*label).ok().filter(|class| *class < classes).ok_or(DatasetError::Label {
			row,
			label: *label,
			classes,
		})
	};
	labels.iter().enumerate().map(class).collect()
}
