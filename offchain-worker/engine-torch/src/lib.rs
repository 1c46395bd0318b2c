//! # Engine by libtorch
//!
//! Puts [libtorch](https://pytorch.org) behind the [`Backend`](tequio_engine_ml::Backend) of the
//! machine learning engine: the same models, the same chunks, the same conversation with
//! `tequio-worker`, but other arithmetic. What it trains in doubles is, on the grid, what the pure
//! Rust of `tequio-engine-ml` trains; and it trains in singles, which that engine cannot.
//!
//! ```text
//! tequio-worker ─▶ serve (engine-ml) ─▶ Backend ─▶ Libtorch ─▶ train │ descend ─▶ tch ─▶ libtorch
//! ```
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`backend`] | libtorch as a backend: which class is computed how |
//! | [`pins`] | which code paths libtorch takes: one that is pinned, or the fastest |
//! | [`precision`] | doubles or singles: numbers to tensors and back |
//! | [`parameters`] | weights in one piece of memory, and their gradients |
//! | [`samples`] | rows of a shard as tensors |
//! | [`memory`] | bytes that libtorch takes beyond what a model's cost counts |
//! | [`network`] | a model as operations on tensors |
//! | `layers` | the forward pass of each layer; the backward pass is libtorch's |
//! | [`optimiser`] | SGD, momentum, AdamW |
//! | [`train`](mod@train) | local steps, and the change that they make |
//! | [`descend`](mod@descend) | one step of plain descent, whose change is compared within a band |
//! | [`fault`] | why there is no result |
//! | [`self_test`] | what an engine computes before it offers anything |
//!
//! The binary `tequio-plain-torch` is no part of the engine: it trains by hand-written loops what the
//! bench trains by the engine.
//!
//! ## Numerics profiles
//! | class | computed in | equal on |
//! | --- | --- | --- |
//! | `exact-f64` | doubles; the change lies on the grid | every machine |
//! | `exact-f32` | singles, one thread, code paths that are pinned ([`pins`]) | x86-64 with AVX2 |
//! | `banded-f32` | singles, any code path; then doubles, to check them | none: within a band |
//!
//! Differences to the pure Rust, all of them far below the grid: sums run in the order that the
//! processor likes, hyperbolic functions and exponentials come from libtorch, and gradients are
//! summed by micro-batches, whose size is therefore part of what makes two results in singles equal.
//!
//! ## What is absent on purpose
//! TorchScript, pickles and every other form of strangers' code. Operations that pick their algorithm
//! by chance. Graphics processors: their sums have no order that could be pinned.

pub mod backend;
pub mod descend;
pub mod fault;
mod layers;
pub mod memory;
pub mod network;
pub mod optimiser;
pub mod parameters;
pub mod pins;
pub mod precision;
pub mod samples;
pub mod self_test;
pub mod train;

pub use backend::Libtorch;
pub use fault::Fault;
pub use precision::Precision;
