//! Key changes in light mode: results are those of the key that was asked for, whatever was
//! expected and however many caches there is room for.

#![allow(clippy::unwrap_used)]

mod reference;

use std::{
	num::NonZeroUsize,
	sync::mpsc::{self, Receiver},
	time::Duration,
};
use tequio_engine_randomx::{
	bench::digest,
	machine::{Machine, Settings},
	Key,
};
use tequio_interface::engine::Mode;

/// Nonces under each key.
const NONCES: u32 = 4;
/// For what takes a second on a machine with nothing else to do.
const LIMIT: Duration = Duration::from_secs(300);

/// A machine and what it tells about its setup.
struct Subject {
	machine: Machine,
	told: Receiver<String>,
}

impl Subject {
	fn new(caches: usize) -> Self {
		let (tell, told) = mpsc::channel();
		let listener = move |line: &str| {
			tell.send(line.to_owned()).ok();
		};
		let threads = NonZeroUsize::new(2).unwrap();
		let caches = NonZeroUsize::new(caches).unwrap();
		let settings = Settings { caches, ..Settings::new(Mode::Light, threads) };
		let machine = Machine::with_listener(settings, Box::new(listener)).unwrap();
		Self { machine, told }
	}

	fn digest(&mut self, key: &Key) -> [u8; 32] {
		digest(&mut self.machine.equip(key).unwrap(), NONCES).unwrap()
	}

	fn expect(&self, key: &Key) {
		self.machine.expectations().expect(*key);
	}

	/// Forgets what it was told so far.
	fn forgets(&self) {
		self.told.try_iter().for_each(drop);
	}

	/// Waits for a line with this in it.
	fn hears(&self, wanted: &str) -> String {
		loop {
			let line = self.told.recv_timeout(LIMIT).unwrap();
			if line.contains(wanted) {
				return line;
			}
		}
	}
}

/// Keys, each with the digest of its nonces.
fn keys<const N: usize>() -> [(Key, [u8; 32]); N] {
	core::array::from_fn(|number| {
		let key = Key::new(&[7; 32][..=number]).unwrap();
		(key, reference::digest(&key, NONCES))
	})
}

#[test]
fn a_key_change_changes_the_hashes() {
	let [first, second] = keys();
	assert_ne!(first.1, second.1);
	for caches in [1, 2] {
		let mut subject = Subject::new(caches);
		for (key, expected) in [first, first, second, first] {
			assert_eq!(subject.digest(&key), expected, "{caches} caches");
		}
	}
}

#[test]
fn the_next_cache_is_ready_when_it_was_expected() {
	let [first, second, third] = keys();
	let mut subject = Subject::new(2);
	assert!(subject.hears("").starts_with("no key yet, 2 threads"));
	// Before anything was asked, too.
	subject.expect(&first.0);
	assert!(subject.hears("cache of the next key ready").starts_with("no key yet"));
	assert_eq!(subject.digest(&first.0), first.1);
	assert!(!subject.hears("light, 2 threads, cache on").contains("ready"));
	for (next, before) in [(second, first), (third, second)] {
		subject.forgets();
		subject.expect(&next.0);
		assert!(subject.hears("cache of the next key ready").starts_with("light, 2 threads"));
		assert_eq!(subject.digest(&next.0), next.1);
		// An audit of what was before comes in between.
		assert_eq!(subject.digest(&before.0), before.1);
		assert_eq!(subject.digest(&next.0), next.1);
	}
}

#[test]
fn with_one_cache_nothing_is_built_ahead_of_what_is_read() {
	let [first, second] = keys();
	let mut subject = Subject::new(1);
	assert_eq!(subject.digest(&first.0), first.1);
	subject.expect(&second.0);
	assert_eq!(subject.digest(&first.0), first.1);
	assert_eq!(subject.digest(&second.0), second.1);
	drop(subject.machine);
	assert!(subject.told.iter().all(|line| !line.contains("ready")));
}

#[test]
fn what_is_expected_may_never_come() {
	let [first, second, third] = keys();
	let mut subject = Subject::new(2);
	for _ in 0..3 {
		subject.expect(&third.0);
		subject.expect(&second.0);
		assert_eq!(subject.digest(&first.0), first.1);
		subject.expect(&first.0);
		assert_eq!(subject.digest(&third.0), third.1);
	}
}
