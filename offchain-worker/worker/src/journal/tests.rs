//! The journal on a real disk, on one that fails and loses its power, and with bytes in it that are
//! no journal.

#![allow(clippy::unwrap_used)]

mod played;

use super::*;
use played::Played;
use proptest::{collection::vec, prelude::*, sample::Index};
use std::fs;

fn key(task: u64) -> JobKey {
	// The last byte is not zero, so zeros are no end of a record.
	JobKey {
		genesis: [1; 32],
		device: [2; 32],
		task,
		chunk: 3,
		attempt: 4,
		role: 1,
		order: [5; 32],
	}
}

fn records() -> Vec<Record> {
	let job = Job { key: key(5), class: 0, payload: vec![6; 70] };
	vec![
		Record::Chain([1; 32]),
		Record::Taken(job),
		Record::Done(key(5), vec![7; 40]),
		Record::Dropped(key(8)),
	]
}

fn bytes(records: &[Record]) -> Vec<u8> {
	let framed = records.iter().flat_map(|record| framed(record).unwrap());
	HEADER.iter().copied().chain(framed).collect()
}

/// A folder with these bytes for a journal.
fn folder(journal: &[u8]) -> tempfile::TempDir {
	let dir = tempfile::tempdir().unwrap();
	fs::write(dir.path().join(NAME), journal).unwrap();
	dir
}

/// What a journal holds, opened twice.
fn reopened(dir: &Path) -> Vec<Record> {
	let (_, found) = Journal::open(dir).unwrap();
	let (_, again) = Journal::open(dir).unwrap();
	assert_eq!(found, again);
	found
}

#[test]
fn records_are_read_back() {
	let dir = tempfile::tempdir().unwrap();
	let (mut journal, found) = Journal::open(dir.path()).unwrap();
	assert_eq!(found, vec![]);
	records().iter().for_each(|record| journal.append(record).unwrap());
	drop(journal);
	assert_eq!(fs::read(dir.path().join(NAME)).unwrap(), bytes(&records()));
	assert_eq!(reopened(dir.path()), records());
}

#[test]
fn a_journal_cut_off_anywhere_keeps_its_whole_records() {
	let whole = bytes(&records());
	for cut in 0..whole.len() {
		// The end is lost, or it is there and holds zeros.
		for zeros in [0, 1, 5, 60] {
			let disk = Played::holding([&whole[..cut], &vec![0; zeros]].concat());
			let (mut journal, found) = Journal::on(disk.clone()).unwrap();
			assert!(found.len() < records().len() && records().starts_with(&found), "cut at {cut}");
			// What is appended then is not lost behind the damage.
			journal.append(&Record::Dropped(key(9))).unwrap();
			let (_, again) = Journal::on(disk.after_power_loss()).unwrap();
			assert_eq!(again, [found, vec![Record::Dropped(key(9))]].concat());
		}
	}
	// And so on a real disk.
	let dir = folder(&whole[..whole.len() - 1]);
	let (mut journal, found) = Journal::open(dir.path()).unwrap();
	assert_eq!(found, records()[..3]);
	journal.append(&records()[3]).unwrap();
	drop(journal);
	assert_eq!(fs::read(dir.path().join(NAME)).unwrap(), whole);
}

#[test]
fn a_damaged_record_ends_the_journal() {
	let mut whole = bytes(&records());
	*whole.last_mut().unwrap() ^= 1;
	assert_eq!(reopened(folder(&whole).path()), records()[..3]);
}

#[test]
fn a_record_that_announces_too_much_ends_the_journal() {
	for announced in [u32::MAX, u32::try_from(MAX_BODY).unwrap() + 1] {
		let whole = bytes(&records());
		let damaged = [whole, announced.to_le_bytes().to_vec(), vec![1; 300_000]].concat();
		assert_eq!(reopened(folder(&damaged).path()), records());
	}
}

#[test]
fn a_file_of_zeros_is_an_empty_journal() {
	for size in [1, 17, 18, 5_000] {
		assert_eq!(reopened(folder(&vec![0; size]).path()), vec![]);
	}
}

#[test]
fn what_is_left_of_a_new_journal_is_not_read() {
	let dir = folder(&bytes(&records()));
	let left_over = dir.path().join(NEW_NAME);
	fs::write(&left_over, bytes(&records()[..1])).unwrap();
	let (mut journal, found) = Journal::open(dir.path()).unwrap();
	assert_eq!(found, records());
	journal.rewrite(&records()[..2]).unwrap();
	assert!(!left_over.exists());
	drop(journal);
	assert_eq!(reopened(dir.path()), records()[..2]);
}

#[test]
fn rewrite_should_fail_when_the_next_journal_cannot_be_made() {
	let dir = folder(&bytes(&records()));
	let in_the_way = dir.path().join(NEW_NAME);
	fs::create_dir(&in_the_way).unwrap();
	let (mut journal, _) = Journal::open(dir.path()).unwrap();
	assert!(matches!(journal.rewrite(&[]), Err(JournalError::Io { .. })));
	// The old one goes on.
	journal.append(&Record::Dropped(key(9))).unwrap();
	drop(journal);
	assert_eq!(reopened(dir.path()).len(), records().len() + 1);
}

#[test]
fn open_should_fail_when_the_folder_is_in_use() {
	let dir = tempfile::tempdir().unwrap();
	let _first = Journal::open(dir.path()).unwrap();
	assert!(matches!(Journal::open(dir.path()), Err(JournalError::InUse(_))));
}

#[test]
fn open_should_fail_when_the_file_is_something_else() {
	let diary = b"Dear diary, today I learned to count.";
	let of_version = |header: &[u8]| [header, &bytes(&records())[HEADER.len()..]].concat();
	let earlier = of_version(b"tequio journal 1\n");
	let later = of_version(b"tequio journal 3\n");
	let disk_image = [vec![0; 600], b"BOOT".to_vec()].concat();
	for other in [diary.as_slice(), &earlier, &later, &disk_image] {
		let dir = folder(other);
		assert!(matches!(Journal::open(dir.path()), Err(JournalError::Foreign(_))));
		assert_eq!(fs::read(dir.path().join(NAME)).unwrap(), other);
	}
}

#[test]
fn open_should_fail_when_the_file_cannot_be_read() {
	let dir = tempfile::tempdir().unwrap();
	fs::create_dir(dir.path().join(NAME)).unwrap();
	let failed = Journal::open(dir.path()).unwrap_err();
	assert!(failed.to_string().contains("journal"), "{failed}");
}

#[test]
fn append_should_fail_when_the_record_could_not_be_read_back() {
	let dir = tempfile::tempdir().unwrap();
	let (mut journal, _) = Journal::open(dir.path()).unwrap();
	let large = Record::Done(key(1), vec![0; MAX_BODY]);
	assert!(matches!(journal.append(&large), Err(JournalError::TooLong(_))));
	assert!(journal.rewrite(&[large]).is_err());
	journal.append(&records()[0]).unwrap();
	drop(journal);
	assert_eq!(reopened(dir.path()), records()[..1]);
}

#[test]
fn a_journal_that_has_grown_is_written_anew() {
	let dir = tempfile::tempdir().unwrap();
	let (mut journal, _) = Journal::open(dir.path()).unwrap();
	let big = Record::Done(key(1), vec![0; 60_000]);
	while !journal.is_due() {
		journal.append(&big).unwrap();
	}
	journal.rewrite(&records()).unwrap();
	assert!(!journal.is_due());
	journal.append(&big).unwrap();
	drop(journal);
	assert_eq!(reopened(dir.path()).len(), records().len() + 1);
}

#[test]
fn a_full_disk_is_told_and_made_up_for() {
	let disk = Played::default();
	let (mut journal, _) = Journal::on(disk.clone()).unwrap();
	disk.set_room(bytes(&records()).len() - 1);
	let (last, fitting) = (&records()[3], &records()[..3]);
	fitting.iter().for_each(|record| journal.append(record).unwrap());
	for _ in 0..3 {
		let failed = journal.append(last).unwrap_err();
		let JournalError::Io { path, error } = &failed else { panic!("{failed}") };
		assert_eq!(
			(path.as_path(), error.kind()),
			(Path::new("played/journal"), ErrorKind::StorageFull)
		);
		assert!(!journal.is_due());
		assert_eq!(disk.after_power_loss().records(), fitting);
	}
	// There is no room for another journal either.
	assert!(journal.rewrite(&records()).is_err());
	disk.set_room(10_000);
	journal.append(&Record::Dropped(key(9))).unwrap();
	assert!(journal.is_due());
	journal.rewrite(&records()).unwrap();
	assert!(!journal.is_due());
	drop(journal);
	let (_, found) = Journal::on(disk.after_power_loss()).unwrap();
	assert_eq!(found, records());
}

#[derive(Clone, Debug)]
enum Step {
	Append(Record),
	/// With what is there without so many of the first.
	Rewrite(usize),
	/// The process is killed, and the next one opens the journal.
	Restart,
}

fn record() -> impl Strategy<Value = Record> {
	let keys = || any::<u64>().prop_map(key);
	let some = || vec(any::<u8>(), 0..40);
	prop_oneof![
		any::<[u8; 32]>().prop_map(Record::Chain),
		(keys(), some()).prop_map(|(key, payload)| Record::Taken(Job { key, class: 0, payload })),
		(keys(), some()).prop_map(|(key, result)| Record::Done(key, result)),
		keys().prop_map(Record::Dropped),
	]
}

fn step() -> impl Strategy<Value = Step> {
	prop_oneof![
		4 => record().prop_map(Step::Append),
		1 => (0..4_usize).prop_map(Step::Rewrite),
		1 => Just(Step::Restart),
	]
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(4_000))]

	/// Whenever the process or the power goes, and whatever failed before: each record that was
	/// appended is there, in its order, and beside them nothing but perhaps one that was being
	/// written.
	#[test]
	fn no_power_loss_costs_a_record(
		steps in vec(step(), 0..12),
		failing in proptest::collection::btree_set(0..60_usize, 0..6),
		power in 0..80_usize,
		seed in any::<u64>(),
	) {
		let disk = Played::new(seed, failing, power);
		let mut sure: Vec<Record> = vec![];
		// What may be found after a power loss now.
		let mut possible = vec![vec![]];
		if let Ok((mut journal, found)) = Journal::on(disk.clone()) {
			prop_assert!(found.is_empty());
			for step in steps.into_iter().take_while(|_| !disk.is_dark()) {
				let (next, done) = match step {
					Step::Append(record) => {
						let next = [sure.clone(), vec![record.clone()]].concat();
						(next, journal.append(&record))
					},
					Step::Rewrite(fewer) => {
						let next = sure[fewer.min(sure.len())..].to_vec();
						let done = journal.rewrite(&next);
						if done.is_err() && disk.records() == next {
							// The new one has the name, though perhaps not for good.
							sure = next.clone();
						}
						(next, done)
					},
					Step::Restart => {
						let Ok((again, found)) = Journal::on(disk.clone()) else { break };
						prop_assert!(possible.contains(&found), "{:?} in {:?}", found, possible);
						journal = again;
						(found, Ok(()))
					},
				};
				if done.is_ok() {
					sure = next;
					possible = vec![sure.clone()];
				} else {
					possible.push(next);
				}
			}
		}
		let disk = disk.after_power_loss();
		let (mut journal, found) = Journal::on(disk.clone()).unwrap();
		prop_assert!(possible.contains(&found), "{:?} is none of {:?}", found, possible);
		// And what comes after is safe again.
		journal.append(&Record::Dropped(key(9))).unwrap();
		let (_, again) = Journal::on(disk.after_power_loss()).unwrap();
		prop_assert_eq!(again, [found, vec![Record::Dropped(key(9))]].concat());
	}
}

#[derive(Clone, Debug)]
enum Damage {
	Change(Index, u8),
	Cut(Index),
	Zero(Index),
	Insert(Index, Vec<u8>),
	Remove(Index),
}

impl Damage {
	fn on(self, bytes: &mut Vec<u8>) {
		let place = |at: Index| at.index(bytes.len() + 1);
		match self {
			Self::Change(at, byte) => {
				let at = place(at);
				drop(bytes.splice(at..(at + 1).min(bytes.len()), [byte]));
			},
			Self::Cut(at) => {
				let at = place(at);
				bytes.truncate(at);
			},
			Self::Zero(at) => {
				let at = place(at);
				bytes[at..].fill(0);
			},
			Self::Insert(at, more) => {
				let at = place(at);
				drop(bytes.splice(at..at, more));
			},
			Self::Remove(at) => {
				let at = place(at);
				drop(bytes.drain(at..(at + 1).min(bytes.len())));
			},
		}
	}
}

fn damage() -> impl Strategy<Value = Damage> {
	prop_oneof![
		(any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Change(at, byte)),
		any::<Index>().prop_map(Damage::Cut),
		any::<Index>().prop_map(Damage::Zero),
		(any::<Index>(), vec(any::<u8>(), 1..20)).prop_map(|(at, more)| Damage::Insert(at, more)),
		any::<Index>().prop_map(Damage::Remove),
	]
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(10_000))]

	#[test]
	fn bytes_that_are_no_journal_are_survived(noise in vec(any::<u8>(), 0..300)) {
		let found = read(&mut noise.as_slice()).unwrap();
		prop_assert!(found.is_none_or(|found| found.records.is_empty()));
		let mut behind_a_header = [HEADER, &noise].concat();
		let found = read(&mut behind_a_header.as_slice()).unwrap().unwrap();
		prop_assert_eq!((found.records.len(), found.size), (0, length(HEADER)));
		prop_assert_eq!(found.is_damaged, !noise.is_empty());
		// A body whose hash is right, but which is no record.
		behind_a_header.truncate(HEADER.len());
		behind_a_header.extend(u32::try_from(noise.len()).unwrap().to_le_bytes());
		behind_a_header.extend(twox_64(&noise));
		behind_a_header.extend(&noise);
		let found = read(&mut behind_a_header.as_slice()).unwrap().unwrap();
		let is_record = Record::decode_all(&mut noise.as_slice()).is_ok();
		prop_assert_eq!(found.records.len(), usize::from(is_record));
	}

	#[test]
	fn whole_records_before_the_damage_are_kept(
		records in vec(record(), 0..6),
		damages in vec(damage(), 1..4),
	) {
		let whole = bytes(&records);
		let mut damaged = whole.clone();
		damages.into_iter().for_each(|damage| damage.on(&mut damaged));
		let intact = whole.iter().zip(&damaged).take_while(|(a, b)| a == b).count();
		let ends: Vec<_> = (0..=records.len()).map(|count| bytes(&records[..count]).len()).collect();
		let found = read(&mut damaged.as_slice()).unwrap();
		let Some(kept) = ends.iter().rposition(|end| *end <= intact) else {
			// The header itself is damaged.
			prop_assert!(found.is_none_or(|found| found.records.is_empty()));
			return Ok(());
		};
		let found = found.unwrap();
		prop_assert_eq!(&found.records, &records[..kept]);
		prop_assert_eq!(found.size, u64::try_from(ends[kept]).unwrap());
		prop_assert_eq!(found.is_damaged, damaged.len() > ends[kept]);
	}
}
