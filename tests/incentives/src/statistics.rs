//! Means of many, and how far they can be trusted.

/// Standard errors of a mean within which 99 % of the means lie.
const WIDTH: f64 = 2.576;
/// The same for 99.99 %. Who looks again and again whether it is enough, and stops when it seems so,
/// has to ask for more than the 99 % that are claimed in the end.
const WIDTH_TO_STOP: f64 = 3.891;

/// A mean, and between which bounds the true one lies with 99 %.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Interval {
	/// Lower bound.
	pub low: f64,
	/// The mean of the sample.
	pub mean: f64,
	/// Upper bound.
	pub high: f64,
}

/// Numbers that are added up one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
	number: u32,
	mean: f64,
	/// Sum of the squared distances from the mean.
	squares: f64,
}

impl Sample {
	/// Adds a number, by Welford's method.
	pub fn add(&mut self, value: f64) {
		self.number += 1;
		let distance = value - self.mean;
		self.mean += distance / f64::from(self.number);
		self.squares += distance * (value - self.mean);
	}

	/// How many there are.
	pub fn number(&self) -> u32 {
		self.number
	}

	/// The mean with its 99 % interval, taking means of so many as normally distributed.
	pub fn interval(&self) -> Interval {
		let margin = WIDTH * self.error();
		Interval { low: self.mean - margin, mean: self.mean, high: self.mean + margin }
	}

	/// Whether it is certain enough on which side of zero the true mean lies to look no further.
	pub fn is_decided(&self) -> bool {
		self.mean.abs() > WIDTH_TO_STOP * self.error()
	}

	/// The standard error of the mean; of fewer than two numbers there is none.
	fn error(&self) -> f64 {
		if self.number < 2 {
			return f64::INFINITY;
		}
		(self.squares / f64::from(self.number - 1) / f64::from(self.number)).sqrt()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn sample(values: &[f64]) -> Sample {
		let mut sample = Sample::default();
		values.iter().for_each(|value| sample.add(*value));
		sample
	}

	#[test]
	fn the_interval_lies_around_the_mean() {
		let interval = sample(&[1.0, 2.0, 3.0, 4.0]).interval();
		let error = (5.0f64 / 3.0 / 4.0).sqrt();
		assert!((interval.mean - 2.5).abs() < 1e-12);
		assert!((interval.high - interval.mean - WIDTH * error).abs() < 1e-12);
		assert!((interval.mean - interval.low - WIDTH * error).abs() < 1e-12);
	}

	#[test]
	fn what_is_always_the_same_is_certain() {
		let sample = sample(&[-3.0; 10]);
		assert!(sample.is_decided());
		assert_eq!(sample.interval(), Interval { low: -3.0, mean: -3.0, high: -3.0 });
	}

	#[test]
	fn one_number_decides_nothing() {
		assert!(!sample(&[-3.0]).is_decided());
		assert!(!sample(&[-3.0, 3.0, 1.0]).is_decided());
	}
}
