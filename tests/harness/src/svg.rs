//! Drawings, as SVG by hand: what charts have in common.

use std::fmt::Write;

/// Begins a drawing of so many pixels, on white.
pub fn begin(width: f64, height: f64) -> String {
	format!(
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
		 viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
		 <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
	)
}

/// Ends it.
pub fn end(text: &mut String) {
	text.push_str("</svg>\n");
}

/// A straight line.
pub fn line(text: &mut String, from: (f64, f64), to: (f64, f64), stroke: &str) {
	let ((x1, y1), (x2, y2)) = (from, to);
	// Writing to a string does not fail, here and below.
	let _ = writeln!(
		text,
		"<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{stroke}\"/>"
	);
}

/// Words at a place; `anchor` is what of them is there: `start`, `middle` or `end`.
pub fn words(text: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
	let _ =
		writeln!(text, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>");
}

/// Points, and a line through them.
pub fn curve(text: &mut String, points: impl IntoIterator<Item = (f64, f64)>, colour: &str) {
	let mut path = String::new();
	for (x, y) in points {
		let _ = write!(path, "{x:.1},{y:.1} ");
		let _ = writeln!(text, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
	}
	let points = path.trim_end();
	let _ = writeln!(text, "<polyline points=\"{points}\" fill=\"none\" stroke=\"{colour}\"/>");
}
