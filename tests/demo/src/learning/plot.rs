//! The curve of a training, drawn as SVG: accuracy after each round, beside that of one machine that
//! has everything.

use tequio_harness::svg::{begin, curve, end, line, words};

/// Size of the drawing, and what its axes leave free, in pixels.
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 56.0;
/// Marks on the vertical axis.
const MARKS: u32 = 5;
/// Numbers on the horizontal axis, at most.
const NUMBERS: usize = 16;

/// A curve: a value after each round, from the first on.
#[derive(Clone, Copy, Debug)]
pub struct Curve<'a> {
	/// What it shows.
	pub name: &'a str,
	/// Its colour.
	pub colour: &'a str,
	/// Accuracies, from 0 to 1. None: it was not measured.
	pub points: &'a [Option<f64>],
}

/// From rounds and accuracies to pixels.
struct Scale {
	rounds: usize,
	/// The lowest accuracy that is drawn; the highest is 1.
	low: f64,
}

/// Curves over the same rounds, as a file.
pub fn drawing(title: &str, curves: &[Curve<'_>]) -> String {
	let scale = Scale::of(curves);
	let mut text = begin(WIDTH, HEIGHT);
	let middle = (LEFT + WIDTH - RIGHT) / 2.0;
	words(&mut text, (middle, TOP - 16.0), "middle", title);
	words(&mut text, (middle, HEIGHT - 12.0), "middle", "round");
	axes(&mut text, &scale);
	for (place, Curve { name, colour, points }) in (0_u32..).zip(curves) {
		let measured =
			points.iter().enumerate().filter_map(|(round, point)| Some((round, (*point)?)));
		curve(&mut text, measured.map(|(round, point)| (scale.x(round), scale.y(point))), colour);
		let y = HEIGHT - BOTTOM - 16.0 - 18.0 * f64::from(place);
		let x = WIDTH - RIGHT - 220.0;
		line(&mut text, (x, y - 4.0), (x + 20.0, y - 4.0), colour);
		words(&mut text, (x + 28.0, y), "start", name);
	}
	end(&mut text);
	text
}

impl Scale {
	/// Holds every point, down to the next tenth.
	fn of(curves: &[Curve<'_>]) -> Self {
		let rounds = curves.iter().map(|curve| curve.points.len()).max().unwrap_or(0);
		let points = curves.iter().flat_map(|curve| curve.points).flatten();
		let lowest = points.fold(0.9_f64, |low, point| low.min(*point));
		Self { rounds, low: (lowest * 10.0).floor().max(0.0) / 10.0 }
	}

	/// Where a round is that is counted from 0: in the middle of its part of the axis.
	fn x(&self, round: usize) -> f64 {
		let part = (WIDTH - LEFT - RIGHT) / self.rounds.max(1) as f64;
		LEFT + part * (round as f64 + 0.5)
	}

	fn y(&self, accuracy: f64) -> f64 {
		TOP + (1.0 - accuracy) / (1.0 - self.low) * (HEIGHT - TOP - BOTTOM)
	}
}

fn axes(text: &mut String, scale: &Scale) {
	let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
	for mark in 0..=MARKS {
		let accuracy = scale.low + (1.0 - scale.low) * f64::from(mark) / f64::from(MARKS);
		let y = scale.y(accuracy);
		line(text, (LEFT, y), (right, y), "lightgray");
		words(text, (LEFT - 8.0, y + 4.0), "end", &format!("{:.0} %", accuracy * 100.0));
	}
	line(text, (LEFT, TOP), (LEFT, bottom), "black");
	line(text, (LEFT, bottom), (right, bottom), "black");
	for round in (0..scale.rounds).step_by(scale.rounds.div_ceil(NUMBERS).max(1)) {
		let number = (round + 1).to_string();
		words(text, (scale.x(round), bottom + 18.0), "middle", &number);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const POINTS: [Option<f64>; 4] = [Some(0.55), None, Some(0.9), Some(1.0)];

	#[test]
	fn a_drawing_has_axes_names_and_every_point() {
		let curve = Curve { name: "a curve", colour: "steelblue", points: &POINTS };
		let text = drawing("a title", &[curve, curve]);
		for words in ["<svg ", ">a title<", ">a curve<", ">50 %<", ">100 %<", ">4<", "</svg>"] {
			assert!(text.contains(words), "{words} is missing");
		}
		assert_eq!(text.matches("<circle ").count(), 6);
		assert!(!text.contains("NaN") && !text.contains("inf"));
	}

	#[test]
	fn every_point_lies_inside() {
		let curve = Curve { name: "", colour: "", points: &POINTS };
		let scale = Scale::of(&[curve]);
		assert_eq!((scale.rounds, scale.low), (4, 0.5));
		for (round, point) in POINTS.iter().enumerate() {
			assert!((LEFT..=WIDTH - RIGHT).contains(&scale.x(round)));
			let y = scale.y(point.unwrap_or(0.5));
			assert!((TOP..=HEIGHT - BOTTOM).contains(&y), "{y}");
		}
		assert!(!drawing("nothing", &[]).contains("NaN"));
	}
}
