//! Which code paths libtorch takes.
//!
//! libtorch and the libraries inside of it choose code paths by the processor that they find, and
//! sums in singles differ between those. With these variables they take one path on every x86-64
//! processor with AVX2. One variable alone is not enough: each is for another library.
//!
//! | variable | value | for |
//! | --- | --- | --- |
//! | `ATEN_CPU_CAPABILITY` | `avx2` | libtorch's own loops |
//! | `ONEDNN_MAX_CPU_ISA` | `AVX2` | oneDNN, should anything still ask it |
//! | `MKL_CBWR` | `COMPATIBLE` | oneMKL: matrix products |
//! | `OMP_NUM_THREADS`, `MKL_NUM_THREADS` | `1` | sums are not divided among threads |
//!
//! Besides, a pinned process never uses oneDNN ([`do_without_onednn`]). It cuts the sums of a
//! convolution into blocks that depend on the sizes of the processor's caches, which no variable
//! hides. Without it convolutions are unfolded into matrix products, and those are oneMKL's, whose
//! `COMPATIBLE` path does not look at caches.
//!
//! Each library reads its variable when it is first used, not when it is loaded. So a process may pin
//! itself, as long as it does so before anything else; the worker process, which starts engines with
//! an empty environment, need not know.
//!
//! In its sandbox an engine may see no `/proc`, and little of `/sys`, by which libtorch finds the
//! processor and NNPACK finds out whether it is there. Without them libtorch would take its slowest
//! path, and NNPACK say so at each convolution. So the path is named where none is pinned, and NNPACK
//! is never used.

use std::{env, ffi::c_void, num::NonZeroUsize};

/// The variables and their values.
pub const PINS: [(&str, &str); 5] = [
	(CAPABILITY, "avx2"),
	("ONEDNN_MAX_CPU_ISA", "AVX2"),
	("MKL_CBWR", "COMPATIBLE"),
	("OMP_NUM_THREADS", "1"),
	("MKL_NUM_THREADS", "1"),
];

/// The variable that names the path of libtorch's own loops.
const CAPABILITY: &str = "ATEN_CPU_CAPABILITY";

/// Pins the code paths of this process. Comes before the first call into libtorch, and before there
/// are other threads.
pub fn pin() {
	for (name, value) in PINS {
		env::set_var(name, value);
	}
}

/// Takes the fastest path that this processor has, or the one that the environment names. Comes before
/// the first call into libtorch, and before there are other threads.
pub fn take_fastest() {
	if env::var_os(CAPABILITY).is_none() {
		env::set_var(CAPABILITY, fastest());
	}
}

/// What libtorch would choose if it could look.
#[cfg(target_arch = "x86_64")]
fn fastest() -> &'static str {
	let fused = is_x86_feature_detected!("fma");
	let wide = is_x86_feature_detected!("avx512vl")
		&& is_x86_feature_detected!("avx512bw")
		&& is_x86_feature_detected!("avx512dq");
	match (fused, is_x86_feature_detected!("avx2")) {
		(true, _) if wide => "avx512",
		(true, true) => "avx2",
		_ => "default",
	}
}

/// There is but one.
#[cfg(not(target_arch = "x86_64"))]
fn fastest() -> &'static str {
	"default"
}

/// How many threads one operation may be divided among. Operations run one after another.
pub fn divide_among(threads: NonZeroUsize) {
	// OpenMP has read its variable already when the process was loaded: this is what counts.
	tch::set_num_threads(i32::try_from(threads.get()).unwrap_or(i32::MAX));
}

extern "C" {
	/// `at::Context& at::globalContext()`.
	#[link_name = "_ZN2at13globalContextEv"]
	fn global_context() -> *mut c_void;
	/// `void at::Context::setUserEnabledNNPACK(bool)`.
	#[link_name = "_ZN2at7Context20setUserEnabledNNPACKEb"]
	fn set_user_enabled_nnpack(context: *mut c_void, enabled: bool);
	/// `void at::Context::setUserEnabledMkldnn(bool)`: oneDNN by its former name.
	#[link_name = "_ZN2at7Context20setUserEnabledMkldnnEb"]
	fn set_user_enabled_onednn(context: *mut c_void, enabled: bool);
}

/// Libraries inside of libtorch that tch has no switch for.
#[derive(Clone, Copy)]
enum Inside {
	Nnpack,
	Onednn,
}

/// Never uses NNPACK.
pub fn do_without_nnpack() {
	do_without(Inside::Nnpack);
}

/// Never uses oneDNN: convolutions become products of matrices.
pub fn do_without_onednn() {
	do_without(Inside::Onednn);
}

fn do_without(library: Inside) {
	// SAFETY: all three are functions of the library that tch is linked to, by the names that its C++
	// ABI (Itanium's) gives them. The first returns the one context that there is, which lives as long
	// as the process; the others are members of it that write one flag each.
	unsafe {
		let context = global_context();
		match library {
			Inside::Nnpack => set_user_enabled_nnpack(context, false),
			Inside::Onednn => set_user_enabled_onednn(context, false),
		}
	}
}
