//! Executing a block in Wasm, and what it costs.

use crate::samples::{abba, median, Side};
use anyhow::{anyhow, Context, Result};
use codec::Encode;
use sc_executor::WasmExecutor;
use sp_core::{
	traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode},
	H256,
};
use sp_externalities::{set_and_run_with_externalities, Externalities};
use sp_io::hashing::blake2_256;
use std::{
	iter::Sum,
	ops::{Add, Div, Sub},
	time::Instant,
};
use tequio_interface::host;
use tequio_runtime::{Block, Runtime, System, WASM_BINARY};
use tequio_runtime_tests::count::{count, replay, Keys, State};

/// What the runtime may import.
type HostFunctions = (sp_io::SubstrateHostFunctions, host::HostFunctions);

/// A block, and the state that it is executed on.
pub struct Case {
	/// The state after the block before it.
	pub state: State,
	/// The block.
	pub block: Block,
}

/// What something costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Cost {
	/// Time to execute it, in seconds.
	pub seconds: f64,
	/// Keys read.
	pub reads: f64,
	/// Keys written.
	pub writes: f64,
	/// What the runtime accounts for, in seconds.
	pub estimated: f64,
}

impl Cost {
	/// Time and database weight, in microseconds.
	pub fn micros(&self) -> f64 {
		let database = <Runtime as frame_system::Config>::DbWeight::get();
		let picos = self.reads * database.read as f64 + self.writes * database.write as f64;
		self.seconds * 1e6 + picos / 1e6
	}

	fn map2(self, other: Self, of: impl Fn(f64, f64) -> f64) -> Self {
		Self {
			seconds: of(self.seconds, other.seconds),
			reads: of(self.reads, other.reads),
			writes: of(self.writes, other.writes),
			estimated: of(self.estimated, other.estimated),
		}
	}
}

impl Add for Cost {
	type Output = Self;

	fn add(self, other: Self) -> Self {
		self.map2(other, |one, other| one + other)
	}
}

impl Sub for Cost {
	type Output = Self;

	fn sub(self, other: Self) -> Self {
		self.map2(other, |one, other| one - other)
	}
}

impl Div<f64> for Cost {
	type Output = Self;

	fn div(self, parts: f64) -> Self {
		self.map2(self, |one, _| one / parts)
	}
}

impl Sum for Cost {
	fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
		costs.fold(Self::default(), Self::add)
	}
}

/// The runtime in Wasm.
pub struct Wasm {
	executor: WasmExecutor<HostFunctions>,
	code: &'static [u8],
	hash: Vec<u8>,
}

impl Wasm {
	/// The runtime that this program was built with.
	pub fn new() -> Result<Self> {
		let code =
			WASM_BINARY.context("built with SKIP_WASM_BUILD: there is no Wasm to measure")?;
		let executor = WasmExecutor::builder().build();
		Ok(Self { executor, code, hash: blake2_256(code).to_vec() })
	}

	/// What a block costs beyond an idle one. Time is the median of interleaved repetitions, without
	/// that for the state's root: weights have it in each write.
	pub fn beyond(&self, idle: &Case, state: &State, block: &Block, times: usize) -> Result<Cost> {
		let (mut ours, mut anchor) =
			(self.count(state, block)?, self.count(&idle.state, &idle.block)?);
		if (ours.reads, ours.writes) == (anchor.reads, anchor.writes) {
			// Nothing happened in it.
			return Ok(Cost::default());
		}
		let (mut our_times, mut anchor_times) = (Vec::new(), Vec::new());
		for side in abba(times) {
			match side {
				Side::Ours => our_times.push(self.time_without_root(state, block)?),
				Side::Anchor => {
					anchor_times.push(self.time_without_root(&idle.state, &idle.block)?);
				},
			}
		}
		ours.seconds = median(&our_times).unwrap_or_default();
		anchor.seconds = median(&anchor_times).unwrap_or_default();
		Ok(ours - anchor)
	}

	/// Seconds to execute a block, with all that an import does.
	pub fn time(&self, state: &State, block: &Block) -> Result<f64> {
		self.clock(state, block, None)
	}

	fn time_without_root(&self, state: &State, block: &Block) -> Result<f64> {
		self.clock(state, block, Some(block.header.state_root))
	}

	fn clock(&self, state: &State, block: &Block, root: Option<H256>) -> Result<f64> {
		let block = block.encode();
		replay(state, root, |ext| {
			let start = Instant::now();
			self.execute(ext, &block)?;
			Ok(start.elapsed().as_secs_f64())
		})
	}

	/// All but the time.
	fn count(&self, state: &State, block: &Block) -> Result<Cost> {
		let block = block.encode();
		let (executed, keys) = count(state, |ext| {
			self.execute(ext, &block)?;
			let weight = set_and_run_with_externalities(ext, || System::block_weight().total());
			Ok::<_, anyhow::Error>(weight)
		});
		let Keys { reads, writes } = keys;
		Ok(Cost {
			seconds: 0.0,
			reads: reads.len() as f64,
			writes: writes.len() as f64,
			estimated: executed?.ref_time() as f64 / 1e12,
		})
	}

	fn execute(&self, ext: &mut dyn Externalities, block: &[u8]) -> Result<()> {
		let fetcher = WrappedRuntimeCode(self.code.into());
		let code =
			RuntimeCode { code_fetcher: &fetcher, heap_pages: None, hash: self.hash.clone() };
		let context = CallContext::Onchain { import: true };
		let (executed, _) = self.executor.call(ext, &code, "Core_execute_block", block, context);
		executed.map(drop).map_err(|error| anyhow!("executing a block: {error}"))
	}
}
