//! The library against what others have published: RandomX's own vector and benchmark digest, and a
//! block that was mined. Implementations, threads and pages have to agree to the last bit. Fast mode
//! has a file of its own.

#![allow(clippy::unwrap_used)]

mod reference;

use core::hint::black_box;
use hex_literal::hex;
use std::{num::NonZeroUsize, sync::Arc};
use tequio_engine_randomx::{
	bench::{self, digest},
	crew::{Crew, Tools},
	hash_once,
	machine::{Machine, Settings},
	pace::Percent,
	pages::Pages,
	search::{meets, search},
	Cache, Flags, Key, Memory, RandomXError, Vm,
};
use tequio_interface::{
	engine::Mode,
	randomx::{Puzzle, Winner},
};

/// The hashes of the benchmark's nonces 0 to 999, all XORed.
const BENCHMARK_DIGEST: [u8; 32] =
	hex!("10b649a3f15c7c7f88277812f2e74b337a0f20ce909af09199cccb960771cfa1");
const NONCE_OFFSET: usize = 39;

/// Monero mainnet block 3456098.
mod block {
	use hex_literal::hex;

	pub const SEED: [u8; 32] =
		hex!("11186f5a8473d8dc7a0d3a0bf25834a07b1dffe8741d53cd543a8708c2e8b2a9");
	pub const BLOB: [u8; 76] = hex!(
		"1010c5fed8c306463a9d1a264ef7e82daf3ff45ca4c66c4df8fa8f3d2a43b735cf2da5b275144343083d00ca"
		"a9d243ae12b374d9c0fcf710078adf906edfd068f05a59dee09ac4fbf8ad1901"
	);
	pub const NONCE: u32 = 3_999_811;
	pub const HASH: [u8; 32] =
		hex!("aa1ade04f8266a5d9d0eb2c843dc87a27bc5ddb6f0f900682a46760000000000");
	/// 2²⁵⁶ divided by 6.6 · 10¹¹, the network's difficulty at the time, with the lower half of its
	/// bits zero.
	pub fn target() -> [u8; 32] {
		let difficulty: u128 = 660_000_000_000;
		let upper = u128::MAX / difficulty;
		let mut target = [0; 32];
		target[16..].copy_from_slice(&upper.to_le_bytes());
		target
	}
}

fn threads(number: usize) -> NonZeroUsize {
	NonZeroUsize::new(number).unwrap()
}

fn benchmark_key() -> Key {
	Key::new(&bench::KEY).unwrap()
}

fn light(flags: Flags, pages: Option<Pages>) -> Memory {
	Memory::Light(Arc::new(Cache::new(flags, pages, &benchmark_key()).unwrap()))
}

/// The digest of a few nonces, by a crew over `memory`.
fn few(number: usize, flags: Flags, memory: &Memory, nonces: u32) -> [u8; 32] {
	let tools = Tools { flags, pages: None, percent: Percent::ALL };
	let mut crew = Crew::new(threads(number), tools, || ()).unwrap();
	crew.equip(memory).unwrap();
	digest(&mut crew, nonces).unwrap()
}

#[test]
fn the_published_vector_is_met() {
	let hash = hash_once(b"test key 000", b"This is a test").unwrap();
	assert_eq!(hash, hex!("639183aae1bf4c9a35884cb46b09cad9175f04efd7684e7262a0ac1c2f0b4e3f"));
}

#[test]
fn light_mode_meets_the_digest_of_the_benchmark() {
	let report = bench::run(Settings::new(Mode::Light, threads(2)), 1000).unwrap();
	assert_eq!(report.digest, BENCHMARK_DIGEST);
}

#[test]
fn threads_and_implementations_agree() {
	let compiled = Flags::recommended();
	let memory = light(compiled, None);
	let expected = reference::digest(&benchmark_key(), 40);
	for number in [1, 2] {
		for flags in [compiled, compiled | Flags::SECURE] {
			let found = few(number, flags, &memory, 40);
			assert_eq!(found, expected, "{number} threads, {flags:?}");
		}
	}
	let interpreted = compiled.without(Flags::JIT);
	let expected = few(1, compiled, &memory, 12);
	assert_eq!(few(2, interpreted, &light(interpreted, None), 12), expected);
	// Without instructions that some CPUs lack, too.
	let expected = few(1, compiled, &memory, 2);
	assert_eq!(few(2, Flags::NONE, &light(Flags::NONE, None), 2), expected);
}

#[test]
fn pages_make_no_difference() {
	let flags = Flags::recommended();
	let expected = reference::digest(&benchmark_key(), 4);
	for pages in [Pages::Small, Pages::Transparent] {
		let memory = light(flags, Some(pages));
		assert_eq!(few(1, flags, &memory, 4), expected, "{pages}");
	}
	// The pool of this machine may be empty.
	match Cache::new(flags, Some(Pages::Huge), &benchmark_key()) {
		Ok(cache) => {
			assert_eq!(cache.pages(), Pages::Huge);
			assert_eq!(few(1, flags, &Memory::Light(cache.into()), 4), expected);
		},
		Err(e) => assert_eq!(e, RandomXError::NoCache),
	}
}

#[test]
fn hashing_leaves_floating_point_arithmetic_alone() {
	let third = || black_box(1.0_f64) / black_box(3.0_f64);
	let tiny = || black_box(f64::MIN_POSITIVE) / black_box(2.0_f64);
	let before = (third(), tiny());
	assert!(before.1 > 0.0);
	let mut vm = Vm::new(Flags::recommended(), None, light(Flags::recommended(), None)).unwrap();
	assert_eq!(vm.pipe(None), None);
	assert_eq!(vm.pipe(Some(b"a")), None);
	let a = vm.pipe(Some(b"b")).unwrap();
	assert_eq!((third(), tiny()), before);
	let b = vm.pipe(None).unwrap();
	assert_eq!((third(), tiny()), before);
	assert_eq!((vm.hash(b"a"), vm.hash(b"b")), (a, b));
	assert_eq!((third(), tiny()), before);
}

#[test]
fn the_nonce_of_a_mined_block_is_found() {
	assert_eq!(hash_once(&block::SEED, &block::BLOB).unwrap(), block::HASH);
	assert!(meets(&block::HASH, &block::target()));

	let mut template = block::BLOB.to_vec();
	template[NONCE_OFFSET..NONCE_OFFSET + 4].fill(0);
	let puzzle = Puzzle {
		seed: block::SEED,
		template,
		nonce_offset: 39,
		share_target: [255; 32],
		target: block::target(),
	};
	let mut machine = Machine::new(Settings::new(Mode::Light, threads(2))).unwrap();
	let mut hashers = machine.equip(&puzzle.seed.into()).unwrap();
	let start = block::NONCE - 3;
	let found = search(&mut hashers, &puzzle, start, 8).unwrap();
	assert_eq!(found.claim, (start..start + 8).collect::<Vec<_>>());
	assert_eq!(found.winners, vec![Winner { nonce: block::NONCE, hash: block::HASH }]);
}
