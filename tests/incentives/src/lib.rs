//! # Incentives
//!
//! Whether cheating pays, on the real runtime: owners, requesters and authors who follow strategies,
//! over real blocks, transactions and draws. What they gain and lose is read from their accounts.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`plan`] | what is simulated: who takes part, under which rules, for how long |
//! | [`suite`] | every strategy that is tried, and how |
//! | [`curve`] | profit against the audit floor and against the collateral |
//! | [`arena`] | one simulation, block after block |
//! | [`people`] | owners with their devices; the circle whose profit counts |
//! | [`player`] | what a device sends in a block |
//! | [`strategy`] | what a strategy decides |
//! | [`strategies`] | the strategies |
//! | [`outlook`] | what authors know of the randomness to come |
//! | [`memory`] | what devices have said |
//! | [`ledger`] | who got what for which attempt |
//! | [`rounds`] | what the circle's own tasks bring it |
//! | [`statistics`] | means, and how far they can be trusted |
//! | [`outcome`] | what a simulation says |
//! | [`svg`] | drawings of curves |
//! | `tests/quick.rs` | the claim itself, in small |
//!
//! ## The measure
//! Owners have equal stakes, so that k % of them have k % of the seats, unless some divide theirs. Some of them are the
//! *circle* that follows a strategy; others may *help* it. All work is of one class, with the rules
//! of production for audits, panels and collateral; periods are short, so that there are fewer
//! blocks to make. Every chunk pays V = [`VALUE`], and whoever computes one, as a worker, an
//! auditor or a referee, is assumed to have costs of 0.6 V.
//!
//! The profit of an attempt is all that the circle's owners get and lose by it, in whatever role,
//! less what they computed: so doing nothing has a profit of zero. Counted are the attempts in which
//! the circle does something else than it should; what it earns honestly meanwhile is left out,
//! though it also costs what a cheat never gets back. Their mean has a 99 % interval by normal
//! approximation: attempts are drawn for by hashes that have nothing to do with each other. For
//! strategies of requesters it is the profit of all accounts of the circle between two moments at
//! which none of its tasks runs, per chunk.
//!
//! An owner who is slashed gets its stake back from outside, so that the circle has the same seats
//! to the end; that is no profit. What the events say is held against the accounts: the difference,
//! [`outcome::Outcome::unexplained`], has to be zero.

pub mod arena;
pub mod curve;
pub mod ledger;
pub mod memory;
pub mod outcome;
pub mod outlook;
pub mod people;
pub mod plan;
pub mod player;
pub mod rounds;
pub mod statistics;
pub mod strategies;
pub mod strategy;
pub mod suite;
pub mod svg;

pub use arena::run;

use tequio_primitives::{Balance, TEQ};

/// V: what a chunk pays.
pub const VALUE: Balance = TEQ;
/// Units of a chunk.
pub const UNITS: u32 = 1_000;
/// What a unit pays.
pub const PRICE: Balance = VALUE / UNITS as Balance;
/// Blocks for a chunk: the shortest of the eight deadlines.
pub const DEADLINE: u32 = 16;
/// What every owner stakes: a hundred seats, and collateral for more chunks than its devices take.
pub const STAKE: Balance = 10_000 * VALUE;
/// What a requester has.
pub const REQUESTER_FUNDS: Balance = 10_000_000 * VALUE;
/// Authors, who make equally many blocks.
pub const AUTHORS: u32 = 10;
