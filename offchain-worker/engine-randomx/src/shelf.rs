//! Which caches are kept: at most as many as there is room for. A new one takes the place of the
//! one that was used least recently, among those that nobody reads.

use crate::Key;
use core::num::NonZeroUsize;
use std::sync::Arc;

/// A shelf of caches of type `C`, by key.
#[derive(Debug)]
pub struct Shelf<C> {
	room: NonZeroUsize,
	places: Vec<Place<C>>,
	/// Counts uses.
	clock: u64,
}

#[derive(Debug)]
struct Place<C> {
	key: Key,
	/// None while it is being built.
	cache: Option<Arc<C>>,
	used: u64,
}

/// What is known of a key.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<C> {
	/// Its cache.
	Ready(Arc<C>),
	/// Somebody is building it.
	Building,
	/// Nothing.
	Absent,
}

/// A place for a cache to be built.
#[derive(Debug, PartialEq, Eq)]
pub enum Reserved<C> {
	/// There is room.
	Room,
	/// There is room in place of this one.
	Instead(C),
}

impl<C> Shelf<C> {
	/// An empty shelf.
	pub fn new(room: NonZeroUsize) -> Self {
		Self { room, places: Vec::new(), clock: 0 }
	}

	/// Looks a key up. Its cache is the one used most recently then.
	pub fn find(&mut self, key: &Key) -> Found<C> {
		let now = self.tick();
		match self.place(key) {
			Some(place) => {
				place.used = now;
				place.cache.clone().map_or(Found::Building, Found::Ready)
			},
			None => Found::Absent,
		}
	}

	/// The cache of a key, if it is ready.
	pub fn peek(&self, key: &Key) -> Option<&C> {
		self.places.iter().find(|place| place.key == *key)?.cache.as_deref()
	}

	/// Whether the cache of a key is ready or being built.
	pub fn has(&self, key: &Key) -> bool {
		self.places.iter().any(|place| place.key == *key)
	}

	/// Reserves a place for the cache of a key, which has none. None: all others are read or being
	/// built.
	pub fn reserve(&mut self, key: Key) -> Option<Reserved<C>> {
		let used = self.tick();
		if self.places.len() < self.room.get() {
			self.places.push(Place { key, cache: None, used });
			return Some(Reserved::Room);
		}
		let unread = |place: &&mut Place<C>| {
			place.cache.as_ref().is_some_and(|cache| Arc::strong_count(cache) == 1)
		};
		let place = self.places.iter_mut().filter(unread).min_by_key(|place| place.used)?;
		let cache = place.cache.take().and_then(Arc::into_inner);
		*place = Place { key, cache: None, used };
		// Only the shelf hands caches out, so one that nobody reads can be taken apart.
		Some(cache.map_or(Reserved::Room, Reserved::Instead))
	}

	/// Puts a cache on the place that was reserved for it.
	pub fn put(&mut self, key: &Key, cache: C) -> Arc<C> {
		let cache = Arc::new(cache);
		let now = self.tick();
		if let Some(place) = self.place(key) {
			place.cache = Some(cache.clone());
			place.used = now;
		}
		cache
	}

	/// Gives a place up that was reserved.
	pub fn cancel(&mut self, key: &Key) {
		self.places.retain(|place| place.key != *key || place.cache.is_some());
	}

	/// Takes the caches off that nobody reads.
	pub fn clear(&mut self) {
		self.places
			.retain(|place| place.cache.as_ref().is_none_or(|cache| Arc::strong_count(cache) > 1));
	}

	fn place(&mut self, key: &Key) -> Option<&mut Place<C>> {
		self.places.iter_mut().find(|place| place.key == *key)
	}

	fn tick(&mut self) -> u64 {
		self.clock = self.clock.saturating_add(1);
		self.clock
	}
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
	use super::*;

	fn key(number: u8) -> Key {
		Key::from([number; 32])
	}

	/// A shelf of so many places, with caches of these keys, in the order of their use. A cache is
	/// its key's number.
	fn shelf(room: usize, keys: &[u8]) -> Shelf<u8> {
		let mut shelf = Shelf::new(NonZeroUsize::new(room).unwrap());
		for number in keys {
			assert_eq!(shelf.reserve(key(*number)), Some(Reserved::Room));
			shelf.put(&key(*number), *number);
		}
		shelf
	}

	#[test]
	fn caches_are_found() {
		let mut shelf = shelf(2, &[1]);
		assert_eq!(shelf.find(&key(1)), Found::Ready(Arc::new(1)));
		assert_eq!(shelf.find(&key(2)), Found::Absent);
		assert_eq!(shelf.reserve(key(2)), Some(Reserved::Room));
		assert_eq!(shelf.find(&key(2)), Found::Building);
		assert!(shelf.has(&key(2)) && shelf.peek(&key(2)).is_none());
		shelf.put(&key(2), 2);
		assert_eq!(shelf.peek(&key(2)), Some(&2));
	}

	#[test]
	fn the_least_recently_used_goes() {
		let mut shelf = shelf(2, &[1, 2]);
		shelf.find(&key(1));
		assert_eq!(shelf.reserve(key(3)), Some(Reserved::Instead(2)));
		shelf.put(&key(3), 3);
		assert!(shelf.has(&key(1)) && !shelf.has(&key(2)));
		assert_eq!(shelf.reserve(key(4)), Some(Reserved::Instead(1)));
	}

	#[test]
	fn a_cache_that_is_read_stays() {
		let mut shelf = shelf(2, &[1, 2]);
		let Found::Ready(read) = shelf.find(&key(1)) else { panic!() };
		shelf.find(&key(2));
		assert_eq!(shelf.reserve(key(3)), Some(Reserved::Instead(2)));
		// The other place is being built on.
		assert_eq!(shelf.reserve(key(4)), None);
		drop(read);
		assert_eq!(shelf.reserve(key(4)), Some(Reserved::Instead(1)));
		assert_eq!(shelf.reserve(key(5)), None);
	}

	#[test]
	fn one_place_holds_one_cache() {
		let mut shelf = shelf(1, &[1]);
		let Found::Ready(read) = shelf.find(&key(1)) else { panic!() };
		assert_eq!(shelf.reserve(key(2)), None);
		drop(read);
		assert_eq!(shelf.reserve(key(2)), Some(Reserved::Instead(1)));
		assert!(!shelf.has(&key(1)));
	}

	#[test]
	fn a_cache_that_was_not_built_leaves_no_place() {
		let mut shelf = shelf(2, &[1]);
		shelf.reserve(key(2));
		shelf.cancel(&key(2));
		assert_eq!(shelf.find(&key(2)), Found::Absent);
		shelf.cancel(&key(1));
		assert!(shelf.has(&key(1)));
	}

	#[test]
	fn clearing_leaves_what_is_read_or_built() {
		let mut shelf = shelf(3, &[1, 2]);
		let _read = shelf.find(&key(1));
		shelf.reserve(key(3));
		shelf.clear();
		assert!(shelf.has(&key(1)) && !shelf.has(&key(2)) && shelf.has(&key(3)));
	}
}
