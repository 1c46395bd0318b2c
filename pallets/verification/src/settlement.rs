//! The end of a check: every duty of worker and auditors after their commits, appeals and
//! challenges included, and what each of them gets or loses.
//!
//! Who loses is asked in this order for what the referees are owed: the worker, after what its
//! auditors are owed; the auditors; those who appealed; the challenger.

use crate::{
	finding::{self, Purse},
	panel::parties,
	types::{Appeal, Check, CheckState, Dismissal, Queue, Standing, Standings},
	verdict::Outcome,
	Agenda, CheckOf, Checks, Config, Event, Pallet, PanelOf, Panels,
};
use alloc::{vec, vec::Vec};
use core::mem;
use frame_support::BoundedVec;
use tequio_primitives::{
	clock::WorkClock,
	opening::Opening,
	reputation::Deed,
	rewards::DistributeRewards,
	tasks::{CheckedTasks, Delivered, RejectReason, UndecidedReason, Verdict},
	workers::{EngageSeats, Penalty, Seat},
	AttemptId, Balance, Duty, Role,
};

/// A check that ends, how its parties stand in the end, and the panels that sat on it.
struct Case<T: Config> {
	id: AttemptId,
	check: CheckOf<T>,
	outcome: Outcome,
	standings: Standings,
	panels: Vec<(u8, PanelOf<T>)>,
}

impl<T: Config> Pallet<T> {
	/// Ends a check without a panel.
	pub(crate) fn end(id: AttemptId, check: CheckOf<T>, outcome: Outcome) {
		let shown: Vec<_> = parties(&check).map(|(_, opening)| opening.is_some()).collect();
		let standings = finding::implied(outcome, &shown);
		Self::close(Case { id, check, outcome, standings, panels: Vec::new() });
	}

	/// Ends a check with what its last panel found.
	pub(crate) fn settle(id: AttemptId, mut check: CheckOf<T>) {
		let standings = mem::take(&mut check.standings);
		let outcome = finding::outcome(&standings);
		let sat = |level| Some((level, Panels::<T>::get(id, level)?));
		let panels = (0..=check.level).filter_map(sat).collect();
		Self::close(Case { id, check, outcome, standings, panels });
	}

	fn close(mut case: Case<T>) {
		let mut purse = case.purse();
		Self::end_worker(&case, &mut purse);
		Self::end_auditors(&case, &mut purse);
		Self::end_appeals(&case, &mut purse);
		Self::end_challenge(&case, &mut purse);
		Self::begin_dismissals(&mut case, purse.pay());
		let verdict = case.verdict();
		let Case { id, check, outcome, .. } = case;
		// A result stays accepted unless a challenge of it succeeds.
		let outcome = match &verdict {
			Verdict::Upheld => Outcome::Accepted,
			_ => outcome,
		};
		if matches!(verdict, Verdict::Accepted { .. }) {
			Checks::<T>::insert(id.chunk, settled::<T>(check));
		} else {
			Checks::<T>::remove(id.chunk);
		}
		Self::deposit_event(Event::Judged { id, outcome });
		T::Tasks::conclude(&id, verdict);
	}

	/// Ends the duty of the worker. That of an accepted one `tasks` ends with the payment.
	fn end_worker(case: &Case<T>, purse: &mut Purse) {
		let Case { id, check, .. } = case;
		let assignment = &check.assignment;
		let duty = Duty { id: *id, role: Role::Worker };
		match case.standing(0) {
			Standing::Right => {},
			// It was accepted before, and stays so.
			Standing::Unclear if check.challenge.is_some() => {},
			Standing::Unclear => T::Workers::release(&assignment.seat, duty, Deed::Nothing),
			Standing::Wrong => {
				let (collateral, pay) = (assignment.terms.collateral, assignment.audit_pay);
				let auditors = case.right_auditors();
				let to_auditors = finding::owed_to_auditors(collateral, pay, auditors.len());
				let asked = purse.ask(collateral.saturating_sub(to_auditors));
				let referees = (asked > 0).then(|| (T::Rewards::pot(), asked));
				let finders = case.finders();
				let penalty = finding::penalty(collateral, pay, &auditors, &finders, referees);
				let taken = T::Workers::slash(&assignment.seat, duty, penalty);
				purse.collect(asked.min(taken.saturating_sub(to_auditors)));
			},
		}
	}

	/// Ends the duties of the auditors. Who had to reveal and did not loses the whole collateral;
	/// that is burned, because nobody proved anything.
	fn end_auditors(case: &Case<T>, purse: &mut Purse) {
		let Case { id, check, .. } = case;
		let duty = Duty { id: *id, role: Role::Auditor };
		let collateral = check.assignment.terms.collateral;
		let opened = match check.state {
			CheckState::Drawing { .. }
			| CheckState::Auditing { .. }
			| CheckState::Second { .. } => false,
			CheckState::Revealing { .. }
			| CheckState::Panel { .. }
			| CheckState::PanelReveal { .. }
			| CheckState::Appeal { .. }
			| CheckState::Settled => true,
		};
		for (party, slot) in (1..).zip(&check.auditors) {
			let Some(seat) = &slot.seat else { continue };
			if opened && slot.opening.is_none() {
				T::Workers::slash(seat, duty, Penalty::burned());
				continue;
			}
			match case.standing(party) {
				Standing::Wrong => Self::slash_for_referees(seat, duty, collateral, purse),
				Standing::Right | Standing::Unclear => {
					T::Workers::release(seat, duty, Deed::Nothing)
				},
			}
		}
	}

	/// Takes the bonds of those who were found wrong in the end, and frees those of the others.
	fn end_appeals(case: &Case<T>, purse: &mut Purse) {
		let id = case.id;
		for appeal in &case.check.appeals {
			let Appeal { seat, level, bond, .. } = appeal;
			let duty = Duty { id, role: Role::Appellant { level: *level } };
			if case.is_lost(appeal) {
				Self::slash_for_referees(seat, duty, *bond, purse);
			} else {
				T::Workers::release(seat, duty, Deed::Nothing);
				let owner = seat.owner.clone();
				Self::deposit_event(Event::BondFreed { id, level: *level, owner });
			}
		}
	}

	/// Returns the bond of a challenge, unless the worker was found right.
	fn end_challenge(case: &Case<T>, purse: &mut Purse) {
		let Some(challenge) = &case.check.challenge else { return };
		let returned = if case.standing(0) == Standing::Right {
			let asked = purse.ask(challenge.bond);
			purse.collect(Self::forfeit_bond(challenge, asked));
			0
		} else {
			Self::return_bond(challenge)
		};
		Self::deposit_event(Event::ChallengeJudged {
			id: case.id,
			challenger: challenge.challenger.clone(),
			returned,
		});
	}

	/// Takes the whole collateral of a duty: what the referees are owed of it goes to the pot, the
	/// rest is burned.
	fn slash_for_referees(
		seat: &Seat<T::AccountId>,
		duty: Duty,
		collateral: Balance,
		purse: &mut Purse,
	) {
		let asked = purse.ask(collateral);
		let referees = (asked > 0).then(|| (T::Rewards::pot(), asked));
		let taken = T::Workers::slash(seat, duty, Penalty { referees, ..Penalty::burned() });
		purse.collect(asked.min(taken));
	}

	/// Puts the dismissal of every referee on the agenda.
	fn begin_dismissals(case: &mut Case<T>, pay: Balance) {
		for (level, mut panel) in mem::take(&mut case.panels) {
			if panel.places.is_empty() {
				Panels::<T>::remove(case.id, level);
				continue;
			}
			panel.end = Some(Dismissal {
				standings: case.standings.clone(),
				overruled: level < case.check.found_by,
				pay,
				dismissed: 0,
			});
			Panels::<T>::insert(case.id, level, panel);
			Self::plan_dismissal(case.id, level);
		}
	}

	/// Puts the next step of a dismissal on the agenda.
	pub(crate) fn plan_dismissal(id: AttemptId, level: u8) {
		Agenda::<T>::push(Queue::Dismissal(level), id, Self::now().saturating_add(1));
	}
}

impl<T: Config> Case<T> {
	/// How a party stands in the end.
	fn standing(&self, party: usize) -> Standing {
		self.standings.get(party).copied().unwrap_or(Standing::Unclear)
	}

	/// Owners of the auditors who were right.
	fn right_auditors(&self) -> Vec<T::AccountId> {
		let auditors = (1..).zip(&self.check.auditors);
		let right = auditors.filter(|(party, _)| self.standing(*party) == Standing::Right);
		right.filter_map(|(_, slot)| Some(slot.seat.as_ref()?.owner.clone())).collect()
	}

	/// Those who share the bounty of the worker's collateral: nobody where a panel had nothing to
	/// prove.
	fn finders(&self) -> Vec<T::AccountId> {
		match (self.outcome, &self.check.challenge) {
			(Outcome::Rejected(RejectReason::ProvenWrong), Some(challenge)) => {
				vec![challenge.challenger.clone()]
			},
			(Outcome::Rejected(RejectReason::ProvenWrong), None) => self.right_auditors(),
			_ => Vec::new(),
		}
	}

	/// Whether an appeal was made in vain.
	fn is_lost(&self, appeal: &Appeal<T::AccountId>) -> bool {
		self.standing(usize::from(appeal.party)) == Standing::Wrong
	}

	/// What the referees are owed who found what was found in the end, as far as those who lose have
	/// it.
	fn purse(&self) -> Purse {
		let assignment = &self.check.assignment;
		let (collateral, pay) = (assignment.terms.collateral, assignment.audit_pay);
		let places = self.panels.iter().flat_map(|(_, panel)| &panel.places);
		let agreed = places
			.filter_map(|place| place.said.as_ref())
			.filter(|said| finding::agrees(&said.findings, &self.standings))
			.count();
		let auditors = finding::owed_to_auditors(collateral, pay, self.right_auditors().len());
		let wrong = |party: usize| self.standing(party) == Standing::Wrong;
		let worker = wrong(0).then(|| collateral.saturating_sub(auditors));
		let accusers = (1..self.standings.len()).filter(|party| wrong(*party)).map(|_| collateral);
		let appeals = self.check.appeals.iter().filter(|appeal| self.is_lost(appeal));
		let challenge = self.check.challenge.iter().filter(|_| self.standing(0) == Standing::Right);
		let available = worker
			.into_iter()
			.chain(accusers)
			.chain(appeals.map(|appeal| appeal.bond))
			.chain(challenge.map(|challenge| challenge.bond))
			.fold(0, Balance::saturating_add);
		Purse::new(agreed, pay, available)
	}

	/// What `tasks` is told.
	fn verdict(&self) -> Verdict<T::AccountId> {
		let auditors = self.right_auditors();
		match (self.standing(0), &self.check.challenge) {
			(Standing::Wrong, _) => Verdict::Rejected(match self.outcome {
				Outcome::Rejected(reason) => reason,
				Outcome::Accepted | Outcome::Undecided(_) => RejectReason::ProvenWrong,
			}),
			(Standing::Right | Standing::Unclear, Some(_)) => Verdict::Upheld,
			(Standing::Unclear, None) => Verdict::Undecided {
				reason: match self.outcome {
					Outcome::Undecided(reason) => reason,
					Outcome::Accepted | Outcome::Rejected(_) => UndecidedReason::Disagreement,
				},
				auditors,
			},
			(Standing::Right, None) => {
				let shares = self.check.claim.shares().len();
				let shares = u32::try_from(shares).unwrap_or(u32::MAX);
				let (delivered, winners) = match &self.check.worker_opening {
					Some(Opening::Search(opening)) => {
						(Delivered::Shares(shares), opening.winners.clone())
					},
					Some(Opening::Output(own)) => {
						(Delivered::Whole(own.output.clone()), Default::default())
					},
					// Nobody is accepted without an opening.
					None => (Delivered::Shares(0), Default::default()),
				};
				let audited = !self.check.auditors.is_empty();
				Verdict::Accepted { delivered, winners, auditors, audited }
			},
		}
	}
}

/// What is kept of an accepted check for a challenge. Those who audited it are not to judge it then.
fn settled<T: Config>(check: CheckOf<T>) -> CheckOf<T> {
	let auditors = check.auditors.iter().filter_map(|slot| slot.seat.as_ref());
	let barred = BoundedVec::truncate_from(auditors.map(|seat| seat.owner.clone()).collect());
	Check {
		state: CheckState::Settled,
		auditors: Default::default(),
		barred,
		level: 0,
		standings: Default::default(),
		found_by: 0,
		appeals: Default::default(),
		..check
	}
}
