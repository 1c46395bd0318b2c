//! Jobs: what the node asks its worker process to compute.

use alloc::vec::Vec;
use codec::{Decode, Encode};

/// Bytes that a job's payload may have.
pub const MAX_PAYLOAD: usize = 64 * 1024;
/// Bytes that a result may have.
pub const MAX_RESULT: usize = 64 * 1024;

/// Names a job: one order for one duty of one device on one chain. It has the same key on every node
/// and after every restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub struct JobKey {
	/// Genesis hash of the chain.
	pub genesis: [u8; 32],
	/// Account of the device.
	pub device: [u8; 32],
	/// Task.
	pub task: u64,
	/// Chunk of the task.
	pub chunk: u32,
	/// Attempt at the chunk.
	pub attempt: u8,
	/// Role: 0 computes, 1 audits, 2 and above judge: on the panel of the level that is 2 less. Every
	/// role but 0 is a check.
	pub role: u8,
	/// What is ordered: the blake2_256 hash of the payload. After a reorganisation the same duty may
	/// be about other work; two orders of the same duty are two jobs, so that no result can be taken
	/// for that of another order. Whoever submits the job says so; nobody on the way looks into it.
	pub order: [u8; 32],
}

/// Something to compute.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Job {
	/// Its name.
	pub key: JobKey,
	/// The work class, by its number on the chain.
	pub class: u16,
	/// Parameters, in the class's own encoding.
	pub payload: Vec<u8>,
}

/// Why a job cannot be computed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Failure {
	/// No engine for the class.
	#[codec(index = 0)]
	Unsupported,
	/// The engine refuses the payload.
	#[codec(index = 1)]
	BadInput,
	/// The engine crashed or hung as often as the worker tries again.
	#[codec(index = 2)]
	EngineFailed,
	/// The queue is full.
	#[codec(index = 3)]
	Busy,
}

/// Where a job is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum JobState {
	/// Waits for its turn.
	#[codec(index = 0)]
	Queued,
	/// Being computed.
	#[codec(index = 1)]
	Running,
	/// Computed; the result in the class's own encoding.
	#[codec(index = 2)]
	Done(Vec<u8>),
	/// Not computable here.
	#[codec(index = 3)]
	Failed(Failure),
}

impl JobState {
	/// Whether nothing more will become of the job.
	pub fn has_ended(&self) -> bool {
		matches!(self, Self::Done(_) | Self::Failed(_))
	}
}

/// What a worker process can do.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Capability {
	/// The work class, by its number on the chain.
	pub class: u16,
	/// Jobs that it computes at a time.
	pub slots: u16,
	/// Units of work (RandomX: hashes) per 1000 seconds and slot, measured on this machine; zero
	/// before the measurement.
	pub rate: u64,
	/// Memory that a slot takes, in bytes.
	pub memory: u64,
}
