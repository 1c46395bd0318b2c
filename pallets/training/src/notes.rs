//! What `tasks` tells of ordered tasks. It does so in the middle of a step of its own, so it is
//! noted here, and what came back is held again. Nothing is ordered or closed: the agenda does that.

use crate::{
	round::{self, Next},
	types::{Queue, TrainingFifo},
	Config, Pallet, Steps, Trainings,
};
use frame_support::defensive;
use tequio_primitives::{
	api::Books,
	clock::WorkClock,
	orders::{ChunkEnding, FollowTasks},
	ChunkId, TaskId,
};

impl<T: Config> FollowTasks for Pallet<T> {
	/// Nothing is to be done before the last chunk of a task has ended, and then `task_ended` says
	/// so: a chunk that was refunded leaves its place empty.
	fn chunk_ended(chunk: &ChunkId, ending: ChunkEnding) {
		let ChunkEnding::Paid(given) = ending else { return };
		let Some(id) = Steps::<T>::get(chunk.task) else { return };
		let Some(mut training) = Trainings::<T>::get(id) else {
			defensive!("a training has its record as long as one of its tasks lives");
			return;
		};
		if training.hear(chunk, &given, T::Clock::now()) {
			Trainings::<T>::insert(id, training);
		}
	}

	/// The training is visited where that leaves something to be done. Mostly there is nothing after
	/// the end of a task that was closed, or of which the rest is waited for.
	fn task_ended(task: TaskId, books: &Books) {
		let Some(id) = Steps::<T>::take(task) else { return };
		let Some(mut training) = Trainings::<T>::get(id) else {
			defensive!("a training has its record as long as one of its tasks lives");
			return;
		};
		training.hear_end(task);
		Self::settle(&mut training, books);
		let now = T::Clock::now();
		let acts = round::next(&training, now) != Next::Wait;
		Trainings::<T>::insert(id, training);
		if acts {
			TrainingFifo::<T>::push(Queue::Ready, id, now);
		}
	}
}
