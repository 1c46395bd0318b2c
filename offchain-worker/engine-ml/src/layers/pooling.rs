//! Maxima and means of windows and of whole planes.

use super::{batch_of, samples, window::Window, Named, Operation, Saved};
use crate::tensor::Tensor;

/// The largest of each window.
#[derive(Debug)]
pub(super) struct MaxPool2d {
	window: Window,
	input: Vec<usize>,
	output: Vec<usize>,
}

impl MaxPool2d {
	pub(super) fn new(window: Window, input: &[usize], output: &[usize]) -> Self {
		Self { window, input: input.to_vec(), output: output.to_vec() }
	}

	/// The largest element of each window and its place; the first of equal ones. What is not a
	/// number wins, so that no maximum hides it.
	fn winners(&self, plane: &[f64]) -> Vec<(f64, usize)> {
		let mut winners: Vec<Option<(f64, usize)>> = vec![None; self.window.places()];
		self.window.visit(|at, source| {
			let challenger = source.and_then(|place| Some((*plane.get(place)?, place)));
			let (Some(winner), Some((value, place))) = (winners.get_mut(at), challenger) else {
				return;
			};
			if winner.is_none_or(|(best, _)| value > best || value.is_nan()) {
				*winner = Some((value, place));
			}
		});
		winners.into_iter().map(|winner| winner.unwrap_or((0.0, 0))).collect()
	}
}

impl Operation for MaxPool2d {
	fn forward(&self, _: &[Named], input: Tensor) -> (Tensor, Saved) {
		let mut output = Tensor::zeros(&batch_of(samples(&input), &self.output));
		let planes = input.data().chunks_exact(self.window.plane());
		for (out, plane) in output.data_mut().chunks_exact_mut(self.window.places()).zip(planes) {
			for (out, (value, _)) in out.iter_mut().zip(self.winners(plane)) {
				*out = value;
			}
		}
		(output, Saved::of([input]))
	}

	fn backward(&self, _: &[Named], saved: Saved, gradient: Tensor, _: &mut [Named]) -> Tensor {
		let mut input = Tensor::zeros(&batch_of(samples(&gradient), &self.input));
		let plane = self.window.plane();
		let planes =
			input.data_mut().chunks_exact_mut(plane).zip(saved.data(0).chunks_exact(plane));
		for (out, (back, plane)) in gradient.data().chunks_exact(self.window.places()).zip(planes) {
			for (value, (_, place)) in out.iter().zip(self.winners(plane)) {
				if let Some(element) = back.get_mut(place) {
					*element += value;
				}
			}
		}
		input
	}
}

/// The mean of each window.
#[derive(Debug)]
pub(super) struct AvgPool2d {
	window: Window,
	input: Vec<usize>,
	output: Vec<usize>,
	taps: f64,
}

impl AvgPool2d {
	pub(super) fn new(window: Window, input: &[usize], output: &[usize]) -> Self {
		let taps = window.taps() as f64;
		Self { window, input: input.to_vec(), output: output.to_vec(), taps }
	}
}

impl Operation for AvgPool2d {
	fn forward(&self, _: &[Named], input: Tensor) -> (Tensor, Saved) {
		let mut output = Tensor::zeros(&batch_of(samples(&input), &self.output));
		let planes = input.data().chunks_exact(self.window.plane());
		for (out, plane) in output.data_mut().chunks_exact_mut(self.window.places()).zip(planes) {
			self.window.visit(|at, source| {
				let value = source.and_then(|place| plane.get(place)).copied().unwrap_or(0.0);
				if let Some(sum) = out.get_mut(at) {
					*sum += value;
				}
			});
			out.iter_mut().for_each(|sum| *sum /= self.taps);
		}
		(output, Saved::default())
	}

	fn backward(&self, _: &[Named], _: Saved, gradient: Tensor, _: &mut [Named]) -> Tensor {
		let mut input = Tensor::zeros(&batch_of(samples(&gradient), &self.input));
		let planes = input.data_mut().chunks_exact_mut(self.window.plane());
		for (out, back) in gradient.data().chunks_exact(self.window.places()).zip(planes) {
			self.window.visit(|at, source| {
				let share = out.get(at).map_or(0.0, |value| value / self.taps);
				if let Some(element) = source.and_then(|place| back.get_mut(place)) {
					*element += share;
				}
			});
		}
		input
	}
}

/// The mean of each plane, or of each feature over all positions.
#[derive(Debug)]
pub(super) struct GlobalAvgPool {
	input: Vec<usize>,
	output: Vec<usize>,
	/// Rows whose mean is one output row.
	rows: usize,
	/// Elements of a row.
	row: usize,
}

impl GlobalAvgPool {
	pub(super) fn new(input: &[usize], output: &[usize]) -> Self {
		let (rows, row) = match *input {
			[_, height, width] => (height * width, 1),
			[positions, features] => (positions, features),
			_ => (1, 1),
		};
		Self { input: input.to_vec(), output: output.to_vec(), rows, row }
	}
}

impl Operation for GlobalAvgPool {
	fn forward(&self, _: &[Named], input: Tensor) -> (Tensor, Saved) {
		let mut output = Tensor::zeros(&batch_of(samples(&input), &self.output));
		let blocks = input.data().chunks_exact(self.rows * self.row);
		for (means, block) in output.data_mut().chunks_exact_mut(self.row).zip(blocks) {
			super::add_rows(means, block);
			means.iter_mut().for_each(|sum| *sum /= self.rows as f64);
		}
		(output, Saved::default())
	}

	fn backward(&self, _: &[Named], _: Saved, gradient: Tensor, _: &mut [Named]) -> Tensor {
		let mut input = Tensor::zeros(&batch_of(samples(&gradient), &self.input));
		let blocks = input.data_mut().chunks_exact_mut(self.rows * self.row);
		for (block, means) in blocks.zip(gradient.data().chunks_exact(self.row)) {
			for row in block.chunks_exact_mut(self.row) {
				for (element, value) in row.iter_mut().zip(means) {
					*element = value / self.rows as f64;
				}
			}
		}
		input
	}
}
