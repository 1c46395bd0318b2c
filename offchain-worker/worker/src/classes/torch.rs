//! Programs in 32-bit floats, by the engine with libtorch.

use super::{
	program::{class, exam, PROCESS},
	Class,
};
use hex_literal::hex;
use tequio_interface::{engine::Mode, program};

/// Programs in 32-bit floats, in the numerics profile `f32-pinned-avx2`, whose results are rounded to
/// a grid.
pub const EXACT_F32: Class = with_libtorch(Class {
	exam: || exam(TRAINED_F32),
	needs_avx2: true,
	..class(program::EXACT_F32, "program, exact 32-bit floats", &["--class", "exact-f32"])
});
/// Single steps in 32-bit floats, in the profile `f32-banded`: results are near each other, not equal.
pub const BANDED_F32: Class = with_libtorch(Class {
	exam: || exam(DESCENDED),
	..class(program::BANDED_F32, "program, banded 32-bit floats", &["--class", "banded-f32"])
});

/// Output of a unit of training of the built-in program in 32-bit floats: the same on every sound
/// machine.
const TRAINED_F32: [u8; 32] =
	hex!("67713e022da3d5f5856ee84150c0e60cadcf0469aa909f6819f902fc7f498c80");
/// Output of a step of the built-in program in plain Rust, which an engine names whose own lies within
/// the band of it.
const DESCENDED: [u8; 32] =
	hex!("a07f6661dc3201397e4e50d2e64692723162a122fa06eb5aae0e61995072ec1f");

/// Bytes that libtorch takes beside what a program takes.
const LIBTORCH: u64 = 512 << 20;
/// Bytes that its layers take while they are computed, beyond what a model costs by its card. The
/// engine refuses what takes more: `WORKING_BYTES` of `tequio-engine-ml`.
const WORKING: u64 = 1 << 30;

/// A class by the engine with libtorch.
const fn with_libtorch(class: Class) -> Class {
	Class { program: "tequio-engine-torch", needs_libtorch: true, need, ..class }
}

/// Whatever the threads: they share what they compute on.
fn need(_: Mode, _: u64, _: u64) -> u64 {
	PROCESS + WORKING + LIBTORCH
}
