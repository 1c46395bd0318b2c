//! What the engine takes: payloads of its class. Everything that can be known of a job is checked
//! before the next blob is fetched: its class, its inputs, its units, the cost of its model.
//!
//! A request that names outputs of others is a referee's. There are such in `banded-f32` alone,
//! whose results may be near each other without being equal, and they come with the seed that the
//! parties projected by. They are computed by the reference: so all referees find the same bytes,
//! and what is near is near the truth, not near some other machine. Bytes of others that are not to
//! be had refuse the request: nobody is found wrong because bytes are withheld.
//!
//! Beside what [`LIMITS`] allows for the model, training and evaluation hold, at most, one shard as
//! it came ([`MAX_SHARD`]) and in doubles, a residual, and the change of one other: 1.5 GiB in all.
//! A backend takes up to [`WORKING_BYTES`] on top. Aggregation holds [`AGGREGATION_BYTES`], and one
//! blob as it comes.

mod aggregate;
mod evaluate;
mod load;
mod state;
mod train;

pub use evaluate::Counts;
pub use load::{MAX_ROWS, MAX_SHARD};
pub use state::MAX_WEIGHTS;

use crate::{
	backend::{Backend, BackendError},
	blobs::{self, BlobError, Blobs, ConversationError, FetchError},
	class::{Class, Unfit},
	compress::CompressError,
	dataset::DatasetError,
	evaluate::EvaluateError,
	exam,
	grid::GridError,
	index::NotAnIndex,
	manifest::{Chunk, Manifest, ManifestError, MAX_MANIFEST},
	model::{Limits, ModelError, OverLimit, StateError},
	optimiser::OptimiserError,
	round::{CombineError, ContributeError, PeriodError},
	safetensors::SafetensorsError,
	train::TrainError,
};
use codec::DecodeAll;
use sp_crypto_hashing::blake2_256;
use tequio_interface::program::{
	ProgramJob, ProgramResult, DIVERGED, EXAM, MAX_INPUTS, MAX_OTHERS, MAX_SHOWN,
};

/// What a model may cost. A billion multiply-adds take about a second. Six arrays of parameters are
/// within these bytes, and a chunk hands over two, which stay below the 256 MiB of an answer.
pub const LIMITS: Limits =
	Limits { parameters: 1 << 24, activations: 1 << 26, multiply_adds: 1 << 30, bytes: 512 << 20 };
/// Bytes that an aggregation may hold at once: 1 GiB. Headers of files, up to 1 MiB each, come on
/// top.
pub const AGGREGATION_BYTES: u64 = 1 << 30;
/// Bytes that a backend may take beyond what the model's cost counts
/// ([`Backend::working_bytes`]): 1 GiB.
pub const WORKING_BYTES: u64 = 1 << 30;

/// Why a payload is refused. Another try would end the same way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
	/// The payload is not of these classes.
	#[error("the payload is not a program's job: {0}")]
	Malformed(#[from] codec::Error),
	/// Outputs of others are named twice, out of order, or too many of them.
	#[error("{0} outputs of others; {MAX_OTHERS} are the most, and they have to ascend")]
	Others(usize),
	/// Outputs of others are named in a class whose results are equal or wrong.
	#[error(
		"outputs of others are judged in the class banded-f32 alone; in {0} a referee compares \
		 them with its own"
	)]
	NothingNear(Class),
	/// Outputs of others are named without the seed of their projections.
	#[error(
		"outputs of others are judged by the seed of the worker's projection; the job has none"
	)]
	NoSeed,
	/// There are more inputs than such a chunk takes.
	#[error("{found} inputs; {most} are the most here")]
	Inputs {
		/// Inputs of the job.
		found: usize,
		/// Inputs that it may have.
		most: usize,
	},
	/// An exam has no units, or too many.
	#[error("an exam of {0} units; 1 to {most} are allowed", most = exam::MAX_UNITS)]
	ExamUnits(u32),
	/// Bytes are not there.
	#[error(transparent)]
	Blob(#[from] BlobError),
	/// The manifest is none, or has no such chunk.
	#[error(transparent)]
	Manifest(#[from] ManifestError),
	/// The chunk is none of this engine's class.
	#[error(transparent)]
	Unfit(#[from] Unfit),
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
	/// An input that names two blobs is something else.
	#[error("the {what}: {error}")]
	Index {
		/// What it is the index of.
		what: &'static str,
		/// What is wrong with it.
		error: NotAnIndex,
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
	/// The list of rows has a piece of a round.
	#[error(transparent)]
	Period(#[from] PeriodError),
	/// The optimiser has a number out of bounds.
	#[error(transparent)]
	Optimiser(#[from] OptimiserError),
	/// The share that is kept of a change is out of bounds.
	#[error(transparent)]
	Compress(#[from] CompressError),
	/// Training fails.
	#[error(transparent)]
	Train(#[from] TrainError),
	/// The trained change is not handed over.
	#[error(transparent)]
	Contribute(#[from] ContributeError),
	/// Contributions do not become new weights.
	#[error(transparent)]
	Combine(#[from] CombineError),
	/// Evaluation fails.
	#[error(transparent)]
	Evaluate(#[from] EvaluateError),
	/// A change or residual does not lie on the grid.
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
	/// The backend is broken. Another engine may have a result.
	#[error("the backend fails: {0}")]
	Failed(String),
}

impl From<BackendError> for RequestError {
	fn from(error: BackendError) -> Self {
		match error {
			BackendError::Train(error) => Self::Refused(error.into()),
			BackendError::Failed(reason) => Self::Failed(reason),
		}
	}
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
	/// The blobs, in the order in which they are handed over: at most
	/// [`MAX_BLOBS`](tequio_interface::engine::MAX_BLOBS). The last of them is the output.
	pub blobs: Vec<Vec<u8>>,
	/// The output's hash, the output itself where it is short, the outputs of others that are near,
	/// and the projection that is compared.
	pub result: ProgramResult,
}

impl Computed {
	/// What an exam makes: it shows nothing.
	fn exam(output: Vec<u8>) -> Self {
		let result = result(&output, Vec::new());
		Self { blobs: vec![output], result }
	}

	/// What a chunk of a manifest makes, the output last.
	fn chunk(blobs: Vec<Vec<u8>>) -> Self {
		let output = blobs.last().map(Vec::as_slice).unwrap_or_default();
		let shown = if output.len() <= MAX_SHOWN { output.to_vec() } else { Vec::new() };
		let result = result(output, shown);
		Self { blobs, result }
	}

	/// What a chunk makes in which numbers get too large.
	fn diverged() -> Self {
		Self::chunk(vec![DIVERGED.to_vec()])
	}
}

/// The result with this output, to which nothing is near yet, and which is not projected.
fn result(output: &[u8], shown: Vec<u8>) -> ProgramResult {
	ProgramResult { output: blake2_256(output), shown, near: Vec::new(), projection: None }
}

/// Computes a payload of a class, training by a backend.
pub fn run(
	class: Class,
	backend: &dyn Backend,
	blobs: &mut impl Blobs,
	payload: &[u8],
) -> Result<Computed, RequestError> {
	let job = read(payload)?;
	check_judging(class, &job)?;
	if job.program == EXAM {
		return Ok(Computed::exam(exam::run(class, backend, job.chunk, job.units)?));
	}
	let manifest = blobs::fetch(blobs, "manifest", &job.program, MAX_MANIFEST)?;
	let manifest = Manifest::parse(&manifest).map_err(Refusal::from)?;
	let chunk = manifest.chunk(job.chunk).map_err(Refusal::from)?;
	class.check(chunk).map_err(Refusal::from)?;
	match chunk {
		Chunk::Train(chunk) => train::run(class, backend, blobs, &manifest, chunk, &job),
		Chunk::Aggregate(chunk) => aggregate::run(blobs, &manifest, chunk, &job),
		Chunk::Evaluate(chunk) => evaluate::run(blobs, &manifest, chunk, &job),
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
	check_inputs(&job, MAX_INPUTS)?;
	Ok(job)
}

/// Whether the job is a referee's.
fn is_judging(job: &ProgramJob) -> bool {
	!job.others.is_empty()
}

/// Says whether what a referee should judge can be, in this class and with what the job says.
fn check_judging(class: Class, job: &ProgramJob) -> Result<(), Refusal> {
	match (is_judging(job), class, job.seed) {
		(false, _, _) | (true, Class::BandedF32, Some(_)) => Ok(()),
		(true, Class::BandedF32, None) => Err(Refusal::NoSeed),
		(true, Class::ExactF64 | Class::ExactF32 | Class::Integer, _) => {
			Err(Refusal::NothingNear(class))
		},
	}
}

/// Says whether the job has no more inputs than `most`.
fn check_inputs(job: &ProgramJob, most: usize) -> Result<(), Refusal> {
	let found = job.inputs.len();
	(found <= most).then_some(()).ok_or(Refusal::Inputs { found, most })
}

/// The input in this place, from 0. None: it is not there.
fn input(job: &ProgramJob, place: usize) -> Option<&[u8; 32]> {
	job.inputs.get(place).filter(|hash| **hash != [0; 32])
}

/// Says whether the job pays what the chunk is worth.
fn check_units(job: &ProgramJob, worth: u64) -> Result<(), Refusal> {
	let paid = job.units;
	(u64::from(paid) == worth).then_some(()).ok_or(Refusal::Units { paid, worth })
}
