//! What engines say to people, in a form that does no harm.

use std::io::Read;
use tequio_interface::engine::MAX_SETUP;
use tracing::{debug, warn};

/// Bytes of an engine's complaints that are logged: more could fill the disk.
const MAX_COMPLAINTS: usize = 64 << 10;

/// What a stranger's program says, fit for a line of text.
pub fn one_line(text: &str) -> String {
	let mut line = String::new();
	for letter in text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }) {
		if line.len().saturating_add(letter.len_utf8()) > MAX_SETUP {
			break;
		}
		line.push(letter);
	}
	line
}

/// What a stranger's program complains about, so that nobody takes it for something else: on one
/// line, all of it visible. Quotes stay as they are.
fn visible(text: &str) -> String {
	let mut line = String::new();
	for letter in text.trim_end().chars() {
		match letter {
			'"' | '\'' => line.push(letter),
			other => line.extend(other.escape_debug()),
		}
	}
	line
}

/// Copies what an engine writes to its standard error into the log, piece by piece, up to
/// [`MAX_COMPLAINTS`]. The rest is read, so that the engine does not wait.
pub fn log_errors(program: &str, mut errors: impl Read) {
	let (mut piece, mut left) = ([0; 1024], MAX_COMPLAINTS);
	while let Ok(length @ 1..) = errors.read(&mut piece) {
		if left == 0 {
			continue;
		}
		let text = String::from_utf8_lossy(piece.get(..length).unwrap_or_default());
		warn!("{program}: {}", visible(&text));
		left = left.saturating_sub(length);
		if left == 0 {
			warn!("{program}: what else it complains about is not logged");
		}
	}
	debug!("{program} has ended");
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_an_engine_says_of_itself_is_one_bounded_line() {
		assert_eq!(one_line(" fast,\n2 threads\u{1b}[31m \n"), "fast, 2 threads [31m");
		let long = one_line(&"ä".repeat(MAX_SETUP));
		assert_eq!(long.len(), MAX_SETUP);
	}

	#[test]
	fn complaints_cannot_be_taken_for_other_lines() {
		assert_eq!(visible("it's \"wrong\", ä\n"), "it's \"wrong\", ä");
		let forged = visible("a\r\n2026-01-01 WARN b\u{1b}[2K\u{202e}\0\u{2028}c\n\n");
		assert_eq!(forged, r"a\r\n2026-01-01 WARN b\u{1b}[2K\u{202e}\0\u{2028}c");
	}
}
