//! The benchmark that comes with RandomX, on the engine's own path: same key, same blob, same
//! nonces, so that speed and hashes can be laid beside the reference's.

use crate::{
	batch::{Batch, Nonces},
	machine::{Machine, Settings},
	pages::Pages,
	search::Hashers,
	Key, RandomXError, HASH_BYTES,
};
use core::{fmt, num::NonZeroUsize, time::Duration};
use std::{
	sync::{Arc, Mutex, PoisonError},
	time::Instant,
};
use tequio_interface::engine::Mode;

/// The key that the reference derives from its seed 0.
pub const KEY: [u8; 4] = [0; 4];
/// The reference's blob.
pub const BLOB: [u8; 76] = [
	7, 7, 247, 164, 240, 214, 5, 179, 3, 38, 8, 22, 186, 63, 16, 144, 46, 26, 20, 90, 197, 250,
	211, 170, 58, 246, 234, 68, 193, 24, 105, 220, 79, 133, 63, 0, 43, 46, 234, 0, 0, 0, 0, 119,
	178, 6, 160, 44, 165, 177, 212, 206, 107, 191, 223, 10, 202, 195, 139, 222, 211, 77, 45, 205,
	238, 249, 92, 210, 12, 239, 193, 47, 97, 213, 97, 9,
];
/// Where the nonce starts in the blob.
pub const NONCE_OFFSET: u16 = 39;

/// What a benchmark came to. [`fmt::Display`] makes it a JSON object.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
	/// Mode in which it hashed.
	pub mode: Mode,
	/// Threads.
	pub threads: NonZeroUsize,
	/// What the cache lay on.
	pub cache: Option<Pages>,
	/// What the dataset lay on, in fast mode.
	pub dataset: Option<Pages>,
	/// What the scratchpads lay on.
	pub scratchpads: Option<Pages>,
	/// Time that the cache took.
	pub cache_time: Duration,
	/// Time that the dataset took, in fast mode.
	pub dataset_time: Option<Duration>,
	/// Nonces from 0 on.
	pub nonces: u32,
	/// Time that hashing them took.
	pub time: Duration,
	/// All hashes, XORed.
	pub digest: [u8; HASH_BYTES],
}

/// Measures.
pub fn run(settings: Settings, nonces: u32) -> Result<Report, RandomXError> {
	let mut machine = Machine::new(settings)?;
	let key = Key::new(&KEY)?;
	let start = Instant::now();
	machine.equip(&key)?;
	let cache_time = start.elapsed();
	let cache = machine.setup().cache;
	let dataset_time = match settings.mode {
		Mode::Light => None,
		Mode::Fast => {
			let start = Instant::now();
			machine.await_dataset()?;
			Some(start.elapsed())
		},
	};
	let mut hashers = machine.equip(&key)?;
	let start = Instant::now();
	let digest = digest(&mut hashers, nonces)?;
	let time = start.elapsed();
	let setup = machine.setup();
	Ok(Report {
		mode: settings.mode,
		threads: settings.threads,
		cache,
		dataset: setup.dataset,
		scratchpads: setup.scratchpads,
		cache_time,
		dataset_time,
		nonces,
		time,
		digest,
	})
}

/// XORs the hashes of the blob with the nonces below `nonces`.
pub fn digest(hashers: &mut impl Hashers, nonces: u32) -> Result<[u8; HASH_BYTES], RandomXError> {
	let sum = Arc::new(Mutex::new([0_u8; HASH_BYTES]));
	let adding = sum.clone();
	let add = move |hash: &[u8; HASH_BYTES]| {
		let mut sum = adding.lock().unwrap_or_else(PoisonError::into_inner);
		sum.iter_mut().zip(hash).for_each(|(sum, byte)| *sum ^= byte);
		false
	};
	let range = Nonces::Range { start: 0, count: nonces };
	hashers.hash_all(Batch::new(&BLOB, NONCE_OFFSET, range, add))?;
	let sum = *sum.lock().unwrap_or_else(PoisonError::into_inner);
	Ok(sum)
}

impl fmt::Display for Report {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		let pages = |pages: Option<Pages>| match pages {
			Some(pages) => format!("\"{}\"", pages.name()),
			None => "null".into(),
		};
		let seconds = |time: Duration| time.as_secs_f64();
		let dataset =
			self.dataset_time.map_or("null".into(), |time| format!("{:.6}", seconds(time)));
		let rate = f64::from(self.nonces) / seconds(self.time).max(f64::MIN_POSITIVE);
		write!(f, "{{\"mode\":\"{}\",\"threads\":{},", self.mode, self.threads)?;
		write!(f, "\"pages\":{{\"cache\":{},", pages(self.cache))?;
		write!(f, "\"dataset\":{},", pages(self.dataset))?;
		write!(f, "\"scratchpads\":{}}},", pages(self.scratchpads))?;
		write!(f, "\"cache_seconds\":{:.6},", seconds(self.cache_time))?;
		write!(f, "\"dataset_seconds\":{dataset},\"nonces\":{},", self.nonces)?;
		write!(f, "\"seconds\":{:.6},\"hashes_per_second\":{rate:.3},", seconds(self.time))?;
		write!(f, "\"digest\":\"")?;
		for byte in self.digest {
			write!(f, "{byte:02x}")?;
		}
		write!(f, "\"}}")
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_report_is_a_json_object() {
		let light = Report {
			mode: Mode::Light,
			threads: NonZeroUsize::MIN,
			cache: Some(Pages::Transparent),
			dataset: None,
			scratchpads: Some(Pages::Small),
			cache_time: Duration::from_millis(500),
			dataset_time: None,
			nonces: 100,
			time: Duration::from_secs(4),
			digest: [0xab; HASH_BYTES],
		};
		let digest = "ab".repeat(HASH_BYTES);
		let expected = format!(
			"{{\"mode\":\"light\",\"threads\":1,\"pages\":{{\"cache\":\"transparent\",\
			 \"dataset\":null,\"scratchpads\":\"small\"}},\"cache_seconds\":0.500000,\
			 \"dataset_seconds\":null,\"nonces\":100,\"seconds\":4.000000,\
			 \"hashes_per_second\":25.000,\"digest\":\"{digest}\"}}"
		);
		assert_eq!(light.to_string(), expected);
		let fast = Report {
			mode: Mode::Fast,
			dataset: Some(Pages::Huge),
			dataset_time: Some(Duration::from_secs(21)),
			..light
		};
		let text = fast.to_string();
		assert!(text.contains("\"dataset\":\"huge\""), "{text}");
		assert!(text.contains("\"dataset_seconds\":21.000000"), "{text}");
	}
}
