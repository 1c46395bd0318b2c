//! # Tequio primitives
//!
//! What the pallets share: the words of the chain as types, the decisions that are pure arithmetic,
//! and the traits through which the pallets know each other. No pallet depends on another; each
//! depends on this crate, and the runtime wires them.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`class`] | which kinds of work exist |
//! | [`chunk`] | names of tasks, chunks, attempts, roles and duties |
//! | [`stage`] | the life of a chunk: every state, its deadline, and who may end it |
//! | [`claim`] | what a worker says openly when it commits: shares, a seed, or nothing |
//! | [`search`] | RandomX search: task parameters, share arithmetic, openings, audit reports |
//! | [`recompute`] | programs whose chunks anybody can run again: parameters, outputs, openings |
//! | [`projection`] | what is compared of outputs that are right within a band |
//! | [`opening`] | what is shown at the reveal, by class, and how two of them compare |
//! | [`terms`] | chance of conviction and collateral, from one pure function |
//! | [`reputation`] | what owners have done, and the audit rate that follows |
//! | [`draw`] | audit decision and seat choice from block randomness |
//! | [`commitment`] | how a digest is hidden until the reveal, and the genesis hash that binds it |
//! | [`clock`] | the work clock and the beacon of past block randomness |
//! | [`fifo`] | queues kept in storage, in pages; the constant lengths that they are sorted by |
//! | [`turns`] | how an agenda serves its queues in turn |
//! | [`workers`], [`tasks`], [`orders`], [`rewards`] | the traits between the pallets |
//! | [`training`] | what trainings and engines agree on: shards, counts, divergence |
//! | [`device`] | the key type that worker nodes sign with |
//! | [`api`] | runtime API: duties of a device, summary of a task |
//!
//! ## Invariants
//! Nothing here touches storage except [`fifo::Fifo`], which only touches the storage items it is
//! given, and [`commitment::genesis_hash`], which reads one.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod api;
pub mod chunk;
pub mod claim;
pub mod class;
pub mod clock;
pub mod commitment;
pub mod device;
pub mod draw;
pub mod fifo;
pub mod opening;
pub mod orders;
pub mod projection;
pub mod recompute;
pub mod reputation;
pub mod rewards;
pub mod search;
pub mod stage;
pub mod tasks;
pub mod terms;
pub mod training;
pub mod turns;
pub mod workers;

pub use chunk::{Attempt, AttemptId, ChunkId, ChunkIndex, Duty, Role, TaskId};
pub use class::WorkClass;

/// Height on the work clock, in blocks that were polled. See [`clock`].
pub type WorkHeight = u32;

/// An amount of the native token in its smallest unit: 10⁻¹² TEQ.
pub type Balance = u128;

/// One TEQ in its smallest unit: the token has 12 decimals.
pub const TEQ: Balance = 1_000_000_000_000;

/// Auditors that judge one result at most: replicas beside the worker's own, and one more.
pub const MAX_AUDITORS: u32 = 7;

/// Entries that one commit or reveal call may carry.
pub const MAX_BATCH: u32 = 64;
