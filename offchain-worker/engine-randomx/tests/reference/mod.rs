//! Hashes by the plainest calls that there are: one at a time, in light mode.

use tequio_engine_randomx::{
	bench::{BLOB, NONCE_OFFSET},
	Cache, Flags, Key, Memory, Vm,
};

/// What the benchmark's digest of so many nonces is under a key.
pub fn digest(key: &Key, nonces: u32) -> [u8; 32] {
	let flags = Flags::recommended();
	let cache = Cache::new(flags, None, key).unwrap();
	let mut vm = Vm::new(flags, None, Memory::Light(cache.into())).unwrap();
	let mut blob = BLOB;
	let offset = usize::from(NONCE_OFFSET);
	let mut sum = [0_u8; 32];
	for nonce in 0..nonces {
		blob[offset..offset + 4].copy_from_slice(&nonce.to_le_bytes());
		sum.iter_mut().zip(vm.hash(&blob)).for_each(|(sum, byte)| *sum ^= byte);
	}
	sum
}
