//! First messages, which the other side understands in whatever version they come.
//!
//! These beginnings of a frame's message are the same in every version of the protocol, so that two
//! versions can at least tell each other what they are:
//!
//! ```text
//! node to worker    00 version(u16)     hello           03    what is your status?
//! worker to node    00 version(u16)     hello           01 00 version(u16)   refused: other version
//! ```

use crate::{
	job::Capability,
	wire::{FromWorker, Refusal, ToWorker, VERSION},
};
use codec::{Decode, DecodeAll, Error, Input};

/// What somebody says first to a worker process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeting {
	/// A node of our version says hello.
	Node {
		/// Genesis hash of its chain.
		genesis: [u8; 32],
	},
	/// A node of another version says hello.
	OtherVersion(u16),
	/// Somebody asks how the worker is.
	Status,
	/// Something that is not said first.
	OutOfTurn,
}

/// What a worker process answers to a hello.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Welcome {
	/// A worker of our version says hello.
	Worker {
		/// What it can do.
		capabilities: Vec<Capability>,
	},
	/// A worker of another version says hello, or says that it is one.
	OtherVersion(u16),
	/// The node is not served.
	Refused(Refusal),
	/// Something that does not answer a hello.
	OutOfTurn,
}

impl Decode for Greeting {
	fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
		let bytes = whole(input)?;
		match *bytes.as_slice() {
			[0, low, high, ..] if !is_ours(low, high) => Ok(Self::OtherVersion(version(low, high))),
			[3, ..] => Ok(Self::Status),
			_ => Ok(match ToWorker::decode_all(&mut bytes.as_slice())? {
				ToWorker::Hello { genesis, .. } => Self::Node { genesis },
				ToWorker::Status => Self::Status,
				ToWorker::Submit(_) | ToWorker::Cancel(_) => Self::OutOfTurn,
			}),
		}
	}
}

impl Decode for Welcome {
	fn decode<I: Input>(input: &mut I) -> Result<Self, Error> {
		let bytes = whole(input)?;
		match *bytes.as_slice() {
			[0, low, high, ..] | [1, 0, low, high, ..] if !is_ours(low, high) => {
				Ok(Self::OtherVersion(version(low, high)))
			},
			_ => Ok(match FromWorker::decode_all(&mut bytes.as_slice())? {
				FromWorker::Hello { capabilities, .. } => Self::Worker { capabilities },
				FromWorker::Refused(refusal) => Self::Refused(refusal),
				FromWorker::State(..) | FromWorker::Status(_) | FromWorker::Capabilities(_) => {
					Self::OutOfTurn
				},
			}),
		}
	}
}

/// The bytes of a frame's message.
fn whole(input: &mut impl Input) -> Result<Vec<u8>, Error> {
	let length = input.remaining_len()?.ok_or("a first message is read from a whole frame")?;
	let mut bytes = vec![0; length];
	input.read(&mut bytes)?;
	Ok(bytes)
}

fn version(low: u8, high: u8) -> u16 {
	u16::from_le_bytes([low, high])
}

fn is_ours(low: u8, high: u8) -> bool {
	version(low, high) == VERSION
}
