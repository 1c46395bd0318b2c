//! Learnt tables: one that indices pick from, one that tells positions apart.

use super::{add_rows, batch_of, data, data_mut, samples, Named, Operation, Saved};
use crate::tensor::Tensor;

/// Rows of a table `[vocabulary, width]`.
#[derive(Debug)]
pub(super) struct Embedding {
	output: Vec<usize>,
	width: usize,
}

impl Embedding {
	/// A table whose rows make this shape.
	pub(super) fn new(output: &[usize]) -> Self {
		Self { output: output.to_vec(), width: output.last().copied().unwrap_or(1).max(1) }
	}

	/// Where the row of an index lies. The network has checked that it is a whole number that the
	/// table has a row for.
	fn start(&self, index: f64) -> usize {
		(index as usize).saturating_mul(self.width)
	}
}

impl Operation for Embedding {
	fn forward(&self, weights: &[Named], input: Tensor) -> (Tensor, Saved) {
		let mut output = Tensor::zeros(&batch_of(samples(&input), &self.output));
		let table = data(weights, 0);
		let rows = output.data_mut().chunks_exact_mut(self.width);
		for (row, index) in rows.zip(input.data()) {
			let entry = table.get(self.start(*index)..).unwrap_or_default();
			row.iter_mut().zip(entry).for_each(|(value, entry)| *value = *entry);
		}
		(output, Saved::of([input]))
	}

	fn backward(&self, _: &[Named], saved: Saved, gradient: Tensor, into: &mut [Named]) -> Tensor {
		let table = data_mut(into, 0);
		for (row, index) in gradient.data().chunks_exact(self.width).zip(saved.data(0)) {
			let entry = table.get_mut(self.start(*index)..).unwrap_or_default();
			entry.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
		}
		// Indices have no gradient; nothing comes before them that would ask for it.
		Tensor::zeros(&[samples(&gradient), saved.data(0).len() / samples(&gradient).max(1)])
	}
}

/// Adds a table of the shape of a sample.
#[derive(Debug)]
pub(super) struct PositionEmbedding;

impl Operation for PositionEmbedding {
	fn forward(&self, weights: &[Named], input: Tensor) -> (Tensor, Saved) {
		let mut output = input;
		let table = data(weights, 0);
		for sample in output.data_mut().chunks_exact_mut(table.len().max(1)) {
			add_rows(sample, table);
		}
		(output, Saved::default())
	}

	fn backward(&self, _: &[Named], _: Saved, gradient: Tensor, into: &mut [Named]) -> Tensor {
		add_rows(data_mut(into, 0), gradient.data());
		gradient
	}
}
