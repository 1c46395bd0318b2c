//! The folder in which Tequio keeps what it can make or fetch again.

use anyhow::{Context, Result};
use std::{env, ffi::OsString, path::PathBuf};

/// `$XDG_CACHE_HOME/tequio`, or `$HOME/.cache/tequio` where the first is not set: that of the
/// scripts.
pub fn folder() -> Result<PathBuf> {
	let named = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
	place(named("XDG_CACHE_HOME"), named("HOME"))
		.context("there is no cache folder: set HOME or XDG_CACHE_HOME")
}

fn place(cache: Option<OsString>, home: Option<OsString>) -> Option<PathBuf> {
	let cache = cache.map(PathBuf::from);
	let parent = cache.or_else(|| home.map(|home| PathBuf::from(home).join(".cache")))?;
	Some(parent.join("tequio"))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_cache_folder_is_that_of_the_scripts() {
		let (cache, home) = (Some("/c".into()), Some("/h".into()));
		assert_eq!(place(cache, home.clone()), Some(PathBuf::from("/c/tequio")));
		assert_eq!(place(None, home), Some(PathBuf::from("/h/.cache/tequio")));
		assert_eq!(place(None, None), None);
	}
}
