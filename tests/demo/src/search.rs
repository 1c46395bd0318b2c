//! The search: the nonce of a Monero block that was really mined is found, audited and paid for.

use crate::{
	args::{Args, Order, BONUS, RATE},
	progress::Progress,
	sheet::Sheet,
};
use anyhow::{ensure, Result};
use std::time::Duration;
use tequio_harness::{
	accounts::Account,
	enrolment::Terms,
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

/// Starts a chain and its workers, has them search, and shows the books.
pub async fn run(args: &Args) -> Result<()> {
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
	let classes = vec![WorkClass::RandomXSearch];
	let (ask, stake) = (order.price, order.stake());
	network.enroll(&Terms { classes, ask, rate: RATE, stake }).await?;
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
