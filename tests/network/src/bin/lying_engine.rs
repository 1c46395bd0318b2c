//! An engine that takes the pay and leaves out the work: it claims as many shares as are expected
//! of it, without hashing one. Audits it does honestly, so that only its own results are in
//! question.

use anyhow::Result;
use codec::{DecodeAll, Encode};
use sp_core::U256;
use std::{io, num::NonZeroUsize};
use tequio_engine_randomx::{
	machine::{Machine, Settings},
	request,
};
use tequio_interface::{
	engine::{FromEngine, Mode, ToEngine},
	randomx::{Puzzle, RandomXJob, SearchResult, CLASS},
	wire::{read_frame, write_frame, FrameError},
};

fn main() -> Result<()> {
	let mut honest = Machine::new(Settings::new(Mode::Light, NonZeroUsize::MIN))?;
	let (mut from, mut to) = (io::stdin().lock(), io::stdout().lock());
	write_frame(&mut to, &FromEngine::Ready { class: CLASS })?;
	loop {
		let message: ToEngine = match read_frame(&mut from) {
			Err(FrameError::Io(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
				return Ok(())
			},
			message => message?,
		};
		let ToEngine::Run { id, payload } = message else { continue };
		let result = match RandomXJob::decode_all(&mut payload.as_slice())? {
			RandomXJob::Search { puzzle, start, count } => invent(&puzzle, start, count).encode(),
			RandomXJob::Audit { .. } => request::run(&mut honest, &payload)?,
		};
		write_frame(&mut to, &FromEngine::Done { id, result })?;
	}
}

/// Shares at even distances, and a digest of nothing.
fn invent(puzzle: &Puzzle, start: u32, count: u32) -> SearchResult {
	let difficulty = U256::MAX.checked_div(U256::from_little_endian(&puzzle.share_target));
	let step =
		difficulty.map_or(1, |difficulty| usize::try_from(difficulty.low_u32()).unwrap_or(1));
	let range = start..start.saturating_add(count);
	SearchResult {
		claim: range.step_by(step.max(1)).collect(),
		shares: [7; 32],
		winners: Vec::new(),
	}
}
