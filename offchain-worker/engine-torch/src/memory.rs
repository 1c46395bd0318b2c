//! Bytes that libtorch takes beyond what a model's [`Cost`](tequio_engine_ml::Cost) counts.
//!
//! The pure Rust works on one sample after another, libtorch on all of a micro-batch at once: it
//! unfolds the inputs of a convolution for all of them, and keeps for the backward pass what each
//! operation of an attention makes.

use tequio_engine_ml::model::{Layer, Node};

/// Bytes of an element: steps in singles are taken in doubles as well.
const ELEMENT_BYTES: u64 = 8;
/// Unfolded inputs of a convolution at once: themselves, and their gradient.
const UNFOLDED: u64 = 2;
/// Arrays of positions by positions for each head: scores before and after they are scaled and masked,
/// shares, and gradients of these.
const PAIRS: u64 = 6;

/// Bytes that layers take with micro-batches of so many samples, at most: for the largest convolution,
/// since its unfolded input lives as long as the layer is computed, and for all attentions.
pub fn working_bytes(nodes: &[Node], micro_batch: u32) -> u64 {
	let Elements { largest, kept } = Elements::of_all(nodes);
	let unfolded = largest.saturating_mul(UNFOLDED);
	let elements = unfolded.saturating_add(kept.saturating_mul(PAIRS));
	elements.saturating_mul(micro_batch.into()).saturating_mul(ELEMENT_BYTES)
}

/// Elements of one sample.
#[derive(Clone, Copy, Default)]
struct Elements {
	/// Of the largest unfolded input.
	largest: u64,
	/// Of positions by positions, in all heads of all attentions.
	kept: u64,
}

impl Elements {
	fn of_all(nodes: &[Node]) -> Self {
		nodes.iter().fold(Self::default(), |sum, node| {
			let own = Self::of(node);
			let kept = sum.kept.saturating_add(own.kept);
			Self { largest: sum.largest.max(own.largest), kept }
		})
	}

	fn of(node: &Node) -> Self {
		let first = node.input.first().map_or(1, |size| wide(*size));
		match &node.layer {
			Layer::Conv2d { kernel, .. } => {
				let places = node.output.iter().skip(1).map(|size| wide(*size));
				let taps = first.saturating_mul(u64::from(*kernel).saturating_pow(2));
				Self { largest: places.fold(taps, u64::saturating_mul), kept: 0 }
			},
			Layer::SelfAttention { heads, .. } => {
				let kept = first.saturating_mul(first).saturating_mul((*heads).into());
				Self { largest: 0, kept }
			},
			Layer::Residual { .. } => Self::of_all(&node.inner),
			_ => Self::default(),
		}
	}
}

fn wide(size: usize) -> u64 {
	u64::try_from(size).unwrap_or(u64::MAX)
}
