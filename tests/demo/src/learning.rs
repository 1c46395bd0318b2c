//! The training: three workers train a model on digits written by hand, each on its part of them,
//! round by round; what comes out is compared with the same rounds by the library, to the last bit,
//! and with one machine that has all the data.
//!
//! | file | concept |
//! | --- | --- |
//! | [`lesson`] | what is learnt, and how |
//! | [`watch`] | what the chain tells, told |
//! | [`central`] | the same model on one machine |
//! | [`outcome`] | what came of it, and what it has to be |
//! | [`plot`] | the curve |

mod central;
mod lesson;
mod outcome;
mod plot;
mod watch;

use crate::{args::Args, progress::Progress};
use anyhow::{ensure, Context, Result};
use lesson::{Lesson, PRICE};
use outcome::{Files, Outcome};
use serde_json::json;
use std::ffi::OsString;
use tequio_harness::{
	accounts::Account,
	digits::Digits,
	enrolment::Terms,
	network::{Network, NodePlan, Plan},
	process::binary,
	trainings::{ample_budget, Diary},
};
use tequio_primitives::WorkClass;
use watch::{Watch, Watched};

/// Worker nodes, each with one owner: a chunk has a worker, an auditor and, by chance, another one.
const NODES: usize = 3;
/// Units that a device says it does in a block, far fewer than it does.
const RATE: u32 = 128;
/// Blocks for a reveal. A busy machine is no reason to convict the honest.
const REVEAL_PERIOD: u32 = 64;

/// Starts a chain and its workers, has them train, and shows what came of it.
pub async fn run(args: &Args) -> Result<()> {
	let files = Files::named(args)?;
	let lesson = Lesson::new(&Digits::load()?)?;
	let mut progress = Progress::new(args.json);
	let mut network = start(args, &mut progress).await?;

	let requester = Account::from_uri("//Requester")?;
	let watch = submit(&network, &lesson, &requester, args.rounds, &mut progress).await?;
	let mut watched = watch.until_end(&mut network, &mut progress).await?;
	watched.sheet.close(&network, &requester).await?;
	expect_a_round(&watched)?;

	progress.note("the same rounds by the library, and the same model on one machine");
	let store = network.store();
	// Apart from the thread that hears Ctrl-C, which does not wait for it then.
	let compared = tokio::task::spawn_blocking(move || Outcome::new(&lesson, &store, watched));
	let outcome = compared.await??;
	outcome.write(&files)?;
	outcome.report(args.json, &files, progress.seconds());
	outcome.expect_good(args.rounds)
}

/// Fails where there is nothing to compare, and shows where the money went.
fn expect_a_round(watched: &Watched) -> Result<()> {
	let Watched { ended, sheet, .. } = watched;
	if ended.rounds == 0 {
		eprintln!("\n{sheet}");
	}
	ensure!(ended.rounds > 0, "no round was done: {:?}", ended.reason);
	Ok(())
}

/// Starts the network and lets its owners stake.
async fn start(args: &Args, progress: &mut Progress) -> Result<Network> {
	// Without it no device would offer the classes, and all would wait.
	binary("tequio-engine-ml")?;
	let worker_args = ["--threads", "1"].map(OsString::from).to_vec();
	let plan = Plan {
		folder: args.keep.clone(),
		nodes: vec![NodePlan { worker_args, ..NodePlan::honest(1) }; NODES],
		genesis: Some(json!({ "verification": { "rules": { "reveal_period": REVEAL_PERIOD } } })),
		store: true,
	};
	progress.note("starting a validator and three worker nodes");
	let mut network = Network::start(&plan).await?;
	if args.keep.is_some() {
		progress.note(&format!("databases and logs are in {}", network.folder().display()));
	}
	progress.note("three owners stake and register their devices");
	let classes = vec![WorkClass::ExactF64, WorkClass::Integer];
	network.enroll(&Terms { classes, ask: PRICE, rate: RATE, stake: 0 }).await?;
	Ok(network)
}

/// The requester lays the programs where the workers find them, and locks money for the training.
async fn submit(
	network: &Network,
	lesson: &Lesson,
	requester: &Account,
	rounds: u32,
	progress: &mut Progress,
) -> Result<Watch> {
	let course = &lesson.course;
	let programs = course.publish(&network.store())?;
	let plan = course.plan(&programs, &Lesson::conditions(rounds))?;
	let (samples, parameters) = (course.samples(), course.model()?.cost().parameters);
	let budget = ample_budget(&plan);
	let before = network.chain.number(network.chain.best().await?).await?;
	let training = network
		.submit_training(requester, plan, budget)
		.await
		.context("the training was not taken")?;
	progress.note(&format!(
		"training {training}: {rounds} rounds of {samples} samples on each of {} shards, \
		 {parameters} parameters",
		course.shards.len()
	));
	Ok(Watch::new(Diary::after(before, training), rounds))
}
