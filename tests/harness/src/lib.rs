//! # Networks of real processes, and a client of their chain
//!
//! What the demo and the network tests stand on. Everything that is started here ends with the
//! program that started it, however that ends.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`process`] | a child process: its log, its end, its restart |
//! | [`network`] | one validator and worker nodes, each with a worker process |
//! | [`genesis`] | the chain that a network starts |
//! | [`accounts`] | cold accounts and device keys |
//! | [`chain`] | storage, runtime APIs and signed calls over JSON-RPC |
//! | [`transactions`] | signing calls |
//! | [`enrolment`] | owners stake and register their devices |
//! | [`requests`] | tasks, and what their money did |
//! | [`trainings`] | trainings, their events, and the folder of their programs |
//! | [`course`] | what is trained in rounds, for the chain and by the library alone |
//! | [`digits`] | a data set: digits written by hand |
//! | [`numbers`] | numbers that anybody can make again |
//! | [`svg`] | drawings of curves: what charts have in common |
//! | [`cache`] | the folder of what can be fetched again |
//! | [`libtorch`] | the library of PyTorch, and the programs that are linked with it |
//! | [`waiting`] | looking until something is there |

pub mod accounts;
pub mod cache;
pub mod chain;
pub mod course;
pub mod digits;
pub mod enrolment;
pub mod genesis;
pub mod libtorch;
pub mod network;
pub mod numbers;
pub mod process;
pub mod requests;
pub mod svg;
pub mod trainings;
pub mod transactions;
pub mod waiting;

use anyhow::Result;
use tokio::signal::unix::{signal, SignalKind};

/// Returns when somebody wants the program to stop: Ctrl-C, SIGTERM or a closed terminal.
pub async fn interrupted() -> Result<()> {
	let mut terminate = signal(SignalKind::terminate())?;
	let mut hang_up = signal(SignalKind::hangup())?;
	tokio::select! {
		pressed = tokio::signal::ctrl_c() => pressed?,
		_ = terminate.recv() => {},
		_ = hang_up.recv() => {},
	}
	Ok(())
}
