//! The worker as a process: through its socket, with real engines and with engines that crash and
//! hang.
//!
//! Real engines are those of the workspace's build, next to the worker: `scripts/cargo build` makes
//! both.

#![allow(clippy::unwrap_used)]

mod conversation;
mod crashes;
mod restarts;
mod setup;
