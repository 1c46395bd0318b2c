#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod add_device;
mod add_stake;
mod drain_unbond_withdraw;
mod draw;
mod duties;
mod invariants;
mod pause_device;
mod register;
mod remove_device;
mod seats;
mod seats_fixed;
mod set_accepting;
mod set_offers;
mod set_payout;
