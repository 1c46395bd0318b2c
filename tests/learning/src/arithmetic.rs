//! Sums and differences of states, element by element.

use tequio_engine_ml::State;

/// One state and another.
pub fn plus(one: &State, other: &State) -> State {
	combined(one, other, |one, other| one + other)
}

/// One state less another.
pub fn minus(one: &State, other: &State) -> State {
	combined(one, other, |one, other| one - other)
}

/// A state with each element changed.
pub fn mapped(state: &State, change: impl Fn(f64) -> f64) -> State {
	let mut mapped = state.clone();
	for (_, tensor) in &mut mapped.0 {
		tensor.data_mut().iter_mut().for_each(|value| *value = change(*value));
	}
	mapped
}

/// How far a state is from another, as a part of that one's length.
pub fn distance(from: &State, to: &State) -> f64 {
	minus(from, to).norm() / to.norm()
}

fn combined(one: &State, other: &State, combine: impl Fn(f64, f64) -> f64) -> State {
	let mut combined = one.clone();
	for ((_, tensor), (_, other)) in combined.0.iter_mut().zip(&other.0) {
		for (value, other) in tensor.data_mut().iter_mut().zip(other.data()) {
			*value = combine(*value, *other);
		}
	}
	combined
}
