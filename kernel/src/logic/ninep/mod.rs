//! A folder of the host over 9P2000.L: a client that is a [`files::Volume`].
//!
//! ```text
//!   Volume  -->  Client  --(one request, one reply)-->  Channel      kernel: a virtio queue; tests: a server in memory
//!                  |
//!                  +-- reads ahead, and gathers writes that follow each other: Lisp's files come in pages of 512 bytes
//! ```
//! One request is under way at a time. Whatever a reply says is checked: a server that talks nonsense makes errors.

mod client;
pub mod message;
#[cfg(test)]
mod server;
#[cfg(test)]
mod tests;

pub use client::{Channel, Client, MESSAGE};
