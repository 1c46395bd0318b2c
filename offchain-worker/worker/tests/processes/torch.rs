//! Programs by the engine with libtorch: what is offered with it and without it, and chunks of
//! training through a worker with a store.

use crate::{
	libtorch::{folder, pretend, TORCH},
	setup::*,
};
use codec::{DecodeAll, Encode};
use serde_json::{json, Value};
use sp_crypto_hashing::blake2_256;
use std::{
	fs,
	path::{Path, PathBuf},
};
use tequio_interface::{
	job::{Job, JobState},
	program::{ProgramJob, ProgramResult, BANDED_F32, EXACT_F32, EXACT_F64, INTEGER},
	randomx,
	wire::{FromWorker, ToWorker, VERSION},
};

/// The engine in plain Rust, which leaves a folder if it is told of libraries.
const ML: (&str, &str) = (
	"tequio-engine-ml",
	"[ -z \"$LD_LIBRARY_PATH\" ] || mkdir -p \"$HERE/led astray\"\nexec \"$REAL\" \"$@\"",
);
/// Multiply-adds of a chunk are far fewer than those of a unit.
const UNITS: u32 = 1;
const CARD: &str = r#"{"input":[3],"layers":[
	{"kind":"dense","units":5,"bias":true},{"kind":"tanh"},{"kind":"dense","units":2,"bias":true}
]}"#;

/// Its store, which is made.
fn store(home: &Home) -> PathBuf {
	let store = home.dir().join("store");
	fs::create_dir_all(&store).unwrap();
	store
}

/// A worker with a store that looks for libtorch in a folder, and a node that it serves; the classes
/// that it offers.
fn start(home: &Home, libtorch: Option<&Path>) -> (Worker, Node, Vec<u16>) {
	let mut command = home.command();
	command.arg("--store").arg(store(home));
	command.args(libtorch.iter().flat_map(|dir| ["--libtorch".as_ref(), dir.as_os_str()]));
	let worker = home.start_by(&mut command);
	let mut node = worker.stranger();
	let told = node.hello(VERSION, GENESIS);
	let FromWorker::Hello { capabilities, .. } = told else { panic!("{told:?} is no hello") };
	let offered = capabilities.iter().map(|able| able.class).collect();
	(worker, node, offered)
}

/// The engine of a class, as the status tells it.
fn engine_of(worker: &Worker, class: u16) -> String {
	let mut node = worker.stranger();
	node.say(&ToWorker::Status);
	let FromWorker::Status(json) = node.hear().unwrap() else { panic!("no status") };
	let status: Value = serde_json::from_slice(&json).unwrap();
	let classes = status["classes"].as_array().unwrap();
	let found = classes.iter().find(|told| told["class"] == class).unwrap();
	found["engine"].as_str().unwrap().into()
}

/// Keeps bytes in a store; their hash in hexadecimal.
fn keep(store: &Path, bytes: &[u8]) -> String {
	let name = hex::encode(blake2_256(bytes));
	fs::write(store.join(&name), bytes).unwrap();
	name
}

/// A safetensors file of doubles, in tensors of these names and shapes, and maybe of labels `y`.
fn tensors(shapes: &[(&str, &[usize])], labels: &[u8]) -> Vec<u8> {
	let (mut listed, mut data) = (Vec::new(), Vec::new());
	// In this order, which a map in JSON would not keep.
	let mut list = |name: &str, kind: &str, shape: &[usize], bytes: &[u8]| {
		let offsets = [data.len(), data.len() + bytes.len()];
		let about = json!({ "dtype": kind, "shape": shape, "data_offsets": offsets });
		listed.push(format!("\"{name}\":{about}"));
		data.extend_from_slice(bytes);
	};
	for (name, shape) in shapes {
		let count = u32::try_from(shape.iter().product::<usize>()).unwrap();
		let numbers = (0..count).map(|number| f64::from(number * 37 % 101) / 101.0 - 0.5);
		let bytes: Vec<u8> = numbers.flat_map(f64::to_le_bytes).collect();
		list(name, "F64", shape, &bytes);
	}
	if !labels.is_empty() {
		list("y", "U8", &[labels.len()], labels);
	}
	let mut header = format!("{{{}}}", listed.join(",")).into_bytes();
	header.resize(header.len().next_multiple_of(8), b' ');
	let length = u64::try_from(header.len()).unwrap().to_le_bytes();
	[&length[..], &header, &data].concat()
}

/// A chunk of training of a class, of which everything is in the store.
fn chunk(store: &Path, task: u64, class: u16) -> Job {
	let weights: [(&str, &[usize]); 4] =
		[("0.weight", &[5, 3]), ("0.bias", &[5]), ("2.weight", &[2, 5]), ("2.bias", &[2])];
	let rows: Vec<u8> =
		[5_u32, 0, 1, 4, 2, 3, 5, 5].iter().flat_map(|row| row.to_le_bytes()).collect();
	let (steps, batch, payload) = match class {
		BANDED_F32 => (1, 8, "single"),
		_ => (2, 4, "grid"),
	};
	let manifest = json!({
		"version": 1,
		"card": keep(store, CARD.as_bytes()),
		"weights": keep(store, &tensors(&weights, &[])),
		"classes": 2,
		"chunks": [{ "train": {
			"shard": keep(store, &tensors(&[("x", &[6, 3])], &[0, 1, 1, 0, 1, 0])),
			"rows": keep(store, &rows),
			"schedule": { "steps": steps, "batch": batch, "micro_batch": 4 },
			"rule": { "kind": "sgd", "learning_rate": 100_000 },
			"payload": payload,
		}}],
	});
	let manifest = manifest.to_string().into_bytes();
	keep(store, &manifest);
	let job = ProgramJob {
		program: blake2_256(&manifest),
		chunk: 0,
		round: 0,
		inputs: vec![],
		units: UNITS,
		others: vec![],
		seed: None,
	};
	Job { key: key(task, 0), class, payload: job.encode() }
}

/// Has a job computed; its result, whose output is in the store.
fn compute(home: &Home, node: &mut Node, job: &Job) -> ProgramResult {
	assert_eq!(node.submit(job), JobState::Queued);
	let ended = node.outcome_of(&job.key);
	let JobState::Done(result) = ended else { panic!("{ended:?} in class {}", job.class) };
	let result = ProgramResult::decode_all(&mut result.as_slice()).unwrap();
	let output = fs::read(store(home).join(hex::encode(result.output))).unwrap();
	assert_eq!(blake2_256(&output), result.output);
	result
}

#[test]
fn chunks_of_training_are_computed_in_all_profiles() {
	let Some(libtorch) = folder() else { return };
	let home = Home::new();
	let (worker, mut node, offered) = start(&home, Some(&libtorch));
	// Each has passed its exam, as far confined as this machine allows it.
	assert_eq!(offered, [randomx::CLASS, EXACT_F64, EXACT_F32, BANDED_F32, INTEGER]);
	let classes = [(EXACT_F64, ML.0), (EXACT_F32, TORCH), (BANDED_F32, TORCH)];
	for ((class, engine), task) in classes.into_iter().zip(1..) {
		assert_eq!(engine_of(&worker, class), engine);
		let result = compute(&home, &mut node, &chunk(&store(&home), task, class));
		assert_eq!(result.projection.is_some(), class == BANDED_F32);
		if let Some(projection) = &result.projection {
			// It is the output, and names the change, which is in the store as well.
			assert_eq!(blake2_256(&projection.encode()), result.output);
			let change = fs::read(store(&home).join(hex::encode(projection.change))).unwrap();
			assert_eq!(blake2_256(&change), projection.change);
		}
		assert_eq!(result.near, Vec::<[u8; 32]>::new());
	}
}

#[test]
fn without_libtorch_nothing_in_32_bit_floats_is_offered() {
	let home = Home::new();
	let (_worker, _, offered) = start(&home, None);
	assert_eq!(offered, [randomx::CLASS, EXACT_F64, INTEGER]);
}

#[test]
fn an_engine_that_does_not_prove_itself_is_left_out_with_its_classes() {
	let told =
		"case \"$LD_LIBRARY_PATH\" in */libtorch/lib) mkdir -p \"$HERE/told\" ;; esac\nexit 1";
	let home = Home::with_scripts(&[ML, (TORCH, told)]);
	let libtorch = home.dir().join("libtorch").join("lib");
	pretend(&libtorch);
	let (worker, mut node, offered) = start(&home, Some(&libtorch));
	assert_eq!(offered, [EXACT_F64, INTEGER]);
	assert_eq!(engine_of(&worker, EXACT_F64), ML.0);
	compute(&home, &mut node, &chunk(&store(&home), 1, EXACT_F64));
	// Where libtorch is, that engine alone is told.
	assert!(home.has("told") && !home.has("led astray"));
}

#[test]
fn without_its_engine_libtorch_is_of_no_use() {
	let home = Home::with_scripts(&[ML]);
	let libtorch = home.dir().join("libtorch").join("lib");
	pretend(&libtorch);
	let (worker, _, offered) = start(&home, Some(&libtorch));
	assert_eq!(offered, [EXACT_F64, INTEGER]);
	assert_eq!(engine_of(&worker, EXACT_F64), ML.0);
}

#[test]
fn start_should_fail_when_libtorch_is_not_in_its_folder() {
	let home = Home::with_scripts(&[ML]);
	let mut command = home.command();
	command.arg("--store").arg(store(&home)).arg("--libtorch").arg(home.dir());
	let output = command.output().unwrap();
	assert!(!output.status.success());
	let said = String::from_utf8(output.stderr).unwrap();
	for part in ["libtorch_cpu.so", "scripts/setup --libtorch", "~/.cache/tequio/libtorch/lib"] {
		assert!(said.contains(part), "{said}");
	}
}
