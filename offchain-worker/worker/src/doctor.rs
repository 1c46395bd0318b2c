//! `tequio-worker doctor`: looks for what keeps a worker from computing here, and says what to do.

mod engines;
mod places;
mod surroundings;

use crate::{args::DoctorArgs, machine::Machine};
use serde::Serialize;
use std::{fmt, process::ExitCode};

/// How it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
	/// As it should be.
	Ok,
	/// A worker computes, but slower or less safely than it might.
	Warning,
	/// No worker computes before this is mended.
	Problem,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Check {
	name: &'static str,
	verdict: Verdict,
	finding: String,
	/// What to do.
	remedy: Option<String>,
}

impl Check {
	fn ok(name: &'static str, finding: impl Into<String>) -> Self {
		Self { name, verdict: Verdict::Ok, finding: finding.into(), remedy: None }
	}

	fn warning(name: &'static str, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
		let remedy = Some(remedy.into());
		Self { name, verdict: Verdict::Warning, finding: finding.into(), remedy }
	}

	fn problem(name: &'static str, finding: impl Into<String>, remedy: impl Into<String>) -> Self {
		Self { verdict: Verdict::Problem, ..Self::warning(name, finding, remedy) }
	}
}

impl fmt::Display for Check {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		let verdict = match self.verdict {
			Verdict::Ok => "ok",
			Verdict::Warning => "warning",
			Verdict::Problem => "problem",
		};
		write!(f, "{verdict:<8} {}: {}", self.name, self.finding)?;
		match &self.remedy {
			Some(remedy) => write!(f, "\n         {remedy}"),
			None => Ok(()),
		}
	}
}

#[derive(Debug, Serialize)]
struct Report {
	checks: Vec<Check>,
	problems: usize,
}

/// Looks at everything and prints it. Fails if there are problems.
pub fn run(args: &DoctorArgs) -> anyhow::Result<ExitCode> {
	let machine = Machine::look();
	let mut checks = engines::checks(&args.engine, &machine);
	checks.extend(surroundings::checks());
	checks.extend(args.engine.store.iter().map(|dir| places::store(dir)));
	checks.extend(args.base_path.iter().map(|dir| places::base_path(dir)));
	checks.extend(args.socket.iter().flat_map(|path| places::socket(path)));

	let problems = checks.iter().filter(|check| check.verdict == Verdict::Problem).count();
	if args.json {
		println!("{}", serde_json::to_string(&Report { checks, problems })?);
	} else {
		checks.iter().for_each(|check| println!("{check}"));
	}
	Ok(if problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
