//! The command line of engines of programs: what every engine is started with.

use crate::class::Class;
use clap::Args;
use core::num::NonZeroUsize;
use tequio_interface::engine::Mode;

/// What an engine is told. Of all this, class and threads alone make a difference to engines of
/// programs; a share of a processor is kept by the control group that they run in.
#[derive(Clone, Debug, Args)]
pub struct EngineArgs {
	/// The class of work to compute.
	#[arg(long, value_enum)]
	pub class: Class,

	/// Makes no difference.
	#[arg(long, default_value_t)]
	pub mode: Mode,

	/// Threads to take at most. One is taken where sums that threads divide would have other bits.
	#[arg(long, default_value = "1")]
	pub threads: NonZeroUsize,

	/// Makes no difference.
	#[arg(long, default_value = "1")]
	pub caches: NonZeroUsize,

	/// Makes no difference.
	#[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100))]
	pub cpu_percent: u32,

	/// Makes no difference: no memory is writable and executable at once, but for the kernels of
	/// convolutions that oneDNN writes inside of libtorch.
	#[arg(long)]
	pub secure: bool,
}
