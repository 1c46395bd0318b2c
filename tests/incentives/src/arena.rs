//! One simulation: the chain, everybody on it, block after block.

use crate::{
	ledger::{signed, Ledger},
	memory::Memory,
	outcome::Outcome,
	outlook::Outlook,
	people::{enroll, Circle, Person, Side},
	plan::{Counted, Plan},
	player::{self, Desk},
	rounds::Rounds,
	strategies::honest::Honest,
	strategy::{Strategy, Turn},
	AUTHORS, DEADLINE, PRICE, REQUESTER_FUNDS, STAKE, UNITS,
};
use pallet_tasks::{Chunks, TaskSpec};
use pallet_verification::{types::LEVELS, CurrentRules, Now, Panels, Rules};
use sp_runtime::traits::Dispatchable;
use std::collections::BTreeSet;
use tequio_primitives::{recompute::RecomputeSpec, AttemptId, Balance, TaskId, WorkClass};
use tequio_runtime::{Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, System};
use tequio_runtime_tests::{
	keys::Key,
	program::{program, Fate},
	slots::Authors,
	World,
};

/// Blocks between two looks at the sample.
const LOOK: u32 = 20;
/// Blocks between two checks of every invariant.
const CHECK: u32 = 100;
/// Chunks that the honest requester has beyond those that are simulated: work never runs short.
const SPARE: u32 = 2_000;
/// Blocks for the last chunk to end, its appeals included.
const DRAIN: u32 = 3_000;
/// Slots that a simulation may take for each hundred chunks, before it counts as stuck.
const PATIENCE: u32 = 400;

/// A simulation as it goes on.
pub struct Arena<'a> {
	plan: &'a Plan,
	world: World,
	people: Vec<Person>,
	circle: Circle,
	strategy: Box<dyn Strategy>,
	memory: Memory,
	ledger: Ledger,
	outlook: Outlook,
	rules: Rules,
	rounds: Rounds,
	/// Of the honest requester, and of the circle's.
	requesters: [Key; 2],
	/// The honest requester's task.
	supply: Option<TaskId>,
	/// What the circle's owners had at the beginning.
	stakes: Balance,
	/// What they were given since, to have as many seats as before.
	deposits: Balance,
	closing: bool,
	blocks: u32,
	withheld: u32,
}

/// Simulates a plan to its end.
pub fn run(plan: &Plan) -> Outcome {
	let mut arena = Arena::new(plan);
	let slots = plan.chunks.saturating_add(SPARE) / 100 * PATIENCE;
	let mut passed = 0;
	while !arena.is_done() {
		assert!(passed < slots, "{}: nothing goes on any more", plan.name);
		passed += 1;
		arena.slot();
	}
	arena.drain();
	arena.outcome()
}

impl<'a> Arena<'a> {
	fn new(plan: &'a Plan) -> Self {
		let authors = Authors::many(AUTHORS, plan.seed);
		let mut world = World::with_authors(plan.patch(), authors).unchecked();
		let people = people(plan);
		let requesters = ["Requester", "Trader"].map(Key::named);
		requesters.iter().for_each(|key| world.fund(&key.account(), REQUESTER_FUNDS));
		enroll(&mut world, &people, plan.class, UNITS, |side| match side {
			Side::Honest if plan.undercut => PRICE,
			_ => 1,
		});
		let circle = Circle::new(&people, requesters[1].account(), plan.slots);
		let supply = plan.supply.then(|| supply(&mut world, &requesters[0], plan));
		let rules = world.read(CurrentRules::<Runtime>::get);
		let (stakes, wealth) = world.read(|| (circle.stakes(), circle.everything()));
		Self {
			plan,
			world,
			people,
			circle,
			strategy: (plan.strategy)(),
			memory: Memory::default(),
			ledger: Ledger::new(plan.counted),
			outlook: Outlook::default(),
			rules,
			rounds: Rounds::new(wealth),
			requesters,
			supply,
			stakes,
			deposits: 0,
			closing: false,
			blocks: 0,
			withheld: 0,
		}
	}

	/// Whether the sample is large enough, or the work done.
	fn is_done(&self) -> bool {
		let (ended, sample) = match self.plan.counted {
			Counted::Rounds => (self.rounds.chunks, &self.rounds.profits),
			Counted::Deviations | Counted::Work => (self.ledger.ended, &self.ledger.profits),
		};
		let decided =
			self.plan.stops_early && sample.number() >= self.plan.least && sample.is_decided();
		ended >= self.plan.chunks || (self.blocks.is_multiple_of(LOOK) && decided)
	}

	/// One slot: a block, or none if its author is of the circle and withholds it.
	fn slot(&mut self) {
		let Self { outlook, world, plan, rules, .. } = self;
		outlook.look(world, plan.slots, rules.chance_window);
		if let Some(output) = self.outlook.next() {
			let height = self.world.read(Now::<Runtime>::get) + 1;
			let (window, pending) = (self.rules.chance_window, self.ledger.pending.as_slice());
			if !self.strategy.publishes(&Turn { height, output, window, pending }) {
				self.world.skip();
				self.withheld += 1;
				return;
			}
		}
		self.block();
	}

	fn block(&mut self) {
		let calls = self.calls();
		let (people, requesters) = (&self.people, &self.requesters);
		let with_key = |(signer, call): (Signer, RuntimeCall)| match signer {
			Signer::Device(person, hand) => (&people[person].hands[hand].key, call),
			Signer::Requester => (&requesters[1], call),
		};
		// What is refused is sent again as long as it is owed.
		self.world.block_with(calls.into_iter().map(with_key).collect());
		self.blocks += 1;
		self.take_events();
		if self.blocks.is_multiple_of(LOOK) {
			self.close();
		}
		if self.blocks.is_multiple_of(CHECK) {
			self.world.check();
		}
	}

	/// What everybody sends now.
	fn calls(&mut self) -> Vec<(Signer, RuntimeCall)> {
		let Self { world, people, circle, strategy, memory, ledger, outlook, rules, .. } = self;
		let pending = ledger.pending.len();
		let (mut calls, withheld) = world.read(|| {
			let (now, withheld) = (Now::<Runtime>::get(), Vec::new());
			let mut desk = Desk { circle, outlook, pending, rules, now, memory, withheld };
			let mut honest = Honest;
			let mut calls = Vec::new();
			for (place, person) in people.iter().enumerate() {
				let strategy: &mut dyn Strategy = match person.side {
					Side::Honest => &mut honest,
					Side::Helper | Side::Member => strategy.as_mut(),
				};
				for (number, hand) in person.hands.iter().enumerate() {
					let sent = player::calls(person, hand, strategy, &mut desk);
					let signer = Signer::Device(place, number);
					calls.extend(sent.into_iter().map(|call| (signer, call)));
				}
			}
			(calls, desk.withheld)
		});
		withheld.iter().for_each(|duty| ledger.note_withheld(&duty.id));
		if !self.closing {
			let Self { world, strategy, rounds, .. } = self;
			let requests = world.read(|| strategy.requests(rounds.tasks()));
			calls.extend(requests.into_iter().map(|call| (Signer::Requester, call)));
		}
		calls
	}

	/// Enters what happened in the last block, and makes up for stakes that have fallen.
	fn take_events(&mut self) {
		let events = self.world.events();
		let height = self.world.read(Now::<Runtime>::get);
		self.ledger.note(height, &events, &self.circle, &self.memory);
		let trader = self.requesters[1].account();
		for event in events {
			let RuntimeEvent::Tasks(event) = event else { continue };
			self.rounds.note(&event, &trader);
		}
		let poorer = self.ledger.take_poorer();
		let Self { world, people, circle, .. } = self;
		let mut given = 0;
		if !poorer.is_empty() {
			world.edit(|| {
				for person in people.iter().filter(|one| poorer.contains(&one.account)) {
					let amount = person.replenish();
					given += if circle.contains(&person.account) { amount } else { 0 };
				}
			});
		}
		self.deposits += given;
		self.rounds.give(given);
		if self.rounds.is_over() {
			let Self { world, circle, rounds, .. } = self;
			let wealth = world.read(|| circle.everything());
			rounds.close(wealth);
		}
	}

	/// Takes what is over into the sample.
	fn close(&mut self) {
		let Self { world, ledger, memory, .. } = self;
		let living: BTreeSet<AttemptId> =
			world.read(|| ledger.attempts().filter(|id| lives(id)).copied().collect());
		ledger.close(|id| living.contains(id));
		memory.retain(|id| living.contains(id));
	}

	/// Cancels what was not given out, and goes on until all else has ended.
	fn drain(&mut self) {
		self.closing = true;
		let own = self.rounds.tasks().iter().map(|task| (*task, self.requesters[1].account()));
		let supply = self.supply.map(|task| (task, self.requesters[0].account()));
		let tasks: Vec<_> = own.chain(supply).collect();
		self.world.edit(|| {
			for (task, requester) in tasks {
				let cancel = RuntimeCall::Tasks(pallet_tasks::Call::cancel_task { task });
				// Fails where it has ended already.
				let _ = cancel.dispatch(RuntimeOrigin::signed(requester));
			}
		});
		for _ in 0..DRAIN {
			if self.world.read(is_quiet) {
				self.close();
				return;
			}
			self.slot();
		}
		panic!("{}: something does not come to its end", self.plan.name);
	}

	fn outcome(&mut self) -> Outcome {
		self.world.check();
		let Self { world, circle, ledger, plan, rounds, .. } = self;
		let stakes = signed(world.read(|| circle.stakes()));
		let gained = stakes - signed(self.stakes) - signed(self.deposits);
		let unexplained = gained - ledger.total;
		let sample = match plan.counted {
			Counted::Rounds => &rounds.profits,
			Counted::Deviations | Counted::Work => &ledger.profits,
		};
		Outcome::new(plan.name, ledger, sample, unexplained, (self.blocks, self.withheld))
	}
}

/// Who signs a call.
#[derive(Clone, Copy)]
enum Signer {
	/// A device, by its owner's place and its own.
	Device(usize, usize),
	/// The circle's requester.
	Requester,
}

/// The owners: members first, then helpers, then all others.
fn people(plan: &Plan) -> Vec<Person> {
	let (members, helpers) = (plan.part(plan.members), plan.part(plan.helpers));
	let others = plan.owners - members - helpers;
	let sides = [
		(Side::Member, members * plan.split, STAKE / Balance::from(plan.split)),
		(Side::Helper, helpers, STAKE),
		(Side::Honest, others, STAKE),
	];
	let all =
		sides.into_iter().flat_map(|(side, count, stake)| (0..count).map(move |_| (side, stake)));
	(0..).zip(all).map(|(number, (side, stake))| Person::new(number, side, stake)).collect()
}

/// Has the honest requester submit a task that lasts for the whole simulation.
fn supply(world: &mut World, requester: &Key, plan: &Plan) -> TaskId {
	let spec = work(plan.class, Fate::Runs, plan.seed, plan.chunks.saturating_add(SPARE));
	let call = submission(spec, PRICE);
	let origin = RuntimeOrigin::signed(requester.account());
	world.edit(|| {
		call.dispatch(origin).expect("the task is well-formed and paid for");
		System::reset_events();
		pallet_tasks::NextTask::<Runtime>::get() - 1
	})
}

/// So many chunks of a program of this number.
pub fn work(class: WorkClass, fate: Fate, number: u64, chunks: u32) -> TaskSpec {
	let (program, units, replicas) = (program(fate, number), UNITS, 1);
	TaskSpec::Recompute(RecomputeSpec { class, program, chunks, units, replicas })
}

/// The call that submits a task at a price for each unit.
pub fn submission(spec: TaskSpec, price: Balance) -> RuntimeCall {
	let deadline = DEADLINE;
	RuntimeCall::Tasks(pallet_tasks::Call::submit_task { spec, price, deadline, bonus: 0 })
}

/// Whether an attempt can still bring anybody anything.
fn lives(id: &AttemptId) -> bool {
	let present = Chunks::<Runtime>::get(id.chunk).is_some_and(|chunk| chunk.attempt == id.attempt);
	present || (0..LEVELS).any(|level| Panels::<Runtime>::contains_key(id, level))
}

/// Whether nobody has anything in hand.
fn is_quiet() -> bool {
	Chunks::<Runtime>::iter_keys().next().is_none()
		&& Panels::<Runtime>::iter_keys().next().is_none()
}
