//! The classes of work of this engine. A process computes one of them, so that the worker process
//! measures and offers each by itself.
//!
//! | class | chunks | payloads | computed by | results are |
//! | --- | --- | --- | --- | --- |
//! | `exact-f64` | training | `grid`, `top_k` | the backend: workers offer plain Rust alone | equal |
//! | `exact-f64` | aggregation | any | plain Rust | equal |
//! | `exact-f32` | training | `grid`, `top_k` | the backend | equal |
//! | `banded-f32` | training of one step of `sgd` | `single` | the backend; for referees the reference | equal, or [near](crate::near) |
//! | `integer` | evaluation | – | plain Rust | equal |
//!
//! A chunk of training says nothing of its class: the task does, and the payload has to fit.
//!
//! Models of `banded-f32` have neither `relu` nor `max_pool2d`: at the edge of these the last bit
//! of a number decides about a gradient, and an honest step could lie outside any band.
//!
//! Changes of `banded-f32` differ from machine to machine, and the chain compares their
//! [projections](crate::projection). There the projection is the output, and names the file of the
//! change; everybody who reads the file sees whether the one is that of the other. So what is
//! compared is tied to what is used.

use crate::{manifest::Chunk, model::Model, optimiser::Rule, payload::Payload, train::Schedule};
use std::fmt;
use tequio_interface::program;

/// A class of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Class {
	/// Training, rounded to the grid, and aggregation, both in doubles.
	#[value(name = "exact-f64")]
	ExactF64,
	/// Training in singles on pinned code paths, rounded to the grid.
	#[value(name = "exact-f32")]
	ExactF32,
	/// Single steps in singles, compared within a band.
	#[value(name = "banded-f32")]
	BandedF32,
	/// Counts.
	#[value(name = "integer")]
	Integer,
}

/// A chunk is none of the class that it is to be computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
	/// No chunk of this kind is.
	#[error("{chunk} is of the class {classes}; this engine computes {own}")]
	Class {
		/// What the chunk is.
		chunk: &'static str,
		/// Classes of such chunks.
		classes: &'static str,
		/// The class that it is to be computed in.
		own: Class,
	},
	/// Its change is handed over in another way.
	#[error("changes of the class {class} are handed over as {wanted}")]
	Payload {
		/// The class.
		class: Class,
		/// Payloads of the class.
		wanted: &'static str,
	},
	/// It has several steps, whose differences would add up, or none.
	#[error("chunks of the class banded-f32 have one step; this one has {0}")]
	Steps(u32),
	/// It has an optimiser with moments, which divides differences by small numbers.
	#[error("chunks of the class banded-f32 are steps of sgd; this one has another optimiser")]
	Rule,
	/// Its model has a layer whose slope jumps.
	#[error(
		"models of the class banded-f32 have no layers whose slope jumps; this one has {0}: take gelu, \
		 silu, tanh or avg_pool2d"
	)]
	Kink(&'static str),
}

impl Class {
	/// Its number on the chain.
	pub fn number(self) -> u16 {
		match self {
			Self::ExactF64 => program::EXACT_F64,
			Self::ExactF32 => program::EXACT_F32,
			Self::BandedF32 => program::BANDED_F32,
			Self::Integer => program::INTEGER,
		}
	}

	/// Says whether a chunk is of this class.
	pub fn check(self, chunk: &Chunk) -> Result<(), Unfit> {
		let (chunk, classes, is) = match chunk {
			Chunk::Train(chunk) => {
				return self.check_training(&chunk.schedule, chunk.rule, chunk.payload)
			},
			Chunk::Aggregate(_) => ("an aggregation", "exact-f64", self == Self::ExactF64),
			Chunk::Evaluate(_) => ("an evaluation", "integer", self == Self::Integer),
		};
		is.then_some(()).ok_or(Unfit::Class { chunk, classes, own: self })
	}

	/// Says whether a model may be trained in this class.
	pub fn check_model(self, model: &Model) -> Result<(), Unfit> {
		match (self, model.first_kink()) {
			(Self::BandedF32, Some(layer)) => Err(Unfit::Kink(layer)),
			_ => Ok(()),
		}
	}

	/// Says whether a training like this is of this class.
	pub fn check_training(
		self,
		schedule: &Schedule,
		rule: Rule,
		payload: Payload,
	) -> Result<(), Unfit> {
		match (self, payload) {
			(Self::ExactF64 | Self::ExactF32, Payload::Grid | Payload::TopK { .. }) => Ok(()),
			(Self::ExactF64 | Self::ExactF32, Payload::Single) => {
				Err(Unfit::Payload { class: self, wanted: "`grid` or `top_k`" })
			},
			(Self::BandedF32, Payload::Grid | Payload::TopK { .. }) => {
				Err(Unfit::Payload { class: self, wanted: "`single`" })
			},
			(Self::BandedF32, Payload::Single) if schedule.steps != 1 => {
				Err(Unfit::Steps(schedule.steps))
			},
			(Self::BandedF32, Payload::Single) => match rule {
				Rule::Sgd { .. } => Ok(()),
				Rule::Momentum { .. } | Rule::AdamW { .. } => Err(Unfit::Rule),
			},
			(Self::Integer, _) => {
				let (chunk, classes) = ("a training", "exact-f64, exact-f32 or banded-f32");
				Err(Unfit::Class { chunk, classes, own: self })
			},
		}
	}
}

impl fmt::Display for Class {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::ExactF64 => "exact-f64",
			Self::ExactF32 => "exact-f32",
			Self::BandedF32 => "banded-f32",
			Self::Integer => "integer",
		})
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::{
		manifest::{EvaluateChunk, Hash},
		optimiser::Millionths,
	};

	const STEP: Schedule = Schedule { steps: 1, batch: 4, micro_batch: 2 };
	const STEPS: Schedule = Schedule { steps: 2, ..STEP };
	const SGD: Rule = Rule::Sgd { learning_rate: Millionths(1) };
	const MOMENTUM: Rule = Rule::Momentum { learning_rate: Millionths(1), momentum: Millionths(0) };
	const TOP_K: Payload = Payload::TopK { share: 1 };

	#[test]
	fn trainings_fit_by_their_payload() {
		for class in [Class::ExactF64, Class::ExactF32] {
			for payload in [Payload::Grid, TOP_K] {
				assert_eq!(class.check_training(&STEPS, MOMENTUM, payload), Ok(()));
			}
			let refused = class.check_training(&STEP, SGD, Payload::Single);
			assert_eq!(refused, Err(Unfit::Payload { class, wanted: "`grid` or `top_k`" }));
		}
	}

	#[test]
	fn the_banded_class_takes_single_steps_of_plain_descent() {
		let class = Class::BandedF32;
		assert_eq!(class.check_training(&STEP, SGD, Payload::Single), Ok(()));
		for payload in [Payload::Grid, TOP_K] {
			let refused = class.check_training(&STEP, SGD, payload);
			assert_eq!(refused, Err(Unfit::Payload { class, wanted: "`single`" }));
		}
		assert_eq!(class.check_training(&STEPS, SGD, Payload::Single), Err(Unfit::Steps(2)));
		let none = Schedule { steps: 0, ..STEP };
		assert_eq!(class.check_training(&none, SGD, Payload::Single), Err(Unfit::Steps(0)));
		assert_eq!(class.check_training(&STEP, MOMENTUM, Payload::Single), Err(Unfit::Rule));
	}

	#[test]
	fn the_banded_class_takes_no_model_whose_slopes_jump() {
		let model = |inner: &str| {
			let card = format!(
				r#"{{"input":[1,4,4],"layers":[{{"kind":"residual","layers":[{inner}]}},
				{{"kind":"avg_pool2d","kernel":2,"stride":2}},{{"kind":"flatten"}},
				{{"kind":"dense","units":2,"bias":true}}]}}"#
			);
			Model::parse(card.as_bytes()).unwrap()
		};
		let convolution =
			r#"{"kind":"conv2d","filters":1,"kernel":3,"stride":1,"padding":1,"bias":true}"#;
		let smooth = model(&format!(r#"{convolution},{{"kind":"gelu"}}"#));
		let kinked = model(&format!(r#"{convolution},{{"kind":"relu"}}"#));
		assert_eq!(Class::BandedF32.check_model(&smooth), Ok(()));
		assert_eq!(Class::BandedF32.check_model(&kinked), Err(Unfit::Kink("relu")));
		for class in [Class::ExactF64, Class::ExactF32] {
			assert_eq!(class.check_model(&kinked), Ok(()));
		}
		let pooled = r#"{"input":[1,4,4],"layers":[{"kind":"max_pool2d","kernel":2,"stride":2},
			{"kind":"flatten"},{"kind":"dense","units":2,"bias":true}]}"#;
		let pooled = Model::parse(pooled.as_bytes()).unwrap();
		assert_eq!(Class::BandedF32.check_model(&pooled), Err(Unfit::Kink("max_pool2d")));
	}

	#[test]
	fn counts_are_counted_by_one_class_alone() {
		let evaluate = Chunk::Evaluate(EvaluateChunk { shard: Hash([0; 32]) });
		assert_eq!(Class::Integer.check(&evaluate), Ok(()));
		for own in [Class::ExactF64, Class::ExactF32, Class::BandedF32] {
			let (chunk, classes) = ("an evaluation", "integer");
			assert_eq!(own.check(&evaluate), Err(Unfit::Class { chunk, classes, own }));
		}
		let refused = Class::Integer.check_training(&STEP, SGD, Payload::Grid);
		assert!(matches!(refused, Err(Unfit::Class { own: Class::Integer, .. })));
	}
}
