//! Convolution, as the field calls cross-correlation: a product with the unfolded input.

use super::{
	batch_of, data, data_mut,
	matrix::{multiply_add, transposed},
	samples,
	window::Window,
	Named, Operation, Saved,
};
use crate::tensor::Tensor;

/// A convolution: weight `[filters, channels, kernel, kernel]`, then the bias if there is one.
#[derive(Debug)]
pub(super) struct Conv2d {
	window: Window,
	channels: usize,
	output: Vec<usize>,
}

impl Conv2d {
	pub(super) fn new(window: Window, channels: usize, output: &[usize]) -> Self {
		Self { window, channels, output: output.to_vec() }
	}

	fn filters(&self) -> usize {
		self.output.first().copied().unwrap_or(1)
	}

	/// Elements that one output is computed from.
	fn taps(&self) -> usize {
		self.channels * self.window.taps()
	}

	/// The elements under each tap, as rows, for all windows, as columns.
	fn unfold(&self, sample: &[f64]) -> Vec<f64> {
		let mut rows = Vec::with_capacity(self.taps() * self.window.places());
		for plane in sample.chunks_exact(self.window.plane()) {
			self.window.visit(|_, source| {
				let value = source.and_then(|place| plane.get(place)).copied();
				rows.push(value.unwrap_or(0.0));
			});
		}
		rows
	}

	/// Adds rows as [`Self::unfold`] makes them to the elements that they come from.
	fn fold(&self, rows: &[f64], sample: &mut [f64]) {
		let mut values = rows.iter();
		for plane in sample.chunks_exact_mut(self.window.plane()) {
			self.window.visit(|_, source| {
				let value = values.next().copied().unwrap_or(0.0);
				if let Some(element) = source.and_then(|place| plane.get_mut(place)) {
					*element += value;
				}
			});
		}
	}

	fn input_shape(&self, samples: usize) -> Vec<usize> {
		batch_of(samples, &self.window.over(self.channels))
	}
}

impl Operation for Conv2d {
	fn forward(&self, weights: &[Named], input: Tensor) -> (Tensor, Saved) {
		let (weight, bias, places) = (data(weights, 0), data(weights, 1), self.window.places());
		let mut output = Tensor::zeros(&batch_of(samples(&input), &self.output));
		let outputs = output.data_mut().chunks_exact_mut(self.filters() * places);
		let inputs = input.data().chunks_exact(self.channels * self.window.plane());
		for (out, sample) in outputs.zip(inputs) {
			// Without a bias there is nothing to set, and zeros are there already.
			for (plane, bias) in out.chunks_exact_mut(places).zip(bias) {
				plane.fill(*bias);
			}
			multiply_add(out, weight, &self.unfold(sample), self.taps(), places);
		}
		(output, Saved::of([input]))
	}

	fn backward(
		&self,
		weights: &[Named],
		saved: Saved,
		gradient: Tensor,
		into: &mut [Named],
	) -> Tensor {
		let (taps, places, filters) = (self.taps(), self.window.places(), self.filters());
		let turned = transposed(data(weights, 0), taps);
		let mut input = Tensor::zeros(&self.input_shape(samples(&gradient)));
		let size = self.channels * self.window.plane();
		let inputs = input.data_mut().chunks_exact_mut(size).zip(saved.data(0).chunks_exact(size));
		for (out, (back, sample)) in gradient.data().chunks_exact(filters * places).zip(inputs) {
			let unfolded = transposed(&self.unfold(sample), places);
			multiply_add(data_mut(into, 0), out, &unfolded, places, taps);
			for (sum, plane) in data_mut(into, 1).iter_mut().zip(out.chunks_exact(places)) {
				plane.iter().for_each(|value| *sum += value);
			}
			let mut rows = vec![0.0; taps * places];
			multiply_add(&mut rows, &turned, out, filters, places);
			self.fold(&rows, back);
		}
		input
	}
}
