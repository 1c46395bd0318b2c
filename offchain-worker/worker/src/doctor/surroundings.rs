//! What makes engines fast or slow, and whether the machine knows what time it is.

use super::Check;
use crate::machine::{is_clock_synchronised, processor_features, HugePages};
use std::{
	io,
	time::{Duration, SystemTime},
};

/// Seconds from 1970 to the year of this release: an honest clock shows more.
const RELEASED: Duration = Duration::from_secs(1_767_225_600);

pub fn checks() -> Vec<Check> {
	vec![
		huge_pages(&HugePages::look()),
		processor(&processor_features()),
		clock(SystemTime::now(), is_clock_synchronised()),
	]
}

fn huge_pages(pages: &HugePages) -> Check {
	let pool = format!("{} free in the pool", pages.free);
	match pages.transparent.as_deref() {
		Some(mode @ ("always" | "madvise")) => {
			Check::ok("huge pages", format!("transparent ones: {mode}; {pool}"))
		},
		_ if pages.free > 0 => Check::ok("huge pages", format!("no transparent ones; {pool}")),
		other => Check::warning(
			"huge pages",
			format!("transparent ones: {}; {pool}", other.unwrap_or("not in this kernel")),
			"RandomX is up to a third slower without: as root, write madvise to \
			 /sys/kernel/mm/transparent_hugepage/enabled",
		),
	}
}

fn processor(features: &[(&str, bool)]) -> Check {
	let names = |has: bool| {
		let chosen = features.iter().filter(|(_, there)| *there == has);
		chosen.map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
	};
	let (has, lacks) = (names(true), names(false));
	if features.is_empty() {
		Check::ok("processor", "its features are not known on this architecture")
	} else if lacks.is_empty() {
		Check::ok("processor", format!("has {has}"))
	} else {
		Check::warning(
			"processor",
			format!("lacks {lacks}"),
			"engines compute right and slower; in a virtual machine, pass the host's processor on",
		)
	}
}

fn clock(now: SystemTime, synchronised: io::Result<bool>) -> Check {
	let shown = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
	if shown < RELEASED {
		let finding = "it shows a time before this release was made";
		return Check::warning(
			"clock",
			finding,
			"set it: a node with a wrong clock sees no blocks",
		);
	}
	match synchronised {
		Ok(true) => Check::ok("clock", "it is kept right"),
		Ok(false) => Check::warning(
			"clock",
			"the kernel says that nothing keeps it right",
			"run an NTP client such as chrony or systemd-timesyncd, in a container on its host",
		),
		Err(e) => Check::ok("clock", format!("plausible, but the kernel does not tell more: {e}")),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::doctor::Verdict;

	#[test]
	fn huge_pages_of_either_kind_will_do() {
		let verdict = |transparent: Option<&str>, free| {
			huge_pages(&HugePages { transparent: transparent.map(Into::into), free }).verdict
		};
		assert_eq!(verdict(Some("madvise"), 0), Verdict::Ok);
		assert_eq!(verdict(Some("always"), 0), Verdict::Ok);
		assert_eq!(verdict(Some("never"), 1200), Verdict::Ok);
		assert_eq!(verdict(Some("never"), 0), Verdict::Warning);
		assert_eq!(verdict(None, 0), Verdict::Warning);
	}

	#[test]
	fn a_processor_is_told_what_it_lacks() {
		assert_eq!(processor(&[("aes", true), ("avx2", true)]).verdict, Verdict::Ok);
		assert_eq!(processor(&[]).verdict, Verdict::Ok);
		let check = processor(&[("aes", false), ("avx2", true)]);
		assert_eq!(check.verdict, Verdict::Warning);
		assert!(check.finding.contains("aes") && !check.finding.contains("avx2"));
	}

	#[test]
	fn a_clock_of_last_century_is_told() {
		let verdict = |now, synchronised| clock(now, synchronised).verdict;
		let now = SystemTime::UNIX_EPOCH + RELEASED;
		assert_eq!(verdict(SystemTime::UNIX_EPOCH, Ok(true)), Verdict::Warning);
		assert_eq!(verdict(now, Ok(true)), Verdict::Ok);
		assert_eq!(verdict(now, Ok(false)), Verdict::Warning);
		assert_eq!(verdict(now, Err(io::ErrorKind::PermissionDenied.into())), Verdict::Ok);
	}
}
