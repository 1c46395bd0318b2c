//! The machine learning engines: each as a process beside the library that it is made of, and beside
//! PyTorch. Weights and samples are drawn, so that nothing has to be fetched.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`models`] | what is trained: four model cards |
//! | [`profile`] | in which arithmetic |
//! | [`chunk`] | a chunk of training, for an engine and for the library |
//! | [`conversation`] | talking to an engine as the worker process does |
//! | [`sides`] | what was measured of ours and of its anchor |
//! | [`rust`] | the engine in plain Rust beside its library |
//! | [`torch`] | the engine with libtorch beside a plain loop, and the one in plain Rust beside it |
//! | [`pytorch`] | the same models in PyTorch |
//! | [`output`] | what an output takes of the time of its chunk |
//! | [`process`] | start, company and memory of an engine |

mod chunk;
mod conversation;
mod models;
mod output;
mod process;
mod profile;
mod pytorch;
mod rust;
mod sides;
mod torch;

use crate::figure::Report;
use anyhow::Result;
use conversation::Launch;
use profile::Profile;

/// Samples per second in those of the anchor.
const SPEED: f64 = 0.95;

/// How long chunks are, and repetitions.
struct Effort {
	/// Multiply-adds of a chunk in plain Rust, about.
	multiply_adds: u64,
	/// Multiply-adds of a chunk by libtorch, about.
	by_libtorch: u64,
	pairs: usize,
}

impl Effort {
	/// Some seconds, as chunks on a chain take; a tenth of that or less to be quick.
	fn new(quick: bool) -> Self {
		if quick {
			Self { multiply_adds: 1_000_000_000, by_libtorch: 1_000_000_000, pairs: 1 }
		} else {
			Self { multiply_adds: 10_000_000_000, by_libtorch: 40_000_000_000, pairs: 3 }
		}
	}
}

/// Measures everything about programs.
pub async fn run(report: &mut Report, quick: bool) -> Result<()> {
	let effort = Effort::new(quick);
	let rust = Launch::plain_rust()?;
	let torch = Launch::with_libtorch(Profile::ExactF32)?;
	rust::run(report, &rust, &effort).await?;
	torch::run(report, &rust, &effort).await?;
	pytorch::run(report, &effort).await?;
	output::by_rust(report, &effort)?;
	output::by_libtorch(report, &torch, &effort).await?;
	for (name, launch) in [("plain Rust", &rust), ("libtorch", &torch)] {
		process::ready(report, name, launch).await?;
		process::two_engines(report, name, launch, &effort).await?;
	}
	process::peak_of_rust(report, &rust, &effort).await?;
	process::peak_of_libtorch(report, &torch, &effort).await
}
