//! The library against what others have published: RandomX's own vector and benchmark digest, and a
//! block that was mined. Modes and implementations have to agree to the last bit.

#![allow(clippy::unwrap_used)]

use hex_literal::hex;
use std::{num::NonZeroUsize, sync::Arc, thread};
use tequio_engine_randomx::{
	hash_once,
	search::{meets, search},
	Cache, Dataset, Flags, Memory, Vm,
};
use tequio_interface::randomx::{Puzzle, Winner};

/// The key of RandomX's benchmark with seed 0.
const BENCHMARK_KEY: [u8; 4] = [0; 4];
/// The blob of RandomX's benchmark. The nonce is at 39.
const BENCHMARK_BLOB: [u8; 76] = hex!(
	"0707f7a4f0d605b303260816ba3f10902e1a145ac5fad3aa3af6ea44c11869dc4f853f002b2eea"
	"0000000077b206a02ca5b1d4ce6bbfdf0acac38bded34d2dcdeef95cd20cef"
	"c12f61d56109"
);
/// The hashes of its nonces 0 to 999, all XORed.
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

fn two() -> NonZeroUsize {
	NonZeroUsize::new(2).unwrap()
}

fn light(flags: Flags, key: &[u8]) -> Memory {
	Memory::Light(Arc::new(Cache::new(flags, key).unwrap()))
}

/// XORs the hashes of the benchmark's nonces below `nonces`, computed by two machines at once over
/// shared memory.
fn digest(flags: Flags, memory: &Memory, nonces: u32) -> [u8; 32] {
	let half = |parity: u32| {
		let mut vm = Vm::new(flags, memory.clone()).unwrap();
		let mut sum = [0; 32];
		let mut blob = BENCHMARK_BLOB;
		for nonce in (0..nonces).filter(|nonce| nonce % 2 == parity) {
			blob[NONCE_OFFSET..NONCE_OFFSET + 4].copy_from_slice(&nonce.to_le_bytes());
			xor(&mut sum, &vm.hash(&blob));
		}
		sum
	};
	let half = &half;
	thread::scope(|scope| {
		let odd = scope.spawn(move || half(1));
		let mut sum = half(0);
		xor(&mut sum, &odd.join().unwrap());
		sum
	})
}

fn xor(sum: &mut [u8; 32], hash: &[u8; 32]) {
	sum.iter_mut().zip(hash).for_each(|(sum, byte)| *sum ^= byte);
}

#[test]
fn the_published_vector_is_met() {
	let hash = hash_once(b"test key 000", b"This is a test").unwrap();
	assert_eq!(hash, hex!("639183aae1bf4c9a35884cb46b09cad9175f04efd7684e7262a0ac1c2f0b4e3f"));
}

#[test]
fn light_mode_meets_the_digest_of_the_benchmark() {
	let flags = Flags::recommended();
	assert_eq!(digest(flags, &light(flags, &BENCHMARK_KEY), 1000), BENCHMARK_DIGEST);
}

#[test]
fn fast_mode_meets_the_digest_of_the_benchmark() {
	let flags = Flags::recommended();
	let cache = Cache::new(flags, &BENCHMARK_KEY).unwrap();
	let dataset = Dataset::new(&cache, two()).unwrap();
	drop(cache);
	assert_eq!(digest(flags, &Memory::Fast(Arc::new(dataset)), 1000), BENCHMARK_DIGEST);
}

#[test]
fn interpreter_and_compiler_agree() {
	let compiled = Flags::recommended();
	let interpreted = compiled.without(Flags::JIT);
	let expected = digest(compiled, &light(compiled, &BENCHMARK_KEY), 32);
	assert_eq!(digest(interpreted, &light(interpreted, &BENCHMARK_KEY), 32), expected);
	// Without instructions that some CPUs lack, too.
	let plain = Flags::NONE;
	let few = digest(compiled, &light(compiled, &BENCHMARK_KEY), 2);
	assert_eq!(digest(plain, &light(plain, &BENCHMARK_KEY), 2), few);
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
	let flags = Flags::recommended();
	let memory = light(flags, &block::SEED);
	let mut vms = [memory.clone(), memory].map(|memory| Vm::new(flags, memory).unwrap());
	let start = block::NONCE - 3;
	let found = search(&mut vms, &puzzle, start, 8).unwrap();
	assert_eq!(found.claim, (start..start + 8).collect::<Vec<_>>());
	assert_eq!(found.winners, vec![Winner { nonce: block::NONCE, hash: block::HASH }]);
}
