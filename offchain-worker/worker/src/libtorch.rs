//! The folder of libtorch, whose shared libraries an engine maps. They are no part of a release: the
//! owner of the machine puts them there.

use std::{
	io,
	os::unix::ffi::OsStrExt,
	path::{Path, PathBuf},
};

/// What has to be in the folder.
const LIBRARY: &str = "libtorch_cpu.so";
/// What the dynamic loader reads in a list of folders as something else than a letter.
const SPECIAL: &[u8] = b":;$";

/// Why a folder is none of libtorch.
#[derive(Debug, thiserror::Error)]
pub enum LibtorchError {
	/// There is no such folder, or none that can be found.
	#[error("--libtorch: no folder {dir:?} ({error}): {}", remedy())]
	NoFolder {
		/// The folder.
		dir: PathBuf,
		/// Why.
		error: io::Error,
	},
	/// There is something else in it.
	#[error("--libtorch: {LIBRARY} is not in {0:?}: {}", remedy())]
	NoLibrary(PathBuf),
	/// The dynamic loader would look elsewhere.
	#[error("--libtorch: {0:?} must not have ':', ';' or '$' in its name: move it elsewhere")]
	Name(PathBuf),
}

/// What to do.
pub fn remedy() -> &'static str {
	"`scripts/setup --libtorch` puts libtorch into ~/.cache/tequio/libtorch/lib, which is the folder \
	 to give"
}

/// What an owner is told where the engine that reads this folder stays root: finding and remedy.
pub fn for_root_alone(dir: &Path) -> (String, String) {
	let dir = dir.display();
	let finding = format!("the engine with libtorch runs as root: not everybody may read {dir}");
	let remedy = format!(
		"`chmod -R a+rX {dir}`; without namespaces everybody has to be able to list the folders above \
		 it as well"
	);
	(finding, remedy)
}

/// The folder by its absolute path, in which no link is left, if libtorch is there.
pub fn find(dir: &Path) -> Result<PathBuf, LibtorchError> {
	let found = dir.canonicalize();
	let found = found.map_err(|error| LibtorchError::NoFolder { dir: dir.into(), error })?;
	if !found.join(LIBRARY).is_file() {
		return Err(LibtorchError::NoLibrary(found));
	}
	if found.as_os_str().as_bytes().iter().any(|letter| SPECIAL.contains(letter)) {
		return Err(LibtorchError::Name(found));
	}
	Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use std::{fs, os::unix::fs::symlink};

	#[test]
	fn a_folder_is_found_through_links() {
		let home = tempfile::tempdir().unwrap();
		let lib = home.path().join("lib");
		fs::create_dir(&lib).unwrap();
		fs::write(lib.join(LIBRARY), "").unwrap();
		let link = home.path().join("link");
		symlink("lib", &link).unwrap();
		assert_eq!(find(&link).unwrap(), lib.canonicalize().unwrap());
	}

	#[test]
	fn find_should_fail_when_libtorch_is_not_there() {
		let home = tempfile::tempdir().unwrap();
		for dir in [home.path().to_path_buf(), home.path().join("none")] {
			let failed = find(&dir).unwrap_err().to_string();
			for part in ["--libtorch", "scripts/setup --libtorch", "~/.cache/tequio/libtorch/lib"] {
				assert!(failed.contains(part), "{failed}");
			}
		}
	}

	#[test]
	fn find_should_fail_when_the_loader_would_look_elsewhere() {
		let home = tempfile::tempdir().unwrap();
		for name in ["a:b", "a;b", "$ORIGIN"] {
			let dir = home.path().join(name);
			fs::create_dir(&dir).unwrap();
			fs::write(dir.join(LIBRARY), "").unwrap();
			assert!(matches!(find(&dir), Err(LibtorchError::Name(_))), "{name}");
		}
	}
}
