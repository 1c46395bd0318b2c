//! The manifest: a program as a list of chunks, all of whose bytes are named by hash.
//!
//! ```json
//! {"version": 1, "card": "<hash>", "weights": "<hash>", "classes": 10, "chunks": [
//!   {"train": {"shard": "<hash>", "rows": "<hash>",
//!     "schedule": {"steps": 10, "batch": 32, "micro_batch": 8},
//!     "rule": {"kind": "sgd", "learning_rate": 10000},
//!     "payload": {"top_k": {"share": 10000}}}}
//! ]}
//! ```
//!
//! `rows` holds the rows of one or more rounds, one after another; round `r` takes those of round
//! `r` modulo their number. The payload `"grid"` is the whole change, and `"single"` the change of
//! one step in 32-bit floats. Chunks of other kinds:
//!
//! ```json
//! {"aggregate": {"samples": [320, 320, 160], "payload": {"top_k": {"share": 10000}},
//!   "clip": 1000000, "rule": "mean", "outer": {"learning_rate": 700000, "momentum": 900000}}}
//! {"evaluate": {"shard": "<hash>"}}
//! ```
//!
//! A task is of one class and runs chunks from the first one on, so a manifest holds chunks of one
//! kind. A training has one for each of its stages, with the same card, weights and classes.
//!
//! A hash is the `blake2_256` of the bytes, as 64 lower-case hexadecimal digits. Nothing has a
//! default, and nothing else may be there: two readers of a manifest cannot differ.
//!
//! | chunk | class | units | output |
//! | --- | --- | --- | --- |
//! | `train`, `"grid"` | `ExactF64`, `ExactF32` | [`training_units`] | the change of the weights: safetensors, I64 grid units |
//! | `train`, `"top_k"` | `ExactF64`, `ExactF32` | [`training_units`] | an [`index`] of payload and residual |
//! | `train`, `"single"` | `BandedF32` | [`training_units`] | the [`projection`] of the change, which names its file: safetensors, F32 |
//! | `aggregate` | `ExactF64` | [`aggregation_units`] | an [`index`] of weights and momentum |
//! | `evaluate` | `Integer` | [`evaluation_units`] | SCALE of `(right: u64, rows: u64, loss: u64)` |
//!
//! Which of its classes a training is computed in, the task says. With `"single"` it has one step,
//! of `sgd`, and its model has neither `relu` nor `max_pool2d`; what the chain compares of it is
//! the output itself, which worker, auditors and referees make by the seed of the worker's file. An
//! aggregation takes only a change that its output is the projection of, by that seed. A step that
//! is too ill-conditioned for 32-bit floats is refused, and has no output.
//!
//! A unit is a million multiply-adds, so that a price for a unit is one for work, whatever the
//! model: were it a sample, whoever asks little for it could be given the largest models.
//!
//! ## Inputs
//! What earlier rounds made is named by the job, not by the manifest. Zeros, and the end of the
//! list, stand for what is not there.
//!
//! | input | of | what it is |
//! | --- | --- | --- |
//! | 0 | all | the state: the output of an aggregation. Not there: `weights` of the manifest, no momentum |
//! | 1 + chunk | `train`, `"top_k"` | what the same chunk gave in the round before. Not there: no residual |
//! | 1 + place | `aggregate` | what the chunk in this place gave. Not there, no change of the model, or not the change that its output says: it is left out, with its samples |
//!
//! [`aggregation_units`]: crate::Cost::aggregation_units
//! [`training_units`]: crate::Cost::training_units
//! [`evaluation_units`]: crate::Cost::evaluation_units
//! [`index`]: crate::index
//! [`projection`]: crate::projection

use crate::{
	aggregate::{self, outer::Outer},
	optimiser::Rule,
	payload::Payload,
	train::Schedule,
};
use serde::Deserialize;

/// Bytes that a manifest may have.
pub const MAX_MANIFEST: u64 = 1 << 20;
/// Version that is read here.
const VERSION: u32 = 1;
/// Digits of a hash.
const DIGITS: usize = 64;

/// A `blake2_256` hash, in JSON as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Hash(pub [u8; 32]);

/// A text is no hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash has {DIGITS} lower-case hexadecimal digits")]
pub struct NotAHash;

impl TryFrom<String> for Hash {
	type Error = NotAHash;

	fn try_from(text: String) -> Result<Self, NotAHash> {
		if text.len() != DIGITS {
			return Err(NotAHash);
		}
		let mut hash = [0; 32];
		for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
			*byte = match digits {
				[high, low] => (digit(*high)? << 4) | digit(*low)?,
				_ => return Err(NotAHash),
			};
		}
		Ok(Self(hash))
	}
}

fn digit(letter: u8) -> Result<u8, NotAHash> {
	match letter {
		b'0'..=b'9' => Ok(letter - b'0'),
		b'a'..=b'f' => Ok(letter - b'a' + 10),
		_ => Err(NotAHash),
	}
}

/// Why bytes are no manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
	/// It is not the JSON that it should be.
	#[error("the manifest cannot be read: {0}")]
	Malformed(String),
	/// It is of another version.
	#[error("the manifest has version {0}; {VERSION} is known")]
	Version(u32),
	/// There is no such chunk.
	#[error("the manifest has {chunks} chunks; there is no chunk {chunk}")]
	NoChunk {
		/// The chunk, from 0.
		chunk: u32,
		/// Chunks that there are.
		chunks: usize,
	},
}

/// A program.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
	/// Version of this format: 1.
	pub version: u32,
	/// The model card.
	pub card: Hash,
	/// The weights to start from: a safetensors file of floats.
	pub weights: Hash,
	/// Classes of the labels: those of the model.
	pub classes: u32,
	/// What there is to compute.
	pub chunks: Vec<Chunk>,
}

/// Something to compute.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Chunk {
	/// Train, and give the change of the weights.
	Train(TrainChunk),
	/// Make new weights of what several have trained.
	Aggregate(AggregateChunk),
	/// Count what the weights get right.
	Evaluate(EvaluateChunk),
}

/// A run of training.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainChunk {
	/// The shard of the data set.
	pub shard: Hash,
	/// Rows of the shard in the order of training, as little-endian u32: those of one or more
	/// rounds.
	pub rows: Hash,
	/// How they are cut into steps.
	pub schedule: Schedule,
	/// The optimiser.
	pub rule: Rule,
	/// How the change is handed over.
	pub payload: Payload,
}

/// An aggregation of what the chunks of a round of training gave.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AggregateChunk {
	/// Samples that each of them was trained on, its weight in a mean: one or more. There are as
	/// many as chunks of training: 1 to [`MAX_SHARDS`](crate::round::MAX_SHARDS).
	pub samples: Vec<u32>,
	/// How the changes are handed over: as in training.
	pub payload: Payload,
	/// What their norms are clipped to.
	pub clip: aggregate::Clip,
	/// How they become one.
	pub rule: aggregate::Rule,
	/// The outer optimiser.
	pub outer: Outer,
}

/// An evaluation of all rows of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluateChunk {
	/// The shard of the data set.
	pub shard: Hash,
}

impl Manifest {
	/// Reads a manifest. The caller has bounded the bytes: [`MAX_MANIFEST`].
	pub fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
		let manifest: Self = serde_json::from_slice(bytes)
			.map_err(|error| ManifestError::Malformed(error.to_string()))?;
		if manifest.version != VERSION {
			return Err(ManifestError::Version(manifest.version));
		}
		Ok(manifest)
	}

	/// The chunk in this place, from 0.
	pub fn chunk(&self, chunk: u32) -> Result<&Chunk, ManifestError> {
		let place = usize::try_from(chunk).unwrap_or(usize::MAX);
		let chunks = self.chunks.len();
		self.chunks.get(place).ok_or(ManifestError::NoChunk { chunk, chunks })
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::optimiser::Millionths;
	use proptest::{collection::vec, prelude::*, sample::Index};

	const TRAIN: &str = r#"{"train":{"shard":"S","rows":"R",
		"schedule":{"steps":2,"batch":3,"micro_batch":1},
		"rule":{"kind":"sgd","learning_rate":10000},"payload":"grid"}}"#;
	const AGGREGATE: &str = r#"{"aggregate":{"samples":[6,6,3],
		"payload":{"top_k":{"share":10000}},"clip":2000000,"rule":{"trimmed_mean":{"trim":1}},
		"outer":{"learning_rate":700000,"momentum":900000}}}"#;

	/// A manifest of these chunks, in which S and R stand for hashes.
	fn manifest(chunks: &str) -> String {
		let hash = |digit: &str| format!("\"{}\"", digit.repeat(DIGITS));
		let (card, weights) = (hash("a"), hash("0"));
		format!(
			r#"{{"version":1,"card":{card},"weights":{weights},"classes":10,"chunks":[{chunks}]}}"#
		)
		.replace("\"S\"", &hash("1"))
		.replace("\"R\"", &hash("f"))
	}

	fn refused(text: &str) {
		let parsed = Manifest::parse(text.as_bytes());
		assert!(matches!(parsed, Err(ManifestError::Malformed(_))), "{text}: {parsed:?}");
	}

	#[test]
	fn chunks_are_read() {
		let text = manifest(&format!(r#"{TRAIN},{{"evaluate":{{"shard":"S"}}}}"#));
		let read = Manifest::parse(text.as_bytes()).unwrap();
		assert_eq!((read.card, read.weights), (Hash([0xaa; 32]), Hash([0; 32])));
		let train = TrainChunk {
			shard: Hash([0x11; 32]),
			rows: Hash([0xff; 32]),
			schedule: Schedule { steps: 2, batch: 3, micro_batch: 1 },
			rule: Rule::Sgd { learning_rate: Millionths(10_000) },
			payload: Payload::Grid,
		};
		assert_eq!(read.chunk(0), Ok(&Chunk::Train(train)));
		let evaluate = EvaluateChunk { shard: Hash([0x11; 32]) };
		assert_eq!(read.chunk(1), Ok(&Chunk::Evaluate(evaluate)));
		assert_eq!(read.chunk(2), Err(ManifestError::NoChunk { chunk: 2, chunks: 2 }));
	}

	#[test]
	fn aggregations_and_compressed_changes_are_read() {
		let top_k = r#"{"top_k":{"share":10000}}"#;
		let compressed = TRAIN.replace("\"grid\"", top_k);
		let read = Manifest::parse(manifest(&format!("{AGGREGATE},{compressed}")).as_bytes());
		let read = read.unwrap();
		let payload = Payload::TopK { share: 10_000 };
		let aggregate = AggregateChunk {
			samples: vec![6, 6, 3],
			payload,
			clip: aggregate::Clip(2_000_000),
			rule: aggregate::Rule::TrimmedMean { trim: 1 },
			outer: Outer { learning_rate: 700_000, momentum: 900_000 },
		};
		assert_eq!(read.chunk(0), Ok(&Chunk::Aggregate(aggregate)));
		let Ok(Chunk::Train(train)) = read.chunk(1) else { panic!("{read:?}") };
		assert_eq!(train.payload, payload);
	}

	#[test]
	fn steps_in_singles_are_read() {
		let text = manifest(TRAIN).replace("\"grid\"", "\"single\"");
		let read = Manifest::parse(text.as_bytes()).unwrap();
		let Ok(Chunk::Train(train)) = read.chunk(0) else { panic!("{read:?}") };
		assert_eq!(train.payload, Payload::Single);
	}

	#[test]
	fn another_version_is_named() {
		let text = manifest(TRAIN).replace("\"version\":1", "\"version\":2");
		assert_eq!(Manifest::parse(text.as_bytes()), Err(ManifestError::Version(2)));
	}

	#[test]
	fn a_manifest_that_two_readers_could_read_differently_is_refused() {
		let whole = manifest(TRAIN);
		assert!(Manifest::parse(whole.as_bytes()).is_ok());
		refused("");
		refused(&whole[1..]);
		refused(&format!("{whole}{whole}"));
		for (from, to) in [
			("\"version\":1", "\"version\":1,\"more\":0"),
			("\"version\":1", "\"version\":1,\"version\":1"),
			("\"version\":1,", ""),
			("\"batch\":3", "\"batch\":3.0"),
			("\"batch\":3,", ""),
			("\"steps\":2", "\"steps\":-2"),
			("\"train\"", "\"execute\""),
			("\"rows\"", "\"path\""),
			(",\"payload\":\"grid\"", ""),
			("\"grid\"", "\"sparse\""),
			("\"grid\"", "\"top_k\""),
			("\"grid\"", "{\"top_k\":{}}"),
			("\"grid\"", "{\"top_k\":{\"share\":0.5}}"),
			("\"grid\"", "{\"top_k\":{\"share\":1,\"more\":0}}"),
			("\"grid\"", "{\"grid\":{\"share\":1}}"),
			("\"grid\"", "{\"single\":{\"share\":1}}"),
			("\"grid\"", "\"Single\""),
			("\"f", "\"F"),
			("\"f", "\"0f"),
			("\"f", "\""),
			("\"f", "\"g"),
		] {
			let text = whole.replacen(from, to, 1);
			assert_ne!(text, whole, "{from}");
			refused(&text);
		}
		refused(&manifest(r#"{"evaluate":{"shard":"S","rows":"R"}}"#));
		refused(&manifest(r#"{"evaluate":{"shard":"S"},"train":{}}"#));
	}

	#[test]
	fn an_aggregation_that_two_readers_could_read_differently_is_refused() {
		let whole = manifest(AGGREGATE);
		assert!(Manifest::parse(whole.as_bytes()).is_ok());
		for (from, to) in [
			("\"samples\":[6,6,3],", ""),
			("[6,6,3]", "6"),
			("[6,6,3]", "[6,6.0,3]"),
			("[6,6,3]", "[6,-6,3]"),
			("[6,6,3]", "[6,4294967296,3]"),
			("{\"top_k\":{\"share\":10000}}", "null"),
			("{\"trimmed_mean\":{\"trim\":1}}", "\"median\""),
			("{\"trimmed_mean\":{\"trim\":1}}", "{\"trimmed_mean\":{}}"),
			("\"trim\":1", "\"trim\":65536"),
			(",\"momentum\":900000", ""),
			(",\"momentum\":900000", ",\"momentum\":0.9"),
			(",\"momentum\":900000", ",\"momentum\":900000,\"nesterov\":true"),
			("\"outer\":{", "\"shard\":\"S\",\"outer\":{"),
		] {
			let text = whole.replacen(from, to, 1);
			assert_ne!(text, whole, "{from}");
			refused(&text);
		}
	}

	proptest! {
		#[test]
		fn damaged_manifests_are_read_or_refused(
			edits in vec((any::<Index>(), any::<u8>()), 1..8),
			cut in proptest::option::of(any::<Index>()),
		) {
			let mut bytes = manifest(&format!("{TRAIN},{AGGREGATE}")).into_bytes();
			for (place, byte) in edits {
				let place = place.index(bytes.len());
				bytes[place] = byte;
			}
			if let Some(cut) = cut {
				bytes.truncate(cut.index(bytes.len()));
			}
			if let Ok(read) = Manifest::parse(&bytes) {
				prop_assert_eq!(read.version, VERSION);
				prop_assert_eq!(read.chunks.len(), 2);
			}
		}
	}
}
