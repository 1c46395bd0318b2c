//! A folder with files that are sound, and with all that may lie there instead.

#![allow(clippy::unwrap_used)]

use super::*;
use nix::{sys::stat::Mode, unistd::mkfifo};
use proptest::prelude::*;
use std::{
	os::unix::{fs::symlink, net::UnixListener},
	time::SystemTime,
};
use tempfile::TempDir;

const BYTES: &[u8] = b"weights";

fn folder() -> (TempDir, Folder) {
	let dir = tempfile::tempdir().unwrap();
	let path = dir.path().join("store");
	// One that is not there is not made: it may be a share that is not mounted.
	assert!(Folder::open(&path).unwrap_err().is_fault());
	fs::create_dir(&path).unwrap();
	let folder = Folder::open(&path).unwrap();
	(dir, folder)
}

/// Names in the folder.
fn names(folder: &Folder) -> Vec<String> {
	let entries = fs::read_dir(&folder.path).unwrap();
	let mut names: Vec<_> =
		entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
	names.sort();
	names
}

#[test]
fn what_is_put_is_got() {
	let (_dir, folder) = folder();
	for bytes in [BYTES, &[], &[7; 300_000]] {
		let hash = folder.put(bytes).unwrap();
		assert_eq!(hash, blake2_256(bytes));
		let length = u64::try_from(bytes.len()).unwrap();
		assert_eq!(folder.get(&hash, length).unwrap(), bytes);
		// Again, by whoever else shares the folder.
		let other = Folder::open(&folder.path).unwrap();
		assert_eq!(other.put(bytes).unwrap(), hash);
		assert_eq!(other.get(&hash, u64::MAX).unwrap(), bytes);
	}
	// One file each, and nothing else.
	assert_eq!(names(&folder).len(), 3);
	assert!(names(&folder).contains(&hex::encode(blake2_256(BYTES))));
}

#[test]
fn get_should_fail_when_it_is_not_there_or_too_long() {
	let (_dir, folder) = folder();
	let missing = folder.get(&[1; 32], 100).unwrap_err();
	assert!(matches!(&missing, StoreError::Missing(name) if *name == "01".repeat(32)));
	let hash = folder.put(BYTES).unwrap();
	let long = folder.get(&hash, 6).unwrap_err();
	assert!(matches!(long, StoreError::TooLong { length: 7, most: 6, .. }), "{long}");
	assert!(!missing.is_fault() && !long.is_fault());
}

#[test]
fn get_should_fail_when_the_bytes_are_others() {
	let (_dir, folder) = folder();
	let hash = folder.put(BYTES).unwrap();
	for other in [&b"weight"[..], b"weighty", b"", b"weights and more"] {
		fs::write(folder.path_of(&hash), other).unwrap();
		let refused = folder.get(&hash, 100).unwrap_err();
		assert!(matches!(refused, StoreError::Damaged(_)), "{refused}");
	}
	// Whoever has the right ones mends it.
	assert_eq!(folder.put(BYTES).unwrap(), hash);
	assert_eq!(folder.get(&hash, 7).unwrap(), BYTES);
}

#[test]
fn get_should_fail_when_it_is_no_file() {
	let (dir, folder) = folder();
	let hash = blake2_256(BYTES);
	let path = folder.path_of(&hash);
	let refuses = || {
		let refused = folder.get(&hash, 100).unwrap_err();
		assert!(matches!(refused, StoreError::NoFile(_)), "{refused}");
	};
	// A link to the right bytes is refused as well.
	let elsewhere = dir.path().join("elsewhere");
	fs::write(&elsewhere, BYTES).unwrap();
	symlink(&elsewhere, &path).unwrap();
	refuses();
	fs::remove_file(&path).unwrap();
	// Nobody writes to the pipe: whoever waited for that would wait for ever.
	mkfifo(&path, Mode::from_bits_truncate(0o600)).unwrap();
	refuses();
	fs::remove_file(&path).unwrap();
	// A folder that is this long may have a path too long for a socket.
	if let Ok(listener) = UnixListener::bind(&path) {
		refuses();
		drop(listener);
		fs::remove_file(&path).unwrap();
	}
	fs::create_dir(&path).unwrap();
	refuses();
	let failed = folder.put(BYTES).unwrap_err();
	assert!(failed.is_fault(), "{failed}");
	assert_eq!(names(&folder).len(), 1);
}

#[test]
fn a_link_is_replaced_and_not_written_through() {
	let (dir, folder) = folder();
	let elsewhere = dir.path().join("elsewhere");
	fs::write(&elsewhere, "mine").unwrap();
	symlink(&elsewhere, folder.path_of(&blake2_256(BYTES))).unwrap();
	let hash = folder.put(BYTES).unwrap();
	assert_eq!(folder.get(&hash, 7).unwrap(), BYTES);
	assert_eq!(fs::read(&elsewhere).unwrap(), b"mine");
}

#[test]
fn put_should_fail_when_the_folder_is_full() {
	let dir = tempfile::tempdir().unwrap();
	let folder = Folder::with_room(dir.path(), 10).unwrap();
	let hash = folder.put(BYTES).unwrap();
	let full = folder.put(b"more").unwrap_err();
	assert!(matches!(full, StoreError::Full { length: 4, held: 7, most: 10 }), "{full}");
	assert!(full.is_fault());
	// What is there takes no more room, and what fits finds some.
	assert_eq!(folder.put(BYTES).unwrap(), hash);
	folder.put(b"mor").unwrap();
	assert_eq!(names(&folder).len(), 2);
}

#[test]
fn strange_files_do_no_harm_and_old_unfinished_ones_go() {
	let (_dir, folder) = folder();
	let strange = ["..new", "weights.safetensors", "A0", " ", "\u{202e}x", ".7-0.new", ".7-1.new"];
	for name in strange {
		fs::write(folder.path.join(name), "x").unwrap();
	}
	symlink("/", folder.path.join("root")).unwrap();
	let old = SystemTime::now() - 2 * LEFT_BEHIND;
	let left = OpenOptions::new().write(true).open(folder.path.join(".7-0.new")).unwrap();
	left.set_modified(old).unwrap();
	let folder = Folder::open(&folder.path).unwrap();
	let hash = folder.put(BYTES).unwrap();
	assert_eq!(folder.get(&hash, 7).unwrap(), BYTES);
	let left = names(&folder);
	assert!(!left.contains(&".7-0.new".to_string()), "{left:?}");
	assert_eq!(left.len(), strange.len() - 1 + 2);
	assert_eq!(folder.held().unwrap(), 6 + 7);
}

#[test]
fn open_should_fail_when_it_is_no_folder() {
	let dir = tempfile::tempdir().unwrap();
	let file = dir.path().join("file");
	fs::write(&file, "mine").unwrap();
	assert!(Folder::open(&file).unwrap_err().is_fault());
}

proptest! {
	/// Whatever a file holds, only the bytes that its name says are handed out.
	#[test]
	fn nothing_else_is_handed_out(
		bytes in prop::collection::vec(any::<u8>(), 0..64),
		other in prop::collection::vec(any::<u8>(), 0..64),
		most in 0..80_u64,
	) {
		let (_dir, folder) = folder();
		let hash = folder.put(&bytes).unwrap();
		fs::write(folder.path_of(&hash), &other).unwrap();
		match folder.get(&hash, most) {
			Ok(got) => prop_assert!(got == bytes && got == other),
			Err(StoreError::TooLong { .. }) => prop_assert!(other.len() as u64 > most),
			Err(e) => prop_assert!(matches!(e, StoreError::Damaged(_)) && bytes != other),
		}
	}
}
