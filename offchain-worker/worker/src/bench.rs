//! `tequio-worker bench`: how fast engines are here, run as a worker would run them.

use crate::{args::BenchArgs, classes::Class, equipment::Equipment, measure::measure, status::mib};
use anyhow::Context;
use serde::Serialize;
use std::time::Duration;

/// Speed of a class.
#[derive(Debug, Serialize)]
struct Figure {
	/// Its number on the chain.
	class: u16,
	/// File name of the engine that computes it.
	engine: &'static str,
	mode: String,
	threads: usize,
	units_per_second: f64,
	/// Of the engine.
	memory_bytes: u64,
	/// What the engine says of itself.
	setup: String,
}

/// Measures every class whose engine is there, one after the other.
pub fn run(args: &BenchArgs) -> anyhow::Result<()> {
	let Equipment { classes, plan, launcher } = Equipment::gather(&args.engine, 1)?;
	let time = Duration::from_secs(args.seconds.into());
	if !args.json {
		println!("{}", plan.reason);
	}
	for class in classes {
		let mut engine = launcher.start(class)?;
		let measured = measure(&mut engine, class, &plan.setting, time, || true)?
			.with_context(|| format!("{} was not measured", class.program))?;
		let figure = Figure {
			class: class.number,
			engine: class.program,
			mode: plan.setting.mode.to_string(),
			threads: plan.setting.threads.get(),
			units_per_second: f64::from(measured.units) / measured.time.as_secs_f64(),
			memory_bytes: measured.memory,
			setup: engine.leash().setup(),
		};
		if args.json {
			println!("{}", serde_json::to_string(&figure)?);
		} else {
			let Figure { units_per_second, setup, .. } = &figure;
			let Class { name, unit, program, .. } = class;
			let memory = mib(figure.memory_bytes);
			println!("{name}, {program}: {units_per_second:.1} {unit} a second, {memory}; {setup}");
		}
	}
	Ok(())
}
