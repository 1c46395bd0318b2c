//! The sandbox from both sides: an engine that attacks whatever it can reach, and processes that are
//! killed from outside.
//!
//! The hostile engine is the example of that name, which `cargo test` builds; the real one is the
//! workspace's, next to the worker. Machines lack parts of the sandbox, containers most often. Then
//! what needs them is skipped, and says so.

#![allow(clippy::unwrap_used)]

mod inside;
mod libraries;
#[path = "../stage/libtorch.rs"]
mod libtorch;
#[path = "../stage/mainnet.rs"]
mod mainnet;
mod outside;
mod processes;
mod setup;
#[path = "../stage/waiting.rs"]
mod waiting;
