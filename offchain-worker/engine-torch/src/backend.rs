//! libtorch as a backend: which class is computed how.

use crate::{descend, memory, pins, train, Precision};
use std::num::NonZeroUsize;
use tequio_engine_ml::{
	optimiser::Millionths, Backend, BackendError, Class, Descent, Model, Rule, Steps, Trained,
};

/// libtorch, set up for one class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Libtorch {
	pinned: bool,
	threads: NonZeroUsize,
}

/// A class that libtorch does not compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("libtorch does not compute {0}: start tequio-engine-ml for it")]
pub struct NotServed(pub Class);

impl Libtorch {
	/// Sets this process up for a class, with so many threads at most. Where sums must not be divided,
	/// it takes one. Comes before the first call into libtorch, and before there are other threads; a
	/// process is set up once.
	pub fn start(class: Class, threads: NonZeroUsize) -> Result<Self, NotServed> {
		let (pinned, threads) = match class {
			Class::ExactF64 | Class::BandedF32 => (false, threads),
			Class::ExactF32 => (true, NonZeroUsize::MIN),
			Class::Integer => return Err(NotServed(class)),
		};
		if pinned {
			pins::pin();
		} else {
			pins::take_fastest();
		}
		pins::divide_among(threads);
		pins::do_without_nnpack();
		if pinned {
			pins::do_without_onednn();
		}
		Ok(Self { pinned, threads })
	}
}

impl Backend for Libtorch {
	fn about(&self) -> String {
		let pinned = if self.pinned { ", pinned to AVX2" } else { "" };
		let threads = if self.threads.get() == 1 { "thread" } else { "threads" };
		format!("libtorch{pinned}, {} {threads}", self.threads)
	}

	fn train(&self, class: Class, rule: Rule, steps: &Steps<'_>) -> Result<Trained, BackendError> {
		let precision = match class {
			Class::ExactF64 => Precision::Double,
			Class::ExactF32 if self.pinned => Precision::Single,
			Class::ExactF32 => {
				let reason = "exact-f32 needs a process that was started for it and is pinned";
				return Err(BackendError::Failed(reason.to_owned()));
			},
			Class::BandedF32 | Class::Integer => {
				return Err(BackendError::Failed(format!("{class} has no local steps")));
			},
		};
		Ok(train::train(precision, rule, steps)?)
	}

	fn descend(
		&self,
		learning_rate: Millionths,
		steps: &Steps<'_>,
	) -> Result<Descent, BackendError> {
		Ok(descend::descend(learning_rate, steps)?)
	}

	fn working_bytes(&self, model: &Model, micro_batch: u32) -> u64 {
		memory::working_bytes(model.nodes(), micro_batch)
	}
}
