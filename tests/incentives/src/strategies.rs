//! The strategies.
//!
//! ## Map
//! | file | concept |
//! | --- | --- |
//! | [`honest`] | what everybody should do |
//! | [`alone`] | workers who cheat each for themselves: noise, half the work, silence, a late defection |
//! | [`auditors`] | auditors who copy, always agree, or always disagree |
//! | [`cartel`] | owners who agree on one lie, audit each other and judge each other |
//! | [`authors`] | such owners who also make blocks, and choose when to commit and what to publish |
//! | [`bribery`] | workers who pay auditors to agree |
//! | [`requesters`] | requesters who torment, who buy a reputation, who pay themselves |

pub mod alone;
pub mod auditors;
pub mod authors;
pub mod bribery;
pub mod cartel;
pub mod honest;
pub mod requesters;
