#![allow(clippy::unwrap_used)]

mod claim_accrued;
mod distribution;
mod genesis;
mod invariants;
mod math;
mod set_rules;
