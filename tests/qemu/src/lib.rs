//! Duralumin in QEMU, for tests: a typed machine with a time limit.
//!
//! ```text
//!   Machine (what to start) --start()--> Qemu (what runs)
//!                                          |-- serial line: wait_for, log
//!                                          |-- QMP socket: screenshot, key, type_text, move_mouse, button, wheel
//!                                          +-- process: wait, processor_seconds; killed when dropped
//! ```
//! Everything that waits ends at the machine's time limit, with the log so far in the error.
#![forbid(unsafe_code)]

mod keys;
mod machine;
mod monitor;
mod picture;
mod running;
mod small_disk;

pub use machine::{Boot, Machine, quoted};
pub use picture::Picture;
pub use running::{Button, End, Qemu};
pub use small_disk::SmallDisk;

use std::fmt;

/// What can go wrong with a machine under test.
#[derive(Debug)]
pub enum QemuError {
    /// The kernel, a disk image or QEMU could not be made or started.
    Start(String),
    /// The time limit passed.
    TimeLimit {
        /// What was waited for.
        waiting_for: String,
        /// The serial log so far.
        log: String,
    },
    /// QEMU ended while something was waited for.
    Ended {
        /// What was waited for.
        waiting_for: String,
        /// The serial log.
        log: String,
    },
    /// QEMU refused a command, or its answer makes no sense.
    Monitor(String),
    /// A character that no key of a US board types.
    NoKey(char),
}

impl fmt::Display for QemuError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(what) => write!(f, "the machine could not be started: {what}"),
            Self::TimeLimit { waiting_for, log } => {
                write!(f, "the time limit passed while waiting for {waiting_for}; log:\n{log}")
            }
            Self::Ended { waiting_for, log } => write!(f, "QEMU ended while waiting for {waiting_for}; log:\n{log}"),
            Self::Monitor(what) => write!(f, "QEMU's monitor: {what}"),
            Self::NoKey(character) => write!(f, "no key types {character:?}"),
        }
    }
}

impl std::error::Error for QemuError {}

/// The result of everything here.
pub type Result<T> = std::result::Result<T, QemuError>;
