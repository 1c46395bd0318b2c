//! A conversation with an engine, as the worker process has it.

use crate::{engine, search::payload};
use anyhow::{bail, Result};
use std::{
	path::Path,
	time::{Duration, Instant},
};
use tequio_interface::{
	engine::{FromEngine, Mode, ToEngine},
	randomx::CLASS,
};

/// An engine with two caches.
pub struct Engine(engine::Engine);

impl Engine {
	/// Starts it.
	pub async fn start(program: &Path, mode: Mode, threads: u32) -> Result<Self> {
		let (mode, threads) = (mode.to_string(), threads.to_string());
		let args = ["--mode", &mode, "--threads", &threads, "--caches", "2"];
		Ok(Self(engine::Engine::start(program, &args, CLASS).await?))
	}

	/// Asks for a search; its answer is waited for with [`Self::done`].
	pub async fn ask(&mut self, key: u8, count: u32) -> Result<()> {
		self.0.ask(payload(key, count)).await
	}

	/// Announces a search of one nonce.
	pub async fn expect(&mut self, key: u8) -> Result<()> {
		self.0.tell(&ToEngine::Expect { payload: payload(key, 1) }).await
	}

	/// Waits for the answer to what was asked last.
	pub async fn done(&mut self) -> Result<()> {
		match self.0.hear().await? {
			FromEngine::Done { id, .. } if self.0.is_asked(id) => Ok(()),
			other => bail!("the engine answers with {other:?}"),
		}
	}

	/// Has `count` nonces hashed and says how long that took.
	pub async fn search(&mut self, key: u8, count: u32) -> Result<Duration> {
		let start = Instant::now();
		self.ask(key, count).await?;
		self.done().await?;
		Ok(start.elapsed())
	}
}
