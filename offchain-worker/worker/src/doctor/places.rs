//! Whether a worker can use its folder and its socket.

use super::Check;
use crate::{
	journal::{Journal, JournalError},
	status,
};
use nix::{sys::statvfs::statvfs, unistd::geteuid};
use std::{
	fs,
	io::{self, ErrorKind},
	os::unix::{
		ffi::OsStrExt,
		fs::{FileTypeExt, MetadataExt},
		net::UnixStream,
	},
	path::Path,
	process,
};

const BASE_PATH: &str = "base path";
const SOCKET: &str = "socket";
const STORE: &str = "store";
/// Bytes that a journal may come to need.
const ROOM: u64 = 256 << 20;
/// Bytes that the path of a socket may have.
const MAX_SOCKET_PATH: usize = 107;

/// The folder: whether it can be written to, whether it has room, and whether its journal can be
/// read.
pub fn base_path(dir: &Path) -> Check {
	let shown = dir.display();
	if !dir.exists() {
		let finding = format!("{shown} is not there yet; the worker makes it");
		return Check::ok(BASE_PATH, finding);
	}
	if let Err(e) = try_to_write(dir) {
		let remedy = "give the worker a folder of its own with --base-path, as its own user";
		return Check::problem(BASE_PATH, format!("{shown} cannot be written to: {e}"), remedy);
	}
	if let Some(room) = room(dir).filter(|room| *room < ROOM) {
		let finding = format!("{shown} has {} left", status::mib(room));
		return Check::warning(BASE_PATH, finding, "free some space: results are kept on the disk");
	}
	if !dir.join("journal").exists() {
		return Check::ok(BASE_PATH, format!("{shown} can be used; no journal yet"));
	}
	// As a worker does when it starts.
	match Journal::open(dir) {
		Ok((_, records)) => {
			Check::ok(BASE_PATH, format!("the journal in {shown} has {} records", records.len()))
		},
		Err(JournalError::InUse(_)) => Check::ok(BASE_PATH, format!("a worker uses {shown}")),
		Err(e) => {
			let remedy = "give another --base-path, or move the journal away; nodes hand in again \
			              what is not done";
			Check::problem(BASE_PATH, e.to_string(), remedy)
		},
	}
}

/// The folder of inputs and outputs: whether it can be written to, and whether it has room.
pub fn store(dir: &Path) -> Check {
	let shown = dir.display();
	if !dir.exists() {
		let remedy = "make it, or mount what belongs there: the worker does not start without it";
		return Check::problem(STORE, format!("{shown} is not there"), remedy);
	}
	if let Err(e) = try_to_write(dir) {
		let remedy = "let the worker's user write there, or give another folder with --store";
		return Check::problem(STORE, format!("{shown} cannot be written to: {e}"), remedy);
	}
	if let Some(room) = room(dir).filter(|room| *room < ROOM) {
		let finding = format!("{shown} has {} left", status::mib(room));
		return Check::warning(STORE, finding, "free some space: outputs are kept there");
	}
	Check::ok(STORE, format!("{shown} can be used"))
}

fn try_to_write(dir: &Path) -> io::Result<()> {
	let trial = dir.join(format!(".doctor-{}", process::id()));
	// Never through a link that somebody has laid there.
	fs::File::create_new(&trial)?;
	fs::remove_file(&trial)
}

/// Bytes that are left.
fn room(dir: &Path) -> Option<u64> {
	let system = statvfs(dir).ok()?;
	Some(system.blocks_available().saturating_mul(system.fragment_size()))
}

/// The socket: who listens, and who may connect.
pub fn socket(path: &Path) -> Vec<Check> {
	let shown = path.display();
	if path.as_os_str().as_bytes().len() > MAX_SOCKET_PATH {
		let finding =
			format!("{shown} is longer than the {MAX_SOCKET_PATH} bytes of a socket's path");
		return vec![Check::problem(SOCKET, finding, "give a shorter --socket")];
	}
	let found = match fs::symlink_metadata(path) {
		Ok(found) => found,
		Err(e) if e.kind() == ErrorKind::NotFound => return vec![nothing_there(path)],
		Err(e) => {
			let remedy = "run this as the user of the worker";
			return vec![Check::problem(SOCKET, format!("{shown}: {e}"), remedy)];
		},
	};
	if !found.file_type().is_socket() {
		let remedy = "move it away, or give another --socket";
		return vec![Check::problem(SOCKET, format!("{shown} is no socket"), remedy)];
	}
	vec![listener(path), permissions(found.mode(), found.uid(), geteuid().as_raw())]
}

fn nothing_there(path: &Path) -> Check {
	let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
	let folder = folder.unwrap_or(Path::new("."));
	if folder.is_dir() {
		Check::ok(SOCKET, format!("nobody listens on {}; a worker can", path.display()))
	} else {
		let finding = format!("there is no folder {}", folder.display());
		Check::problem(SOCKET, finding, "make it, or give another --socket")
	}
}

fn listener(path: &Path) -> Check {
	let shown = path.display();
	match UnixStream::connect(path) {
		Ok(_) => match status::ask(path).and_then(|json| status::read(&json)) {
			Ok(status) => {
				let (version, nodes) = (status.version, status.nodes);
				let finding = format!("a worker {version} listens on {shown}, nodes: {nodes}");
				Check::ok(SOCKET, finding)
			},
			Err(e) => {
				let remedy = "give another --socket, or stop what listens there";
				Check::warning(SOCKET, format!("{e:#}"), remedy)
			},
		},
		Err(e) if e.kind() == ErrorKind::ConnectionRefused => {
			let finding = format!("nobody listens on {shown} any more; a worker takes its place");
			Check::ok(SOCKET, finding)
		},
		Err(e) => {
			let remedy = "run this as the user of the worker";
			Check::problem(SOCKET, format!("{shown}: {e}"), remedy)
		},
	}
}

/// `mode` and `owner` of the socket, and who asks.
fn permissions(mode: u32, owner: u32, asks: u32) -> Check {
	let bits = mode & 0o777;
	if bits & 0o077 != 0 {
		let remedy = "others could connect, and are refused then: start the worker again";
		return Check::warning(SOCKET, format!("its permissions are {bits:o}, not 600"), remedy);
	}
	if owner != asks && asks != 0 {
		let finding = format!("it belongs to user {owner}");
		return Check::warning(SOCKET, finding, "a node has to run as that user, or as root");
	}
	Check::ok(SOCKET, format!("it belongs to user {owner} alone"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;
	use crate::doctor::Verdict;
	use std::os::unix::net::UnixListener;

	#[test]
	fn a_socket_is_for_its_user_alone() {
		assert_eq!(permissions(0o140_600, 5, 5).verdict, Verdict::Ok);
		assert_eq!(permissions(0o140_600, 5, 0).verdict, Verdict::Ok);
		assert_eq!(permissions(0o140_600, 5, 6).verdict, Verdict::Warning);
		assert_eq!(permissions(0o140_666, 5, 5).verdict, Verdict::Warning);
	}

	#[test]
	fn a_folder_is_looked_at_and_left_as_it_was() {
		let dir = tempfile::tempdir().unwrap();
		assert_eq!(base_path(&dir.path().join("new")).verdict, Verdict::Ok);
		assert_eq!(base_path(dir.path()).verdict, Verdict::Ok);
		assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
		drop(Journal::open(dir.path()).unwrap());
		assert!(base_path(dir.path()).finding.contains("0 records"));
		let _worker = Journal::open(dir.path()).unwrap();
		assert!(base_path(dir.path()).finding.contains("a worker uses"));
	}

	#[test]
	fn a_store_is_looked_at_and_left_as_it_was() {
		let dir = tempfile::tempdir().unwrap();
		let new = dir.path().join("new");
		assert_eq!(store(&new).verdict, Verdict::Problem);
		assert!(!new.exists());
		assert_eq!(store(dir.path()).verdict, Verdict::Ok);
		assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
		let file = dir.path().join("file");
		fs::write(&file, "mine").unwrap();
		assert_eq!(store(&file).verdict, Verdict::Problem);
	}

	#[test]
	fn a_journal_of_something_else_is_a_problem() {
		let dir = tempfile::tempdir().unwrap();
		fs::write(dir.path().join("journal"), "Dear diary, today I learned to count.").unwrap();
		assert_eq!(base_path(dir.path()).verdict, Verdict::Problem);
	}

	#[test]
	fn a_socket_is_one_or_can_become_one() {
		let dir = tempfile::tempdir().unwrap();
		let first = |path: &Path| socket(path).remove(0);
		assert_eq!(first(&dir.path().join("socket")).verdict, Verdict::Ok);
		assert_eq!(first(&dir.path().join("none/socket")).verdict, Verdict::Problem);
		let long = dir.path().join("x".repeat(MAX_SOCKET_PATH));
		assert!(first(&long).remedy.unwrap().contains("--socket"));
		let file = dir.path().join("file");
		fs::write(&file, "mine").unwrap();
		assert_eq!(first(&file).verdict, Verdict::Problem);
		let left = dir.path().join("left");
		drop(UnixListener::bind(&left).unwrap());
		assert!(first(&left).finding.contains("any more"));
	}
}
