//! Fast mode, in one story, because a dataset takes the better part of a minute.

#![allow(clippy::unwrap_used)]

mod reference;

use hex_literal::hex;
use std::{
	fs,
	num::NonZeroUsize,
	sync::mpsc::{self, Receiver},
	time::Duration,
};
use tequio_engine_randomx::{
	bench::{digest, KEY},
	crew::{Crew, Tools},
	machine::{Machine, Settings},
	pace::Percent,
	Dataset, Flags, Key, Memory,
};
use tequio_interface::engine::Mode;

/// The hashes of the benchmark's nonces 0 to 999, all XORed.
const BENCHMARK_DIGEST: [u8; 32] =
	hex!("10b649a3f15c7c7f88277812f2e74b337a0f20ce909af09199cccb960771cfa1");
/// For what takes a second on a machine with nothing else to do.
const LIMIT: Duration = Duration::from_secs(300);
/// Two datasets and a cache, in KiB.
const TWO_DATASETS: u64 = (2 * 2080 + 256) << 10;

/// The lines that were told since the last time, up to their first comma.
fn phases(told: &Receiver<String>) -> Vec<String> {
	let first = |line: String| line.split(',').next().unwrap_or_default().to_owned();
	told.try_iter().map(first).collect()
}

/// Threads and implementations agree over a dataset.
fn all_agree(dataset: &Dataset) {
	let compiled = Flags::recommended();
	for threads in [1, 2] {
		for flags in [compiled, compiled | Flags::SECURE] {
			let tools = Tools { flags, pages: None, percent: Percent::ALL };
			let threads = NonZeroUsize::new(threads).unwrap();
			let mut crew = Crew::new(threads, tools, || ()).unwrap();
			crew.equip(&Memory::Fast(dataset.clone())).unwrap();
			let found = digest(&mut crew, 1000).unwrap();
			assert_eq!(found, BENCHMARK_DIGEST, "{threads} threads, {flags:?}");
		}
	}
}

/// The most memory that this process has had mapped, in KiB.
fn peak() -> u64 {
	let status = fs::read_to_string("/proc/self/status").unwrap();
	let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:")).unwrap();
	line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

#[test]
fn fast_mode_fills_its_dataset_while_it_hashes_and_again_for_the_next_key() {
	let (tell, told) = mpsc::channel();
	let listener = move |line: &str| {
		tell.send(line.to_owned()).ok();
	};
	let two = NonZeroUsize::new(2).unwrap();
	let settings = Settings { caches: two, ..Settings::new(Mode::Fast, two) };
	let mut machine = Machine::with_listener(settings, Box::new(listener)).unwrap();
	let (first, next) = (Key::new(&KEY).unwrap(), Key::from([1; 32]));

	// Begins in light mode, and goes over to fast mode in the middle or after it.
	let mut hashers = machine.equip(&first).unwrap();
	assert_eq!(digest(&mut hashers, 1000).unwrap(), BENCHMARK_DIGEST);
	let dataset = machine.await_dataset().unwrap();
	let mut hashers = machine.equip(&first).unwrap();
	assert_eq!(digest(&mut hashers, 1000).unwrap(), BENCHMARK_DIGEST);
	let filling = "light until the dataset is filled";
	assert_eq!(phases(&told), ["no key yet", filling, "fast"]);
	all_agree(&dataset);
	drop(dataset);

	// The next key's cache is ready, so it is hashed at once, in light mode.
	machine.expectations().expect(next);
	let ready = told.recv_timeout(LIMIT).unwrap();
	assert!(ready.starts_with("fast") && ready.contains("cache of the next key ready"), "{ready}");
	let expected = reference::digest(&next, 8);
	assert_eq!(digest(&mut machine.equip(&next).unwrap(), 8).unwrap(), expected);
	assert_eq!(phases(&told), [filling]);

	// An audit under the first key comes in between, whose cache is still there. It does not take
	// the dataset back.
	let before = reference::digest(&first, 8);
	assert_eq!(digest(&mut machine.equip(&first).unwrap(), 8).unwrap(), before);
	assert_eq!(phases(&told), ["light for a former key"]);
	assert_eq!(digest(&mut machine.equip(&next).unwrap(), 8).unwrap(), expected);
	assert_eq!(phases(&told), [filling]);

	// All that in the memory of one dataset. The machine ends in the middle of filling it.
	assert!(peak() < TWO_DATASETS, "{} KiB", peak());
}
