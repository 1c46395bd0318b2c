//! Weights and block times of the runtime.
//!
//! Blocks are executed in Wasm, as a node does that imports them, on a state in memory. A piece of
//! work is weighed by what the blocks that it lies in cost beyond an idle block of the same chain:
//! time to execute, and the database weight of each key that is read or written. So everything is
//! in it that a transaction brings along: signature, nonce, fee or the look whether it is owed.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | `chain.rs` | the figures |
//! | [`wasm`] | executing a block, and what it costs |
//! | [`life`] | chunks from assignment to payment, part by part |
//! | [`open`] | blocks beside many open chunks |

mod life;
mod open;
mod wasm;

use crate::figure::{Figure, Report, Sense};
use anyhow::Result;
use life::{Part, Parts, Shape};
use wasm::{Cost, Wasm};

/// Chunks in a batch: as many as a call may carry.
pub const BATCH: u32 = 64;
/// What a chunk in a batch may weigh, in transfers.
const WEIGHT_GOAL: f64 = 4.0;
/// What a block beside a million open chunks may take, in blocks beside a hundred.
const TIME_GOAL: f64 = 1.2;
/// What checks may add to an unaudited chunk in a batch, in transfers.
const CHECKS_GOAL: f64 = 2.0;

/// Measures and prints.
pub fn run(report: &mut Report, quick: bool) -> Result<()> {
	let wasm = Wasm::new()?;
	let repetitions = if quick { 5 } else { 41 };
	explain(report);
	let one = life::transfers(&wasm, 1, repetitions)?;
	let many = life::transfers(&wasm, BATCH, repetitions)?;
	describe(report, "a transfer alone", one);
	describe(report, "a transfer of 64 in a block", many);
	for (shape, anchor) in [(Shape::Alone, one), (Shape::Devices, many), (Shape::Call, many)] {
		let parts = life::measure(&wasm, shape, repetitions)?;
		figures(report, shape, &parts, anchor);
	}
	checks(report, &life::unaudited(&wasm, repetitions)?, many);
	open::run(report, &wasm, repetitions)
}

fn explain(report: &mut Report) {
	for line in [
		"weight = time to execute in Wasm + 8 µs for each key read + 50 µs for each key written",
		"(ParityDbWeight), per chunk, beyond an idle block; keys are counted as benchmarks count",
		"them, once per block. Nothing is generated yet: `estimated` is what the runtime accounts",
		"for by its hand-counted WeightInfo. The Wasm has debug assertions and overflow checks on.",
		"Searches are always audited; `audit` is the draw, two auditors' commits and reveals, and",
		"the verdict. No device is given 64 chunks at a time: for `64 in a call` the seats drawn",
		"are replaced in the state.",
	] {
		report.note(line);
	}
}

/// The figures of one shape, with a note for each part.
fn figures(report: &mut Report, shape: Shape, parts: &Parts, anchor: Cost) {
	let name = shape.name();
	for (part, cost) in parts {
		describe(report, &format!("{name}: {}", part.name()), *cost);
	}
	let sum = |audit: bool| -> Cost {
		let of_kind = parts.iter().filter(|(part, _)| (**part == Part::Audit) == audit);
		of_kind.map(|(_, cost)| *cost).sum()
	};
	let (goal, sense) = match shape {
		Shape::Call => (WEIGHT_GOAL, Sense::Max),
		Shape::Alone | Shape::Devices => (0.0, Sense::Min),
	};
	let anchor = anchor.micros();
	report.figure(Figure {
		name: format!("chain/chunk/{name}"),
		ours: sum(false).micros(),
		anchor,
		unit: "µs",
		goal,
		sense,
	});
	report.figure(Figure {
		name: format!("chain/audit/{name}"),
		ours: sum(true).micros(),
		anchor,
		unit: "µs",
		goal: 0.0,
		sense: Sense::Min,
	});
}

/// What commit, draw and reveal add to a chunk of a program that nobody audits. Without them a
/// result would be one call: the commit, less the record of the check, which is read and written
/// there and once more when it is forgotten.
fn checks(report: &mut Report, parts: &Parts, anchor: Cost) {
	for (part, cost) in parts {
		describe(report, &format!("unaudited: {}", part.name()), *cost);
	}
	let of = |part| parts.get(&part).copied().unwrap_or_default();
	let record = Cost { reads: 1.0, writes: 1.0, ..Cost::default() };
	let forgotten = record;
	let added = record + of(Part::Audit) + of(Part::Reveal) + forgotten;
	let all = of(Part::Commit) + of(Part::Audit) + of(Part::Reveal) + forgotten;
	let anchor = anchor.micros();
	report.note(&format!(
		"an unaudited chunk: {:.3} transfers with the whole of its commit",
		all.micros() / anchor
	));
	report.figure(Figure {
		name: "chain/checks of an unaudited chunk/64 in a call".into(),
		ours: added.micros(),
		anchor,
		unit: "µs",
		goal: CHECKS_GOAL,
		sense: Sense::Max,
	});
}

fn describe(report: &mut Report, name: &str, cost: Cost) {
	let Cost { seconds, reads, writes, estimated } = cost;
	let (time, weight, estimated) = (seconds * 1e6, cost.micros(), estimated * 1e6);
	report.note(&format!(
		"{name:<32} {time:>7.1} µs + {reads:>5.1} reads + {writes:>5.1} writes \
		 = {weight:>7.1} µs; estimated {estimated:>7.1} µs"
	));
}
