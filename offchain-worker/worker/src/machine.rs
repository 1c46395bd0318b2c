//! What this machine has, as far as engines care: memory, processors, their caches, huge pages, a
//! clock. The kernel's files are read at the edge and understood by pure functions.

use std::{
	collections::BTreeSet,
	fs, io,
	num::NonZeroUsize,
	path::{Path, PathBuf},
	thread,
};

/// Bytes that a thread fills of a processor's caches, by level: its share of the third is a
/// scratchpad of RandomX.
const CACHE_PER_THREAD: [(u32, u64); 2] = [(2, 256 << 10), (3, 2 << 20)];

/// Memory and processors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
	/// Bytes that can be taken without pushing anything out; `None` if the kernel does not tell.
	pub memory: Option<u64>,
	/// Whether a cgroup, not the machine, is what bounds them.
	pub is_confined: bool,
	/// Processors that this process may use.
	pub processors: NonZeroUsize,
	/// Threads that can hash at a time out of the processors' caches; `None` if the kernel does not
	/// tell.
	pub cached_threads: Option<usize>,
}

impl Machine {
	/// Looks.
	pub fn look() -> Self {
		let free = text("/proc/meminfo").and_then(|info| bytes(&info, "MemAvailable"));
		let groups = text("/proc/self/cgroup").unwrap_or_default();
		let room = group_folders(&groups).iter().filter_map(|dir| room_in(dir)).min();
		let memory = free.map(|free| room.map_or(free, |room| room.min(free)));
		Self {
			memory,
			is_confined: memory != free,
			processors: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
			cached_threads: cached_threads(&processor_caches()),
		}
	}
}

fn text(path: impl AsRef<Path>) -> Option<String> {
	fs::read_to_string(path).ok()
}

/// The bytes of a line such as `MemAvailable:   21577236 kB`.
pub fn bytes(text: &str, name: &str) -> Option<u64> {
	let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
	let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
	kilobytes.checked_mul(1024)
}

/// Where the memory limits of a process may lie, from its `/proc/PID/cgroup`: its group and those
/// around it, in either version of cgroups. In a container the outermost may be its own.
fn group_folders(text: &str) -> Vec<PathBuf> {
	let mut folders = Vec::new();
	for line in text.lines() {
		let mut fields = line.splitn(3, ':').skip(1);
		let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
		let roots: &[&str] = match controllers {
			"" => &["/sys/fs/cgroup", "/sys/fs/cgroup/unified"],
			some if some.split(',').any(|name| name == "memory") => &["/sys/fs/cgroup/memory"],
			_ => &[],
		};
		for root in roots {
			let group = Path::new(root).join(path.trim_start_matches('/'));
			let around = group.ancestors().take_while(|dir| dir.starts_with(root));
			folders.extend(around.map(PathBuf::from));
		}
	}
	folders
}

/// Bytes that a group still allows, if it has a limit. What files it caches gives way.
fn room_in(group: &Path) -> Option<u64> {
	let number = |name: &str| text(group.join(name))?.trim().parse::<u64>().ok();
	let version_2 = || number("memory.max").zip(number("memory.current"));
	let version_1 = || number("memory.limit_in_bytes").zip(number("memory.usage_in_bytes"));
	let (limit, used) = version_2().or_else(version_1)?;
	let counts = text(group.join("memory.stat")).unwrap_or_default();
	let gives_way = counted(&counts, "total_inactive_file")
		.or_else(|| counted(&counts, "inactive_file"))
		.unwrap_or(0);
	Some(limit.saturating_sub(used.saturating_sub(gives_way)))
}

/// The number of a line such as `inactive_file 4096`.
fn counted(text: &str, name: &str) -> Option<u64> {
	let mut lines = text.lines().filter_map(|line| line.split_once(' '));
	lines.find(|(key, _)| *key == name).and_then(|(_, value)| value.trim().parse().ok())
}

/// A cache of one processor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ProcessorCache {
	level: u32,
	/// Which processors share it, in the kernel's words.
	shared_by: String,
	bytes: u64,
}

/// Those of all processors, but for the ones that hold instructions alone.
fn processor_caches() -> Vec<ProcessorCache> {
	let folders = |dir: &Path, prefix: &'static str| {
		let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
		let named = entries.filter(move |entry| {
			let name = entry.file_name();
			let number = name.to_str().and_then(|name| name.strip_prefix(prefix));
			number.is_some_and(|number| number.parse::<u32>().is_ok())
		});
		named.map(|entry| entry.path())
	};
	let caches = folders(Path::new("/sys/devices/system/cpu"), "cpu")
		.flat_map(|processor| folders(&processor.join("cache"), "index").collect::<Vec<_>>());
	caches.filter_map(|cache| read_cache(&cache)).collect()
}

fn read_cache(dir: &Path) -> Option<ProcessorCache> {
	let word = |name: &str| text(dir.join(name)).map(|text| text.trim().to_string());
	if word("type")? == "Instruction" {
		return None;
	}
	let size = word("size")?;
	let kilobytes: u64 = size.strip_suffix('K')?.parse().ok()?;
	Some(ProcessorCache {
		level: word("level")?.parse().ok()?,
		shared_by: word("shared_cpu_list")?,
		bytes: kilobytes.checked_mul(1024)?,
	})
}

/// Threads for which there is room in each level that is there. A cache counts once.
fn cached_threads(caches: &[ProcessorCache]) -> Option<usize> {
	let distinct: BTreeSet<_> = caches.iter().collect();
	let room = |(level, per_thread): (u32, u64)| {
		let caches = distinct.iter().filter(|cache| cache.level == level);
		let bytes: u64 = caches.map(|cache| cache.bytes).sum();
		(bytes > 0).then_some(bytes / per_thread)
	};
	let fewest = CACHE_PER_THREAD.into_iter().filter_map(room).min()?;
	usize::try_from(fewest).ok()
}

/// Huge pages that an engine can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HugePages {
	/// When the kernel makes them by itself: `always`, `madvise` (where it is asked to) or `never`;
	/// `None` if it cannot.
	pub transparent: Option<String>,
	/// Pages of 2 MiB that were set aside and are free.
	pub free: u64,
}

impl HugePages {
	/// Looks.
	pub fn look() -> Self {
		let enabled = text("/sys/kernel/mm/transparent_hugepage/enabled");
		let free = text("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
		Self {
			transparent: enabled.as_deref().and_then(chosen),
			free: free.and_then(|free| free.trim().parse().ok()).unwrap_or(0),
		}
	}
}

/// The choice in brackets of a text such as `always [madvise] never`.
fn chosen(text: &str) -> Option<String> {
	let (choice, _) = text.split_once('[')?.1.split_once(']')?;
	Some(choice.to_string())
}

/// Whether the processor has what RandomX is fast with. Empty where that is not known.
pub fn processor_features() -> Vec<(&'static str, bool)> {
	#[allow(unused_mut)]
	let mut features = Vec::new();
	#[cfg(target_arch = "x86_64")]
	features.extend([
		("aes", std::arch::is_x86_feature_detected!("aes")),
		("ssse3", std::arch::is_x86_feature_detected!("ssse3")),
		("avx2", std::arch::is_x86_feature_detected!("avx2")),
	]);
	#[cfg(target_arch = "aarch64")]
	features.extend([("aes", std::arch::is_aarch64_feature_detected!("aes"))]);
	features
}

/// Whether the processor has AVX2, which a numerics profile is pinned to.
pub fn has_avx2() -> bool {
	processor_features().contains(&("avx2", true))
}

/// Whether something keeps the clock of this machine right.
pub fn is_clock_synchronised() -> io::Result<bool> {
	// SAFETY: the structure holds integers only, and with `modes` zero the call changes nothing but
	// this structure.
	let (state, status) = unsafe {
		let mut clock: libc::timex = std::mem::zeroed();
		(libc::adjtimex(&mut clock), clock.status)
	};
	if state < 0 {
		return Err(io::Error::last_os_error());
	}
	Ok(status & libc::STA_UNSYNC == 0)
}

/// Bytes, for people.
pub fn gib(bytes: u64) -> String {
	let tenths = bytes.saturating_mul(10) >> 30;
	format!("{}.{} GiB", tenths / 10, tenths % 10)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	#[test]
	fn lines_of_the_kernel_are_understood() {
		let info = "MemTotal:       24684092 kB\nMemAvailable:   21577236 kB\n";
		assert_eq!(bytes(info, "MemAvailable"), Some(21_577_236 * 1024));
		assert_eq!(bytes(info, "Mem"), None);
		assert_eq!(bytes(info, "HugetlbPages"), None);
		assert_eq!(chosen("always [madvise] never\n").as_deref(), Some("madvise"));
		assert_eq!(chosen("nothing"), None);
		assert_eq!(counted("cache 5\ninactive_file 4096\n", "inactive_file"), Some(4096));
	}

	#[test]
	fn every_group_around_a_process_is_looked_at() {
		let second = group_folders("0::/user.slice/app\n");
		assert!(second.contains(&"/sys/fs/cgroup/user.slice/app".into()));
		assert!(second.contains(&"/sys/fs/cgroup/user.slice".into()));
		assert!(second.contains(&"/sys/fs/cgroup".into()));
		assert!(!second.contains(&"/sys/fs".into()));
		let first = group_folders("5:cpu,cpuacct:/a\n4:memory:/b\nnonsense\n");
		let expected = ["/sys/fs/cgroup/memory/b", "/sys/fs/cgroup/memory"];
		assert_eq!(first, expected.map(PathBuf::from));
	}

	#[test]
	fn the_room_in_a_group_is_what_its_limit_leaves() {
		let dir = tempfile::tempdir().unwrap();
		assert_eq!(room_in(dir.path()), None);
		let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
		write("memory.max", "max\n");
		write("memory.current", "700\n");
		assert_eq!(room_in(dir.path()), None);
		write("memory.max", "1000\n");
		assert_eq!(room_in(dir.path()), Some(300));
		write("memory.stat", "anon 500\ninactive_file 200\n");
		assert_eq!(room_in(dir.path()), Some(500));
	}

	#[test]
	fn caches_that_processors_share_count_once() {
		let cache = |level, shared_by: &str, bytes| ProcessorCache {
			level,
			shared_by: shared_by.into(),
			bytes,
		};
		let third =
			[cache(3, "0-1", 16 << 20), cache(3, "0-1", 16 << 20), cache(3, "2-3", 4 << 20)];
		assert_eq!(cached_threads(&third), Some(10));
		let second = [cache(1, "0", 1 << 10), cache(2, "0", 512 << 10), cache(2, "1", 512 << 10)];
		assert_eq!(cached_threads(&second), Some(4));
		assert_eq!(cached_threads(&[third, second].concat()), Some(4));
		assert_eq!(cached_threads(&[]), None);
	}
}
