//! The commands of `tequio-worker`, and what a running worker tells of itself: real processes with
//! the workspace's engine in light mode. `scripts/cargo build` makes both.

#![allow(clippy::unwrap_used)]

mod bench;
mod doctor;
mod expecting;
mod metrics;
mod setup;
mod status;
#[path = "../stage/waiting.rs"]
mod waiting;
