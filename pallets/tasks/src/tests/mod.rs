//! One file for each call, each step of the agenda, and each pure concept.

#![allow(missing_docs, clippy::unwrap_used)]

mod advance_agenda;
mod assigning;
mod cancel_task;
mod checking;
mod concluding;
mod decline;
mod expiring;
mod inspecting;
mod invariants;
mod missing;
mod paying;
mod pricing;
mod pruning;
mod reopening;
mod submit_task;
