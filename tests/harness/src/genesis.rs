//! The chain that a network starts: the development preset, or other values over it.

use crate::process::binary;
use anyhow::{ensure, Context, Result};
use serde_json::Value;
use std::{ffi::OsStr, fs, path::Path, process::Command};

/// Writes the specification of a chain that starts from the development preset, with `patch` laid
/// over it.
///
/// It is a raw one: from any other, each start of a node would work out the genesis again, which
/// takes as long as everything else together.
pub fn write_specification(patch: Option<&Value>, path: &Path) -> Result<()> {
	let raw = match patch {
		None => export(["--raw", "--chain", "dev"])?,
		Some(patch) => {
			let mut plain: Value = serde_json::from_slice(&export(["--chain", "dev"])?)?;
			let genesis = plain.pointer_mut("/genesis/runtimeGenesis/patch");
			lay_over(genesis.context("a specification without a genesis patch")?, patch);
			fs::write(path, serde_json::to_vec(&plain)?)?;
			export([OsStr::new("--raw"), OsStr::new("--chain"), path.as_os_str()])?
		},
	};
	Ok(fs::write(path, raw)?)
}

fn export(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Result<Vec<u8>> {
	let mut command = Command::new(binary("tequio-node")?);
	let output = command.arg("export-chain-spec").args(args).output()?;
	ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
	Ok(output.stdout)
}

/// Goes into objects, member by member, and replaces everything else.
fn lay_over(base: &mut Value, patch: &Value) {
	match (base, patch) {
		(Value::Object(base), Value::Object(patch)) => {
			for (name, value) in patch {
				lay_over(base.entry(name.as_str()).or_insert(Value::Null), value);
			}
		},
		(base, patch) => *base = patch.clone(),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use serde_json::json;

	#[test]
	fn a_patch_changes_what_it_names() {
		let mut base = json!({ "tasks": { "rules": { "a": 1, "b": 2 } }, "list": [1, 2] });
		lay_over(&mut base, &json!({ "tasks": { "rules": { "b": 3, "c": 4 } }, "list": [5] }));
		let expected = json!({ "tasks": { "rules": { "a": 1, "b": 3, "c": 4 } }, "list": [5] });
		assert_eq!(base, expected);
	}
}
