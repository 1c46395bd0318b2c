//! The balance sheet of tasks, read from the chain's state when they have ended.

use anyhow::Result;
use pallet_rewards::Contribution;
use std::fmt;
use tequio_harness::{accounts::Account, network::Network};
use tequio_primitives::{api::Books, Balance, TaskId, TEQ};

/// What one owner did and got.
#[derive(Clone, Debug)]
pub struct Row {
	/// The owner's name.
	pub owner: String,
	/// What was done.
	pub done: Contribution,
}

/// Where the locked money went.
#[derive(Debug, Default)]
pub struct Sheet {
	/// The books of all tasks together.
	pub books: Books,
	rows: Vec<Row>,
	/// What the chain still holds of the requester's.
	held: Balance,
}

impl Sheet {
	/// Reads that of one task.
	pub async fn read(network: &Network, requester: &Account, task: TaskId) -> Result<Self> {
		let mut sheet = Self::default();
		sheet.add(network, task).await?;
		sheet.close(network, requester).await?;
		Ok(sheet)
	}

	/// Adds a task that has ended. Returns what each owner did for it.
	pub async fn add(&mut self, network: &Network, task: TaskId) -> Result<Vec<Row>> {
		let books = network.chain.task_summary(task).await?.books;
		let mut rows = Vec::new();
		for owner in network.owners() {
			let done = network.contribution(task, owner).await?;
			rows.push(Row { owner: owner.account.name().to_owned(), done });
		}
		self.books = Books {
			locked: self.books.locked.saturating_add(books.locked),
			paid: self.books.paid.saturating_add(books.paid),
			audit: self.books.audit.saturating_add(books.audit),
			fee: self.books.fee.saturating_add(books.fee),
			refunded: self.books.refunded.saturating_add(books.refunded),
		};
		for row in &rows {
			match self.rows.iter_mut().find(|known| known.owner == row.owner) {
				Some(known) => known.done = sum(known.done, row.done),
				None => self.rows.push(row.clone()),
			}
		}
		Ok(rows)
	}

	/// Reads what is still held of the requester's money, when all tasks have ended.
	pub async fn close(&mut self, network: &Network, requester: &Account) -> Result<()> {
		self.held = network.chain.balance(&requester.id()).await?.reserved;
		Ok(())
	}

	/// Whether every unit of money is accounted for: the parts are what was locked, the owners'
	/// records are what the books say was paid, and nothing is held any more.
	pub fn balanced(&self) -> bool {
		let paid: Balance = self.rows.iter().map(|row| row.done.paid).sum();
		let audit: Balance = self.rows.iter().map(|row| row.done.audit_paid).sum();
		self.books.in_escrow() == Some(0)
			&& paid == self.books.paid
			&& audit == self.books.audit
			&& self.held == 0
	}
}

impl fmt::Display for Sheet {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		let Books { locked, paid, audit, fee, refunded } = self.books;
		writeln!(
			f,
			"{:<16}{:>8}{:>24}{:>8}{:>24}",
			"owner", "units", "paid, TEQ", "audits", "audit pay, TEQ"
		)?;
		for Row { owner, done } in &self.rows {
			let Contribution { units, paid, audits, audit_paid, .. } = *done;
			writeln!(
				f,
				"{owner:<16}{units:>8}{:>24}{audits:>8}{:>24}",
				teq(paid),
				teq(audit_paid)
			)?;
		}
		writeln!(f)?;
		for (name, amount) in
			[("paid", paid), ("audit pay", audit), ("fee", fee), ("refunded", refunded)]
		{
			writeln!(f, "{name:<16}{:>32}", teq(amount))?;
		}
		let sum = paid.saturating_add(audit).saturating_add(fee).saturating_add(refunded);
		writeln!(f, "{:<16}{:>32}", "sum", teq(sum))?;
		writeln!(f, "{:<16}{:>32}", "locked", teq(locked))?;
		f.write_str(if self.balanced() {
			"The books balance."
		} else {
			"THE BOOKS DO NOT BALANCE."
		})
	}
}

fn sum(one: Contribution, other: Contribution) -> Contribution {
	Contribution {
		chunks: one.chunks.saturating_add(other.chunks),
		units: one.units.saturating_add(other.units),
		paid: one.paid.saturating_add(other.paid),
		audits: one.audits.saturating_add(other.audits),
		audit_paid: one.audit_paid.saturating_add(other.audit_paid),
	}
}

/// An amount in TEQ, to its last digit.
pub fn teq(amount: Balance) -> String {
	format!("{}.{:012}", amount / TEQ, amount % TEQ)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn sheet() -> Sheet {
		let books =
			Books { locked: 10 * TEQ, paid: 5 * TEQ, audit: 2 * TEQ, fee: TEQ, refunded: 2 * TEQ };
		let row = |owner: &str, paid, audit_paid| Row {
			owner: owner.into(),
			done: Contribution { chunks: 1, units: 1, paid, audits: 1, audit_paid },
		};
		Sheet { books, rows: vec![row("a", 2 * TEQ, TEQ), row("b", 3 * TEQ, TEQ)], held: 0 }
	}

	#[test]
	fn a_sheet_balances_when_all_its_sums_do() {
		assert!(sheet().balanced());
		assert!(!Sheet { held: 1, ..sheet() }.balanced());
		assert!(!Sheet { rows: Vec::new(), ..sheet() }.balanced());
		assert!(!Sheet { books: Books { refunded: 0, ..sheet().books }, ..sheet() }.balanced());
	}

	#[test]
	fn contributions_add_up() {
		let one = Contribution { chunks: 1, units: 2, paid: 3, audits: 4, audit_paid: 5 };
		let two = Contribution { chunks: 2, units: 4, paid: 6, audits: 8, audit_paid: 10 };
		assert_eq!(sum(one, one), two);
	}

	#[test]
	fn amounts_are_told_to_the_last_digit() {
		assert_eq!(teq(TEQ + 1), "1.000000000001");
		assert!(sheet().to_string().contains("10.000000000000"));
	}
}
