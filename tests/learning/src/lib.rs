//! # What training in rounds learns
//!
//! Experiments with the engine's own functions on scikit-learn's digits, without a chain: what is
//! measured here is learning and bytes. `cargo test -p tequio-learning-tests --release -- --nocapture`
//! prints the tables.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`start`] | the model, and the weights that it starts from |
//! | [`order`] | the order in which rows are trained on |
//! | [`school`] | a training in rounds, and the same model trained in one place |
//! | [`cheats`] | ways of cheating in one chunk |
//! | [`arithmetic`] | sums and differences of states |
//! | `tests/central.rs` | rounds against training in one place |
//! | `tests/cheats.rs` | every cheat is seen, and nothing else |
//! | `tests/poisoning.rs` | false changes, and shards of two digits, under each rule |
//! | `tests/bytes.rs` | what is sent |
//!
//! ## Accuracy
//! That of the 360 rows which are kept back, so one row is 0.28 points. Everything comes from seeds:
//! a run gives the same number each time, on every machine.

pub mod arithmetic;
pub mod cheats;
pub mod order;
pub mod school;
pub mod start;
