//! The work clock and the beacon.
//!
//! Deadlines of work are heights on a clock that ticks once in each block whose `on_poll` ran. In
//! blocks of a multi-block migration nothing is polled and no extrinsic gets in, so time stands
//! still and nobody misses a deadline for it.
//!
//! The beacon keeps the VRF output of the blocks of the last few heights. The output of height `h`
//! is known to the author of that block while it fills it, and to everybody from height `h + 1` on.
//! An input fixed at height `h` is therefore drawn upon with the output of height `h + 1` or later.

use crate::WorkHeight;

/// Heights from an event to the first draw for it: the output of the height after the event's is
/// the first that nobody could know at the event, and it is known one height later.
pub const DRAWN_AFTER: WorkHeight = 2;

/// Reads the work clock.
pub trait WorkClock {
	/// The height of this block on the work clock.
	fn now() -> WorkHeight;
}

/// Reads the randomness of past blocks.
pub trait Beacon {
	/// The VRF output of the block at `height`, where it is past and still kept.
	fn at(height: WorkHeight) -> Option<[u8; 32]>;

	/// The newest output: that of the height before this one.
	fn latest() -> Option<[u8; 32]>;
}
