//! An engine is told what comes next while it computes, so that it can make ready for it.

use crate::setup::*;
use nix::{libc, sys::stat::Mode, unistd::mkfifo};
use std::{fs::OpenOptions, io::Read, os::unix::fs::OpenOptionsExt};
use tequio_interface::{
	engine::ToEngine,
	job::JobState,
	wire::{read_frame, ToWorker},
};

/// Says that it is ready, keeps its end of the pipe, and passes on what it is told.
const ECHO: &str = r#"printf '\003\000\000\000\000\000\000'; exec 3>&1 cat >"${0%/*}/heard""#;

#[test]
fn an_engine_is_told_which_job_is_next() {
	let home = Home::with_engine(Some(ECHO));
	let heard = home.engines.join("heard");
	mkfifo(&heard, Mode::from_bits_truncate(0o600)).unwrap();
	// Open for writing too, so that it is never without a writer.
	let mut open = OpenOptions::new();
	let mut pipe = open.read(true).write(true).custom_flags(libc::O_NONBLOCK).open(&heard).unwrap();
	let worker = home.start(&["--mode", "light", "--sandbox", "none"]);
	let mut node = worker.connect();
	let mut bytes = Vec::new();
	let mut hear = || {
		eventually("the engine is told something", || {
			let mut piece = [0; 4096];
			if let Ok(length) = pipe.read(&mut piece) {
				bytes.extend_from_slice(&piece[..length]);
			}
			let mut rest = bytes.as_slice();
			let message: ToEngine = read_frame(&mut rest).ok()?;
			bytes = rest.to_vec();
			Some(message)
		})
	};

	let (first, second, third) = (search(1, 10), search(2, 20), search(3, 30));
	node.submit(&first);
	node.await_state(&first.key, |state| *state == JobState::Running);
	assert_eq!(hear(), ToEngine::Run { id: 1, payload: first.payload.clone() });
	// A job that comes while another one is computed.
	node.submit(&second);
	assert_eq!(hear(), ToEngine::Expect { payload: second.payload.clone() });
	// Nothing changes for the engine, until the one that it expects is gone.
	node.submit(&third);
	node.await_state(&third.key, |state| *state == JobState::Queued);
	node.say(&ToWorker::Cancel(second.key));
	assert_eq!(hear(), ToEngine::Expect { payload: third.payload.clone() });
}
