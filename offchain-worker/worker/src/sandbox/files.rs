//! Which files an engine sees and reads. It writes none, and executes none but itself.

use anyhow::ensure;
use landlock::{
	path_beneath_rules, Access, AccessFs, AccessNet, PathBeneath, Ruleset, RulesetAttr,
	RulesetCreatedAttr, RulesetStatus, Scope, ABI,
};
use std::{
	ffi::OsString,
	fs::File,
	io,
	os::unix::{ffi::OsStringExt, fs::FileExt},
	path::{Path, PathBuf},
};

/// Libraries, where they are looked up, and what the kernel tells about processors and pages. In a
/// root folder of its own an engine sees nothing else.
pub const VISIBLE: [&str; 14] = [
	"/lib",
	"/lib32",
	"/lib64",
	"/usr/lib",
	"/usr/lib32",
	"/usr/lib64",
	"/usr/local/lib",
	"/nix/store",
	"/gnu/store",
	"/etc/ld.so.cache",
	"/sys/devices/system/cpu",
	"/sys/devices/system/node",
	"/sys/kernel/mm/hugepages",
	"/sys/kernel/mm/transparent_hugepage",
];
/// What an engine may read about itself and the machine where it sees no other processes.
const OWN_PROC: [&str; 1] = ["/proc"];
/// The same where it does.
const SHARED_PROC: [&str; 3] = ["/proc/self", "/proc/cpuinfo", "/proc/meminfo"];

/// What we ask for; older kernels give what they know of it. The third version is the first that
/// keeps files from being shortened, the fourth knows TCP, the sixth signals and abstract sockets.
const VERSION: ABI = ABI::V6;

/// Forbids this process, and what it executes, all files but the engine, a folder of libraries and
/// what is visible. To map a library takes no right to execute it. `alone`: it sees no other
/// processes.
pub fn restrict(engine: &File, libraries: Option<&Path>, alone: bool) -> anyhow::Result<()> {
	let read = AccessFs::ReadFile | AccessFs::ReadDir;
	let execute = AccessFs::ReadFile | AccessFs::Execute;
	let proc: &[&str] = if alone { &OWN_PROC } else { &SHARED_PROC };
	let status = Ruleset::default()
		.handle_access(AccessFs::from_all(VERSION))?
		.handle_access(AccessNet::from_all(VERSION))?
		.scope(Scope::from_all(VERSION))?
		.create()?
		.add_rule(PathBeneath::new(engine, execute))?
		// The kernel executes it together with the engine.
		.add_rules(path_beneath_rules(loader_of(engine)?, execute))?
		.add_rules(path_beneath_rules(VISIBLE, read))?
		.add_rules(path_beneath_rules(libraries, read))?
		.add_rules(path_beneath_rules(proc, read))?
		.restrict_self()?;
	ensure!(status.ruleset != RulesetStatus::NotEnforced, "the kernel has no landlock");
	Ok(())
}

/// Bytes at the start of an ELF file that tell where its parts are, and bytes of a part's entry.
const HEADER: usize = 64;
const ENTRY: usize = 56;
/// Parts that a program may have, and bytes of a path. There are a dozen, and some 30.
const PARTS: u16 = 64;
const PATH: u64 = 4096;
/// The kind of part that names the loader.
const INTERPRETER: u32 = 3;

/// The loader that the kernel starts a program with. None for a program that needs none, or that is
/// no 64-bit ELF file, which the kernel will say.
fn loader_of(program: &File) -> io::Result<Option<PathBuf>> {
	let mut header = [0; HEADER];
	if program.read_at(&mut header, 0)? < HEADER || !header.starts_with(b"\x7fELF\x02\x01") {
		return Ok(None);
	}
	let (first, size, count) = (u64_at(&header, 32), u16_at(&header, 54), u16_at(&header, 56));
	for number in 0..count.min(PARTS) {
		let start = first.saturating_add(u64::from(size).saturating_mul(number.into()));
		let mut entry = [0; ENTRY];
		program.read_exact_at(&mut entry, start)?;
		let (kind, offset, length) = (u32_at(&entry, 0), u64_at(&entry, 8), u64_at(&entry, 32));
		if kind == INTERPRETER {
			let mut path = vec![0; usize::try_from(length.min(PATH)).unwrap_or_default()];
			program.read_exact_at(&mut path, offset)?;
			path.retain(|byte| *byte != 0);
			return Ok(Some(OsString::from_vec(path).into()));
		}
	}
	Ok(None)
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
	bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
	u16::from_le_bytes(bytes_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
	u32::from_le_bytes(bytes_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
	u64::from_le_bytes(bytes_at(bytes, at))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use proptest::prelude::*;
	use std::io::Write;

	fn file(bytes: &[u8]) -> File {
		let mut file = tempfile::tempfile().unwrap();
		file.write_all(bytes).unwrap();
		file
	}

	/// A header that says there is one part, and that part, which names a loader.
	fn program(loader: &[u8]) -> Vec<u8> {
		let mut bytes = vec![0; HEADER + ENTRY];
		bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
		bytes[32..40].copy_from_slice(&64_u64.to_le_bytes());
		bytes[54..56].copy_from_slice(&56_u16.to_le_bytes());
		bytes[56..58].copy_from_slice(&1_u16.to_le_bytes());
		bytes[64..68].copy_from_slice(&INTERPRETER.to_le_bytes());
		bytes[72..80].copy_from_slice(&120_u64.to_le_bytes());
		let length = u64::try_from(loader.len()).unwrap();
		bytes[96..104].copy_from_slice(&length.to_le_bytes());
		bytes.extend(loader);
		bytes
	}

	#[test]
	fn the_loader_of_a_program_is_found() {
		let found = loader_of(&file(&program(b"/lib/ld.so\0"))).unwrap();
		assert_eq!(found, Some("/lib/ld.so".into()));
		let ourselves = File::open(std::env::current_exe().unwrap()).unwrap();
		if let Some(loader) = loader_of(&ourselves).unwrap() {
			assert!(loader.exists(), "{loader:?}");
		}
	}

	#[test]
	fn what_is_no_program_has_no_loader() {
		for other in [&b""[..], b"#!/bin/sh\n", &[0; 200], b"\x7fELF\x01\x01"] {
			assert_eq!(loader_of(&file(other)).unwrap(), None);
		}
		let cut_off = &program(b"/lib/ld.so\0")[..125];
		assert!(loader_of(&file(cut_off)).is_err());
	}

	proptest! {
		#[test]
		fn no_file_is_too_strange(mut bytes in prop::collection::vec(any::<u8>(), 0..400)) {
			for start in [&b""[..], b"\x7fELF\x02\x01"] {
				let length = start.len().min(bytes.len());
				bytes[..length].copy_from_slice(&start[..length]);
				let _ = loader_of(&file(&bytes));
			}
		}
	}
}
