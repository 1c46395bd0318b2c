//! Why there is no result.

use tch::TchError;
use tequio_engine_ml::{train::TrainError, BackendError};

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
	/// The request is at fault, or its numbers get too large. Another try would end the same way.
	#[error(transparent)]
	Train(#[from] TrainError),
	/// libtorch fails, most likely for want of memory. Another engine may do it.
	#[error("libtorch fails: {0}")]
	Torch(#[from] TchError),
}

impl From<Fault> for BackendError {
	fn from(fault: Fault) -> Self {
		match fault {
			Fault::Train(error) => Self::Train(error),
			Fault::Torch(error) => Self::Failed(Fault::Torch(error).to_string()),
		}
	}
}
