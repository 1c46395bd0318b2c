//! The hook on a node whose worker process, pool and blocks the test plays.
#![allow(clippy::unwrap_used)]

mod appeals;
mod banded;
mod declines;
mod flow;
mod programs;
mod referees;
mod results;
mod sending;
mod steps;
