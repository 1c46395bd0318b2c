//! The balance sheet of a task, read from the chain's state when the task has ended.

use anyhow::Result;
use std::fmt;
use tequio_harness::{accounts::Account, network::Network};
use tequio_primitives::{api::Books, Balance, TaskId, TEQ};

/// What one owner did and got.
#[derive(Debug)]
struct Row {
	owner: String,
	units: u64,
	paid: Balance,
	audits: u64,
	audit_paid: Balance,
}

/// Where the locked money went.
#[derive(Debug)]
pub struct Sheet {
	/// The task's own books.
	pub books: Books,
	rows: Vec<Row>,
	/// What the chain still holds of the requester's.
	held: Balance,
}

impl Sheet {
	/// Reads it.
	pub async fn read(network: &Network, requester: &Account, task: TaskId) -> Result<Self> {
		let books = network.chain.task_summary(task).await?.books;
		let held = network.chain.balance(&requester.id()).await?.reserved;
		let mut rows = Vec::new();
		for owner in network.owners() {
			let done = network.contribution(task, owner).await?;
			rows.push(Row {
				owner: owner.account.name().to_owned(),
				units: done.units,
				paid: done.paid,
				audits: u64::from(done.audits),
				audit_paid: done.audit_paid,
			});
		}
		Ok(Self { books, rows, held })
	}

	/// Whether every unit of money is accounted for: the parts are what was locked, the owners'
	/// records are what the books say was paid, and nothing is held any more.
	pub fn balanced(&self) -> bool {
		let paid: Balance = self.rows.iter().map(|row| row.paid).sum();
		let audit: Balance = self.rows.iter().map(|row| row.audit_paid).sum();
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
		for Row { owner, units, paid, audits, audit_paid } in &self.rows {
			writeln!(
				f,
				"{owner:<16}{units:>8}{:>24}{audits:>8}{:>24}",
				teq(*paid),
				teq(*audit_paid)
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

/// An amount in TEQ, to its last digit.
fn teq(amount: Balance) -> String {
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
			units: 1,
			paid,
			audits: 1,
			audit_paid,
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
	fn amounts_are_told_to_the_last_digit() {
		assert_eq!(teq(TEQ + 1), "1.000000000001");
		assert!(sheet().to_string().contains("10.000000000000"));
	}
}
