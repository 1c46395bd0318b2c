//! One file for each call, each step of the agenda, and each pure concept.

#![allow(missing_docs, clippy::unwrap_used)]

mod advance_agenda;
mod assigning;
mod cancel_task;
mod challenging;
mod checking;
mod concluding;
mod decline;
mod expiring;
mod fetch_fee;
mod following;
mod inspecting;
mod invariants;
mod missing;
mod ordering;
mod paying;
mod pricing;
mod programs;
mod pruning;
mod reopening;
mod set_rules;
mod submit_task;
