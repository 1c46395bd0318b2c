//! Doubles of what a request meets: a store, and backends that are slightly or badly off.

use sp_crypto_hashing::blake2_256;
use std::{cell::Cell, collections::BTreeMap};
use tequio_engine_ml::{
	backend::{BackendError, Descent},
	blobs::{Blobs, Unavailable},
	optimiser::Millionths,
	train, Backend, Class, Model, Reference, Rule, State, Steps, Trained,
};

/// Bytes by their hash.
#[derive(Default)]
pub struct Store(pub BTreeMap<[u8; 32], Vec<u8>>);

impl Store {
	/// Adds bytes; their hash.
	pub fn keep(&mut self, bytes: Vec<u8>) -> [u8; 32] {
		let hash = blake2_256(&bytes);
		self.0.insert(hash, bytes);
		hash
	}
}

impl Blobs for Store {
	fn fetch(&mut self, hash: &[u8; 32], most: u64) -> Result<Vec<u8>, Unavailable> {
		let found = self.0.get(hash).filter(|bytes| bytes.len() as u64 <= most);
		found.cloned().ok_or(Unavailable::Missing)
	}
}

/// A backend whose changes are those of the reference, in all classes, times a factor.
pub struct Off {
	pub factor: f64,
	/// Times that it was asked.
	pub asked: Cell<u32>,
}

impl Off {
	pub fn by(factor: f64) -> Self {
		Self { factor, asked: Cell::new(0) }
	}

	fn shift(&self, mut change: State) -> State {
		self.asked.set(self.asked.get() + 1);
		for (_, tensor) in &mut change.0 {
			tensor.data_mut().iter_mut().for_each(|element| *element *= self.factor);
		}
		change
	}
}

impl Backend for Off {
	fn about(&self) -> String {
		"slightly off".into()
	}

	fn train(&self, _: Class, rule: Rule, steps: &Steps<'_>) -> Result<Trained, BackendError> {
		let Steps { model, weights, schedule, shard, rows } = *steps;
		let sound = train(model, weights, rule, schedule, shard, rows)?;
		Ok(Trained { change: self.shift(sound.change), ..sound })
	}

	fn descend(&self, rate: Millionths, steps: &Steps<'_>) -> Result<Descent, BackendError> {
		let sound = Reference.descend(rate, steps)?;
		Ok(Descent { change: singles(self.shift(sound.change)), ..sound })
	}
}

/// The reference, which says that it takes so many bytes besides.
pub struct Hungry(pub u64);

impl Backend for Hungry {
	fn about(&self) -> String {
		"hungry".into()
	}

	fn train(&self, class: Class, rule: Rule, steps: &Steps<'_>) -> Result<Trained, BackendError> {
		Reference.train(class, rule, steps)
	}

	fn descend(&self, rate: Millionths, steps: &Steps<'_>) -> Result<Descent, BackendError> {
		Reference.descend(rate, steps)
	}

	fn working_bytes(&self, _: &Model, _: u32) -> u64 {
		self.0
	}
}

/// The nearest singles.
pub fn singles(mut state: State) -> State {
	for (_, tensor) in &mut state.0 {
		let elements = tensor.data_mut().iter_mut();
		elements.for_each(|element| *element = f64::from(*element as f32) + 0.0);
	}
	state
}

/// A backend that gives this step, whatever it is asked for.
pub struct Fixed(pub Result<Descent, BackendError>);

impl Backend for Fixed {
	fn about(&self) -> String {
		"fixed".into()
	}

	fn train(&self, _: Class, _: Rule, _: &Steps<'_>) -> Result<Trained, BackendError> {
		let change = self.0.clone()?.change;
		Ok(Trained { change, losses: vec![] })
	}

	fn descend(&self, _: Millionths, _: &Steps<'_>) -> Result<Descent, BackendError> {
		self.0.clone()
	}
}
