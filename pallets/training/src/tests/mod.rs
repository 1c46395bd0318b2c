//! One file for each call and each concept.

#![allow(missing_docs, clippy::unwrap_used)]

mod advance_trainings;
mod cancel_training;
mod evaluation;
mod invariants;
mod money;
mod quorum;
mod rounds;
mod stopping;
mod submit_training;
