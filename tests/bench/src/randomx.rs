//! The RandomX engine beside the reference's own benchmark: both of one build, on equal pages,
//! taking turns.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`side`] | one measurement of either side |
//! | [`key_change`] | what the first hash under another key waits for |
//! | [`verify`] | what the audits of a chunk cost beside its search |
//! | [`conversation`] | talking to an engine as the worker process does |

mod conversation;
mod key_change;
mod side;
mod verify;

use crate::{
	figure::{Figure, Report, Sense},
	huge_pages::Pool,
	machine::{transparent_pages, TransparentPages, MIB},
	samples::{abba, median, Side},
};
use anyhow::{bail, ensure, Context, Result};
use side::{threads, Outcome, Pages, Programs, Setting};
use std::path::Path;
use tequio_interface::engine::Mode;

/// Ours in hashes of the reference.
const SPEED: f64 = 0.98;
/// Two threads on one cache in hashes of one.
const SHARED_CACHE: f64 = 1.9;
/// Dataset of two threads in the time of one.
const DATASET: f64 = 0.55;
/// Transparent huge pages in hashes of 4 KiB ones.
const HUGE_GAIN: f64 = 1.3;

/// Repetitions of a setting that is measured by itself.
const MANY_PAIRS: usize = 7;

/// Nonces and repetitions.
struct Effort {
	fast: u32,
	light: u32,
	pairs: usize,
}

impl Effort {
	fn new(quick: bool) -> Self {
		if quick {
			Self { fast: 1_000, light: 128, pairs: 1 }
		} else {
			Self { fast: 5_000, light: 1_000, pairs: 3 }
		}
	}
}

/// Every outcome of a setting.
struct Measured {
	setting: Setting,
	ours: Vec<Outcome>,
	anchor: Vec<Outcome>,
}

/// Measures everything about RandomX.
pub async fn run(report: &mut Report, reference: Option<&Path>, quick: bool) -> Result<()> {
	let programs = Programs::find(reference)?;
	let effort = Effort::new(quick);
	let settings = settings(&kinds(report));
	let measured = measure(report, &programs, &settings, &effort).await?;
	speed(report, &measured)?;
	scaling(report, &measured)?;
	verify(report, &measured)?;
	pool(report, &programs, &effort).await?;
	key_change::run(report, &programs.ours, quick).await
}

/// Measures ours beside the reference in the settings whose name holds a text. Each process is dealt
/// other pages, and is some percent faster or slower than the one before for as long as it runs: a
/// ratio that is close to its goal takes many of them.
pub async fn only(
	report: &mut Report,
	reference: Option<&Path>,
	quick: bool,
	text: &str,
) -> Result<()> {
	let programs = Programs::find(reference)?;
	let mut wanted = settings(&kinds(report));
	wanted.retain(|setting| setting.to_string().contains(text));
	ensure!(
		!wanted.is_empty(),
		"no setting's name holds `{text}`, as does `fast, 1 thread, 4 KiB pages`"
	);
	let mut effort = Effort::new(quick);
	if !quick {
		effort.pairs = MANY_PAIRS;
	}
	let measured = measure(report, &programs, &wanted, &effort).await?;
	speed(report, &measured)
}

/// The pages that are compared on this machine.
fn kinds(report: &mut Report) -> Vec<Pages> {
	let mut kinds = vec![Pages::Small];
	match transparent_pages() {
		TransparentPages::Nobody => {
			report.note("transparent huge pages are off on this machine: not measured")
		},
		TransparentPages::WhoAsks => kinds.push(Pages::Transparent),
		TransparentPages::Everybody => {
			report.note(
				"transparent huge pages come unasked on this machine: the reference has them in \
				 the runs on 4 KiB pages too",
			);
			kinds.push(Pages::Transparent);
		},
	}
	kinds
}

/// The runs on pages of the kernel's pool, where it can be filled.
async fn pool(report: &mut Report, programs: &Programs, effort: &Effort) -> Result<()> {
	let pool = match Pool::fill() {
		Ok(pool) => pool,
		Err(error) => {
			report.note(&format!("huge pages of the pool are not measured: {error:#}"));
			return Ok(());
		},
	};
	let measured = measure(report, programs, &settings(&[Pages::Huge]), effort).await?;
	drop(pool);
	speed(report, &measured)
}

fn settings(kinds: &[Pages]) -> Vec<Setting> {
	let of = |mode, pages: Pages| [1, 2].map(|threads| Setting { mode, threads, pages });
	let modes = [Mode::Fast, Mode::Light];
	modes
		.into_iter()
		.flat_map(|mode| kinds.iter().flat_map(move |pages| of(mode, *pages)))
		.collect()
}

/// Measures each setting on both sides in turn. Every other repetition goes through all of them
/// backwards, so that a machine that becomes slower favours no setting either.
async fn measure(
	report: &mut Report,
	programs: &Programs,
	settings: &[Setting],
	effort: &Effort,
) -> Result<Vec<Measured>> {
	let new = |setting: &Setting| Measured { setting: *setting, ours: vec![], anchor: vec![] };
	let mut measured: Vec<_> = settings.iter().map(new).collect();
	let order: Vec<Side> = abba(effort.pairs).collect();
	for (repetition, sides) in order.chunks(2).enumerate() {
		if repetition > 0 {
			measured.reverse();
		}
		for of in &mut measured {
			let nonces = match of.setting.mode {
				Mode::Fast => effort.fast,
				Mode::Light => effort.light,
			};
			for side in sides {
				let outcome = programs.measure(*side, &of.setting, nonces).await?;
				match side {
					Side::Ours => of.ours.push(outcome),
					Side::Anchor => of.anchor.push(outcome),
				}
			}
		}
	}
	if effort.pairs.is_multiple_of(2) {
		measured.reverse();
	}
	same_hashes(&measured)?;
	pages(report, &measured);
	Ok(measured)
}

/// Fails unless both sides, on all pages and threads, found the same hashes.
fn same_hashes(measured: &[Measured]) -> Result<()> {
	for mode in [Mode::Fast, Mode::Light] {
		let of_mode = measured.iter().filter(|of| of.setting.mode == mode);
		let mut outcomes = of_mode.flat_map(|of| of.ours.iter().chain(&of.anchor));
		let Some(first) = outcomes.next() else { continue };
		for outcome in outcomes {
			ensure!(
				outcome.digest == first.digest,
				"the hashes differ: {} and {}",
				first.digest,
				outcome.digest
			);
		}
	}
	Ok(())
}

/// Notes what the memory of both sides lay on.
fn pages(report: &mut Report, measured: &[Measured]) {
	for Measured { setting, ours, anchor } in measured {
		let huge = |side: &[Outcome]| side.iter().map(|of| of.huge / MIB).max().unwrap_or_default();
		let says = |side: &[Outcome]| side.first().map(|of| of.about.clone()).unwrap_or_default();
		let mut text =
			format!("{setting}: ours says {}, the anchor is {}", says(ours), says(anchor));
		if setting.pages == Pages::Transparent {
			let (on_ours, on_anchor) = (huge(ours), huge(anchor));
			text += &format!("; on huge pages: ours {on_ours} MiB, the anchor {on_anchor} MiB");
			let needed = match setting.mode {
				Mode::Fast => 1_024,
				Mode::Light => 128,
			};
			if on_anchor < needed {
				text += " (its C library did not ask for them: the pages are not equal)";
			}
		}
		report.note(&text);
	}
}

/// Ours beside the reference, setting by setting.
fn speed(report: &mut Report, measured: &[Measured]) -> Result<()> {
	for of in measured {
		report.figure(Figure {
			name: format!("randomx/{}", of.setting),
			ours: rate(&of.ours)?,
			anchor: rate(&of.anchor)?,
			unit: "H/s",
			goal: SPEED,
			sense: Sense::Min,
		});
	}
	Ok(())
}

/// What was measured of ours in a setting.
fn ours_in(measured: &[Measured], mode: Mode, threads: u32, pages: Pages) -> Result<&[Outcome]> {
	let setting = Setting { mode, threads, pages };
	let found = measured.iter().find(|of| of.setting == setting);
	found.map(|of| of.ours.as_slice()).with_context(|| format!("{setting} was not measured"))
}

/// Checking beside searching, each on one thread.
fn verify(report: &mut Report, measured: &[Measured]) -> Result<()> {
	let fast = ours_in(measured, Mode::Fast, 1, Pages::Small)?;
	let light = ours_in(measured, Mode::Light, 1, Pages::Small)?;
	let caches: Vec<_> = light.iter().filter_map(|outcome| outcome.cache_seconds).collect();
	let cache = median(&caches).context("the engine does not say how long its cache took")?;
	verify::run(report, &verify::Speed { fast: rate(fast)?, light: rate(light)?, cache })
}

/// Ours beside ours: more threads, larger pages.
fn scaling(report: &mut Report, measured: &[Measured]) -> Result<()> {
	let of = |mode, threads, pages| ours_in(measured, mode, threads, pages);
	let small = Pages::Small;
	report.figure(Figure {
		name: "randomx/dataset, 2 threads beside 1".into(),
		ours: dataset(of(Mode::Fast, 2, small)?)?,
		anchor: dataset(of(Mode::Fast, 1, small)?)?,
		unit: "s",
		goal: DATASET,
		sense: Sense::Max,
	});
	report.figure(Figure {
		name: "randomx/light, 2 threads on one cache beside 1".into(),
		ours: rate(of(Mode::Light, 2, small)?)?,
		anchor: rate(of(Mode::Light, 1, small)?)?,
		unit: "H/s",
		goal: SHARED_CACHE,
		sense: Sense::Min,
	});
	for number in [1, 2] {
		let Ok(huge) = of(Mode::Fast, number, Pages::Transparent) else { continue };
		report.figure(Figure {
			name: format!("randomx/fast, {}, transparent beside 4 KiB", threads(number)),
			ours: rate(huge)?,
			anchor: rate(of(Mode::Fast, number, small)?)?,
			unit: "H/s",
			goal: HUGE_GAIN,
			sense: Sense::Min,
		});
	}
	Ok(())
}

fn rate(outcomes: &[Outcome]) -> Result<f64> {
	let rates: Vec<_> = outcomes.iter().map(|outcome| outcome.rate).collect();
	median(&rates).context("nothing was measured")
}

fn dataset(outcomes: &[Outcome]) -> Result<f64> {
	let seconds: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.dataset_seconds).collect();
	match median(&seconds) {
		Some(seconds) => Ok(seconds),
		None => bail!("the engine does not say how long its dataset took"),
	}
}
