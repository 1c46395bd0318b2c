#![allow(clippy::unwrap_used, missing_docs)]

mod advance_agenda;
mod audit;
mod clock;
mod commit;
mod free;
mod genesis;
mod invariants;
mod judgement;
mod reveal;
mod verdict;
