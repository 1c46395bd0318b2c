//! How the engine is set up, in a line for its owner.

use crate::{pace::Percent, pages::Pages};
use core::{fmt, num::NonZeroUsize};

/// How the engine hashes now, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
	/// Nothing was asked yet.
	Waiting,
	/// In light mode, as its owner wants.
	Light,
	/// In light mode, until the dataset of the key is complete.
	Filling,
	/// In light mode: the dataset is another key's, which came later.
	Former,
	/// In light mode: there is no memory for a dataset.
	NoRoom,
	/// In fast mode.
	Fast,
}

/// How the engine is set up. The line begins with `fast` if it hashes in fast mode, and only then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setup {
	/// How it hashes.
	pub phase: Phase,
	/// Threads.
	pub threads: NonZeroUsize,
	/// What the cache lies on that is read.
	pub cache: Option<Pages>,
	/// What the dataset lies on that is read.
	pub dataset: Option<Pages>,
	/// What the scratchpads lie on.
	pub scratchpads: Option<Pages>,
	/// Whether the cache of a key that is expected is ready.
	pub ahead: bool,
	/// Share of a processor that each thread takes.
	pub percent: Percent,
	/// Whether memory is never writable and executable at once.
	pub secure: bool,
	/// Whether programs are interpreted.
	pub interpreted: bool,
}

impl fmt::Display for Phase {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str(match self {
			Self::Waiting => "no key yet",
			Self::Light => "light",
			Self::Filling => "light until the dataset is filled",
			Self::Former => "light for a former key",
			Self::NoRoom => "light because the 2080 MiB of a dataset cannot be had",
			Self::Fast => "fast",
		})
	}
}

impl fmt::Display for Setup {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		let plural = if self.threads.get() == 1 { "" } else { "s" };
		write!(f, "{}, {} thread{plural}", self.phase, self.threads)?;
		let memory =
			[("cache", self.cache), ("dataset", self.dataset), ("scratchpads", self.scratchpads)];
		for (name, pages) in memory {
			if let Some(pages) = pages {
				write!(f, ", {name} on {pages}")?;
			}
		}
		if self.percent != Percent::ALL {
			write!(f, ", {} % of a processor each", self.percent)?;
		}
		if self.interpreted {
			write!(f, ", interpreted")?;
		} else if self.secure {
			write!(f, ", never writable and executable at once")?;
		}
		if self.ahead {
			write!(f, ", cache of the next key ready")?;
		}
		Ok(())
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn lines_tell_what_matters() {
		let one = Setup {
			phase: Phase::Waiting,
			threads: NonZeroUsize::MIN,
			cache: None,
			dataset: None,
			scratchpads: None,
			ahead: false,
			percent: Percent::ALL,
			secure: false,
			interpreted: false,
		};
		assert_eq!(one.to_string(), "no key yet, 1 thread");
		let fast = Setup {
			phase: Phase::Fast,
			threads: NonZeroUsize::new(2).unwrap(),
			dataset: Some(Pages::Transparent),
			scratchpads: Some(Pages::Small),
			..one
		};
		let expected =
			"fast, 2 threads, dataset on transparent huge pages, scratchpads on small pages";
		assert_eq!(fast.to_string(), expected);
		let rest = Setup {
			phase: Phase::Filling,
			cache: Some(Pages::Huge),
			percent: Percent::new(50).unwrap(),
			secure: true,
			ahead: true,
			..one
		};
		assert_eq!(
			rest.to_string(),
			"light until the dataset is filled, 1 thread, cache on huge pages, 50 % of a processor \
			 each, never writable and executable at once, cache of the next key ready"
		);
	}
}
