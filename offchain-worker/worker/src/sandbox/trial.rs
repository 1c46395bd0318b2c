//! Processes that try something out and end at once. Those that do not are ended: what is tried may
//! hang, and nobody would know why the worker does not start.

use std::{
	process::{Child, Command, Output, Stdio},
	thread,
	time::{Duration, Instant},
};

/// Within which a process has to end that has nothing to do.
const LIMIT: Duration = Duration::from_secs(30);
/// How often it is looked at.
const PAUSE: Duration = Duration::from_millis(2);

/// Runs a command to its end. Fails with what it says.
pub fn run(mut command: Command) -> Result<(), String> {
	command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
	let output = finish(command.spawn().map_err(|e| e.to_string())?, LIMIT)?;
	if output.status.success() {
		return Ok(());
	}
	let said = String::from_utf8_lossy(&output.stderr);
	let said = said.lines().map(str::trim).filter(|line| !line.is_empty());
	let said: Vec<_> = said.collect();
	match said.as_slice() {
		[] => Err(format!("the process that tried it ended with {}", output.status)),
		lines => Err(lines.join(" ")),
	}
}

/// Waits for the end of a process that says little, and kills it if there is none.
fn finish(mut process: Child, limit: Duration) -> Result<Output, String> {
	let end = Instant::now() + limit;
	loop {
		match process.try_wait() {
			Ok(Some(_)) => break,
			Ok(None) if Instant::now() < end => thread::sleep(PAUSE),
			Ok(None) => {
				let killed = process.kill().and_then(|()| process.wait());
				killed.map_err(|e| format!("the process that tried it cannot be ended: {e}"))?;
				return Err(format!("the process that tried it did not end in {limit:?}"));
			},
			Err(e) => return Err(e.to_string()),
		}
	}
	process.wait_with_output().map_err(|e| e.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn shell(script: &str) -> Command {
		let mut command = Command::new("/bin/sh");
		command.args(["-c", script]);
		command
	}

	#[test]
	fn what_a_process_says_tells_why_it_failed() {
		assert_eq!(run(shell("echo fine; exit 0")), Ok(()));
		let said = run(shell("echo ' no ' >&2; echo >&2; echo way >&2; exit 3"));
		assert_eq!(said, Err("no way".into()));
		assert!(run(shell("exit 3")).unwrap_err().contains("ended with"));
		assert!(run(Command::new("/nowhere/at all")).is_err());
	}

	#[test]
	fn a_process_that_hangs_is_ended() {
		let hanging = shell("exec sleep 1000").spawn().unwrap();
		let failed = finish(hanging, Duration::from_millis(20)).unwrap_err();
		assert!(failed.contains("did not end in 20ms"), "{failed}");
	}
}
