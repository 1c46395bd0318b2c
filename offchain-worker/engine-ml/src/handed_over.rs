//! Steps in singles as they are handed over: an output that is a projection, and the file that it
//! names.

use crate::{
	blobs::{self, wide, Blobs, FetchError},
	payload::{read_single, Payload},
	projection::{self, PROJECTION_BYTES},
	tensor::State,
};
use tequio_interface::program::Projection;

/// A step that somebody has handed over. Nothing says yet that the projection is that of the file.
#[derive(Debug)]
pub(crate) struct HandedOver {
	/// The output.
	pub(crate) claimed: Projection,
	/// The file that it names.
	pub(crate) file: Vec<u8>,
	/// What that holds.
	pub(crate) change: State,
}

impl HandedOver {
	/// The step whose output has this hash. None: there are bytes, and they are no step of a model of
	/// these weights. `called`: what output and file are, for a log.
	pub(crate) fn fetch(
		blobs: &mut impl Blobs,
		output: &[u8; 32],
		weights: &State,
		called: (&'static str, &'static str),
	) -> Result<Option<Self>, FetchError> {
		let bytes = blobs::fetch(blobs, called.0, output, wide(PROJECTION_BYTES))?;
		let Ok(claimed) = projection::read(&bytes) else { return Ok(None) };
		let most = wide(Payload::Single.max_bytes(weights));
		let file = blobs::fetch(blobs, called.1, &claimed.change, most)?;
		let change = read_single(&file, weights).ok();
		Ok(change.map(|change| Self { claimed, file, change }))
	}
}
