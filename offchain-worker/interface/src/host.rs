//! Host functions: how the runtime's off-chain worker reaches the node's table of jobs.
//!
//! The runtime calls [`submit`], [`poll`], [`cancel`], [`capabilities`] and [`finalized`], which
//! hide the integers that cross the boundary. The node registers [`HostFunctions`] in its executor,
//! and [`ComputeExt`] for off-chain workers only.
//!
//! ## The boundary
//! Arguments are SCALE bytes. An answer is written to the caller's buffer if it fits, and its
//! length is returned either way, so that the caller can come back with more room. Numbers from
//! [`LOWEST_CODE`] up are no lengths but say why there is no answer.

use crate::job::{Capability, Job, JobKey, JobState};
use alloc::{vec, vec::Vec};
use codec::{Decode, DecodeAll, Encode};
#[cfg(not(substrate_runtime))]
use sp_externalities::ExternalitiesExt;
use sp_runtime_interface::{
	pass_by::{PassFatPointerAndRead, PassFatPointerAndWrite},
	runtime_interface,
};

#[cfg(not(substrate_runtime))]
pub use compute::HostFunctions;

/// There is no worker process to ask: this is no off-chain worker, or its node was started without
/// a worker socket.
pub const UNAVAILABLE: u32 = u32::MAX;
/// The table does not know the job.
pub const UNKNOWN: u32 = u32::MAX - 1;
/// The table has no room for the job.
pub const FULL: u32 = u32::MAX - 2;
/// The argument is not what the function takes, or is longer than it may be.
pub const MALFORMED: u32 = u32::MAX - 3;
/// Numbers below this are lengths in bytes.
pub const LOWEST_CODE: u32 = u32::MAX - 255;
/// What `finalized` returns where there is no worker process to ask.
pub const NO_HEIGHT: u64 = u64::MAX;

/// Bytes of the buffer that an answer is first asked for with: enough for all but the rarest
/// results.
const USUAL_ANSWER: usize = 4 * 1024;
/// Bytes that an answer may have.
const MAX_ANSWER: usize = crate::job::MAX_RESULT + 1024;

/// Whether a job was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submitted {
	/// It is in the table, now or since before.
	Taken,
	/// The table is full; the same job may be submitted again later.
	Full,
	/// The job is larger than it may be.
	Malformed,
	/// There is no worker process to give it to.
	Unavailable,
}

/// What is known of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Polled {
	/// It is in this state.
	State(JobState),
	/// It was never submitted, or was cancelled, or the node was restarted since.
	Unknown,
	/// There is no worker process to ask.
	Unavailable,
}

/// Hands a job to the worker process. The same key twice is one job.
pub fn submit(job: &Job) -> Submitted {
	match compute::submit(&job.encode()) {
		0 => Submitted::Taken,
		FULL => Submitted::Full,
		MALFORMED => Submitted::Malformed,
		_ => Submitted::Unavailable,
	}
}

/// Asks how a job stands.
pub fn poll(key: &JobKey) -> Polled {
	let key = key.encode();
	match answer(|out| compute::poll(&key, out)) {
		Ok(state) => Polled::State(state),
		Err(UNKNOWN) => Polled::Unknown,
		Err(_) => Polled::Unavailable,
	}
}

/// Forgets a job here and in the worker process, which stops it if it runs. Nothing happens to a
/// job that is not known.
pub fn cancel(key: &JobKey) {
	compute::cancel(&key.encode());
}

/// What the connected worker process can compute; nothing while none is connected.
pub fn capabilities() -> Vec<Capability> {
	answer(compute::capabilities).unwrap_or_default()
}

/// Height of the last finalised block. `None` where there is no worker process to ask: then no
/// other function here answers.
pub fn finalized() -> Option<u64> {
	Some(compute::finalized()).filter(|height| *height != NO_HEIGHT)
}

/// Reads one answer, with a second try where it is longer than usual.
fn answer<M: Decode>(ask: impl Fn(&mut [u8]) -> u32) -> Result<M, u32> {
	let mut room = USUAL_ANSWER;
	for _ in 0..2 {
		let mut out = vec![0; room];
		let code = ask(&mut out);
		if code >= LOWEST_CODE {
			return Err(code);
		}
		let length = usize::try_from(code).unwrap_or(usize::MAX);
		if length > MAX_ANSWER {
			return Err(MALFORMED);
		}
		if let Some(mut bytes) = out.get(..length) {
			return M::decode_all(&mut bytes).map_err(|_| UNAVAILABLE);
		}
		room = length;
	}
	Err(UNAVAILABLE)
}

/// The node's side of the host functions. No method waits for anything.
#[cfg(not(substrate_runtime))]
pub trait ComputeService: Send + Sync {
	/// Takes a job, unless its key is known; `false` if there is no room.
	fn submit(&self, job: Job) -> bool;
	/// How a job stands; `None` if it is not known.
	fn poll(&self, key: &JobKey) -> Option<JobState>;
	/// Forgets a job and stops it.
	fn cancel(&self, key: &JobKey);
	/// What can be computed now.
	fn capabilities(&self) -> Vec<Capability>;
	/// Height of the last finalised block.
	fn finalized(&self) -> u64;
}

#[cfg(not(substrate_runtime))]
sp_externalities::decl_extension! {
	/// Lets an off-chain worker reach the node's table of jobs. Never registered for anything else.
	pub struct ComputeExt(alloc::sync::Arc<dyn ComputeService>);
}

/// Writes an answer where it fits; its length.
#[cfg(not(substrate_runtime))]
fn write_answer(answer: &impl Encode, out: &mut [u8]) -> u32 {
	let bytes = answer.encode();
	if let Some(room) = out.get_mut(..bytes.len()) {
		room.copy_from_slice(&bytes);
	}
	u32::try_from(bytes.len()).unwrap_or(UNAVAILABLE)
}

#[runtime_interface]
trait Compute {
	/// Takes a `Job`. Returns 0 or a code.
	fn submit(&mut self, job: PassFatPointerAndRead<&[u8]>) -> u32 {
		let Some(service) = self.extension::<ComputeExt>() else { return UNAVAILABLE };
		let mut bytes = job;
		match Job::decode_all(&mut bytes) {
			Ok(job) if job.payload.len() > crate::job::MAX_PAYLOAD => MALFORMED,
			Ok(job) => {
				if service.0.submit(job) {
					0
				} else {
					FULL
				}
			},
			Err(_) => MALFORMED,
		}
	}

	/// Takes a `JobKey`, answers with a `JobState`. Returns its length or a code.
	fn poll(
		&mut self,
		key: PassFatPointerAndRead<&[u8]>,
		out: PassFatPointerAndWrite<&mut [u8]>,
	) -> u32 {
		let Some(service) = self.extension::<ComputeExt>() else { return UNAVAILABLE };
		let mut bytes = key;
		let Ok(key) = JobKey::decode_all(&mut bytes) else { return MALFORMED };
		service.0.poll(&key).map_or(UNKNOWN, |state| write_answer(&state, out))
	}

	/// Takes a `JobKey`. Returns 0 or a code.
	fn cancel(&mut self, key: PassFatPointerAndRead<&[u8]>) -> u32 {
		let Some(service) = self.extension::<ComputeExt>() else { return UNAVAILABLE };
		let mut bytes = key;
		let Ok(key) = JobKey::decode_all(&mut bytes) else { return MALFORMED };
		service.0.cancel(&key);
		0
	}

	/// Answers with a `Vec<Capability>`. Returns its length or a code.
	fn capabilities(&mut self, out: PassFatPointerAndWrite<&mut [u8]>) -> u32 {
		let Some(service) = self.extension::<ComputeExt>() else { return UNAVAILABLE };
		write_answer(&service.0.capabilities(), out)
	}

	/// Returns the height of the last finalised block, or `NO_HEIGHT`.
	fn finalized(&mut self) -> u64 {
		self.extension::<ComputeExt>().map_or(NO_HEIGHT, |service| service.0.finalized())
	}
}

#[cfg(test)]
mod tests;
