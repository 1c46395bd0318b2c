//! Digests of states: 32 bytes that stand for names, shapes and elements.
//!
//! ```text
//! digest = blake2_256("tequio-state" ‖ kind ‖ count ‖ tensor₁ ‖ … ‖ tensorₙ)
//! tensor = blake2_256(bytes of the name ‖ name ‖ dimensions ‖ size₁ ‖ … ‖ sizeₙ ‖ elements)
//! ```
//!
//! `kind` is one byte: 0 for doubles, 1 for grid units. `count`, the bytes of the name, the number
//! of dimensions and each size are u64, the name is UTF-8, and elements are eight bytes each in
//! row-major order: the IEEE 754 bits of a double, or a unit as i64. All integers are
//! little-endian. Two zeros of different sign are different doubles here.
//!
//! Tensors are hashed one by one, so that hashing needs memory for the largest of them alone, and
//! so that a quarrel about a state may be led to one tensor.

use super::GridState;
use crate::tensor::State;
use sp_crypto_hashing::blake2_256;

/// Keeps these digests from being anything else's.
const DOMAIN: &[u8] = b"tequio-state";

/// What the elements are.
#[derive(Clone, Copy)]
enum Kind {
	Doubles = 0,
	Units = 1,
}

/// Digest of weights in doubles.
pub fn state_digest(state: &State) -> [u8; 32] {
	let tensors = state.0.iter().map(|(name, tensor)| {
		let elements = tensor.data().iter().map(|element| element.to_le_bytes());
		tensor_digest(name, tensor.shape(), elements)
	});
	digest(Kind::Doubles, tensors.collect())
}

/// Digest of a change of weights in grid units.
pub fn grid_digest(state: &GridState) -> [u8; 32] {
	let tensors = state.0.iter().map(|(name, tensor)| {
		let elements = tensor.units().iter().map(|units| units.to_le_bytes());
		tensor_digest(name, tensor.shape(), elements)
	});
	digest(Kind::Units, tensors.collect())
}

fn digest(kind: Kind, tensors: Vec<[u8; 32]>) -> [u8; 32] {
	let mut bytes = DOMAIN.to_vec();
	bytes.push(kind as u8);
	append_length(&mut bytes, tensors.len());
	bytes.extend(tensors.into_iter().flatten());
	blake2_256(&bytes)
}

fn tensor_digest(name: &str, shape: &[usize], elements: impl Iterator<Item = [u8; 8]>) -> [u8; 32] {
	let mut bytes = Vec::new();
	append_length(&mut bytes, name.len());
	bytes.extend_from_slice(name.as_bytes());
	append_length(&mut bytes, shape.len());
	for size in shape {
		append_length(&mut bytes, *size);
	}
	for element in elements {
		bytes.extend_from_slice(&element);
	}
	blake2_256(&bytes)
}

fn append_length(bytes: &mut Vec<u8>, length: usize) {
	bytes.extend_from_slice(&(length as u64).to_le_bytes());
}
