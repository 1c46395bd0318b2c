//! How much memory a thread holds.

use std::{
	alloc::{GlobalAlloc, Layout, System},
	cell::Cell,
};

/// The system's allocator, which counts what each thread holds.
struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
	static HELD: Cell<isize> = const { Cell::new(0) };
	static MOST_HELD: Cell<isize> = const { Cell::new(0) };
}

/// A layout never has more bytes than `isize` can count.
fn size(layout: Layout) -> isize {
	isize::try_from(layout.size()).unwrap_or(isize::MAX)
}

fn note(change: isize) {
	// A thread that ends has none of these any more, and is not measured.
	let held = HELD.try_with(|held| {
		held.set(held.get().wrapping_add(change));
		held.get()
	});
	if let Ok(held) = held {
		let _ = MOST_HELD.try_with(|most| most.set(most.get().max(held)));
	}
}

// SAFETY: every call is handed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		note(size(layout));
		// SAFETY: the caller keeps the promises of this very function.
		unsafe { System.alloc(layout) }
	}

	unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
		note(-size(layout));
		// SAFETY: the caller keeps the promises of this very function.
		unsafe { System.dealloc(place, layout) }
	}
}

/// Bytes that this thread holds.
pub fn held() -> isize {
	HELD.get()
}

/// What the work returns, and the bytes that it held at most.
pub fn measured<T>(work: impl FnOnce() -> T) -> (T, usize) {
	let before = HELD.get();
	MOST_HELD.set(before);
	let done = work();
	(done, usize::try_from(MOST_HELD.get() - before).unwrap())
}
