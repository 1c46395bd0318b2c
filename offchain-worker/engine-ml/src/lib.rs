//! # Machine learning engine
//!
//! Trains declared models, averages what several workers have trained, and evaluates the outcome.
//! From the same bytes it makes the same bytes on every machine: what it computes is what referees
//! compare with. The binary `tequio-engine-ml` does it for `tequio-worker`, which runs it in a
//! sandbox; the library is the same code for tests and tools.
//!
//! ```text
//! card ─▶ model ─▶ network ◀─ weights (safetensors)
//!           │         │
//!           ▼         ▼
//!         cost     backend ─▶ change ─▶ grid ─▶ payload ─▶ aggregate ─▶ outer ─▶ new weights
//!       (limits)      ▲                                                              │
//!                   dataset ────────────────────────────────────────▶ evaluate ◀─────┘
//! ```
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`tensor`] | arrays of doubles, and named lists of them |
//! | [`model`] | the card: layers with integers, their shapes, and what they cost |
//! | [`network`] | a model with its weights: scores and gradients |
//! | `layers` | forward and backward pass of each layer |
//! | [`loss`] | softmax cross-entropy, and the class that scores most |
//! | [`optimiser`] | SGD, momentum, AdamW |
//! | [`backend`] | what computes training, and the reference that does it in pure Rust |
//! | [`train`](mod@train) | local steps, and the change that they make |
//! | [`descend`](mod@descend) | one step of plain descent, rounded to singles |
//! | [`evaluate`](mod@evaluate) | counts, labels and losses, in integers |
//! | [`safetensors`] | tensors as bytes |
//! | [`dataset`] | rows and labels as bytes |
//! | [`grid`] | the fixed-point grid, *near*, and digests of states |
//! | [`compress`] | changes in fewer bytes |
//! | [`payload`] | how a change is handed over: whole, compressed, or as singles |
//! | `handed_over` | steps in singles as others read them |
//! | [`near`] | which steps of others are within the band, and which are well-conditioned |
//! | [`projection`] | a change in 64 numbers, for the chain to compare; tied to its file |
//! | [`aggregate`] | one change from many, and the outer step |
//! | [`index`] | two blobs named by one |
//! | [`round`] | what shards contribute, how that becomes new weights, and a whole round again |
//! | [`manifest`] | a program: what its chunks compute, all of it named by hash |
//! | [`command_line`] | what engines are started with |
//! | [`class`] | the classes of work, and which chunks they take |
//! | [`blobs`] | bytes by their hash, checked |
//! | [`request`] | what the engine takes and gives back: a file for each kind of chunk |
//! | [`exam`] | a job that needs nothing, to test and measure engines with |
//! | [`serve`](mod@serve) | the conversation with the worker process |
//!
//! ## Rounds
//! A training is a series of rounds, and each kind of chunk is a part of one: *train*, for each
//! shard; *aggregate*; *evaluate*. Chunks of training hand over what [`compress`] makes of their
//! change if the manifest says so, and chunks of aggregation are [`aggregate`] with the outer step.
//! What one round hands to the next is a blob with a hash, which the chain passes on unseen. Of
//! steps in singles it sees that blob, a [`projection`], and passes the file on unseen.
//!
//! ## Backends
//! Who computes training is behind [`Backend`]: this crate's binary has the [`Reference`] alone,
//! and `tequio-engine-torch`, a workspace of its own, puts libtorch there. Everything else is
//! computed here in either engine. Referees of `banded-f32` get the reference even from the other.
//! `exact-f64` workers serve with this crate's binary alone; libtorch in doubles, which comes to
//! the same grid units but for rounding edges, is for comparisons.
//!
//! ## Numerics profile `f64-grid20`
//! - Everything is computed in IEEE 754 doubles, rounded to nearest after each operation: no fused
//!   multiply-add, no wider registers, no reordering.
//! - Each sum has one order, written beside it, and runs on one thread. Wider registers may compute
//!   different elements side by side, never parts of one sum.
//! - `exp`, `log` and `tanh` come from the crate `libm` in pure Rust, not from the system's
//!   library, whose last bits differ. The square root is exact by the standard.
//! - A change of weights is rounded to the grid of 2⁻²⁰ before it is hashed, so that an
//!   implementation whose sums run in another order finds the same, but for rounding edges.
//! - Infinities and NaN are refused wherever they come in or arise.
//! - How samples are cut into micro-batches changes no bit.
//!
//! ## Numerics profile `f32-pinned-avx2`
//! Training of `exact-f32` in IEEE 754 singles, by one release of libtorch, on one thread and on
//! its code path for AVX2, whatever else the processor has. Weights are rounded to singles before
//! the first step, and samples as they are picked; where one is infinite then, nothing is computed.
//! The change is the difference of singles, in doubles, and lies on the same grid as above. Results
//! are equal, without any tolerance. This crate has no such arithmetic.
//!
//! ## Numerics profile `f32-banded`
//! One step of plain descent of `banded-f32`, in singles by any path of any processor. Results are
//! compared, not found equal: they are near within a ten-thousandth of the size of gradients. The
//! chain compares projections of 64 numbers, which are the outputs: one seed for all parties of an
//! attempt, drawn from the worker's file. Who aggregates or judges projects the file again, in
//! doubles and in one order, and so everywhere to the same bits. More steps would let differences
//! grow, and optimisers with moments divide them by small numbers, so that neither is of this
//! class.
//!
//! The reference is the same step in doubles, from weights and samples rounded to singles, each
//! element rounded to a single; its sums run within each micro-batch first, so micro-batches are
//! part of what it computes. Some weights and samples make singles come to something else than
//! doubles. So a backend takes the step in doubles too, and refuses it where the two are further
//! apart than a quarter of the band: nobody who is honest commits to what a referee would call
//! wrong.
//!
//! ## What is absent on purpose
//! Dropout and random initialisation, which would need the same random numbers everywhere: weights
//! come as bytes, never as a seed. Batch normalisation, which makes a sample's gradient depend on
//! its neighbours. Code of strangers in any form.

pub mod aggregate;
pub mod backend;
pub mod blobs;
pub mod class;
pub mod command_line;
pub mod compress;
pub mod dataset;
pub mod descend;
pub mod evaluate;
pub mod exam;
pub mod grid;
mod handed_over;
pub mod index;
mod layers;
pub mod loss;
pub mod manifest;
pub mod model;
pub mod near;
pub mod network;
pub mod optimiser;
pub mod payload;
pub mod projection;
pub mod request;
pub mod round;
pub mod safetensors;
pub mod serve;
pub mod tensor;
pub mod train;

pub use backend::{Backend, BackendError, Descent, Reference};
pub use class::Class;
pub use descend::descend;
pub use evaluate::{evaluate, Evaluation};
pub use model::{Cost, Limits, Model};
pub use network::Network;
pub use optimiser::{Optimiser, Rule};
pub use payload::Payload;
pub use tensor::{State, Tensor};
pub use train::{train, Schedule, Steps, Trained};
