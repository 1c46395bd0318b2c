//! What the engine takes: payloads of its class. Everything that can be known of a job is checked
//! before the next blob is fetched: its class, its units, the cost of its model.
//!
//! Beside what [`LIMITS`] allows for the model there are, at most, one shard as it came
//! ([`MAX_SHARD`]) and in doubles, and the output with one of others: 1.5 GiB in all.

use crate::{
	blobs::{self, BlobError, Blobs, ConversationError, FetchError},
	class::Class,
	dataset::{DatasetError, Shard},
	evaluate::{evaluate, EvaluateError, Evaluation},
	exam,
	grid::{GridError, GridState},
	manifest::{Chunk, EvaluateChunk, Hash, Manifest, ManifestError, TrainChunk, MAX_MANIFEST},
	model::{Limits, Model, ModelError, OverLimit, StateError, MAX_CARD_BYTES},
	optimiser::OptimiserError,
	safetensors::{read_state, SafetensorsError},
	tensor::State,
	train::{train, TrainError},
};
use codec::{DecodeAll, Encode};
use sp_crypto_hashing::blake2_256;
use tequio_interface::program::{ProgramJob, ProgramResult, EXAM, MAX_OTHERS};

/// Bytes of weights that are fetched.
pub const MAX_WEIGHTS: u64 = 256 << 20;
/// Bytes of a shard that are fetched.
pub const MAX_SHARD: u64 = 256 << 20;
/// Bytes of a list of rows that are fetched: a million rows.
pub const MAX_ROWS: u64 = 4 << 20;
/// The output of a chunk in which numbers get too large. Everybody who computes it comes to that, and
/// only by computing it: so it is a result, and paid.
pub const DIVERGED: &[u8] = b"tequio: diverged";
/// Samples that are evaluated at a time. How many changes no bit of the result.
const MICRO_BATCH: u32 = 16;

/// What a model may cost. A billion multiply-adds take about a second.
pub const LIMITS: Limits =
	Limits { parameters: 1 << 24, activations: 1 << 26, multiply_adds: 1 << 30, bytes: 512 << 20 };

/// Why a payload is refused. Another try would end the same way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
	/// The payload is not of these classes.
	#[error("the payload is not a program's job: {0}")]
	Malformed(#[from] codec::Error),
	/// Outputs of others are named twice, out of order, or too many of them.
	#[error("{0} outputs of others; {MAX_OTHERS} are the most, and they have to ascend")]
	Others(usize),
	/// An exam has no units, or too many.
	#[error("an exam of {0} units; 1 to {most} are allowed", most = exam::MAX_UNITS)]
	ExamUnits(u32),
	/// Bytes are not there.
	#[error(transparent)]
	Blob(#[from] BlobError),
	/// The manifest is none, or has no such chunk.
	#[error(transparent)]
	Manifest(#[from] ManifestError),
	/// The chunk is for another engine.
	#[error("the chunk is of the class {needed}; this engine computes {own}")]
	Class {
		/// Class of the chunk.
		needed: Class,
		/// Class of this engine.
		own: Class,
	},
	/// The chunk is not worth what the task pays.
	#[error("the task pays {paid} units for a chunk of {worth}")]
	Units {
		/// Units of the job.
		paid: u32,
		/// Units that the chunk has.
		worth: u64,
	},
	/// The model is none.
	#[error(transparent)]
	Model(#[from] ModelError),
	/// The model is too costly.
	#[error(transparent)]
	OverLimit(#[from] OverLimit),
	/// Model and data set do not fit together.
	#[error("the manifest has {manifest} classes, the model {model}")]
	Classes {
		/// Classes of the manifest.
		manifest: u32,
		/// Classes of the model.
		model: usize,
	},
	/// Tensors cannot be read or written.
	#[error(transparent)]
	Safetensors(#[from] SafetensorsError),
	/// The weights are not the model's.
	#[error(transparent)]
	State(#[from] StateError),
	/// The shard is none.
	#[error(transparent)]
	Dataset(#[from] DatasetError),
	/// The list of rows has a piece of a number.
	#[error("the rows have {0} bytes; each takes four")]
	RowBytes(usize),
	/// The optimiser has a number out of bounds.
	#[error(transparent)]
	Optimiser(#[from] OptimiserError),
	/// Training fails.
	#[error(transparent)]
	Train(#[from] TrainError),
	/// Evaluation fails.
	#[error(transparent)]
	Evaluate(#[from] EvaluateError),
	/// The change does not lie on the grid.
	#[error(transparent)]
	Grid(#[from] GridError),
}

/// Why a request has no result.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
	/// The request is at fault.
	#[error(transparent)]
	Refused(#[from] Refusal),
	/// Nobody answers any more.
	#[error(transparent)]
	Broken(#[from] ConversationError),
}

impl From<FetchError> for RequestError {
	fn from(error: FetchError) -> Self {
		match error {
			FetchError::Blob(error) => Self::Refused(error.into()),
			FetchError::Broken(error) => Self::Broken(error),
		}
	}
}

/// What a request has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Computed {
	/// The output.
	pub output: Vec<u8>,
	/// Its hash, and the outputs of others that are near.
	pub result: ProgramResult,
}

impl Computed {
	fn alone(output: Vec<u8>) -> Self {
		let result = ProgramResult { output: blake2_256(&output), near: Vec::new() };
		Self { output, result }
	}
}

/// Computes a payload.
pub fn run(class: Class, blobs: &mut impl Blobs, payload: &[u8]) -> Result<Computed, RequestError> {
	let job = read(payload)?;
	if job.program == EXAM {
		return Ok(Computed::alone(exam::run(class, job.chunk, job.units)?));
	}
	let manifest = blobs::fetch(blobs, "manifest", &job.program, MAX_MANIFEST)?;
	let manifest = Manifest::parse(&manifest).map_err(Refusal::from)?;
	let chunk = manifest.chunk(job.chunk).map_err(Refusal::from)?;
	match (chunk, class) {
		(Chunk::Train(chunk), Class::ExactF64) => train_chunk(blobs, &manifest, chunk, &job),
		(Chunk::Evaluate(chunk), Class::Integer) => evaluate_chunk(blobs, &manifest, chunk, &job),
		(Chunk::Train(_), own) => Err(Refusal::Class { needed: Class::ExactF64, own }.into()),
		(Chunk::Evaluate(_), own) => Err(Refusal::Class { needed: Class::Integer, own }.into()),
	}
}

/// The output of an evaluation, in SCALE.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Encode)]
pub struct Counts {
	/// Rows whose label scores highest.
	pub right: u64,
	/// Rows that were looked at.
	pub rows: u64,
	/// Losses of all rows, in units of [`LOSS_UNITS`](crate::evaluate::LOSS_UNITS).
	pub loss: u64,
}

impl Counts {
	/// What was found.
	pub fn of(found: &Evaluation) -> Self {
		Self { right: found.right.into(), rows: found.rows.into(), loss: found.loss }
	}
}

fn read(payload: &[u8]) -> Result<ProgramJob, Refusal> {
	let mut rest = payload;
	let job = ProgramJob::decode_all(&mut rest)?;
	let others = &job.others;
	let ascending = others.iter().zip(others.iter().skip(1)).all(|(one, next)| one < next);
	if others.len() > MAX_OTHERS || !ascending {
		return Err(Refusal::Others(others.len()));
	}
	Ok(job)
}

fn train_chunk(
	blobs: &mut impl Blobs,
	manifest: &Manifest,
	chunk: &TrainChunk,
	job: &ProgramJob,
) -> Result<Computed, RequestError> {
	let schedule = &chunk.schedule;
	schedule.check_bounds().map_err(Refusal::from)?;
	chunk.rule.check().map_err(Refusal::from)?;
	let model = load_model(blobs, manifest, schedule.micro_batch)?;
	check_units(job, model.cost().training_units(schedule.steps, schedule.batch))?;
	let weights = load_weights(blobs, manifest, &model)?;
	let rows = blobs::fetch(blobs, "rows", &chunk.rows.0, MAX_ROWS)?;
	let rows = read_rows(&rows)?;
	let shard = load_shard(blobs, manifest, &chunk.shard)?;
	let trained = train(&model, &weights, chunk.rule, schedule, &shard, &rows);
	drop(shard);
	let change = match trained {
		Ok(trained) => GridState::round(&trained.change),
		Err(TrainError::NotFinite { .. }) => return Ok(Computed::alone(DIVERGED.to_vec())),
		Err(error) => return Err(Refusal::from(error).into()),
	};
	let Ok(change) = change else { return Ok(Computed::alone(DIVERGED.to_vec())) };
	let mut computed = Computed::alone(change.write().map_err(Refusal::from)?);
	computed.result.near = near(blobs, &change, &computed, &weights, &job.others)?;
	Ok(computed)
}

fn evaluate_chunk(
	blobs: &mut impl Blobs,
	manifest: &Manifest,
	chunk: &EvaluateChunk,
	job: &ProgramJob,
) -> Result<Computed, RequestError> {
	let model = load_model(blobs, manifest, MICRO_BATCH)?;
	let shard = load_shard(blobs, manifest, &chunk.shard)?;
	let rows = u32::try_from(shard.rows()).unwrap_or(u32::MAX);
	check_units(job, model.cost().evaluation_units(rows.into()))?;
	let weights = load_weights(blobs, manifest, &model)?;
	let rows: Vec<u32> = (0..rows).collect();
	let found = match evaluate(&model, &weights, &shard, &rows, MICRO_BATCH) {
		Ok(found) => found,
		Err(EvaluateError::NotFinite { .. }) => return Ok(Computed::alone(DIVERGED.to_vec())),
		Err(error) => return Err(Refusal::from(error).into()),
	};
	Ok(Computed::alone(Counts::of(&found).encode()))
}

fn check_units(job: &ProgramJob, worth: u64) -> Result<(), Refusal> {
	let paid = job.units;
	(u64::from(paid) == worth).then_some(()).ok_or(Refusal::Units { paid, worth })
}

/// The model, if it can be afforded with micro-batches of so many samples.
fn load_model(
	blobs: &mut impl Blobs,
	manifest: &Manifest,
	micro_batch: u32,
) -> Result<Model, RequestError> {
	let most = u64::try_from(MAX_CARD_BYTES).unwrap_or(u64::MAX);
	let card = blobs::fetch(blobs, "card", &manifest.card.0, most)?;
	let model = Model::parse(&card).map_err(Refusal::from)?;
	LIMITS.check(model.cost(), micro_batch).map_err(Refusal::from)?;
	if u32::try_from(model.classes()) != Ok(manifest.classes) {
		let (manifest, model) = (manifest.classes, model.classes());
		return Err(Refusal::Classes { manifest, model }.into());
	}
	Ok(model)
}

fn load_weights(
	blobs: &mut impl Blobs,
	manifest: &Manifest,
	model: &Model,
) -> Result<State, RequestError> {
	let weights = blobs::fetch(blobs, "weights", &manifest.weights.0, MAX_WEIGHTS)?;
	let weights = read_state(&weights, weights.len()).map_err(Refusal::from)?;
	model.check(&weights).map_err(Refusal::from)?;
	Ok(weights)
}

fn load_shard(
	blobs: &mut impl Blobs,
	manifest: &Manifest,
	hash: &Hash,
) -> Result<Shard, RequestError> {
	let bytes = blobs::fetch(blobs, "shard", &hash.0, MAX_SHARD)?;
	Ok(Shard::read(&bytes, bytes.len(), manifest.classes).map_err(Refusal::from)?)
}

/// Little-endian numbers of rows.
fn read_rows(bytes: &[u8]) -> Result<Vec<u32>, Refusal> {
	match bytes.as_chunks::<4>() {
		(rows, []) => Ok(rows.iter().map(|row| u32::from_le_bytes(*row)).collect()),
		_ => Err(Refusal::RowBytes(bytes.len())),
	}
}

/// Those outputs of others that differ from our own by rounding alone. One that is not to be had, is
/// longer than ours, or is something else, is not near.
fn near(
	blobs: &mut impl Blobs,
	change: &GridState,
	own: &Computed,
	weights: &State,
	others: &[[u8; 32]],
) -> Result<Vec<[u8; 32]>, ConversationError> {
	let most = u64::try_from(own.output.len()).unwrap_or(u64::MAX);
	let mut near = Vec::new();
	for other in others.iter().filter(|other| **other != own.result.output) {
		let bytes = match blobs::fetch(blobs, "output of another", other, most) {
			Ok(bytes) => bytes,
			Err(FetchError::Blob(_)) => continue,
			Err(FetchError::Broken(error)) => return Err(error),
		};
		let read = GridState::read(&bytes, bytes.len(), weights);
		if read.is_ok_and(|theirs| theirs.near(change)) {
			near.push(*other);
		}
	}
	Ok(near)
}
