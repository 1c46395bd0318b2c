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
//!         cost      train ─▶ change ─▶ grid ─▶ payload ─▶ aggregate ─▶ outer ─▶ new weights
//!       (limits)      ▲                                                             │
//!                   dataset ────────────────────────────────────────▶ evaluate ◀────┘
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
//! | [`train`](mod@train) | local steps, and the change that they make |
//! | [`evaluate`](mod@evaluate) | counts, labels and losses, in integers |
//! | [`safetensors`] | tensors as bytes |
//! | [`dataset`] | rows and labels as bytes |
//! | [`grid`] | the fixed-point grid, *near*, and digests of states |
//! | [`compress`] | changes in fewer bytes |
//! | [`payload`] | how a change is handed over: whole, or compressed |
//! | [`aggregate`] | one change from many, and the outer step |
//! | [`index`] | two blobs named by one |
//! | [`round`] | what shards contribute, how that becomes new weights, and a whole round again |
//! | [`manifest`] | a program: what its chunks compute, all of it named by hash |
//! | [`class`] | the classes of work, by what is computed |
//! | [`blobs`] | bytes by their hash, checked |
//! | [`request`] | what the engine takes and gives back: a file for each kind of chunk |
//! | [`exam`] | a job that needs nothing, to test and measure engines with |
//! | [`serve`](mod@serve) | the conversation with the worker process |
//!
//! ## Rounds
//! A training is a series of rounds, and each kind of chunk is a part of one: *train*, for each
//! shard; *aggregate*; *evaluate*. Chunks of training hand over what [`compress`] makes of their
//! change if the manifest says so, and chunks of aggregation are [`aggregate`] with the outer step.
//! What one round hands to the next is a blob with a hash, which the chain passes on unseen.
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
//! ## What is absent on purpose
//! Dropout and random initialisation, which would need the same random numbers everywhere: weights
//! come as bytes, never as a seed. Batch normalisation, which makes a sample's gradient depend on
//! its neighbours. Code of strangers in any form.

pub mod aggregate;
pub mod blobs;
pub mod class;
pub mod compress;
pub mod dataset;
pub mod evaluate;
pub mod exam;
pub mod grid;
pub mod index;
mod layers;
pub mod loss;
pub mod manifest;
pub mod model;
pub mod network;
pub mod optimiser;
pub mod payload;
pub mod request;
pub mod round;
pub mod safetensors;
pub mod serve;
pub mod tensor;
pub mod train;

pub use class::Class;
pub use evaluate::{evaluate, Evaluation};
pub use model::{Cost, Limits, Model};
pub use network::Network;
pub use optimiser::{Optimiser, Rule};
pub use payload::Payload;
pub use tensor::{State, Tensor};
pub use train::{train, Schedule, Trained};
