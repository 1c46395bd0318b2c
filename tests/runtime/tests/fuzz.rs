//! Malformed input at every door of the runtime: calls, transactions and genesis configurations.
//! None of it may stop the process or break an invariant; what is refused is refused with a typed
//! error. A genesis that a chain could not run by may stop the build of the genesis state, which
//! the node turns into an error, with one of the reasons below.
//!
//! The numbers are drawn from fixed seeds. What fails names seed, number and input.
//!
//! `TEQUIO_FUZZ_SECONDS` says for how long calls and transactions are tried: 600 is what a release
//! takes. Without it the first twelve thousand are, which take some seconds.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use codec::{DecodeLimit, Encode};
use frame_support::{
	genesis_builder_helper::build_state,
	storage::{with_transaction_unchecked, TransactionOutcome},
	MAX_EXTRINSIC_DEPTH,
};
use rand::{rngs::StdRng, seq::SliceRandom, Rng, SeedableRng};
use serde_json::{json, Value};
use sp_io::TestExternalities;
use sp_runtime::{
	generic::Preamble, traits::Dispatchable, transaction_validity::TransactionSource,
};
use std::{
	cell::RefCell,
	env,
	panic::{self, AssertUnwindSafe},
	thread,
	time::{Duration, Instant},
};
use tequio_runtime::{
	check_invariants, Executive, RuntimeCall, RuntimeGenesisConfig, RuntimeOrigin, System,
	UncheckedExtrinsic,
};
use tequio_runtime_tests::{crowd::Crowd, genesis, keys::Key, sign, World};

/// Where the random numbers of the calls and transactions begin.
const SEED: u64 = 20_261_121;
/// Malformed calls and transactions, at least.
const INPUTS: u32 = 12_000;
/// Of these in one block.
const PER_BLOCK: u32 = 100;
/// Malformed genesis configurations.
const CONFIGS: u32 = 2_000;
/// Why our own pallets refuse to begin a chain.
const REASONS: [&str; 3] = [
	"are out of the bounds that their documentation names",
	"max_attempts is 1 to 8, max_declines 1 to 3",
	"genesis leaves no room for two existential deposits",
];

/// What is being tried. Named if it ends in a panic.
struct Trial<'a> {
	seed: u64,
	number: u32,
	input: &'a [u8],
}

impl Drop for Trial<'_> {
	fn drop(&mut self) {
		if thread::panicking() {
			let Self { seed, number, input } = self;
			eprintln!("seed {seed}, number {number}, input {}", Hex(input));
		}
	}
}

struct Hex<'a>(&'a [u8]);

impl std::fmt::Display for Hex<'_> {
	fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
		self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
	}
}

/// Who sends what, and what becomes of it on the way.
struct Sender {
	crowd: Crowd,
	keys: Vec<Key>,
	rng: StdRng,
	/// Inputs that were calls or transactions after all.
	decoded: u32,
}

#[test]
fn malformed_calls_and_transactions_do_no_harm() {
	let mut world = World::new();
	let team = Crowd::team();
	world.enroll(&team);
	let keys = team.iter().flat_map(|owner| [owner.key.clone(), owner.device.key.clone()]);
	let keys: Vec<Key> = keys.chain([Key::named("Mallory")]).collect();
	let rng = StdRng::seed_from_u64(SEED);
	let mut sender = Sender { crowd: Crowd::new(team, SEED), keys, rng, decoded: 0 };

	let (begun, time) = (Instant::now(), time());
	let mut tried = 0;
	while tried < INPUTS || begun.elapsed() < time {
		world.block_of(|| {
			// Something for the malformed calls to be about.
			sender.crowd.act(4, |who, call| {
				let _ = call.dispatch(RuntimeOrigin::signed(who));
			});
			for _ in 0..PER_BLOCK {
				sender.send(tried);
				tried += 1;
			}
		});
	}
	println!(
		"{tried} inputs, of which {} were well-formed, in {:?}",
		sender.decoded,
		begun.elapsed()
	);
	assert!(sender.decoded > tried / 10, "only {} inputs could be decoded", sender.decoded);
}

/// For how long inputs are tried, if not only the least number of them.
fn time() -> Duration {
	let seconds = env::var("TEQUIO_FUZZ_SECONDS").map_or(0, |text| {
		text.parse().unwrap_or_else(|_| panic!("TEQUIO_FUZZ_SECONDS={text} is no number"))
	});
	Duration::from_secs(seconds)
}

#[test]
fn deeply_nested_calls_are_refused() {
	let remark = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
	let batch = pallet_utility::Call::batch { calls: vec![remark.clone()] };
	let remark = remark.encode();
	let batch = RuntimeCall::Utility(batch).encode();
	let around = batch.strip_suffix(remark.as_slice()).unwrap();

	let nested = |depth: usize| [around.repeat(depth), remark.clone()].concat();
	assert!(decode_call(&nested(3)).is_some());
	assert!(decode_call(&nested(100_000)).is_none());
}

impl Sender {
	/// Sends something malformed, or what a mutation has left well-formed.
	fn send(&mut self, number: u32) {
		let input = self.input();
		let _trial = Trial { seed: SEED, number, input: &input };
		let key = self.keys.choose(&mut self.rng).unwrap().clone();
		if let Some(call) = decode_call(&input) {
			self.decoded += 1;
			if self.rng.gen_bool(0.5) {
				let _ = call.dispatch(RuntimeOrigin::signed(key.account()));
			} else {
				offer(sign(&key, call));
			}
		} else if let Some(transaction) = decode_transaction(&input) {
			self.decoded += 1;
			offer(transaction);
		}
	}

	/// The encoding of a call or of a transaction with something changed in it; or anything.
	fn input(&mut self) -> Vec<u8> {
		let (_, call) = self.crowd.random_call();
		let mut bytes: Vec<u8> = match self.rng.gen_range(0..10) {
			0 => (0..self.rng.gen_range(0..300)).map(|_| self.rng.gen()).collect(),
			1..=3 => {
				let key = self.keys.choose(&mut self.rng).unwrap();
				sign(key, call).encode()
			},
			_ => call.encode(),
		};
		let (_, other) = self.crowd.random_call();
		mutate(&mut self.rng, &mut bytes, &other.encode());
		bytes
	}
}

/// Takes a transaction to the pool, and into the block if the pool would take it or a hostile
/// author could.
fn offer(transaction: UncheckedExtrinsic) {
	let best = System::parent_hash();
	let valid = with_transaction_unchecked(|| {
		let source = TransactionSource::External;
		let validity = Executive::validate_transaction(source, transaction.clone(), best);
		TransactionOutcome::Rollback(validity.is_ok())
	});
	// Nobody but the author sends what is bare, and a block with a wrong inherent is no block.
	if valid || !matches!(transaction.preamble, Preamble::Bare(_)) {
		with_transaction_unchecked(|| match Executive::apply_extrinsic(transaction) {
			Ok(_) => TransactionOutcome::Commit(()),
			Err(_) => TransactionOutcome::Rollback(()),
		});
	}
}

fn decode_call(mut bytes: &[u8]) -> Option<RuntimeCall> {
	RuntimeCall::decode_all_with_depth_limit(MAX_EXTRINSIC_DEPTH, &mut bytes).ok()
}

fn decode_transaction(mut bytes: &[u8]) -> Option<UncheckedExtrinsic> {
	UncheckedExtrinsic::decode_all_with_depth_limit(MAX_EXTRINSIC_DEPTH, &mut bytes).ok()
}

/// Changes one to four things in `bytes`, some with pieces of `other`.
fn mutate(rng: &mut StdRng, bytes: &mut Vec<u8>, other: &[u8]) {
	for _ in 0..rng.gen_range(1..=4) {
		let place = rng.gen_range(0..=bytes.len());
		let end = (place + rng.gen_range(1..=16)).min(bytes.len());
		match rng.gen_range(0..8) {
			0 => bytes.truncate(place),
			1 => drop(bytes.drain(place..end)),
			2 => bytes[place..end].fill(0),
			3 => bytes[place..end].fill(u8::MAX),
			4 => bytes[place..end].iter_mut().for_each(|byte| *byte = rng.gen()),
			5 => bytes[place..end].iter_mut().for_each(|byte| *byte ^= 1u8 << rng.gen_range(0..8)),
			6 => {
				let piece = bytes[place..end].to_vec();
				drop(bytes.splice(place..place, piece));
			},
			_ => {
				let start = rng.gen_range(0..=other.len());
				drop(bytes.splice(place..end, other[start..].iter().copied().take(end - place)));
			},
		}
	}
}

/// What came of the attempt to begin a chain.
#[derive(Debug)]
enum Beginning {
	/// There is a genesis state.
	Made,
	/// The configuration could not be read.
	Unreadable(String),
	/// The build of the state stopped, with the place and the reason.
	Stopped(String),
}

thread_local! {
	/// The last panic of this thread while it begins chains.
	static STOPPED: RefCell<Option<String>> = const { RefCell::new(None) };
}

#[test]
fn malformed_genesis_configurations_are_refused() {
	silence_attempts();
	let sound = genesis(Value::Null);
	let mut rng = StdRng::seed_from_u64(SEED);
	let (mut made, mut refused) = (0, 0);
	for number in 0..CONFIGS {
		let mut config = sound.clone();
		for _ in 0..rng.gen_range(1..=3) {
			change(&mut rng, &mut config);
		}
		let mut bytes = serde_json::to_vec(&config).unwrap();
		if rng.gen_bool(0.3) {
			mutate(&mut rng, &mut bytes, br#"{"rules":{"seat_stake":-1}}"#);
		}
		let _trial = Trial { seed: SEED, number, input: &bytes };
		match begin(bytes.clone()) {
			Beginning::Made => made += 1,
			Beginning::Unreadable(reason) => {
				refused += 1;
				assert!(!reason.is_empty());
			},
			Beginning::Stopped(reason) => {
				refused += 1;
				assert!(is_documented(&reason), "{reason}");
			},
		}
	}
	assert!(made > 0 && refused > 0, "{made} made, {refused} refused");
}

#[test]
fn rules_out_of_bounds_are_refused() {
	silence_attempts();
	for (pallet, rules) in [
		("workers", json!({ "seat_stake": 0 })),
		("workers", json!({ "seat_period": 0 })),
		("workers", json!({ "half_life": 0 })),
		("verification", json!({ "draw_window": 0 })),
		("verification", json!({ "draw_window": 16 })),
		("verification", json!({ "reveal_period": 0 })),
		("verification", json!({ "appeal_period": 0 })),
		("verification", json!({ "programs": { "floor": 0 } })),
		("verification", json!({ "search": { "auditors": 0 } })),
		("verification", json!({ "search": { "auditors": 7 } })),
		("verification", json!({ "panels": [2, 9, 31, 99] })),
		("verification", json!({ "panels": [3, 9, 9, 99] })),
		("verification", json!({ "panels": [3, 9, 31, 100] })),
		("verification", json!({ "challenge_level": 4 })),
		("verification", json!({ "bond_percent": 99 })),
		("tasks", json!({ "max_attempts": 0 })),
		("tasks", json!({ "max_attempts": 9 })),
		("tasks", json!({ "max_declines": 0 })),
		("tasks", json!({ "max_declines": 4 })),
	] {
		let patch = json!({ pallet: { "rules": rules } });
		let config = serde_json::to_vec(&genesis(patch)).unwrap();
		let beginning = begin(config);
		let Beginning::Stopped(reason) = &beginning else {
			panic!("{pallet} {rules}: {beginning:?}")
		};
		assert!(is_documented(reason), "{pallet} {rules}: {reason}");
	}
	for (pallet, rules) in [
		("workers", json!({ "seat_stake": -1 })),
		("verification", json!({ "adversary": { "seats": "a third" } })),
		("tasks", json!({ "max_attempts": 256 })),
		("tasks", json!({ "no_such_rule": 1 })),
		("rewards", json!({ "fee_rate": null })),
	] {
		let mut config = genesis(Value::Null);
		for (name, value) in rules.as_object().unwrap() {
			config[pallet]["rules"][name] = value.clone();
		}
		let beginning = begin(serde_json::to_vec(&config).unwrap());
		assert!(matches!(beginning, Beginning::Unreadable(_)), "{pallet} {rules}: {beginning:?}");
	}
}

/// Builds a genesis state.
fn begin(config: Vec<u8>) -> Beginning {
	let mut state = TestExternalities::default();
	STOPPED.set(Some(String::new()));
	let built = panic::catch_unwind(AssertUnwindSafe(|| {
		state.execute_with(|| build_state::<RuntimeGenesisConfig>(config))
	}));
	let stopped = STOPPED.take();
	match built {
		Ok(Ok(())) => {
			state.execute_with(check_invariants).expect("every invariant holds at genesis");
			Beginning::Made
		},
		Ok(Err(reason)) => Beginning::Unreadable(reason),
		Err(_) => Beginning::Stopped(stopped.unwrap_or_default()),
	}
}

/// Keeps the panics of attempts to begin a chain instead of printing them; all others are printed.
fn silence_attempts() {
	let print = panic::take_hook();
	panic::set_hook(Box::new(move |info| {
		let attempting = STOPPED.with_borrow(Option::is_some);
		if attempting {
			STOPPED.set(Some(info.to_string()));
		} else {
			print(info);
		}
	}));
}

/// Whether the SDK's own pallets stopped, or one of ours for a reason that it names.
fn is_documented(reason: &str) -> bool {
	let ours = !reason.contains("/registry/");
	!ours || REASONS.iter().any(|known| reason.contains(known))
}

/// Replaces, removes or adds something somewhere in a configuration.
fn change(rng: &mut StdRng, value: &mut Value) {
	let deeper = rng.gen_bool(0.8);
	match value {
		Value::Object(fields) if deeper && !fields.is_empty() => {
			let names: Vec<String> = fields.keys().cloned().collect();
			let name = names.choose(rng).unwrap();
			match rng.gen_range(0..20) {
				0 => drop(fields.remove(name)),
				1 => drop(fields.insert("nonsense".into(), Value::Null)),
				_ => change(rng, &mut fields[name]),
			}
		},
		Value::Array(entries) if deeper && !entries.is_empty() => {
			let place = rng.gen_range(0..entries.len());
			match rng.gen_range(0..20) {
				0 => drop(entries.remove(place)),
				1 => entries.push(entries[place].clone()),
				_ => change(rng, &mut entries[place]),
			}
		},
		value => *value = other_value(rng),
	}
}

fn other_value(rng: &mut StdRng) -> Value {
	let values = [
		Value::Null,
		json!(true),
		json!(-1),
		json!(0),
		json!(1),
		json!(17),
		json!(u32::MAX),
		json!(u64::MAX),
		json!(1e300),
		json!(""),
		json!("5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQX"),
		json!("x".repeat(10_000)),
		json!([]),
		json!({}),
	];
	values.choose(rng).unwrap().clone()
}
