//! Configuration of the pallets, one file per concern.

pub mod consensus;
pub mod money;
pub mod rules;
pub mod system;
pub mod utility;
pub mod work;
