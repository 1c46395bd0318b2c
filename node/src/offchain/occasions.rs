//! When the hook runs: at each new best block, and at the same block again when there is news.
//!
//! The SDK runs the hook once for each new best block that it hears of. What is ready a moment later
//! would wait for the next block, once for each step of a chunk. So the SDK hears of the best block
//! again: at most every [`PAUSE`], and not while the hook runs, because of two runs at a time the
//! later one is left out.

use super::TASK_GROUP;
use crate::partial::{Block, FullClient, Hash};
use futures::{
	future::{poll_fn, ready},
	stream,
	task::AtomicWaker,
	Stream, StreamExt,
};
use sc_client_api::{
	BlockImportNotification, BlockchainEvents, FinalityNotifications, HeaderBackend,
	ImportNotifications, StorageEventStream, StorageKey,
};
use sc_service::SpawnTaskHandle;
use sc_utils::mpsc::tracing_unbounded;
use std::{
	sync::{
		atomic::{AtomicBool, Ordering},
		Arc,
	},
	task::Poll,
	time::Duration,
};

/// The least time between two repetitions.
const PAUSE: Duration = Duration::from_millis(200);
/// Blocks that wait for the SDK at which it warns. It takes each at once.
const MANY: usize = 1_000;

sp_externalities::decl_extension! {
	/// Given to each run of the hook, which drops it at its end.
	pub struct Running(Arc<()>);
}

/// Rings when there is news, and knows whether the hook runs. What rings before it is heard is one
/// ring.
#[derive(Default)]
pub struct Bell {
	rung: AtomicBool,
	listener: AtomicWaker,
	/// Shared with each run.
	runs: Arc<()>,
}

impl Bell {
	/// Tells that there is news.
	pub fn ring(&self) {
		self.rung.store(true, Ordering::Release);
		self.listener.wake();
	}

	/// What a run of the hook has to hold while it lasts.
	pub fn run(&self) -> Running {
		Running(self.runs.clone())
	}

	fn is_running(&self) -> bool {
		Arc::strong_count(&self.runs) > 1
	}

	/// Waits for a ring that was not heard yet. For one listener.
	async fn heard(&self) {
		poll_fn(|context| {
			self.listener.register(context.waker());
			if self.rung.swap(false, Ordering::AcqRel) {
				Poll::Ready(())
			} else {
				Poll::Pending
			}
		})
		.await;
	}
}

/// The client's events, with the best block again when the bell rings.
pub struct Occasions {
	client: Arc<FullClient>,
	tasks: SpawnTaskHandle,
	bell: Arc<Bell>,
}

impl Occasions {
	/// Repeats what this client tells.
	pub fn new(client: Arc<FullClient>, tasks: SpawnTaskHandle, bell: Arc<Bell>) -> Self {
		Self { client, tasks, bell }
	}
}

impl BlockchainEvents<Block> for Occasions {
	fn import_notification_stream(&self) -> ImportNotifications<Block> {
		let (sender, receiver) = tracing_unbounded("mpsc_worker_occasions", MANY);
		let client = self.client.clone();
		let blocks = occasions(
			BlockchainEvents::<Block>::import_notification_stream(&*self.client),
			self.bell.clone(),
			|block: &BlockImportNotification<Block>| block.is_new_best,
			move |block: &BlockImportNotification<Block>| client.info().best_hash == block.hash,
		);
		self.tasks.spawn(
			"worker-occasions",
			TASK_GROUP,
			blocks.for_each(move |block| {
				// Nobody takes it any more while the node stops.
				let _ = sender.unbounded_send(block);
				ready(())
			}),
		);
		receiver
	}

	fn every_import_notification_stream(&self) -> ImportNotifications<Block> {
		BlockchainEvents::<Block>::every_import_notification_stream(&*self.client)
	}

	fn finality_notification_stream(&self) -> FinalityNotifications<Block> {
		BlockchainEvents::<Block>::finality_notification_stream(&*self.client)
	}

	fn storage_changes_notification_stream(
		&self,
		filter_keys: Option<&[StorageKey]>,
		child_filter_keys: Option<&[(StorageKey, Option<Vec<StorageKey>>)]>,
	) -> sp_blockchain::Result<StorageEventStream<Hash>> {
		BlockchainEvents::<Block>::storage_changes_notification_stream(
			&*self.client,
			filter_keys,
			child_filter_keys,
		)
	}
}

enum Event<B> {
	Import(B),
	News,
	/// No more blocks will come.
	Over,
}

/// What is known of the last new best block.
struct Last<B> {
	block: Option<B>,
	/// Whether it was repeated.
	repeated: bool,
}

/// Blocks as they are imported, and the last new best one again when the bell rings, if it is still
/// the best. While a node catches up, blocks are imported without a word, and there may be a better
/// one.
fn occasions<B: Clone>(
	imports: impl Stream<Item = B>,
	bell: Arc<Bell>,
	is_new_best: impl Fn(&B) -> bool,
	is_best: impl Fn(&B) -> bool,
) -> impl Stream<Item = B> {
	let imports = imports.map(Event::Import).chain(stream::once(ready(Event::Over)));
	let news = news(bell.clone()).map(|()| Event::News);
	let last = Last { block: None, repeated: false };
	let occasions = stream::select(imports, news).scan(last, move |last, event| {
		ready(match event {
			Event::Import(block) => {
				if is_new_best(&block) {
					if last.repeated || bell.is_running() {
						// A run at the block before may be under way, and this one be left out.
						bell.ring();
					}
					*last = Last { block: Some(block.clone()), repeated: false };
				}
				Some(Some(block))
			},
			Event::News => {
				let again = last.block.as_ref().filter(|block| is_best(block)).cloned();
				last.repeated |= again.is_some();
				Some(again)
			},
			Event::Over => None,
		})
	});
	occasions.filter_map(ready)
}

/// Tells of news when the hook may run for it.
fn news(bell: Arc<Bell>) -> impl Stream<Item = ()> {
	stream::unfold(bell, |bell| async move {
		tokio::time::sleep(PAUSE).await;
		bell.heard().await;
		while bell.is_running() {
			tokio::time::sleep(PAUSE).await;
		}
		Some(((), bell))
	})
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use futures::{
		channel::mpsc::{unbounded, UnboundedSender},
		stream::BoxStream,
	};

	/// A number, and whether it is a new best block.
	type Import = (u32, bool);

	/// A chain that the test plays.
	struct Stage {
		imports: UnboundedSender<Import>,
		bell: Arc<Bell>,
		is_best: Arc<AtomicBool>,
		heard: BoxStream<'static, Import>,
	}

	impl Stage {
		fn new() -> Self {
			let (imports, stream) = unbounded();
			let (bell, is_best) = (Arc::<Bell>::default(), Arc::new(AtomicBool::new(true)));
			let still = is_best.clone();
			let is_new_best = |(_, is_new_best): &Import| *is_new_best;
			let is_still_best = move |_: &Import| still.load(Ordering::SeqCst);
			let heard = occasions(stream, bell.clone(), is_new_best, is_still_best).boxed();
			Self { imports, bell, is_best, heard }
		}

		/// Imports a block, of which the SDK hears at once.
		async fn import(&mut self, number: u32, is_new_best: bool) {
			self.imports.unbounded_send((number, is_new_best)).unwrap();
			assert_eq!(self.heard.next().await, Some((number, is_new_best)));
		}

		/// Waits until the SDK hears of this best block again.
		async fn hears_again(&mut self, number: u32) {
			assert_eq!(self.heard.next().await, Some((number, true)));
		}

		/// Waits long enough for another run.
		async fn hears_nothing(&mut self) {
			assert!(tokio::time::timeout(PAUSE * 3, self.heard.next()).await.is_err());
		}
	}

	fn play<F: std::future::Future<Output = ()>>(test: impl FnOnce(Stage) -> F) {
		let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
		runtime.block_on(test(Stage::new()));
	}

	#[test]
	fn news_repeat_the_best_block() {
		play(|mut stage| async move {
			stage.import(1, true).await;
			stage.hears_nothing().await;
			stage.bell.ring();
			stage.hears_again(1).await;
			stage.import(2, false).await;
			stage.bell.ring();
			stage.hears_again(1).await;
		});
	}

	#[test]
	fn before_the_first_block_nothing_is_repeated() {
		play(|mut stage| async move {
			stage.bell.ring();
			stage.hears_nothing().await;
			stage.import(1, true).await;
			stage.hears_nothing().await;
		});
	}

	#[test]
	fn a_block_that_is_no_longer_the_best_is_not_repeated() {
		play(|mut stage| async move {
			stage.import(1, true).await;
			stage.is_best.store(false, Ordering::SeqCst);
			stage.bell.ring();
			stage.hears_nothing().await;
		});
	}

	#[test]
	fn much_news_is_one_repetition() {
		play(|mut stage| async move {
			stage.import(1, true).await;
			(0..100).for_each(|_| stage.bell.ring());
			stage.hears_again(1).await;
			stage.hears_nothing().await;
		});
	}

	#[test]
	fn news_wait_for_the_end_of_a_run() {
		play(|mut stage| async move {
			stage.import(1, true).await;
			let runs = [stage.bell.run(), stage.bell.run()];
			stage.bell.ring();
			stage.hears_nothing().await;
			drop(runs);
			stage.hears_again(1).await;
			stage.hears_nothing().await;
		});
	}

	#[test]
	fn a_block_that_comes_during_a_run_is_repeated() {
		play(|mut stage| async move {
			stage.import(1, true).await;
			let run = stage.bell.run();
			stage.import(2, true).await;
			drop(run);
			stage.hears_again(2).await;
			// A repetition may be about to run.
			stage.import(3, true).await;
			stage.hears_again(3).await;
			stage.hears_nothing().await;
		});
	}

	#[test]
	fn no_more_blocks_are_the_end() {
		play(|mut stage| async move {
			stage.import(1, true).await;
			stage.imports.close_channel();
			assert_eq!(stage.heard.next().await, None);
		});
	}
}
