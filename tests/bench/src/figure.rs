//! What a run says: figures, each beside its anchor and its goal, and notes.

use serde_json::json;

/// Which side of its goal a ratio has to be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sense {
	/// At least the goal.
	Min,
	/// At most the goal.
	Max,
}

/// Something measured, and what it is held against. Their ratio is `ours / anchor`.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
	/// What was measured, such as `randomx/fast/1 thread/4 KiB`.
	pub name: String,
	/// Measured of ours.
	pub ours: f64,
	/// Measured of the anchor in the same run, or a fixed allowance.
	pub anchor: f64,
	/// Unit of both.
	pub unit: &'static str,
	/// For the ratio; zero with [`Sense::Min`] where none was set.
	pub goal: f64,
	/// Which side of the goal is good.
	pub sense: Sense,
}

impl Figure {
	/// Ours in anchors.
	pub fn ratio(&self) -> f64 {
		self.ours / self.anchor
	}

	/// Whether the goal is reached.
	pub fn is_met(&self) -> bool {
		match self.sense {
			Sense::Min => self.ratio() >= self.goal,
			Sense::Max => self.ratio() <= self.goal,
		}
	}

	fn to_json(&self) -> serde_json::Value {
		let sense = match self.sense {
			Sense::Min => "min",
			Sense::Max => "max",
		};
		json!({
			"name": self.name,
			"ours": self.ours,
			"anchor": self.anchor,
			"unit": self.unit,
			"ratio": self.ratio(),
			"goal": self.goal,
			"sense": sense,
		})
	}

	fn to_line(&self) -> String {
		let Self { name, ours, anchor, unit, goal, .. } = self;
		let against = match self.sense {
			Sense::Min if *goal == 0.0 => "no goal".to_owned(),
			Sense::Min => format!("goal at least {goal}: {}", self.verdict()),
			Sense::Max => format!("goal at most {goal}: {}", self.verdict()),
		};
		let ratio = self.ratio();
		format!("{name:<48} {ours:>12.3} / {anchor:>12.3} {unit:<10} = {ratio:>7.3}  {against}")
	}

	fn verdict(&self) -> &'static str {
		if self.is_met() {
			"met"
		} else {
			"MISSED"
		}
	}
}

/// Where figures and notes go: each is printed at once.
#[derive(Clone, Copy, Debug)]
pub struct Report {
	json: bool,
}

impl Report {
	/// For people, or one JSON object per line for a program.
	pub fn new(json: bool) -> Self {
		Self { json }
	}

	/// Prints a figure to stdout.
	pub fn figure(&mut self, figure: Figure) {
		if self.json {
			println!("{}", figure.to_json());
		} else {
			println!("{}", figure.to_line());
		}
	}

	/// Prints what a reader of the figures has to know; with `--json` to stderr.
	pub fn note(&mut self, text: &str) {
		if self.json {
			eprintln!("# {text}");
		} else {
			println!("# {text}");
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn figure(ours: f64, goal: f64, sense: Sense) -> Figure {
		Figure { name: "speed".into(), ours, anchor: 100.0, unit: "H/s", goal, sense }
	}

	#[test]
	fn a_goal_is_met_on_its_side_only() {
		assert!(figure(98.0, 0.98, Sense::Min).is_met());
		assert!(!figure(97.0, 0.98, Sense::Min).is_met());
		assert!(figure(55.0, 0.55, Sense::Max).is_met());
		assert!(!figure(56.0, 0.55, Sense::Max).is_met());
	}

	#[test]
	fn json_holds_every_field() {
		let object = figure(49.0, 0.98, Sense::Min).to_json();
		let expected = json!({
			"name": "speed",
			"ours": 49.0,
			"anchor": 100.0,
			"unit": "H/s",
			"ratio": 0.49,
			"goal": 0.98,
			"sense": "min",
		});
		assert_eq!(object, expected);
	}

	#[test]
	fn a_line_says_what_was_missed() {
		assert!(figure(97.0, 0.98, Sense::Min).to_line().ends_with("goal at least 0.98: MISSED"));
		assert!(figure(97.0, 0.0, Sense::Min).to_line().ends_with("no goal"));
	}
}
