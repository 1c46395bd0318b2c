//! Where libtorch and the engine that needs it are on this machine.

use std::{
	env, fs,
	path::{Path, PathBuf},
};

/// File name of the engine.
pub const TORCH: &str = "tequio-engine-torch";
/// What says that a machine is to be tested without.
const WITHOUT: &str = "TEQUIO_WITHOUT_LIBTORCH";

/// The folder of libtorch, with the engine next to the worker. It is part of the folder that
/// `TEQUIO_LIBTORCH` names, or else of the cache folder, as in the scripts. None, which is said, where
/// the machine is to be tested without them; otherwise they have to be there.
pub fn folder() -> Option<PathBuf> {
	let named = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
	let home = || named("HOME").unwrap_or_default().join(".cache");
	let cache = || named("XDG_CACHE_HOME").unwrap_or_else(home).join("tequio");
	let libtorch = named("TEQUIO_LIBTORCH").unwrap_or_else(|| cache().join("libtorch"));
	let folder = libtorch.join("lib");
	let engine = Path::new(env!("CARGO_BIN_EXE_tequio-worker")).with_file_name(TORCH);
	let are_there = [folder.join("libtorch_cpu.so"), engine].map(|file| file.is_file());
	if are_there == [true; 2] {
		return Some(folder);
	}
	let [has_library, has_engine] = are_there;
	let found = format!("libtorch in {folder:?}: {has_library}; {TORCH}: {has_engine}");
	assert!(
		env::var_os(WITHOUT).is_some(),
		"{found}. `scripts/setup --libtorch` and `scripts/cargo build --torch` make both; with \
		 {WITHOUT}=1 this is left out"
	);
	eprintln!("SKIPPED, {WITHOUT} is set. {found}");
	None
}

/// Makes a folder that looks like that of libtorch to a worker, and like none to an engine.
pub fn pretend(folder: &Path) {
	fs::create_dir_all(folder).unwrap();
	fs::write(folder.join("libtorch_cpu.so"), "no library").unwrap();
}
