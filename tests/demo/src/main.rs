//! # The demo
//!
//! A chain that pays for work, in one command: a validator and two worker nodes start on this
//! machine; four owners stake and let their device keys work; a requester locks money for the
//! search of a nonce range of a Monero block that was really mined; the network finds the nonce,
//! audits its own work, pays for it and returns the rest.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`args`] | flags, and the task they describe |
//! | [`progress`] | what is said while it runs |
//! | [`winner`] | the nonce found, hashed once more |
//! | [`sheet`] | the balance sheet |

mod args;
mod progress;
mod sheet;
mod winner;

use crate::{
	args::{Args, Order, BONUS, RATE},
	progress::Progress,
	sheet::Sheet,
};
use anyhow::{anyhow, ensure, Result};
use clap::Parser;
use std::{process::ExitCode, time::Duration};
use tequio_harness::{
	accounts::Account,
	enrolment::Terms,
	interrupted,
	network::{Network, NodePlan, Plan},
	requests::{Request, TaskSpec},
};
use tequio_primitives::{
	api::{TaskStatus, TaskSummary},
	search::Nonce,
	TaskId, WorkClass,
};
use tequio_runtime::AccountId;

/// Worker nodes, and owners on each of them.
const NODES: usize = 2;
const OWNERS: u32 = 2;
/// How often the chain is looked at.
const LOOK: Duration = Duration::from_millis(500);

// One thread: the kernel stops the child processes when the thread that started them ends.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
	let args = Args::parse();
	let outcome = tokio::select! {
		outcome = run(&args) => outcome,
		signal = interrupted() => signal.and_then(|()| Err(anyhow!("interrupted"))),
	};
	match outcome {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("tequio-demo: {error:#}");
			ExitCode::FAILURE
		},
	}
}

async fn run(args: &Args) -> Result<()> {
	let order = args.order()?;
	let mut progress = Progress::new(args.json);
	let mut network = start(args, &order, &mut progress).await?;
	let requester = Account::from_uri("//Requester")?;
	let task = submit(&network, &requester, &order, &mut progress).await?;
	let summary = watch(&mut network, task, &order, &mut progress).await?;

	for winner in &summary.winners {
		progress.note(&order.check(winner)?);
	}
	let sheet = Sheet::read(&network, &requester, task).await?;
	let nonce = summary.winners.first().map(|winner| winner.nonce);
	report(args, &sheet, nonce, progress.seconds());
	ensure!(sheet.balanced(), "the books do not balance");
	if let Some(known) = order.known_nonce()? {
		let found = summary.winners.iter().any(|winner| winner.nonce == known);
		ensure!(found, "nonce {known} is in the range and was not found");
	}
	Ok(())
}

/// Starts the network and lets its owners stake.
async fn start(args: &Args, order: &Order, progress: &mut Progress) -> Result<Network> {
	let plan = Plan {
		folder: args.keep.clone(),
		nodes: vec![NodePlan::honest(OWNERS); NODES],
		..Plan::default()
	};
	progress.note("starting a validator and two worker nodes");
	let mut network = Network::start(&plan).await?;
	if args.keep.is_some() {
		progress.note(&format!("databases and logs are in {}", network.folder().display()));
	}
	progress.note("four owners stake and register their devices");
	let (class, ask, stake) = (WorkClass::RandomXSearch, order.price, order.stake());
	network.enroll(&Terms { class, ask, rate: RATE, stake }).await?;
	Ok(network)
}

/// The requester locks money for the task.
async fn submit(
	network: &Network,
	requester: &Account,
	order: &Order,
	progress: &mut Progress,
) -> Result<TaskId> {
	let Order { spec, price, deadline } = order;
	let search = TaskSpec::RandomXSearch(spec.clone());
	let request = Request { spec: search, price: *price, deadline: *deadline, bonus: BONUS };
	let task = network.submit_task(requester, request).await?;
	let (first, count) = (spec.start, spec.count);
	progress
		.note(&format!("task {task}: {count} nonces from {first} on, in {} chunks", spec.chunks()));
	Ok(task)
}

/// Tells the progress of a task until it has ended.
async fn watch(
	network: &mut Network,
	task: TaskId,
	order: &Order,
	progress: &mut Progress,
) -> Result<TaskSummary<AccountId>> {
	let patience = 600 + u64::from(order.spec.count / 4);
	loop {
		let summary = network.chain.task_summary(task).await?;
		progress.chunks(summary.chunks);
		if summary.status == TaskStatus::Ended {
			return Ok(summary);
		}
		network.expect_running()?;
		ensure!(
			progress.seconds() < patience,
			"the task has not ended after {patience} s; --keep shows the logs"
		);
		tokio::time::sleep(LOOK).await;
	}
}

fn report(args: &Args, sheet: &Sheet, nonce: Option<Nonce>, seconds: u64) {
	if !args.json {
		println!("\n{sheet}");
		return;
	}
	eprintln!("\n{sheet}");
	let books = &sheet.books;
	let object = serde_json::json!({
		"locked": books.locked.to_string(),
		"paid": books.paid.to_string(),
		"audit": books.audit.to_string(),
		"fee": books.fee.to_string(),
		"refunded": books.refunded.to_string(),
		"balanced": sheet.balanced(),
		"nonce": nonce,
		"seconds": seconds,
	});
	println!("{object}");
}
