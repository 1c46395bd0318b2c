//! The life of a chunk: every state, its deadline, and who may end it.
//!
//! ```text
//!           assign            commit            audit drawn            all committed
//!   Open ──────────▶ Assigned ──────▶ Drawing ─────────────▶ Auditing ────────────────▶ Second
//!    ▲  ◀── declined, ──┘                │ not drawn             ▲                        │
//!    │      deadline                     │                       └── one more is drawn ───┤
//!    │                                   └────────────────────▶ Revealing ◀── none is ────┘
//!    │                                                               │
//!    │ ◀── not revealed ─────────────────────────────────────────────┤
//!    │                                                    disagree   │ agree, or no audit
//!    │        ┌─ Appeal ◀── PanelReveal ◀── Panel ◀──────────────────┤
//!    │        │    └── appealed: a larger ────▲  ▲                    │
//!    │ ◀ wrong┤                                  └── challenged ── Accepted ─── paid ──▶ Ended
//!    │        ├─ right ────────────────────────────────────────────▶ ┘                    ▲
//!    │        └─ no two thirds ─────────────────────────────────── refunded ──────────────┤
//!    └── cancelled, expired, attempts used up ────────────────────────────────────────────┘
//! ```
//!
//! [`ENDINGS`] says for each state when it ends by itself and who may end it. "Anyone" there is the
//! agenda that runs at every block, and beside it a call that everybody may make for what the
//! agenda is late with. No state waits for anybody in particular.
//!
//! `tasks` keeps `Open`, `Assigned` and `Accepted`; `verification` keeps the others, which `tasks`
//! knows as one. Both keep their part as an enum of their own, because the data of a state lives
//! with whoever acts on it; this enum is the whole, for readers and for the runtime API.

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
	/// The auditors have committed; the randomness that decides on one more is not there yet.
	#[codec(index = 7)]
	Second,
	/// Referees compute; some have not committed yet.
	#[codec(index = 8)]
	Panel,
	/// Every referee has committed or is too late; their openings are due.
	#[codec(index = 9)]
	PanelReveal,
	/// A panel has found; who was found wrong may appeal to a larger one.
	#[codec(index = 10)]
	Appeal,
}

/// When a state ends by itself, whoever stays silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
	/// At the end of the task's lifetime.
	Lifetime,
	/// At the requester's deadline for the work.
	Work,
	/// When the outputs of the m blocks after the commit are known.
	DrawWindow,
	/// When the output of the block after the last commit is known.
	NextOutput,
	/// At the requester's deadline for the work, counted anew for each redraw of those who stayed
	/// silent, a few times.
	Audit,
	/// At the requester's deadline for the work, counted from when the last referee was drawn, and
	/// anew where nobody could be drawn. Referees are drawn for a few deadlines at most.
	Panel,
	/// At the end of the reveal period.
	Reveal,
	/// At the end of the appeal period.
	Appeal,
	/// At the end of the challenge period.
	Challenge,
}

/// Somebody who may end a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
	/// The requester, by cancelling.
	Requester,
	/// Anybody who wants work, by being drawn.
	Drawn,
	/// The worker, by committing or declining.
	Worker,
	/// Worker and auditors, by revealing.
	Revealing,
	/// Auditors, by committing, or the last of many by reporting bad input.
	Auditors,
	/// Referees, by committing or revealing.
	Referees,
	/// Who was found wrong, by an appeal.
	Loser,
	/// Anybody with a bond, by a challenge.
	Challenger,
	/// Anybody, once the deadline has passed.
	Anyone,
}

/// How a state ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ending {
	/// The state.
	pub stage: Stage,
	/// When it ends by itself.
	pub deadline: Deadline,
	/// Who may end it.
	pub parties: &'static [Party],
}

/// Every state that ends, and how. Each can be ended by [`Party::Anyone`].
pub const ENDINGS: [Ending; 10] = {
	use Party::*;
	const fn ending(stage: Stage, deadline: Deadline, parties: &'static [Party]) -> Ending {
		Ending { stage, deadline, parties }
	}
	[
		ending(Stage::Open, Deadline::Lifetime, &[Drawn, Requester, Anyone]),
		ending(Stage::Assigned, Deadline::Work, &[Worker, Anyone]),
		ending(Stage::Drawing, Deadline::DrawWindow, &[Anyone]),
		ending(Stage::Auditing, Deadline::Audit, &[Auditors, Anyone]),
		ending(Stage::Second, Deadline::NextOutput, &[Anyone]),
		ending(Stage::Revealing, Deadline::Reveal, &[Revealing, Anyone]),
		ending(Stage::Panel, Deadline::Panel, &[Referees, Anyone]),
		ending(Stage::PanelReveal, Deadline::Reveal, &[Referees, Anyone]),
		ending(Stage::Appeal, Deadline::Appeal, &[Loser, Anyone]),
		ending(Stage::Accepted, Deadline::Challenge, &[Challenger, Anyone]),
	]
};

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
	/// The input could not be fetched, or is not what the task says. That is the requester's failure:
	/// where enough owners say so, and hardly anybody is still at work, the task is stopped and they
	/// are paid the fetch fee.
	#[codec(index = 1)]
	BadInput,
	/// The engine refuses or cannot run this work.
	#[codec(index = 2)]
	Unsupported,
}
