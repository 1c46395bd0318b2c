//! Choices of implementation. None of them changes a hash.

use crate::ffi;
use core::{ffi::c_uint, ops::BitOr};

/// A set of `randomx_flags`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(c_uint);

impl Flags {
	/// Nothing: works everywhere, slowly.
	pub const NONE: Self = Self(0);
	/// Memory comes from the kernel's pool of huge pages. Set by [`crate::pages`] where it is tried.
	pub const LARGE_PAGES: Self = Self(1);
	/// AES instructions of the CPU.
	pub const HARD_AES: Self = Self(2);
	/// The virtual machine reads a dataset. [`crate::Vm::new`] sets this from the memory that it is
	/// given.
	pub const FULL_MEM: Self = Self(4);
	/// Programs are compiled instead of interpreted.
	pub const JIT: Self = Self(8);
	/// Compiled programs are never writable and executable at once: for systems that forbid it. Two
	/// per cent slower.
	pub const SECURE: Self = Self(16);
	/// Argon2 with SSSE3.
	pub const ARGON2_SSSE3: Self = Self(32);
	/// Argon2 with AVX2.
	pub const ARGON2_AVX2: Self = Self(64);

	/// What the library recommends for this CPU: compiler, AES and Argon2, each where there is one.
	pub fn recommended() -> Self {
		Self(ffi::randomx_get_flags())
	}

	/// Without the flags of `other`.
	pub const fn without(self, other: Self) -> Self {
		Self(self.0 & !other.0)
	}

	/// Whether all flags of `other` are set.
	pub const fn contains(self, other: Self) -> bool {
		self.0 & other.0 == other.0
	}

	/// The number that C takes.
	pub(crate) const fn bits(self) -> c_uint {
		self.0
	}
}

impl BitOr for Flags {
	type Output = Self;

	fn bitor(self, other: Self) -> Self {
		Self(self.0 | other.0)
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn flags_are_set_and_unset() {
		let flags = Flags::JIT | Flags::HARD_AES;
		assert!(flags.contains(Flags::JIT));
		assert!(!flags.contains(Flags::JIT | Flags::FULL_MEM));
		assert_eq!(flags.without(Flags::JIT), Flags::HARD_AES);
	}
}
