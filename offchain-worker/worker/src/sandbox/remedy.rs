//! What the owner of a machine can do about a part that does not work on it.

use super::Part;
use std::fs;

/// Why a part is missing, and what helps.
pub fn text(part: Part, why: &str) -> String {
	let switch = |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).ok();
	format!("{why} ({})", advice(part, switch))
}

/// What helps. `switch` reads a setting of the kernel by its name below `/proc/sys`.
fn advice(part: Part, switch: impl Fn(&str) -> Option<String>) -> &'static str {
	let is = |name: &str, value: &str| switch(name).is_some_and(|set| set.trim() == value);
	match part {
		Part::Namespaces if is("kernel/apparmor_restrict_unprivileged_userns", "1") => {
			"AppArmor keeps user namespaces from programs that it does not know: `sysctl \
			 kernel.apparmor_restrict_unprivileged_userns=0`, or a profile for tequio-worker with \
			 the line `userns,`"
		},
		Part::Namespaces if is("kernel/unprivileged_userns_clone", "0") => {
			"this kernel keeps user namespaces for root: `sysctl kernel.unprivileged_userns_clone=1`"
		},
		Part::Namespaces if is("user/max_user_namespaces", "0") => {
			"user namespaces are switched off: `sysctl user.max_user_namespaces=10000`"
		},
		Part::Namespaces => {
			"a container has to allow `unshare` and `mount`, with Docker by --security-opt \
			 seccomp=unconfined --security-opt apparmor=unconfined; elsewhere the kernel needs \
			 CONFIG_USER_NS"
		},
		Part::Files => {
			"this takes Linux 5.13 or newer with landlock among its security modules: the boot \
			 parameter `lsm=` names them, /sys/kernel/security/lsm lists them"
		},
		Part::Filter => {
			"this takes a kernel with CONFIG_SECCOMP_FILTER on x86-64 or aarch64; a container has to \
			 allow `seccomp`"
		},
		Part::Limits => "whoever started the worker has to let it lower its own limits",
		Part::Cgroup => {
			"this takes cgroup v2 and a group that is the worker's own: `Delegate=yes` in its systemd \
			 unit, or `systemd-run --user --scope -p Delegate=yes tequio-worker ...`"
		},
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn advice_names_the_setting_that_is_in_the_way() {
		let with = |name: &'static str, value: &'static str| {
			advice(Part::Namespaces, move |asked| (asked == name).then(|| format!("{value}\n")))
		};
		let apparmor = with("kernel/apparmor_restrict_unprivileged_userns", "1");
		assert!(apparmor.contains("kernel.apparmor_restrict_unprivileged_userns=0"), "{apparmor}");
		assert!(apparmor.contains("userns,"), "{apparmor}");
		let for_root = with("kernel/unprivileged_userns_clone", "0");
		assert!(for_root.contains("kernel.unprivileged_userns_clone=1"), "{for_root}");
		let off = with("user/max_user_namespaces", "0");
		assert!(off.contains("user.max_user_namespaces="), "{off}");
		let allowed = with("user/max_user_namespaces", "96365");
		assert!(allowed.contains("seccomp=unconfined"), "{allowed}");
	}

	#[test]
	fn every_part_has_advice_of_its_own() {
		let parts = [Part::Namespaces, Part::Files, Part::Filter, Part::Limits, Part::Cgroup];
		let mut texts = parts.map(|part| advice(part, |_| None)).to_vec();
		texts.sort_unstable();
		texts.dedup();
		assert_eq!(texts.len(), parts.len());
		assert!(text(Part::Cgroup, "no cgroup").starts_with("no cgroup (this takes"));
	}
}
