//! # Interface between chain, node and worker process
//!
//! The node runs no work itself. Its off-chain worker (in the runtime's Wasm) hands jobs through
//! the host functions of [`host`] to the node, which keeps them in a table and passes them over a
//! Unix socket to `tequio-worker`, the process that computes. Results come back the same way.
//! Nothing in this path blocks: a host function reads or writes the node's table and returns.
//!
//! ```text
//! runtime (Wasm) ──host functions──▶ node: WorkerLink ──Unix socket──▶ tequio-worker ──pipes──▶ engine
//!      verification/offchain.rs            link.rs          wire.rs            its own crate
//! ```
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`job`] | jobs, their keys and their states |
//! | [`randomx`] | payload and result of the RandomX search class |
//! | [`program`] | payload and result of the classes of programs |
//! | [`host`] | the host functions, and the trait that the node implements for them |
//! | `engine` (std) | messages between worker process and engine |
//! | `wire` (std) | messages between node and worker process, and their framing |
//! | `greeting` (std) | first messages, which other versions understand as well |
//! | `peer` (std) | the other side of a socket: its user, its pace, frames that arrive in time |
//! | `link` (std) | the node's end of the socket: table of jobs, reconnection, finalised height, news |
//!
//! ## Rules
//! - The functions carry no chain data: a job is a few hundred bytes and names what it needs by
//!   hash.
//! - `submit` is idempotent: the same key twice is one job.
//! - The functions answer only in an off-chain worker, where the node registers
//!   [`host::ComputeExt`]. Everywhere else they return [`host::UNAVAILABLE`], the same on every
//!   node, so block execution cannot depend on them.
//! - A new class of work is a new payload; the functions stay as they are.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "std")]
pub mod engine;
#[cfg(feature = "std")]
pub mod greeting;
pub mod host;
pub mod job;
#[cfg(feature = "std")]
pub mod link;
#[cfg(feature = "std")]
pub mod peer;
pub mod program;
pub mod randomx;
#[cfg(feature = "std")]
pub mod wire;
