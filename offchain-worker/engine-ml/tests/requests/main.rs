//! Requests without a process: what backends compute, and how it is compared.
#![allow(clippy::unwrap_used, missing_docs)]

mod banded;
mod double;
mod near;
mod projected;
#[path = "../support/mod.rs"]
mod support;
mod world;
