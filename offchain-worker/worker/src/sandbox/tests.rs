#![allow(clippy::unwrap_used)]

use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Line {
	#[command(flatten)]
	launch: LaunchArgs,
}

/// A machine that has everything but what is named.
fn report(lacking: &[Part]) -> Vec<PartReport> {
	let state = |part| {
		let is_lacking = lacking.contains(&part);
		if is_lacking {
			PartState::Missing(format!("no {part:?} here"))
		} else {
			PartState::Active
		}
	};
	PARTS.into_iter().map(|part| PartReport { part, state: state(part) }).collect()
}

#[test]
fn a_launcher_understands_what_it_is_told() {
	let every = Parts {
		namespaces: Some(Way::User),
		files: true,
		filter: true,
		limits: true,
		cgroup: Some("/sys/fs/cgroup/a group".into()),
	};
	let plain = Parts { namespaces: Some(Way::Plain), ..Parts::default() };
	for parts in [every, plain, Parts::default()] {
		for cpu_percent in [None, Some(50)] {
			let limits = Limits { memory: u64::MAX, threads: 3, cpu_percent };
			let args = ["--mode".into(), "light".into(), "--filter".into()];
			let libraries = cpu_percent.map(|_| Path::new("/some libraries"));
			let command = command(&parts, Path::new("/an engine"), &args, &limits, libraries);
			assert_eq!(command.get_envs().count(), 0);
			let mut words = command.get_args();
			assert_eq!(words.next(), Some(OsStr::new("launch-engine")));
			let line = [OsStr::new("tequio-worker")].into_iter().chain(words);
			let LaunchArgs { worker, parts: told, limits: most, libraries: shown, command } =
				Line::try_parse_from(line).unwrap().launch;
			assert_eq!(u32::try_from(worker), Ok(process::id()));
			assert_eq!((told, most), (parts.clone(), limits));
			assert_eq!(shown.as_deref(), libraries);
			assert_eq!(command, ["/an engine", "--mode", "light", "--filter"]);
		}
	}
}

#[test]
fn the_full_sandbox_is_refused_where_a_part_is_missing() {
	let refused = missing(Policy::Full, &report(&[Part::Files, Part::Cgroup])).unwrap();
	let text = refused.to_string();
	assert!(text.contains("Files: no Files here"), "{text}");
	assert!(text.contains("--sandbox available"), "{text}");
	assert!(!text.contains("Cgroup"), "{text}");
	let refused = missing(Policy::Full, &report(&[Part::Namespaces, Part::Filter])).unwrap();
	assert_eq!(refused.parts.len(), 2);
	let text = refused.to_string();
	assert!(text.contains("Namespaces: ") && text.contains("Filter: "), "{text}");
}

#[test]
fn what_is_not_required_may_be_missing() {
	assert_eq!(missing(Policy::Full, &report(&[Part::Cgroup])), None);
	assert_eq!(missing(Policy::Available, &report(&PARTS)), None);
}

#[test]
fn no_sandbox_is_no_part() {
	let none = Sandbox::prepare(Policy::None).unwrap();
	assert!(none.report().iter().all(|part| part.state == PartState::Off));
	assert_eq!(none.parts, Parts::default());
}

#[test]
fn tasks_are_bounded_and_leave_room() {
	let limits = |threads| Limits { threads, ..TRIAL };
	assert_eq!(limits(2).tasks(), 22);
	assert_eq!(limits(u32::MAX).tasks(), 3 * u64::from(u32::MAX) + 16);
}
