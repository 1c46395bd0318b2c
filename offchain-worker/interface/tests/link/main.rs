//! The node's end of the socket against a real Unix socket, at whose other end the test plays the
//! worker process.

#![allow(clippy::unwrap_used, missing_docs)]

mod conversation;
mod hostile;
mod stage;
