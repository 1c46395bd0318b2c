//! The classes of work of this engine. A process computes one of them, so that the worker process
//! measures and offers each by itself.

use std::fmt;
use tequio_interface::program;

/// A class of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Class {
	/// Training, rounded to the grid, and aggregation, both in doubles.
	#[value(name = "exact-f64")]
	ExactF64,
	/// Counts.
	#[value(name = "integer")]
	Integer,
}

impl Class {
	/// Its number on the chain.
	pub fn number(self) -> u16 {
		match self {
			Self::ExactF64 => program::EXACT_F64,
			Self::Integer => program::INTEGER,
		}
	}
}

impl fmt::Display for Class {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::ExactF64 => "exact-f64",
			Self::Integer => "integer",
		})
	}
}
