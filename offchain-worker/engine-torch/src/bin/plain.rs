//! `tequio-plain-torch`: what the engine is held against. The four models of the bench, written down
//! by hand with tch and trained by plain loops, one thread, without anything of the engine but what
//! pins a profile.
//!
//! ```text
//! tequio-plain-torch MODEL PROFILE BATCH STEPS
//! ```
//!
//! `MODEL` is `mlp`, `lenet`, `resnet20` or `transformer`; `PROFILE` is `exact-f64`, `exact-f32` or
//! `banded-f32`, in which there is no `relu` and no largest of a window; nobody checks here in doubles
//! what singles come to. The last line is an object with the parameters of the model and the samples
//! trained in a second.

use anyhow::{bail, ensure, Context};
use std::{env, time::Instant};
use tch::{Device, Kind, Reduction, Tensor};
use tequio_engine_torch::pins;

/// Steps that do not count.
const WARM_UP: usize = 2;
/// Classes that each model tells apart.
const CLASSES: i64 = 10;
/// The learning rate: slow enough for samples that teach nothing.
const RATE: f64 = 0.001;
/// Words of the transformer's samples.
const VOCABULARY: i64 = 256;
/// Features of the transformer.
const WIDTH: i64 = 128;
/// Its heads.
const HEADS: i64 = 4;
/// Words of a sample.
const WORDS: i64 = 64;
/// Groups of channels that are normalised together.
const GROUPS: i64 = 8;

/// Scores of a micro-batch.
type Model = Box<dyn Fn(&Tensor) -> Tensor>;

/// Weights as they are made, one layer after another.
struct Weights {
	kind: Kind,
	/// Whether no slope may jump.
	smooth: bool,
	all: Vec<Tensor>,
}

impl Weights {
	fn add(&mut self, values: Tensor) -> Tensor {
		let weight = values.set_requires_grad(true);
		self.all.push(weight.shallow_clone());
		weight
	}

	/// As large as keeps the sums of so many products at one.
	fn drawn(&mut self, shape: &[i64], products: i64) -> Tensor {
		let values = Tensor::randn(shape, (self.kind, Device::Cpu));
		self.add(values / (products as f64).sqrt())
	}

	fn zeros(&mut self, size: i64) -> Tensor {
		self.add(Tensor::zeros([size], (self.kind, Device::Cpu)))
	}

	fn ones(&mut self, size: i64) -> Tensor {
		self.add(Tensor::ones([size], (self.kind, Device::Cpu)))
	}

	fn activation(&self) -> fn(Tensor) -> Tensor {
		if self.smooth {
			|x| x.gelu("tanh")
		} else {
			|x| x.relu()
		}
	}

	/// One of each two by two.
	fn pool(&self) -> fn(Tensor) -> Tensor {
		if self.smooth {
			|x| x.avg_pool2d([2, 2], [2, 2], [0, 0], false, true, None::<i64>)
		} else {
			|x| x.max_pool2d([2, 2], [2, 2], [0, 0], [1, 1], false)
		}
	}

	fn dense(&mut self, features: i64, units: i64) -> Model {
		let (weight, bias) = (self.drawn(&[units, features], features), self.zeros(units));
		Box::new(move |x| x.linear(&weight, Some(&bias)))
	}

	fn projection(&mut self) -> Model {
		let weight = self.drawn(&[WIDTH, WIDTH], WIDTH);
		Box::new(move |x| x.linear::<&Tensor>(&weight, None))
	}

	fn convolution(&mut self, channels: i64, filters: i64) -> Model {
		let weight = self.drawn(&[filters, channels, 5, 5], channels * 25);
		let bias = self.zeros(filters);
		Box::new(move |x| x.conv2d(&weight, Some(&bias), [1, 1], [2, 2], [1, 1], 1))
	}

	/// A convolution without bias, normalised.
	fn normalised(&mut self, channels: i64, filters: i64, stride: i64) -> Model {
		let weight = self.drawn(&[filters, channels, 3, 3], channels * 9);
		let (scale, shift) = (self.ones(filters), self.zeros(filters));
		Box::new(move |x| {
			x.conv2d::<&Tensor>(&weight, None, [stride; 2], [1, 1], [1, 1], 1).group_norm(
				GROUPS,
				Some(&scale),
				Some(&shift),
				1e-5,
				false,
			)
		})
	}

	fn layer_norm(&mut self) -> Model {
		let (scale, shift) = (self.ones(WIDTH), self.zeros(WIDTH));
		Box::new(move |x| x.layer_norm([WIDTH], Some(&scale), Some(&shift), 1e-5, false))
	}

	fn attention(&mut self) -> Model {
		let (query, key, value) = (self.projection(), self.projection(), self.projection());
		let output = self.dense(WIDTH, WIDTH);
		let options = (self.kind, Device::Cpu);
		let ahead = Tensor::full([WORDS, WORDS], f64::NEG_INFINITY, options).triu(1);
		let divided = |x: Tensor| x.view([-1, WORDS, HEADS, WIDTH / HEADS]).transpose(1, 2);
		Box::new(move |x| {
			let (query, key, value) = (divided(query(x)), divided(key(x)), divided(value(x)));
			let scores = query.matmul(&key.transpose(-1, -2)) / ((WIDTH / HEADS) as f64).sqrt();
			let heads = (scores + &ahead).softmax(-1, None::<Kind>).matmul(&value);
			output(&heads.transpose(1, 2).reshape([-1, WORDS, WIDTH]))
		})
	}
}

fn perceptron(weights: &mut Weights) -> Model {
	let (hidden, output) = (weights.dense(64, 128), weights.dense(128, CLASSES));
	let active = weights.activation();
	Box::new(move |x| output(&active(hidden(x))))
}

fn lenet(weights: &mut Weights) -> Model {
	let (first, second) = (weights.convolution(1, 32), weights.convolution(32, 64));
	let (hidden, output) = (weights.dense(64 * 7 * 7, 360), weights.dense(360, CLASSES));
	let (active, pool) = (weights.activation(), weights.pool());
	Box::new(move |x| {
		let x = pool(active(second(&pool(active(first(x))))));
		output(&active(hidden(&x.flatten(1, -1))))
	})
}

fn resnet(weights: &mut Weights) -> Model {
	let (first, mut blocks) = (weights.normalised(3, 16, 1), Vec::new());
	let mut channels = 16;
	for (filters, first_stride) in [(16, 1), (32, 2), (64, 2)] {
		for stride in [first_stride, 1, 1] {
			let one = weights.normalised(channels, filters, stride);
			let two = weights.normalised(filters, filters, 1);
			blocks.push((one, two, stride == 1));
			channels = filters;
		}
	}
	let (output, active) = (weights.dense(channels, CLASSES), weights.activation());
	Box::new(move |x| {
		let mut x = active(first(x));
		for (one, two, shortcut) in &blocks {
			let y = two(&active(one(&x)));
			x = active(if *shortcut { x + y } else { y });
		}
		output(&x.mean_dim([2_i64, 3].as_slice(), false, None::<Kind>))
	})
}

fn transformer(weights: &mut Weights) -> Model {
	let (table, places) =
		(weights.drawn(&[VOCABULARY, WIDTH], WIDTH), weights.drawn(&[WORDS, WIDTH], WIDTH));
	let layers: Vec<_> = (0..2)
		.map(|_| {
			let attend = (weights.layer_norm(), weights.attention());
			let think = (weights.layer_norm(), weights.dense(WIDTH, 4 * WIDTH));
			(attend, think, weights.dense(4 * WIDTH, WIDTH))
		})
		.collect();
	let (normal, output) = (weights.layer_norm(), weights.dense(WIDTH, CLASSES));
	Box::new(move |x| {
		let mut x = Tensor::embedding(&table, x, -1, false, false) + &places;
		for ((first, attention), (second, wider), narrower) in &layers {
			x = &x + attention(&first(&x));
			x = &x + narrower(&wider(&second(&x)).gelu("tanh"));
		}
		output(&normal(&x).mean_dim([1_i64].as_slice(), false, None::<Kind>))
	})
}

/// A model, its weights, and the samples of a step.
fn make(name: &str, profile: &str, batch: i64) -> anyhow::Result<(Model, Weights, Tensor)> {
	let kind = if profile == "exact-f64" { Kind::Double } else { Kind::Float };
	let mut weights = Weights { kind, smooth: profile == "banded-f32", all: Vec::new() };
	let pixels = |shape: &[i64]| Tensor::rand([&[batch][..], shape].concat(), (kind, Device::Cpu));
	let (model, x) = match name {
		"mlp" => (perceptron(&mut weights), pixels(&[64])),
		"lenet" => (lenet(&mut weights), pixels(&[1, 28, 28])),
		"resnet20" => (resnet(&mut weights), pixels(&[3, 32, 32])),
		"transformer" => {
			let words = Tensor::randint(VOCABULARY, [batch, WORDS], (Kind::Int64, Device::Cpu));
			(transformer(&mut weights), words)
		},
		_ => bail!("there is no model `{name}`"),
	};
	Ok((model, weights, x))
}

/// Seconds that so many steps take.
fn train(model: &Model, weights: &mut Weights, x: &Tensor, y: &Tensor, steps: usize) -> f64 {
	let mut start = Instant::now();
	for step in 0..WARM_UP + steps {
		if step == WARM_UP {
			start = Instant::now();
		}
		weights.all.iter_mut().for_each(Tensor::zero_grad);
		let loss = model(x).cross_entropy_loss(y, None::<&Tensor>, Reduction::Mean, -100, 0.0);
		loss.backward();
		tch::no_grad(|| {
			for weight in &mut weights.all {
				*weight -= weight.grad() * RATE;
			}
		});
	}
	start.elapsed().as_secs_f64()
}

fn main() -> anyhow::Result<()> {
	let words: Vec<String> = env::args().skip(1).collect();
	let [name, profile, batch, steps] = words.as_slice() else {
		bail!("usage: tequio-plain-torch MODEL PROFILE BATCH STEPS");
	};
	match profile.as_str() {
		"exact-f64" | "banded-f32" => {},
		"exact-f32" => {
			pins::pin();
			pins::do_without_nnpack();
			pins::do_without_onednn();
		},
		_ => bail!("there is no profile `{profile}`"),
	}
	let batch: u32 = batch.parse().context("the batch is no number")?;
	let steps: usize = steps.parse().context("the steps are no number")?;
	ensure!(batch > 0 && steps > 0, "there is nothing to train");
	tch::set_num_threads(1);
	tch::manual_seed(1);
	let (model, mut weights, x) = make(name, profile, batch.into())?;
	let y = Tensor::randint(CLASSES, [i64::from(batch)], (Kind::Int64, Device::Cpu));
	let seconds = train(&model, &mut weights, &x, &y, steps);
	let parameters: usize = weights.all.iter().map(Tensor::numel).sum();
	let speed = f64::from(batch) * steps as f64 / seconds;
	println!(r#"{{"parameters": {parameters}, "samples_per_second": {speed}}}"#);
	Ok(())
}
