//! Names: tasks, their chunks, the attempts at a chunk, and the duties that devices have in an
//! attempt.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A task, numbered from 0 in the order of submission.
pub type TaskId = u64;
/// A chunk within its task, numbered from 0.
pub type ChunkIndex = u32;
/// An attempt at a chunk, numbered from 0.
pub type Attempt = u8;

/// One chunk of one task.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct ChunkId {
	/// The task it belongs to.
	pub task: TaskId,
	/// Its place in the task.
	pub index: ChunkIndex,
}

/// One attempt at one chunk. A chunk whose worker failed is attempted again under the next number,
/// so that nothing said about an earlier attempt can be taken for the present one.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct AttemptId {
	/// The chunk.
	pub chunk: ChunkId,
	/// Which attempt at it.
	pub attempt: Attempt,
}

/// What a device does in an attempt.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Role {
	/// Computes the chunk.
	#[codec(index = 0)]
	Worker,
	/// Computes again what the check of the class asks for, before anything is revealed.
	#[codec(index = 1)]
	Auditor,
	/// Sits on a panel of the given level over a disagreement: each level has more seats than the
	/// one before.
	#[codec(index = 2)]
	Referee {
		/// The panel's level, from 0.
		level: u8,
	},
	/// Answers with a bond for its doubt in what the panel of the given level found. Computes
	/// nothing.
	#[codec(index = 3)]
	Appellant {
		/// The level of the panel that is doubted.
		level: u8,
	},
}

/// One thing that one device owes the chain.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub struct Duty {
	/// The attempt it is about.
	pub id: AttemptId,
	/// The part the device plays in it.
	pub role: Role,
}
