//! Chunks of training at every stage of it, and ways of cheating in one: the smallest of their kind
//! that gain something, or that do harm.

use crate::{
	support::{
		below, model, rows, samples, shard, weights, Numbers, CLASSES, CONVOLUTIONS, SGD,
		TRANSFORMER,
	},
	CHEATED,
};
use tequio_engine_ml::{
	dataset::Shard,
	optimiser::Millionths,
	train::{train, Schedule},
	Backend, Class, Model, Rule, State, Steps, Tensor,
};

/// Digits' size, and few enough parameters for thousands of chunks.
const PERCEPTRON: &str = r#"{"input": [64], "layers": [
	{"kind": "dense", "units": 16, "bias": true}, {"kind": "gelu"},
	{"kind": "dense", "units": 10, "bias": true}
]}"#;
/// Stages of the perceptron's training. From one to the next there are more and more steps: at the end
/// hardly a gradient is left.
const STAGES: usize = 100;
/// Stages in which a cheat can still change something that a step hands over. Later there is nothing to
/// gain and nothing to spoil: changes are below a unit of the grid in all.
const EARLY: usize = 20;
/// Learning rates of steps of descent, the largest that there is among them: it magnifies what honest
/// machines differ by beside the floor, which does not grow with it.
const RATES: [u32; 4] = [10_000, 100_000, 1_000_000, 100_000_000];
/// The one of steps that are cheated in.
const CHEATED_RATE: u32 = 1_000_000;
/// What a scaled change is multiplied with.
const SCALE: f64 = 1.01;

/// A way of cheating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cheat {
	/// The first step leaves out a sample.
	DroppedSample,
	/// The first sample has another label.
	WrongLabel,
	/// The weights are those of a stage before.
	StaleWeights,
	/// Gradients are computed from weights of 8 significant bits and rounded to as many.
	Bf16,
	/// The last step is left out.
	FewerSteps,
	/// The change is 1 % larger.
	ScaledUpdate,
}

impl Cheat {
	pub const ALL: [Self; 6] = [
		Self::DroppedSample,
		Self::WrongLabel,
		Self::StaleWeights,
		Self::Bf16,
		Self::FewerSteps,
		Self::ScaledUpdate,
	];

	pub fn name(self) -> &'static str {
		match self {
			Self::DroppedSample => "one sample dropped",
			Self::WrongLabel => "one label wrong",
			Self::StaleWeights => "weights of a stage before",
			Self::Bf16 => "bf16 arithmetic",
			Self::FewerSteps => "one step less",
			Self::ScaledUpdate => "change times 1.01",
		}
	}

	/// The change and the scale that a cheat claims.
	pub fn commit(self, chunk: &Chunk, class: Class, backend: &dyn Backend) -> (State, f64) {
		match self {
			Self::DroppedSample => chunk.without_a_sample(class, backend),
			Self::WrongLabel => {
				Chunk { shard: &chunk.relabelled(), ..chunk.clone() }.compute(class, backend)
			},
			Self::StaleWeights => {
				Chunk { weights: chunk.stale, ..chunk.clone() }.compute(class, backend)
			},
			Self::Bf16 => chunk.in_bf16(class, backend),
			Self::FewerSteps => chunk.without_a_step(class, backend),
			Self::ScaledUpdate => {
				let (change, scale) = chunk.compute(class, backend);
				(mapped(&change, |value| value * SCALE), scale)
			},
		}
	}
}

/// A chunk of training.
#[derive(Clone)]
pub struct Chunk<'a> {
	pub model: &'a Model,
	pub weights: &'a State,
	pub stale: &'a State,
	pub shard: &'a Shard,
	pub rows: Vec<u32>,
	pub schedule: Schedule,
	pub rate: Millionths,
}

impl Chunk<'_> {
	/// The change of an honest worker, and how large gradients are, where the class asks.
	pub fn compute(&self, class: Class, backend: &dyn Backend) -> (State, f64) {
		let Self { model, weights, shard, ref rows, ref schedule, rate, .. } = *self;
		let steps = Steps { model, weights, schedule, shard, rows };
		if class == Class::BandedF32 {
			let found = backend.descend(rate, &steps).unwrap();
			return (found.change, found.scale);
		}
		let found = backend.train(class, Rule::Sgd { learning_rate: rate }, &steps).unwrap();
		(found.change, 0.0)
	}

	/// The rows of each step.
	fn steps(&self) -> impl Iterator<Item = &[u32]> {
		self.rows.chunks_exact(self.schedule.batch as usize)
	}

	/// The change of single steps of these rows, one after another; what weights are rounded to before
	/// each of them, and its change after.
	fn one_by_one<'r>(
		&self,
		class: Class,
		backend: &dyn Backend,
		steps: impl Iterator<Item = &'r [u32]>,
		rounding: fn(f64) -> f64,
	) -> (State, f64) {
		let (mut weights, mut scale) = (self.weights.clone(), 0.0);
		for rows in steps {
			let batch = u32::try_from(rows.len()).unwrap();
			let schedule = Schedule { steps: 1, batch, ..self.schedule };
			let rounded = mapped(&weights, rounding);
			let (rows, weights_of) = (rows.to_vec(), &rounded);
			let step = Chunk { weights: weights_of, rows, schedule, ..self.clone() };
			let (change, size) = step.compute(class, backend);
			let change = mapped(&change, rounding);
			weights = joined(&weights, &change, |one, other| one + other);
			scale = size;
		}
		(joined(&weights, self.weights, |one, other| one - other), scale)
	}

	fn without_a_sample(&self, class: Class, backend: &dyn Backend) -> (State, f64) {
		let mut steps = self.steps();
		let first = &steps.next().unwrap()[1..];
		self.one_by_one(class, backend, std::iter::once(first).chain(steps), |value| value)
	}

	fn in_bf16(&self, class: Class, backend: &dyn Backend) -> (State, f64) {
		self.one_by_one(class, backend, self.steps(), bf16)
	}

	fn without_a_step(&self, class: Class, backend: &dyn Backend) -> (State, f64) {
		let steps = self.schedule.steps - 1;
		if steps == 0 {
			return (self.weights.zeros_like(), self.compute(class, backend).1);
		}
		let rows = self.rows[..(steps * self.schedule.batch) as usize].to_vec();
		let schedule = Schedule { steps, ..self.schedule };
		Chunk { rows, schedule, ..self.clone() }.compute(class, backend)
	}

	/// The shard with another label for the first row that is trained on.
	fn relabelled(&self) -> Shard {
		let samples = self.shard.samples();
		let mut labels: Vec<i64> = samples.y.iter().map(|label| i64::from(*label)).collect();
		let label = &mut labels[self.rows[0] as usize];
		*label = (*label + 1) % i64::from(CLASSES);
		shard(samples.x.shape(), samples.x.data(), &labels, CLASSES)
	}
}

/// A model on its way, from the first weights to the last, and what it learns from.
struct Subject {
	model: Model,
	stages: Vec<State>,
	shard: Shard,
}

/// What chunks are taken from. Everybody comes to the same: it is trained by the reference.
pub struct School {
	perceptron: Subject,
	others: [Subject; 2],
}

impl School {
	pub fn new() -> Self {
		let momentum =
			Rule::Momentum { learning_rate: Millionths(50_000), momentum: Millionths(900_000) };
		let more_and_more = |stage: u32| 1 + stage * stage / 20;
		let perceptron = Subject::new(PERCEPTRON, 320, STAGES, momentum, more_and_more);
		let others = [CONVOLUTIONS, TRANSFORMER].map(|card| Subject::new(card, 40, 4, SGD, |_| 2));
		Self { perceptron, others }
	}

	/// A chunk of two steps: of each twenty, one is a convolution's and one a transformer's. The first
	/// of them, in which others cheat, are early ones.
	pub fn chunk(&self, number: usize) -> Chunk<'_> {
		let (subject, batch) = match number % 20 {
			7 => (&self.others[0], 4),
			13 => (&self.others[1], 4),
			_ => (&self.perceptron, 16),
		};
		let schedule = Schedule { steps: 2, batch, micro_batch: batch };
		let stages = if number < CHEATED { EARLY } else { STAGES };
		let stage = 1 + number % (stages.min(subject.stages.len()) - 1);
		subject.chunk(number, stage, schedule, 50_000)
	}

	/// A step of descent of the perceptron. The first of them, in which others cheat, are early ones.
	pub fn step(&self, number: usize) -> Chunk<'_> {
		let (stages, rate) = if number < CHEATED {
			(EARLY, CHEATED_RATE)
		} else {
			(STAGES, RATES[number / 3 % RATES.len()])
		};
		let micro_batch = [32, 8, 12][number % 3];
		let schedule = Schedule { steps: 1, batch: 32, micro_batch };
		self.perceptron.chunk(number, 1 + number % (stages - 1), schedule, rate)
	}
}

impl Subject {
	/// Trains a model on so many samples, by a rule and as many steps from stage to stage as a function
	/// says.
	fn new(
		card: &str,
		count: usize,
		stages: usize,
		rule: Rule,
		steps: impl Fn(u32) -> u32,
	) -> Self {
		let model = model(card);
		let shard = samples(&model, count, 2);
		let mut all = vec![mapped(&weights(&model, 1), single)];
		while let (true, Some(last)) = (all.len() < stages, all.last()) {
			let stage = u32::try_from(all.len()).unwrap();
			let schedule = Schedule { steps: steps(stage), batch: 16, micro_batch: 16 };
			let rows = rows(&shard, (schedule.steps * 16) as usize, stage.into());
			let change = train(&model, last, rule, &schedule, &shard, &rows).unwrap().change;
			all.push(joined(last, &change, |one, other| single(one + other)));
		}
		Self { model, stages: all, shard }
	}

	fn chunk(&self, number: usize, stage: usize, schedule: Schedule, rate: u32) -> Chunk<'_> {
		let (weights, stale) = (&self.stages[stage], &self.stages[stage - 1]);
		let count = (schedule.steps * schedule.batch) as usize;
		let seed = below(&mut Numbers(number as u64), 1 << 30) as u64;
		let rows = rows(&self.shard, count, seed);
		let (model, shard, rate) = (&self.model, &self.shard, Millionths(rate));
		Chunk { model, weights, stale, shard, rows, schedule, rate }
	}
}

/// Each element changed by a function.
pub fn mapped(state: &State, change: impl Fn(f64) -> f64) -> State {
	joined(state, state, |value, _| change(value))
}

/// The elements of two states put together by a function.
fn joined(one: &State, other: &State, join: impl Fn(f64, f64) -> f64) -> State {
	let tensors = one.0.iter().zip(&other.0).map(|((name, one), (_, other))| {
		let values = one.data().iter().zip(other.data()).map(|(one, other)| join(*one, *other));
		(name.clone(), Tensor::new(one.shape().to_vec(), values.collect()).unwrap())
	});
	State(tensors.collect())
}

/// The nearest single. All weights are singles here, and all samples: a ReLU that is at the edge in the
/// one precision is at the edge in the other.
fn single(number: f64) -> f64 {
	f64::from(number as f32)
}

/// The nearest number of 8 significant bits, ties to even.
fn bf16(number: f64) -> f64 {
	let bits = (number as f32).to_bits();
	let half = 0x7fff + ((bits >> 16) & 1);
	f64::from(f32::from_bits(bits.wrapping_add(half) & 0xffff_0000))
}
