//! The worker as a process: through its socket, with nodes that mean well and peers that do not,
//! with real engines and with engines that crash and hang.
//!
//! Real engines are those of the workspace's build, next to the worker: `scripts/cargo build` makes
//! both.

#![allow(clippy::unwrap_used)]

mod conversation;
mod crashes;
mod hostile;
#[path = "../stage/libtorch.rs"]
mod libtorch;
#[path = "../stage/mainnet.rs"]
mod mainnet;
mod programs;
mod restarts;
mod setup;
mod torch;
#[path = "../stage/waiting.rs"]
mod waiting;
