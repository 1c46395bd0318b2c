//! # Stories on networks of real processes
//!
//! Each test program starts a validator, worker nodes, worker processes and engines, and lets
//! something go wrong. Cargo runs one program after the other, and each has one story, because every
//! story needs the whole machine.
//!
//! | file | story |
//! | --- | --- |
//! | `tests/kill.rs` | a worker process, an engine, or a node is killed in the middle of a chunk |
//! | `tests/kills.rs` | all of them are killed at random, again and again; `scripts/soak` makes it long |
//! | `tests/liar.rs` | an engine invents its results |
//! | `tests/spam.rs` | a spammer fills the blocks and feigns results |
//! | `tests/training.rs` | a model is trained, and what comes out is what anybody gets |
//! | `tests/rounds.rs` | trainings in rounds: what they give and cost, and a node that dies in one |
//! | `tests/libtorch/` | models are trained in 32-bit floats, in chunks and in rounds |
//! | `tests/bad_input.rs` | nodes and worker processes that cannot work say why |
//!
//! | file | what the stories need |
//! | --- | --- |
//! | [`story`] | a network that works for tasks, and what must hold when one has ended |
//! | [`lesson`] | what single chunks are trained on |
//! | [`trainings`] | a training, and what must hold when it has ended |
//! | [`engine`] | an engine that is asked for a second opinion |
//! | [`chronicle`] | what the chain tells of the work, counted |
//! | [`killer`] | random kills |
//! | [`spammer`] | full blocks, feigned results, calls handed in twice |
//! | `src/bin/lying_engine.rs` | the engine that invents |

pub mod chronicle;
pub mod engine;
pub mod killer;
pub mod lesson;
pub mod spammer;
pub mod story;
pub mod trainings;
