//! Pages that memory lies on.
//!
//! Hashing reads cache and dataset at random, so with 4 KiB pages a good part of the time goes into
//! address translation: half of it in fast mode. Both are therefore put
//!
//! 1. into the kernel's pool of huge pages, if its owner has filled one (`vm.nr_hugepages`). Each
//!    allocation tries that by itself, so a pool that is too small for all still serves some;
//! 2. otherwise on transparent huge pages, for which they are advised before they are filled. It
//!    takes no privilege, and where the kernel does not grant them it costs speed and nothing else.
//!
//! # Scratchpads
//! A scratchpad is 2 MiB, which every thread has for itself. The library takes it from `malloc`, at
//! no particular address, so that it covers no whole huge page and advice does not reach it; it
//! offers no way to give it other memory but its flag for the pool. So scratchpads are put into the
//! pool where there is one, and left on small pages otherwise, which costs nothing that could be
//! measured: the 512 pages fit into the second level of the translation buffers. With memory of our
//! own in their place, on an AMD EPYC under Linux 6.18, medians of 60 interleaved blocks: a fast
//! hash takes 2.027 ms with the scratchpad on small pages and 2.031 ms with it on a transparent huge
//! page, a light one 22.00 and 22.02 ms. On an Intel of the Emerald Rapids class pages of the pool
//! gained nothing either.

use crate::Flags;
use core::fmt;
use std::fs;

/// Bytes of a huge page.
const HUGE_PAGE: usize = 2 << 20;
/// Tells in brackets to whom the kernel grants transparent huge pages.
const GRANTED: &str = "/sys/kernel/mm/transparent_hugepage/enabled";

/// Pages that memory lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Pages {
	/// Of the kernel's pool of huge pages.
	Huge,
	/// Ordinary memory that the kernel was advised to put on huge pages.
	Transparent,
	/// Ordinary memory.
	Small,
}

impl Pages {
	/// One word.
	pub fn name(self) -> &'static str {
		match self {
			Self::Huge => "huge",
			Self::Transparent => "transparent",
			Self::Small => "small",
		}
	}
}

impl fmt::Display for Pages {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		f.write_str(match self {
			Self::Huge => "huge pages",
			Self::Transparent => "transparent huge pages",
			Self::Small => "small pages",
		})
	}
}

/// Allocates with `make`: in the pool if that is wanted, and unless something else is wanted. Tells
/// whether it lies there.
pub(crate) fn allocate<T>(
	wanted: Option<Pages>,
	flags: Flags,
	make: impl Fn(Flags) -> Option<T>,
) -> Option<(T, bool)> {
	let in_pool = || make(flags | Flags::LARGE_PAGES).map(|made| (made, true));
	let elsewhere = || make(flags.without(Flags::LARGE_PAGES)).map(|made| (made, false));
	match wanted {
		None => in_pool().or_else(elsewhere),
		Some(Pages::Huge) => in_pool(),
		Some(Pages::Transparent | Pages::Small) => elsewhere(),
	}
}

/// Advises the kernel about memory outside of the pool; what it will lie on. Only the part that
/// whole huge pages cover is advised: the library's allocations come from `malloc` and start a few
/// bytes after a page, where `madvise` would refuse them.
pub(crate) fn advise(wanted: Option<Pages>, start: *mut u8, bytes: usize) -> Pages {
	let small = wanted == Some(Pages::Small);
	let advice = if small { libc::MADV_NOHUGEPAGE } else { libc::MADV_HUGEPAGE };
	let skipped = start.align_offset(HUGE_PAGE);
	let inner = bytes.saturating_sub(skipped) / HUGE_PAGE * HUGE_PAGE;
	if inner == 0 {
		return Pages::Small;
	}
	let inner_start = start.wrapping_add(skipped).cast();
	// SAFETY: `madvise` with MADV_HUGEPAGE or MADV_NOHUGEPAGE keeps the contents and meaning of all
	// memory, and fails on what is not mapped.
	let taken = unsafe { libc::madvise(inner_start, inner, advice) == 0 };
	// Advice is taken even where nothing is granted. In a sandbox the file may be out of sight.
	let granted = || fs::read_to_string(GRANTED).map_or(true, |enabled| grants(&enabled));
	if taken && !small && granted() {
		Pages::Transparent
	} else {
		Pages::Small
	}
}

/// Whether the kernel grants transparent huge pages to those that ask, by its file.
fn grants(enabled: &str) -> bool {
	!enabled.contains("[never]")
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Allocates only with or only without the flag for the pool.
	fn only(pool: bool) -> impl Fn(Flags) -> Option<()> {
		move |flags| (flags.contains(Flags::LARGE_PAGES) == pool).then_some(())
	}

	#[test]
	fn the_pool_is_tried_first_and_used_only_if_it_may_be() {
		let flags = Flags::JIT;
		for (wanted, with_pool, without_pool) in [
			(None, Some(((), true)), Some(((), false))),
			(Some(Pages::Huge), Some(((), true)), None),
			(Some(Pages::Transparent), None, Some(((), false))),
			(Some(Pages::Small), None, Some(((), false))),
		] {
			assert_eq!(allocate(wanted, flags, only(true)), with_pool, "{wanted:?}");
			assert_eq!(allocate(wanted, flags, only(false)), without_pool, "{wanted:?}");
		}
	}

	#[test]
	fn a_kernel_that_never_grants_is_believed() {
		assert!(grants("always [madvise] never\n"));
		assert!(grants("[always] madvise never\n"));
		assert!(!grants("always madvise [never]\n"));
	}

	#[test]
	fn memory_without_a_whole_huge_page_is_small() {
		let mut memory = [0_u8; 64];
		assert_eq!(advise(None, memory.as_mut_ptr(), memory.len()), Pages::Small);
	}
}
