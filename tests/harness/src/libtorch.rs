//! libtorch on this machine: the library that `scripts/setup --libtorch` has fetched, and the programs
//! that are linked with it.

use crate::{cache, process::binary};
use anyhow::{ensure, Context, Result};
use std::{env, ffi::OsString, path::PathBuf};

/// The engine that computes with it.
const ENGINE: &str = "tequio-engine-torch";
/// What all the others need.
const LIBRARY: &str = "libtorch_cpu.so";

/// The folder with its shared libraries. Whatever is linked with it finds them by `LD_LIBRARY_PATH`.
///
/// It is part of the folder that `TEQUIO_LIBTORCH` names, or else of the cache folder, as in the
/// scripts.
pub fn folder() -> Result<PathBuf> {
	let named = env::var_os("TEQUIO_LIBTORCH").filter(|value| !value.is_empty());
	let lib = place(named, cache::folder)?;
	ensure!(
		lib.join(LIBRARY).exists(),
		"there is no {LIBRARY} in {}: run `scripts/setup --libtorch`",
		lib.display()
	);
	Ok(lib)
}

/// The engine that computes with it.
pub fn engine() -> Result<PathBuf> {
	program(ENGINE)
}

/// A program of the engine's workspace.
pub fn program(name: &str) -> Result<PathBuf> {
	binary(name).context("it is built by `scripts/cargo build --torch`")
}

fn place(named: Option<OsString>, cache: impl FnOnce() -> Result<PathBuf>) -> Result<PathBuf> {
	let libtorch = match named {
		Some(named) => PathBuf::from(named),
		None => cache()?.join("libtorch"),
	};
	Ok(libtorch.join("lib"))
}

#[cfg(test)]
mod tests {
	#![allow(clippy::unwrap_used)]

	use super::*;
	use std::path::Path;

	#[test]
	fn the_folder_is_that_of_the_scripts() {
		let cache = || Ok(PathBuf::from("/c/tequio"));
		assert_eq!(place(None, cache).unwrap(), Path::new("/c/tequio/libtorch/lib"));
		assert_eq!(place(Some("/own".into()), cache).unwrap(), Path::new("/own/lib"));
	}
}
