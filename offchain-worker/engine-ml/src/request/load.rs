//! Blobs that a manifest names, as what they stand for: models, shards, lists of rows.

use super::{Refusal, RequestError, LIMITS};
use crate::{
	blobs::{self, Blobs},
	dataset::Shard,
	manifest::{Hash, Manifest},
	model::{Model, MAX_CARD_BYTES},
};

/// Bytes of a shard that are fetched.
pub const MAX_SHARD: u64 = 256 << 20;
/// Bytes of a list of rows that are fetched: a million rows.
pub const MAX_ROWS: u64 = 4 << 20;

/// The model, if it can be afforded with micro-batches of so many samples.
pub(super) fn model(
	blobs: &mut impl Blobs,
	manifest: &Manifest,
	micro_batch: u32,
) -> Result<Model, RequestError> {
	let most = u64::try_from(MAX_CARD_BYTES).unwrap_or(u64::MAX);
	let card = blobs::fetch(blobs, "card", &manifest.card.0, most)?;
	let model = Model::parse(&card).map_err(Refusal::from)?;
	LIMITS.check(model.cost(), micro_batch).map_err(Refusal::from)?;
	if u32::try_from(model.classes()) != Ok(manifest.classes) {
		let (manifest, model) = (manifest.classes, model.classes());
		return Err(Refusal::Classes { manifest, model }.into());
	}
	Ok(model)
}

/// A shard, whose labels are those of the manifest.
pub(super) fn shard(
	blobs: &mut impl Blobs,
	manifest: &Manifest,
	hash: &Hash,
) -> Result<Shard, RequestError> {
	let bytes = blobs::fetch(blobs, "shard", &hash.0, MAX_SHARD)?;
	Ok(Shard::read(&bytes, bytes.len(), manifest.classes).map_err(Refusal::from)?)
}

/// A list of rows: little-endian numbers.
pub(super) fn rows(blobs: &mut impl Blobs, hash: &Hash) -> Result<Vec<u32>, RequestError> {
	let bytes = blobs::fetch(blobs, "rows", &hash.0, MAX_ROWS)?;
	match bytes.as_chunks::<4>() {
		(rows, []) => Ok(rows.iter().map(|row| u32::from_le_bytes(*row)).collect()),
		_ => Err(Refusal::RowBytes(bytes.len()).into()),
	}
}
