//! Numbers that anybody can make again: SplitMix64, a generator of one line of arithmetic.
//!
//! Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators" (2014).

/// A generator. The same seed gives the same numbers, everywhere and for ever.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
	/// Starts from a seed.
	pub fn new(seed: u64) -> Self {
		Self(seed)
	}

	/// The next 64 bits.
	pub fn bits(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut mixed = self.0;
		mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		mixed ^ (mixed >> 31)
	}

	/// A number below `bound`, 0 where that is 0. All are as likely, but for one part in 2⁶⁴ over the
	/// bound.
	pub fn below(&mut self, bound: usize) -> usize {
		let product = u128::from(self.bits()) * bound as u128;
		// Less than the bound, which is a usize.
		(product >> 64) as usize
	}

	/// A double from −1 on, below 1, in steps of 2⁻⁵².
	pub fn signed(&mut self) -> f64 {
		// 53 bits are exact as a double.
		(self.bits() >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
	}

	/// Puts items into an order in which each is as likely as any other.
	pub fn shuffle<V>(&mut self, items: &mut [V]) {
		for last in (1..items.len()).rev() {
			items.swap(last, self.below(last + 1));
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_numbers_are_those_of_the_reference() {
		let mut numbers = SplitMix64::new(1_234_567);
		let expected =
			[6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
		assert_eq!([(); 3].map(|()| numbers.bits()), expected);
	}

	#[test]
	fn numbers_stay_in_their_bounds() {
		let mut numbers = SplitMix64::new(7);
		assert!((0..1_000).all(|_| numbers.below(10) < 10));
		assert!((0..1_000).all(|_| (-1.0..1.0).contains(&numbers.signed())));
		assert_eq!(numbers.below(0), 0);
	}

	#[test]
	fn shuffling_loses_nothing() {
		let mut items: Vec<u32> = (0..100).collect();
		SplitMix64::new(7).shuffle(&mut items);
		assert_ne!(items, (0..100).collect::<Vec<_>>());
		items.sort_unstable();
		assert_eq!(items, (0..100).collect::<Vec<_>>());
	}
}
