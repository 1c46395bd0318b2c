//! What `tequio-worker bench` prints.

use crate::setup::*;
use serde_json::Value;

#[test]
fn an_engine_is_measured() {
	let home = Home::new();
	let output = home.run("bench", &[&LIGHT[..], &["--seconds", "1", "--json"]].concat());
	assert!(output.status.success(), "{output:?}");
	let figure: Value = serde_json::from_slice(&output.stdout).unwrap();
	assert_eq!(figure["class"], 0);
	assert_eq!(figure["engine"], ENGINE);
	assert_eq!(figure["mode"], "light");
	assert_eq!(figure["threads"], 2);
	assert!(figure["units_per_second"].as_f64().unwrap() > 0.0);
	assert!(figure["memory_bytes"].as_u64().unwrap() >= 256 << 20);
	assert!(figure["setup"].as_str().unwrap().starts_with("light"), "{figure}");
}

#[test]
fn people_are_told_what_was_measured_and_how() {
	let home = Home::new();
	let args = ["--seconds", "1", "--cpu-percent", "50", "--caches", "2", "--secure"];
	let output = home.run("bench", &[&LIGHT[..], &args].concat());
	assert!(output.status.success(), "{output:?}");
	let said = String::from_utf8(output.stdout).unwrap();
	assert!(said.contains("light, as --mode says"), "{said}");
	assert!(said.contains("hashes a second"), "{said}");
}

#[test]
fn bench_should_fail_when_there_is_no_engine() {
	let home = Home::with_engine(None);
	let output = home.run("bench", &LIGHT);
	assert!(!output.status.success());
	let said = String::from_utf8(output.stderr).unwrap();
	assert!(said.contains("--engine-dir"), "{said}");
}
