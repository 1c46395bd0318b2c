//! Drawings of curves: points with their intervals over a logarithmic axis.

use crate::statistics::Interval;
use tequio_harness::svg::{begin, curve, end, line, words};

/// Size of a chart, and what its axes leave free, in pixels.
const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 360.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 16.0;
const TOP: f64 = 32.0;
const BOTTOM: f64 = 56.0;
/// Marks on the vertical axis, about.
const MARKS: f64 = 6.0;
/// Of curves.
const COLOUR: &str = "steelblue";

/// A point of a curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
	/// Where it is on the horizontal axis; above zero.
	pub x: f64,
	/// Its height.
	pub profit: Interval,
}

/// A curve with its axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
	/// What it is about.
	pub title: &'static str,
	/// The horizontal axis, with its unit.
	pub x_label: &'static str,
	/// The vertical axis, with its unit.
	pub y_label: &'static str,
	/// Its points, from left to right.
	pub points: Vec<Point>,
}

/// From numbers to pixels of one chart.
struct Scale {
	x: (f64, f64),
	y: (f64, f64),
	/// Distance of two marks on the vertical axis.
	step: f64,
}

/// Charts beside each other, as a file.
pub fn drawing(charts: &[Chart]) -> String {
	let mut text = begin(charts.iter().map(|_| WIDTH).sum(), HEIGHT);
	let mut left = 0.0;
	for chart in charts {
		text.push_str(&format!("<g transform=\"translate({left} 0)\">\n"));
		draw(&mut text, chart);
		text.push_str("</g>\n");
		left += WIDTH;
	}
	end(&mut text);
	text
}

impl Scale {
	/// Holds every interval of the points, and zero.
	fn of(points: &[Point]) -> Self {
		let fold = |start: f64, of: fn(&Point) -> f64, pick: fn(f64, f64) -> f64| {
			points.iter().map(of).fold(start, pick)
		};
		let low = fold(0.0, |point| point.profit.low, f64::min);
		let high = fold(0.0, |point| point.profit.high, f64::max);
		let step = step((high - low).max(f64::MIN_POSITIVE));
		let x = (
			fold(f64::MAX, |point| point.x, f64::min).ln(),
			fold(f64::MIN_POSITIVE, |point| point.x, f64::max).ln(),
		);
		Self { x, y: ((low / step).floor() * step, (high / step).ceil() * step), step }
	}

	fn x(&self, value: f64) -> f64 {
		let (first, last) = self.x;
		let part = (value.ln() - first) / (last - first).max(f64::MIN_POSITIVE);
		// A little inside of the frame.
		LEFT + (0.05 + 0.9 * part) * (WIDTH - LEFT - RIGHT)
	}

	fn y(&self, value: f64) -> f64 {
		let (low, high) = self.y;
		TOP + (high - value) / (high - low).max(f64::MIN_POSITIVE) * (HEIGHT - TOP - BOTTOM)
	}

	/// Where there are marks on the vertical axis.
	fn marks(&self) -> Vec<f64> {
		let (low, high) = self.y;
		let mut marks = Vec::new();
		let mut mark = low;
		while mark <= high + self.step / 2.0 && marks.len() < 32 {
			marks.push(mark);
			mark += self.step;
		}
		marks
	}
}

/// A round distance that divides a range into a few parts.
fn step(range: f64) -> f64 {
	let rough = range / MARKS;
	let power = 10f64.powf(rough.log10().floor());
	let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough);
	factor.unwrap_or(10.0) * power
}

fn draw(text: &mut String, chart: &Chart) {
	let scale = Scale::of(&chart.points);
	let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
	let middle = (LEFT + right) / 2.0;
	words(text, (middle, TOP - 12.0), "middle", chart.title);
	words(text, (middle, HEIGHT - 12.0), "middle", chart.x_label);
	let (x, y) = (16.0, (TOP + bottom) / 2.0);
	text.push_str(&format!(
		"<text transform=\"translate({x} {y}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
		chart.y_label
	));
	for mark in scale.marks() {
		let y = scale.y(mark);
		let stroke = if mark.abs() < scale.step / 2.0 { "black" } else { "lightgray" };
		line(text, (LEFT, y), (right, y), stroke);
		words(text, (LEFT - 6.0, y + 4.0), "end", &format!("{mark:.2}"));
	}
	line(text, (LEFT, TOP), (LEFT, bottom), "black");
	line(text, (LEFT, bottom), (right, bottom), "black");
	for point in &chart.points {
		let x = scale.x(point.x);
		line(text, (x, bottom), (x, bottom + 4.0), "black");
		words(text, (x, bottom + 18.0), "middle", &point.x.to_string());
	}
	for point in &chart.points {
		let (x, Interval { low, high, .. }) = (scale.x(point.x), point.profit);
		line(text, (x, scale.y(low)), (x, scale.y(high)), COLOUR);
	}
	let points = chart.points.iter().map(|point| (scale.x(point.x), scale.y(point.profit.mean)));
	curve(text, points, COLOUR);
}

#[cfg(test)]
mod tests {
	use super::*;

	fn point(x: f64, mean: f64) -> Point {
		Point { x, profit: Interval { low: mean - 1.0, mean, high: mean + 1.0 } }
	}

	fn chart() -> Chart {
		let points = vec![point(5.0, -3.0), point(20.0, -4.0), point(100.0, -2.5)];
		Chart { title: "a title", x_label: "x, %", y_label: "y, V", points }
	}

	#[test]
	fn a_drawing_has_axes_labels_and_every_point() {
		let text = drawing(&[chart(), chart()]);
		for words in ["<svg ", ">a title<", ">x, %<", ">y, V<", ">20<", "</svg>"] {
			assert!(text.contains(words), "{words} is missing");
		}
		assert_eq!(text.matches("<circle ").count(), 6);
		assert!(!text.contains("NaN") && !text.contains("inf"));
	}

	#[test]
	fn everything_lies_inside_of_its_chart() {
		let chart = chart();
		let scale = Scale::of(&chart.points);
		for Point { x, profit } in &chart.points {
			assert!((LEFT..=WIDTH - RIGHT).contains(&scale.x(*x)));
			for value in [profit.low, profit.high, 0.0] {
				assert!((TOP..=HEIGHT - BOTTOM).contains(&scale.y(value)));
			}
		}
	}

	#[test]
	fn marks_are_round() {
		assert!((step(5.0) - 1.0).abs() < 1e-9);
		assert!((step(0.6) - 0.1).abs() < 1e-9);
		assert!((step(28.0) - 5.0).abs() < 1e-9);
	}
}
