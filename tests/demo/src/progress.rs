//! What the demo says while it runs: one line that changes on a terminal, a line for each change
//! elsewhere.

use std::{
	io::{self, IsTerminal, Write},
	time::Instant,
};
use tequio_primitives::api::ChunkCounts;

/// Tells how far the demo is. What cannot be written is not said: a closed pipe stops no payment.
pub struct Progress {
	out: Box<dyn Write>,
	terminal: bool,
	start: Instant,
	last: Option<ChunkCounts>,
}

impl Progress {
	/// On stdout, or on stderr where stdout is for a program.
	pub fn new(to_stderr: bool) -> Self {
		let (out, terminal): (Box<dyn Write>, _) = if to_stderr {
			(Box::new(io::stderr()), io::stderr().is_terminal())
		} else {
			(Box::new(io::stdout()), io::stdout().is_terminal())
		};
		Self { out, terminal, start: Instant::now(), last: None }
	}

	/// Seconds since the start.
	pub fn seconds(&self) -> u64 {
		self.start.elapsed().as_secs()
	}

	/// Says something that stays.
	pub fn note(&mut self, text: &str) {
		self.end_line();
		let _ = writeln!(self.out, "{:>4} s  {text}", self.seconds());
	}

	/// Says where the chunks are.
	pub fn chunks(&mut self, counts: ChunkCounts) {
		let seconds = self.seconds();
		let text = line(&counts);
		let _ = match (self.terminal, self.last == Some(counts)) {
			(true, _) => {
				write!(self.out, "\r\x1b[K{seconds:>4} s  {text}").and_then(|()| self.out.flush())
			},
			(false, false) => writeln!(self.out, "{seconds:>4} s  {text}"),
			(false, true) => Ok(()),
		};
		self.last = Some(counts);
	}

	fn end_line(&mut self) {
		if self.last.take().is_some() && self.terminal {
			let _ = writeln!(self.out);
		}
	}
}

impl Drop for Progress {
	fn drop(&mut self) {
		self.end_line();
	}
}

fn line(counts: &ChunkCounts) -> String {
	let ChunkCounts { open, assigned, checking, accepted, paid, refunded } = counts;
	let mut text = format!(
		"chunks: {open} open, {assigned} running, {checking} committed and being checked, \
		 {accepted} accepted, {paid} paid"
	);
	if *refunded > 0 {
		text += &format!(", {refunded} refunded");
	}
	text
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn refunds_are_told_when_there_are_any() {
		let mut counts = ChunkCounts { open: 3, paid: 1, ..Default::default() };
		assert!(line(&counts).starts_with("chunks: 3 open"));
		assert!(line(&counts).ends_with("1 paid"));
		counts.refunded = 2;
		assert!(line(&counts).ends_with("1 paid, 2 refunded"));
	}
}
