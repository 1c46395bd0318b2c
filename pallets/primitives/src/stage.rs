//! The life of a chunk: every state, its deadline, and who may end it.
//!
//! ```text
//!            assign             commit              audit drawn          all committed
//!   Open ───────────▶ Assigned ────────▶ Drawing ───────────▶ Auditing ───────────────▶ Revealing
//!    ▲  ◀── declined, ── │                  │ not drawn                                     │ verdict
//!    │      deadline     │                  └───────────────────────────────▶ Revealing     │
//!    │ ◀──────────── rejected, thin ────────────────────────────────────────────────────────┤
//!    │                                                             accepted: Accepted ◀─────┤
//!    └── cancelled, expired, attempts used up ─▶ Ended ◀── paid ───┘        undecided: Ended ◀┘
//! ```
//!
//! | state | ends by itself | who may end it |
//! | --- | --- | --- |
//! | `Open` | when its task expires | the draw, at every block; the requester by cancelling; after expiry, anyone |
//! | `Assigned` | at the requester's deadline | the worker by committing or declining; then, anyone |
//! | `Drawing` | after the draw window of m blocks | anyone, once the window has passed |
//! | `Auditing` | at its deadline; the silent are redrawn, a few times | the auditors by committing; then, anyone |
//! | `Revealing` | at the end of the reveal period | worker and auditors by revealing; then, anyone |
//! | `Accepted` | at the end of the challenge period | anyone, once the period has passed |
//!
//! "Anyone" is the agenda that runs at every block, and beside it a call that everybody may make
//! for what the agenda is late with. `tasks` keeps `Open`, `Assigned` and `Accepted`;
//! `verification` keeps the three between, which `tasks` knows as one. Both keep their part as an
//! enum of their own, because the data of a state lives with whoever acts on it; this enum is the
//! whole, for readers and for the runtime API.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Where a chunk is in its life. See the module for the transitions.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Stage {
	/// Waits for a worker to be drawn.
	#[codec(index = 0)]
	Open,
	/// A worker computes it.
	#[codec(index = 1)]
	Assigned,
	/// The worker has committed; the randomness that decides on an audit is not there yet.
	#[codec(index = 2)]
	Drawing,
	/// Auditors compute; some have not committed yet.
	#[codec(index = 3)]
	Auditing,
	/// Everybody has committed; openings are due.
	#[codec(index = 4)]
	Revealing,
	/// Found right; the challenge period runs.
	#[codec(index = 5)]
	Accepted,
	/// Paid or refunded; nothing of it is left but the sums of its task.
	#[codec(index = 6)]
	Ended,
}

/// Why a worker hands a chunk back before it has committed. Some declines for what the chunk is end
/// it; those of workers who are busy only have it given to others, as long as it has attempts left.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum DeclineReason {
	/// No room for it now: other work, memory, or the machine's owner needs the machine.
	#[codec(index = 0)]
	Busy,
	/// The input could not be fetched, or is not what the task says.
	#[codec(index = 1)]
	BadInput,
	/// The engine refuses or cannot run this work.
	#[codec(index = 2)]
	Unsupported,
}
