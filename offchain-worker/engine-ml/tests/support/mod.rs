//! Models, weights and data whose numbers anybody can make again.
// Each test file takes its own part of it.
#![allow(dead_code)]

pub use tequio_engine_ml::exam::Numbers;
use tequio_engine_ml::{dataset::Shard, Model, State, Tensor};

pub fn model(card: &str) -> Model {
	Model::parse(card.as_bytes()).unwrap()
}

/// The model `layers` on an input, both in JSON.
pub fn model_of(input: &str, layers: &str) -> Model {
	model(&format!(r#"{{"input": {input}, "layers": [{layers}]}}"#))
}

/// A convolution with this kernel, stride and padding, in JSON.
pub fn conv2d(filters: u32, [kernel, stride, padding]: [u32; 3], bias: bool) -> String {
	let sizes = format!(r#""kernel": {kernel}, "stride": {stride}, "padding": {padding}"#);
	format!(r#"{{"kind": "conv2d", "filters": {filters}, {sizes}, "bias": {bias}}}"#)
}

pub fn tensor(shape: &[usize], seed: u64) -> Tensor {
	let count = shape.iter().product();
	Tensor::new(shape.to_vec(), Numbers(seed).take(count).collect()).unwrap()
}

/// Weights between −1 and 1.
pub fn weights(model: &Model, seed: u64) -> State {
	let (mut weights, mut numbers) = (model.zeros(), Numbers(seed));
	for (_, tensor) in &mut weights.0 {
		tensor.data_mut().iter_mut().zip(&mut numbers).for_each(|(value, number)| *value = number);
	}
	weights
}

/// Samples as a shard: a safetensors file with `x` and `y`, read again.
pub fn shard(x: &Tensor, labels: &[u8], classes: u32) -> Shard {
	let shape = x.shape().iter().map(usize::to_string).collect::<Vec<_>>().join(",");
	let (end, rows) = (x.len() * 8, labels.len());
	let mut header = format!(
		r#"{{"x":{{"dtype":"F64","shape":[{shape}],"data_offsets":[0,{end}]}},"y":{{{}}}}}"#,
		format_args!(r#""dtype":"U8","shape":[{rows}],"data_offsets":[{end},{}]"#, end + rows)
	);
	while !header.len().is_multiple_of(8) {
		header.push(' ');
	}
	let mut bytes = u64::try_from(header.len()).unwrap().to_le_bytes().to_vec();
	bytes.extend(header.as_bytes());
	bytes.extend(x.data().iter().flat_map(|value| value.to_le_bytes()));
	bytes.extend(labels);
	Shard::read(&bytes, bytes.len(), classes).unwrap()
}

/// One block of ChaCha20 as Bernstein defined it, with a counter of 64 bits and a nonce of zeros.
fn block(seed: &[u8; 32], counter: u64) -> [u32; 16] {
	let mut start = [0_u32; 16];
	start[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
	for (word, bytes) in start[4..12].iter_mut().zip(seed.chunks_exact(4)) {
		*word = u32::from_le_bytes(bytes.try_into().unwrap());
	}
	start[12] = counter as u32;
	start[13] = (counter >> 32) as u32;
	let mut state = start;
	let rounds = [[0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15]];
	let diagonals = [[0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14]];
	for _ in 0..10 {
		for [a, b, c, d] in rounds.into_iter().chain(diagonals) {
			for (sum, add, turn, by) in [(a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)] {
				state[sum] = state[sum].wrapping_add(state[add]);
				state[turn] = (state[turn] ^ state[sum]).rotate_left(by);
			}
		}
	}
	std::array::from_fn(|place| state[place].wrapping_add(start[place]))
}

/// The signs of an element of a change in its projection by a seed: bit j is set where number j takes it
/// with a plus.
pub fn signs(seed: &[u8; 32], element: usize) -> u64 {
	let words = block(seed, (element / 8) as u64);
	let at = element % 8 * 2;
	u64::from(words[at]) | (u64::from(words[at + 1]) << 32)
}
