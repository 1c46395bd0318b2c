//! An engine that invents its results: no result of it is accepted, its owner is slashed for each
//! and ends poorer, and the requester gets what it paid for.

use anyhow::{bail, ensure, Context, Result};
use pallet_verification::{verdict::Outcome, Event as VerificationEvent};
use pallet_workers::Event as WorkersEvent;
use serde_json::json;
use std::{
	collections::{BTreeMap, BTreeSet},
	fs,
	path::Path,
	time::Duration,
};
use tequio_harness::{
	network::{NodePlan, Owner},
	waiting::until,
};
use tequio_network_tests::{
	chronicle::Chronicle,
	story::{Search, Story},
};
use tequio_primitives::{api::TaskStatus, AttemptId, Balance, Duty, Role};
use tequio_runtime::{AccountId, RuntimeEvent};

/// As few nonces as a chunk may have without every one of them being a share: then there would be
/// nothing to invent.
const SEARCH: Search = Search { chunks: 200, nonces: 17, deadline: 64 };
/// Three minutes, and a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(1_500);

/// What the chain tells of the liar and of everybody who was slashed.
#[derive(Default)]
struct Trial {
	/// What the liar committed as a worker.
	lies: BTreeSet<AttemptId>,
	/// How attempts were judged.
	judged: BTreeMap<AttemptId, Outcome>,
	/// Who was slashed, and for what.
	slashed: BTreeSet<(AccountId, Duty)>,
}

impl Trial {
	fn note(&mut self, event: &RuntimeEvent, liar: &Owner) {
		match event {
			RuntimeEvent::Verification(VerificationEvent::Committed { id, role, device })
				if *role == Role::Worker && *device == liar.device.id() =>
			{
				self.lies.insert(*id);
			},
			RuntimeEvent::Verification(VerificationEvent::Judged { id, outcome }) => {
				self.judged.insert(*id, *outcome);
			},
			RuntimeEvent::Workers(WorkersEvent::Slashed { owner, duty, .. }) => {
				self.slashed.insert((owner.clone(), *duty));
			},
			_ => {},
		}
	}

	/// Whether each lie was found out: rejected with a slash, or not accepted at least. How many
	/// there were, and how many of them ended undecided.
	fn verdict(&self, liar: &Owner) -> Result<(usize, usize)> {
		let mut undecided = 0;
		for id in &self.lies {
			let outcome = self.judged.get(id).context("a lie was not judged")?;
			let duty = Duty { id: *id, role: Role::Worker };
			let slashed = self.slashed.contains(&(liar.account.id(), duty));
			match outcome {
				Outcome::Rejected(_) => ensure!(slashed, "{id:?} was rejected for nothing"),
				Outcome::Undecided(_) => undecided += 1,
				other => bail!("{id:?} is a lie, and was judged: {other:?}"),
			}
		}
		let others = self.slashed.iter().filter(|(owner, _)| *owner != liar.account.id());
		let others: Vec<_> = others.collect();
		ensure!(others.is_empty(), "the honest were slashed: {others:?}");
		Ok((self.lies.len(), undecided))
	}
}

#[tokio::test]
async fn a_liar_is_slashed_and_the_requester_is_whole() -> Result<()> {
	let engines = tempfile::tempdir()?;
	let lying = Path::new(env!("CARGO_BIN_EXE_tequio-lying-engine"));
	fs::copy(lying, engines.path().join("tequio-engine-randomx"))?;
	let liars = NodePlan { engines: Some(engines.path().to_path_buf()), ..NodePlan::honest(1) };
	// A quarrel needs a worker, two auditors and three referees.
	let nodes = vec![liars, NodePlan::honest(3), NodePlan::honest(2)];
	// A busy machine is no reason to convict the honest.
	let rules = json!({ "verification": { "rules": { "reveal_period": 64 } } });
	let story = Story::begin(nodes, rules).await?;
	let liar = story.network.nodes[0].owners.first().context("nobody lies")?;
	let before = wealth(&story, liar).await?;

	let mut chronicle = Chronicle::begin(&story.network.chain).await?;
	let mut trial = Trial::default();
	let order = story.order(SEARCH).await?;
	until("the task ends", PATIENCE, async || {
		let chain = &story.network.chain;
		chronicle.read_each(chain, |event| trial.note(event, liar)).await?;
		let summary = chain.task_summary(order.task).await?;
		Ok((summary.status == TaskStatus::Ended).then_some(()))
	})
	.await
	.with_context(|| format!("{chronicle:?}\n{}", story.network.logs()))?;
	let (summary, _) = story.ends(&order, PATIENCE).await?;
	chronicle.read_each(&story.network.chain, |event| trial.note(event, liar)).await?;

	let (lies, undecided) = trial.verdict(liar)?;
	println!("{lies} lies, of which {undecided} were not decided; {chronicle:?}");
	ensure!(lies > 0, "the liar was never drawn");
	ensure!(lies > undecided, "no lie was convicted");
	let counts = summary.chunks;
	ensure!(counts.paid + counts.refunded == SEARCH.chunks, "chunks are lost: {counts:?}");
	ensure!(usize::try_from(counts.refunded)? <= undecided, "chunks were not done: {counts:?}");

	ensure!(wealth(&story, liar).await? < before, "the liar ends richer");
	let ledger = story.ledger().await?;
	ensure!(ledger.compensation > 0, "auditors and referees were not made whole");
	ensure!(ledger.bounty > 0, "the proof was not rewarded");
	let done = story.network.contribution(order.task, liar).await?;
	ensure!(done.paid == 0, "an invented chunk was paid: {done:?}");

	let left = stake(&story, liar).await?;
	for owner in story.network.nodes[1..].iter().flat_map(|node| &node.owners) {
		ensure!(stake(&story, owner).await? > left, "{} was slashed", owner.account.name());
	}
	Ok(())
}

async fn stake(story: &Story, owner: &Owner) -> Result<Balance> {
	Ok(story.network.worker(owner).await?.map(|worker| worker.stake).unwrap_or_default())
}

/// All that an owner has, staked or not.
async fn wealth(story: &Story, owner: &Owner) -> Result<Balance> {
	let balance = story.network.chain.balance(&owner.account.id()).await?;
	Ok(balance.free + balance.reserved)
}
