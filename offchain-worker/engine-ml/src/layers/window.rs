//! Square windows that move over a plane.

use super::sizes;
use crate::model::shape::size;

/// How windows lie on a plane.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
	height: usize,
	width: usize,
	down: usize,
	across: usize,
	kernel: usize,
	stride: usize,
	padding: usize,
}

impl Window {
	/// Windows on the planes of one shape that make those of another.
	pub(super) fn new(
		input: &[usize],
		output: &[usize],
		kernel: u32,
		stride: u32,
		padding: u32,
	) -> Self {
		let ([_, height, width], [_, down, across]) = (sizes(input), sizes(output));
		let (kernel, stride, padding) = (size(kernel), size(stride), size(padding));
		Self { height, width, down, across, kernel, stride, padding }
	}

	/// The shape of so many planes that windows lie on.
	pub(super) fn over(&self, channels: usize) -> [usize; 3] {
		[channels, self.height, self.width]
	}

	/// Elements of a plane that windows lie on.
	pub(super) fn plane(&self) -> usize {
		self.height * self.width
	}

	/// Windows on a plane.
	pub(super) fn places(&self) -> usize {
		self.down * self.across
	}

	/// Elements of a window.
	pub(super) fn taps(&self) -> usize {
		self.kernel * self.kernel
	}

	/// Goes through the taps of a window in row-major order, and for each through all windows in
	/// row-major order: `see` gets the place of the window, and of the element under its tap. None:
	/// the tap lies on the padding.
	pub(super) fn visit(&self, mut see: impl FnMut(usize, Option<usize>)) {
		for (tap_down, tap_across) in square(self.kernel, self.kernel) {
			for down in 0..self.down {
				let row = self.under(down, tap_down, self.height);
				for across in 0..self.across {
					let column = self.under(across, tap_across, self.width);
					let source = row.zip(column).map(|(row, column)| row * self.width + column);
					see(down * self.across + across, source);
				}
			}
		}
	}

	fn under(&self, window: usize, tap: usize, length: usize) -> Option<usize> {
		(window * self.stride + tap).checked_sub(self.padding).filter(|place| *place < length)
	}
}

fn square(height: usize, width: usize) -> impl Iterator<Item = (usize, usize)> {
	(0..height).flat_map(move |row| (0..width).map(move |column| (row, column)))
}
