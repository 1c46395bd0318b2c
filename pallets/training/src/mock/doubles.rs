//! Doubles of the neighbours. What they were told lies in storage, so that what fails leaves no
//! trace in them either.

use super::{AccountId, Balances, Held, Training, WORKER};
use codec::{Decode, Encode};
use frame_support::{
	parameter_types,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
	},
};
use sp_runtime::DispatchError;
use tequio_primitives::{
	api::Books,
	clock::WorkClock,
	orders::{ChunkEnding, FollowTasks, OrderTasks, TaskOrder},
	recompute::{Arguments, Output, RecomputeSpec},
	Balance, ChunkId, ChunkIndex, TaskId, WorkHeight,
};

/// A task that was ordered.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Placed {
	pub requester: AccountId,
	pub spec: RecomputeSpec,
	pub arguments: Arguments,
	pub price: Balance,
	pub deadline: u32,
	/// Chunks that have not ended.
	pub open: Vec<ChunkIndex>,
	pub books: Books,
	/// Whether it was closed.
	pub closed: bool,
	/// Whether it has ended.
	pub ended: bool,
}

parameter_types! {
	/// Height of the work clock.
	pub storage Height: WorkHeight = 1;
	/// Ordered tasks, by their number.
	pub storage Orders: Vec<Placed> = vec![];
	/// Whether tasks have a cost.
	pub static Orderable: bool = true;
	/// Whether orders are taken.
	pub static Takes: bool = true;
	/// Whether nothing is in hand of a task that is closed, so that it ends at once.
	pub static Prompt: bool = true;
	/// Blocks from the deadline of a chunk to its pay.
	pub static Checks: u32 = 4;
}

pub struct Chain;

impl WorkClock for Chain {
	fn now() -> WorkHeight {
		Height::get()
	}
}

pub struct Office;

impl OrderTasks<AccountId> for Office {
	/// A worker and two auditors for each chunk.
	fn cost(spec: &RecomputeSpec, price: Balance, _deadline: u32) -> Option<Balance> {
		let units = u128::from(spec.chunks) * u128::from(spec.units) * 3;
		Orderable::get().then(|| units.checked_mul(price)).flatten()
	}

	/// Locks the cost before it refuses.
	fn order(order: TaskOrder<AccountId>) -> Result<TaskId, DispatchError> {
		let TaskOrder { requester, spec, arguments, price, deadline } = order;
		let locked = Self::cost(&spec, price, deadline).ok_or("nothing is orderable")?;
		Balances::hold(&Held::Task, &requester, locked)?;
		if !Takes::get() {
			return Err(DispatchError::Other("no order is taken"));
		}
		let mut orders = Orders::get();
		let task = TaskId::try_from(orders.len()).unwrap();
		orders.push(Placed {
			requester,
			open: (0..spec.chunks).collect(),
			spec,
			arguments,
			price,
			deadline,
			books: Books { locked, ..Default::default() },
			closed: false,
			ended: false,
		});
		Orders::set(&orders);
		Ok(task)
	}

	fn least_time(deadline: u32) -> u32 {
		deadline + Checks::get()
	}

	fn close(task: TaskId) {
		let mut placed = order(task);
		if placed.closed || placed.ended {
			return;
		}
		placed.closed = true;
		put(task, &placed);
		if Prompt::get() {
			end_task(task);
		}
	}
}

/// A task as it stands.
pub fn order(task: TaskId) -> Placed {
	Orders::get().get(usize::try_from(task).unwrap()).unwrap().clone()
}

fn put(task: TaskId, placed: &Placed) {
	let mut orders = Orders::get();
	orders[usize::try_from(task).unwrap()] = placed.clone();
	Orders::set(&orders);
}

/// Has a chunk found right and paid; no auditor is.
pub fn pay(task: TaskId, index: ChunkIndex, output: Output) {
	let placed = order(task);
	let amount = Balance::from(placed.spec.units) * placed.price;
	let (precision, force) = (Precision::Exact, Fortitude::Force);
	Balances::transfer_on_hold(
		&Held::Task,
		&placed.requester,
		&WORKER,
		amount,
		precision,
		Restriction::Free,
		force,
	)
	.unwrap();
	end_chunk(task, index, amount, ChunkEnding::Paid(output));
}

/// Has a chunk end without pay.
pub fn refund(task: TaskId, index: ChunkIndex) {
	end_chunk(task, index, 0, ChunkEnding::Refunded);
}

fn end_chunk(task: TaskId, index: ChunkIndex, paid: Balance, ending: ChunkEnding) {
	let mut placed = order(task);
	assert!(placed.open.contains(&index), "a chunk ends once");
	placed.open.retain(|open| *open != index);
	placed.books.paid += paid;
	put(task, &placed);
	Training::chunk_ended(&ChunkId { task, index }, ending);
	if placed.open.is_empty() {
		end_task(task);
	}
}

/// Has a task end; of chunks that have not ended nothing is told.
pub fn end_task(task: TaskId) {
	let mut placed = order(task);
	assert!(!placed.ended, "a task ends once");
	let remainder = placed.books.in_escrow().unwrap();
	Balances::release(&Held::Task, &placed.requester, remainder, Precision::Exact).unwrap();
	placed.books.refunded += remainder;
	placed.open.clear();
	placed.ended = true;
	put(task, &placed);
	Training::task_ended(task, &placed.books);
}
