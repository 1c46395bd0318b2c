//! Cards: what is read, what is refused and why, and what models cost.
#![allow(clippy::unwrap_used, missing_docs)]

mod support;

use proptest::{collection::vec, prelude::*, sample::Index};
use support::{conv2d, model, model_of, weights};
use tequio_engine_ml::{
	aggregate::Rule,
	dataset::Samples,
	model::{
		Layer, LayerError, ModelError, Node, OverLimit, StateError, MAX_CARD_BYTES, MAX_LAYERS,
		MAX_SIZE,
	},
	network::{check_micro_batch, InputError},
	Cost, Limits, Model, Network, State, Tensor,
};

const RELU: &str = r#"{"kind": "relu"}"#;
const FLATTEN: &str = r#"{"kind": "flatten"}"#;
const NORM: &str = r#"{"kind": "layer_norm"}"#;

fn dense(units: u32) -> String {
	format!(r#"{{"kind": "dense", "units": {units}, "bias": true}}"#)
}

fn residual(layers: &str) -> String {
	format!(r#"{{"kind": "residual", "layers": [{layers}]}}"#)
}

/// LeNet-5 as it is usually written today, with ReLU: 28 × 28 pixels, ten classes.
fn lenet() -> String {
	let pool = r#"{"kind": "avg_pool2d", "kernel": 2, "stride": 2}"#;
	let first = format!("{}, {RELU}, {pool}", conv2d(6, [5, 1, 2], true));
	let second = format!("{}, {RELU}, {pool}", conv2d(16, [5, 1, 0], true));
	let head = format!("{}, {RELU}, {}, {RELU}, {}", dense(120), dense(84), dense(10));
	format!(r#"{{"input": [1, 28, 28], "layers": [{first}, {second}, {FLATTEN}, {head}]}}"#)
}

/// One block of a transformer over eight tokens.
fn transformer() -> String {
	let start = r#"{"kind": "embedding", "vocabulary": 32, "width": 16}"#;
	let positions = r#"{"kind": "position_embedding"}"#;
	let attention = r#"{"kind": "self_attention", "heads": 4, "causal": true}"#;
	let attention = residual(&format!("{NORM}, {attention}"));
	let gelu = r#"{"kind": "gelu"}"#;
	let feed_forward = residual(&format!("{NORM}, {}, {gelu}, {}", dense(64), dense(16)));
	let end = format!(r#"{NORM}, {{"kind": "global_avg_pool"}}, {}"#, dense(4));
	let layers = format!("{start}, {positions}, {attention}, {feed_forward}, {end}");
	format!(r#"{{"input": [8], "layers": [{layers}]}}"#)
}

fn refusal(input: &str, layers: &str) -> ModelError {
	let card = format!(r#"{{"input": {input}, "layers": [{layers}]}}"#);
	Model::parse(card.as_bytes()).unwrap_err()
}

fn layer_refusal(input: &str, layers: &str) -> (String, LayerError) {
	match refusal(input, layers) {
		ModelError::Layer { layer, error } => (layer, error),
		other => panic!("{other}"),
	}
}

#[test]
fn lenet_costs_what_a_hand_finds() {
	let model = model(&lenet());
	assert_eq!(model.classes(), 10);
	// Weights and biases of the five layers.
	let parameters = (150 + 6) + (2_400 + 16) + (48_000 + 120) + (10_080 + 84) + (840 + 10);
	// Products of the five layers, ReLU by element, windows of four by pooled element.
	let products = 150 * 784 + 2_400 * 100 + 48_000 + 10_080 + 840;
	let others = (4_704 + 1_600 + 120 + 84) + 4 * (1_176 + 400);
	// What goes into convolutions, dense layers and ReLU.
	let activations = 784 + 4_704 + 1_176 + 1_600 + 400 + 120 + 120 + 84 + 84;
	let expected = Cost {
		parameters,
		activations,
		transient: 2 * 4_704,
		scratch: 3 * 25 * 784,
		forward: products + others,
		backward: 2 * products + others,
	};
	assert_eq!((parameters, products), (61_706, 416_520), "the published figures");
	assert_eq!(*model.cost(), expected);
	assert_eq!(model.cost().peak_bytes(1), 8 * (6 * 61_706 + 9_072 + 9_408 + 58_800));
	assert_eq!(model.cost().peak_bytes(3), 8 * (6 * 61_706 + 3 * (9_072 + 9_408) + 58_800));
}

#[test]
fn a_transformer_costs_what_a_hand_finds() {
	let model = model(&transformer());
	let cost = model.cost();
	let (attention, dense) = (4 * 256 + 16, (1_024 + 64) + (1_024 + 16) + (64 + 4));
	assert_eq!(cost.parameters, 512 + 128 + 3 * 32 + attention + dense);
	// Four projections of 8 × 16, then 8 × 8 pairs, twice.
	let products = 8_192 + 2_048 + 8_192 + 8_192 + 64;
	let sums = 128 + 128 + 2 * 128 + 128;
	assert_eq!(cost.forward, products + 3 * 4 * 128 + 16 * 512 + sums);
	assert_eq!(cost.backward, 2 * products + 3 * 8 * 128 + 16 * 512 + sums);
	// Tokens, three norms with a deviation for each position, attention with four heads, the rest.
	let attention = 5 * 128 + 4 * 64;
	assert_eq!(cost.activations, 8 + 3 * (128 + 8) + attention + 128 + 512 + 512 + 16);
}

#[test]
fn aggregations_cost_what_a_hand_finds() {
	let model = model(&lenet());
	let cost = model.cost();
	let units = |contributions, rule| cost.aggregation_units(contributions, rule);
	let (trimmed, krum) = (Rule::TrimmedMean { trim: 1 }, Rule::MultiKrum { faulty: 1 });
	// 8 · (8 + 2) · 61,706 are 4.7 million, and 8² · 61,706 are 3.8.
	assert_eq!((units(8, Rule::Mean), units(8, trimmed), units(8, krum)), (5, 5, 4));
	// 8 · 66 · 61,706 are 31.1 units, and 64² · 61,706 are 241.04.
	assert_eq!((units(64, Rule::Mean), units(64, krum)), (32, 242));
	assert_eq!(cost.aggregation_bytes(64), (64 + 6) * 61_706 * 16);
	let small = model_of("[4]", &dense(2));
	assert_eq!(small.cost().aggregation_units(1, krum), 1, "no work is free");
	assert_eq!(cost.aggregation_bytes(usize::MAX), u64::MAX);
	assert_eq!(units(usize::MAX, krum), u64::MAX.div_ceil(1 << 20));
}

#[test]
fn a_walk_over_the_layers_meets_the_parameters_in_their_order() {
	fn walk<'n>(nodes: &'n [Node], input: &[usize], names: &mut Vec<&'n str>) {
		let mut shape = input.to_vec();
		for node in nodes {
			assert_eq!(node.input, shape);
			let before = names.len();
			names.extend(node.parameters.iter().map(|(name, _)| name.as_str()));
			assert_eq!(node.inner.is_empty(), !matches!(node.layer, Layer::Residual { .. }));
			walk(&node.inner, &node.input, names);
			assert_eq!(names.len() - before, node.parameter_count());
			shape.clone_from(&node.output);
		}
	}
	let model = model(&transformer());
	let mut names = Vec::new();
	walk(model.nodes(), model.input(), &mut names);
	let of_state: Vec<_> = model.zeros().0.into_iter().map(|(name, _)| name).collect();
	assert_eq!(names, of_state);
	assert_eq!(model.vocabulary(), Some(32));
}

#[test]
fn micro_batches_that_a_network_refuses_are_refused_before() {
	let model = model(&transformer());
	let network = Network::new(&model, weights(&model, 1)).unwrap();
	let refused = |tokens: f64, rows: usize, features: usize, labels: &[u32]| {
		let x = Tensor::new(vec![rows, features], vec![tokens; rows * features]).unwrap();
		let found = check_micro_batch(&model, &Samples { x: x.clone(), y: labels.to_vec() });
		let mut into = model.zeros();
		assert_eq!(network.add_gradients(x, labels, &mut into).map(|_| ()), found);
		found
	};
	assert_eq!(refused(31.0, 2, 8, &[0, 3]), Ok(()));
	assert_eq!(refused(31.0, 0, 8, &[]), Err(InputError::Samples(0)));
	let (found, expected) = (vec![7], vec![8]);
	assert_eq!(refused(31.0, 2, 7, &[0, 3]), Err(InputError::Shape { found, expected }));
	assert_eq!(refused(f64::NAN, 2, 8, &[0, 3]), Err(InputError::NotFinite));
	assert_eq!(refused(32.0, 2, 8, &[0, 3]), Err(InputError::NoSuchToken { vocabulary: 32 }));
	let labels = InputError::Labels { samples: 2, labels: 1 };
	assert_eq!(refused(31.0, 2, 8, &[0]), Err(labels));
	assert!(matches!(refused(31.0, 2, 8, &[0, 4]), Err(InputError::NoSuchClass(_))));
}

#[test]
fn parameters_are_named_by_place() {
	let model = model(&transformer());
	let names: Vec<_> = model.parameters().into_iter().map(|(name, _)| name.as_str()).collect();
	let attention = [
		"2.1.query.weight",
		"2.1.key.weight",
		"2.1.value.weight",
		"2.1.output.weight",
		"2.1.output.bias",
	];
	let before = ["0.weight", "1.weight", "2.0.weight", "2.0.bias"];
	assert_eq!(names[..4], before);
	assert_eq!(names[4..9], attention);
	assert_eq!(names[9..13], ["3.0.weight", "3.0.bias", "3.1.weight", "3.1.bias"]);
	assert_eq!(model.zeros().get("3.1.weight").unwrap().shape(), [64, 16]);
	assert!(model.check(&model.zeros()).is_ok());
}

#[test]
fn a_model_above_a_limit_is_refused_with_both_numbers() {
	let model = model(&lenet());
	let cost = model.cost();
	let enough = Limits {
		parameters: cost.parameters,
		activations: cost.activations,
		multiply_adds: cost.multiply_adds(),
		bytes: cost.peak_bytes(8),
	};
	assert_eq!(enough.check(cost, 8), Ok(()));
	let few = Limits { parameters: 61_705, ..enough };
	let refusal = OverLimit { what: "parameters", needed: 61_706, limit: 61_705 };
	assert_eq!(few.check(cost, 8), Err(refusal));
	assert_eq!(refusal.to_string(), "the model needs 61706 parameters; 61705 are the limit");
	assert_eq!(enough.check(cost, 9).unwrap_err().what, "bytes");
	let slow = Limits { multiply_adds: 1, ..enough };
	assert_eq!(slow.check(cost, 8).unwrap_err().what, "multiply-adds a sample");
	let small = Limits { activations: 1, ..enough };
	assert_eq!(small.check(cost, 8).unwrap_err().what, "activations a sample");
}

#[test]
fn batch_normalisation_is_refused_with_its_reason() {
	for kind in ["batch_norm", "batch_norm1d", "batch_norm2d"] {
		let layer = format!(r#"{{"kind": "{kind}", "momentum": [0.1, {{}}]}}"#);
		let (name, error) = layer_refusal("[4]", &format!("{}, {layer}", dense(2)));
		assert_eq!((name.as_str(), &error), ("1", &LayerError::BatchNorm));
		assert!(error.to_string().contains("use group_norm or layer_norm"));
	}
}

#[test]
fn cards_that_are_not_what_they_should_be_are_refused() {
	use ModelError::*;
	let malformed = |input: &str, layers: &str| matches!(refusal(input, layers), Malformed(_));
	assert!(malformed("[4]", r#"{"kind": "dropout", "rate": 1}"#));
	assert!(malformed("[4]", r#"{"kind": "dense", "units": 2}"#), "nothing has a default");
	assert!(malformed("[4]", r#"{"kind": "dense", "units": 2, "bias": true, "bias": true}"#));
	assert!(malformed("[4]", r#"{"kind": "dense", "units": 2, "bias": true, "x": 1}"#));
	assert!(malformed("[4]", r#"{"kind": "relu", "x": 1}"#));
	assert!(malformed("[4]", r#"{"kind": "dense", "units": 2.5, "bias": true}"#));
	assert!(malformed("[4]", r#"{"kind": "dense", "units": -2, "bias": true}"#));
	assert!(malformed("[4294967296]", &dense(2)));
	assert!(matches!(Model::parse(b""), Err(Malformed(_))));
	assert!(matches!(
		Model::parse(b"{\"input\": [4], \"layers\": [], \"x\": 1}"),
		Err(Malformed(_))
	));
	assert_eq!(refusal("[4]", ""), NoLayers);
	assert_eq!(refusal("[]", &dense(2)), InputRank(0));
	assert_eq!(refusal("[1, 1, 1, 1]", &dense(2)), InputRank(4));
	assert!(matches!(refusal("[0]", &dense(2)), Input(LayerError::OutOfBounds { value: 0, .. })));
	assert_eq!(refusal("[4]", &dense(1)), Output(vec![1]));
	assert_eq!(refusal("[4, 4]", &dense(3)), Output(vec![4, 3]));
	let long = vec![b' '; MAX_CARD_BYTES + 1];
	assert_eq!(Model::parse(&long), Err(CardTooLong(MAX_CARD_BYTES + 1)));
}

#[test]
fn layers_that_do_not_fit_are_refused() {
	use LayerError::*;
	let refused = |input: &str, layer: &str| layer_refusal(input, layer).1;
	let out = |field, value, least, most| OutOfBounds { field, value, least, most };
	assert_eq!(refused("[4]", &dense(0)), out("units", 0, 1, MAX_SIZE));
	assert!(matches!(refused("[1, 4, 4]", &dense(2)), Rank { .. }));
	assert!(matches!(refused("[4]", &conv2d(1, [3, 1, 1], true)), Rank { .. }));
	assert_eq!(refused("[1, 4, 4]", &conv2d(1, [0, 1, 0], true)), out("kernel", 0, 1, 64));
	assert_eq!(refused("[1, 4, 4]", &conv2d(1, [3, 0, 0], true)), out("stride", 0, 1, 64));
	assert_eq!(refused("[1, 4, 4]", &conv2d(1, [3, 1, 3], true)), out("padding", 3, 0, 2));
	let large = WindowTooLarge { kernel: 5, padding: 0, height: 4, width: 6 };
	assert_eq!(refused("[1, 4, 6]", &conv2d(1, [5, 1, 0], true)), large);
	let uneven = NotDivisible { what: "groups", parts: 3, features: 4 };
	assert_eq!(refused("[4, 2, 2]", r#"{"kind": "group_norm", "groups": 3}"#), uneven);
	let heads = r#"{"kind": "self_attention", "heads": 3, "causal": false}"#;
	let uneven = NotDivisible { what: "heads", parts: 3, features: 4 };
	assert_eq!(refused("[2, 4]", heads), uneven);
	assert_eq!(refused("[4]", &residual("")), EmptyResidual);
	let changed = ResidualShape { input: vec![4], output: vec![3] };
	assert_eq!(refused("[4]", &residual(&dense(3))), changed);
	let embedding = r#"{"kind": "embedding", "vocabulary": 9, "width": 2}"#;
	assert_eq!(refused("[4]", &format!("{}, {embedding}", dense(2))), EmbeddingNotFirst);
	assert_eq!(layer_refusal("[4]", &residual(embedding)), ("0.0".to_owned(), EmbeddingNotFirst));
	let huge = TooLarge { shape: vec![MAX_SIZE as usize, 1 << 10] };
	assert_eq!(refused("[1024]", &dense(MAX_SIZE)), huge);
}

#[test]
fn layers_are_counted_wherever_they_lie() {
	let relus = |count: usize| vec![RELU; count].join(", ");
	// One dense layer, one list, and what is inside.
	let most = format!("{}, {}", dense(2), residual(&relus(MAX_LAYERS - 2)));
	assert!(Model::parse(format!(r#"{{"input": [4], "layers": [{most}]}}"#).as_bytes()).is_ok());
	let more = format!("{}, {}", dense(2), residual(&relus(MAX_LAYERS - 1)));
	assert_eq!(refusal("[4]", &more), ModelError::TooManyLayers);
	let nested = |depth: usize| (0..depth).fold(RELU.to_owned(), |inner, _| residual(&inner));
	assert_eq!(model_of("[4]", &nested(8)).classes(), 4);
	assert!(matches!(refusal("[4]", &nested(9)), ModelError::TooDeep(_)));
	assert!(matches!(refusal("[4]", &nested(500)), ModelError::Malformed(_)));
}

#[test]
fn weights_of_another_model_are_refused() {
	let model = model_of("[4]", &dense(2));
	let sound = weights(&model, 1);
	assert!(Network::new(&model, sound.clone()).is_ok());
	let refused = |change: &dyn Fn(&mut State)| {
		let mut weights = sound.clone();
		change(&mut weights);
		Network::new(&model, weights).unwrap_err()
	};
	let count = refused(&|state| state.0.truncate(1));
	assert_eq!(count, StateError::Count { found: 1, expected: 2 });
	let name = refused(&|state| state.0.swap(0, 1));
	assert!(matches!(name, StateError::Name { place: 0, .. }));
	let shape = refused(&|state| state.0[0].1 = Tensor::zeros(&[4, 2]));
	assert!(matches!(shape, StateError::Shape { .. }));
	let wrong = refused(&|state| state.0[1].1.data_mut()[0] = f64::NAN);
	assert_eq!(wrong, StateError::NotFinite("0.bias".into()));
}

proptest! {
	#![proptest_config(ProptestConfig {
		cases: 2_000,
		failure_persistence: None,
		..Default::default()
	})]

	#[test]
	fn mutated_cards_are_refused_or_whole(
		changes in vec((any::<Index>(), any::<u8>(), 0_u8..3), 1..8),
		which in any::<bool>(),
	) {
		let card = if which { lenet() } else { transformer() };
		let mut card = card.into_bytes();
		for (place, byte, how) in changes {
			let place = place.index(card.len());
			match how {
				0 => card[place] = byte,
				1 => card.insert(place, byte),
				// Digits make the cards that are still read.
				_ => card[place] = b'0' + byte % 10,
			}
		}
		if let Ok(model) = Model::parse(&card) {
			prop_assert!(model.classes() >= 2);
			prop_assert!(model.cost().peak_bytes(u32::MAX) > 0);
			prop_assert!(!model.parameters().is_empty());
		}
	}

	#[test]
	fn random_bytes_are_no_card(bytes in vec(any::<u8>(), 0..200)) {
		prop_assert!(Model::parse(&bytes).is_err());
	}
}
