//! What can stop the machine, a sentence each.

use crate::address::LispPtr;
use core::fmt;

/// Why Lisp cannot go on, or a sysout cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MachineError {
    /// An opcode whose definition in the image is no function the machine can call.
    BadUfn {
        /// The opcode.
        opcode: u8,
    },
    /// Both the stack and its guard space are used up.
    StackExhausted,
    /// The stack's chain of frames and free blocks is inconsistent.
    BadStack {
        /// What was expected, in a few words.
        what: &'static str,
        /// Where it was expected.
        at: LispPtr,
    },
    /// The collector's tables contradict the heap.
    BadCount {
        /// What was found, in a few words.
        what: &'static str,
        /// The object.
        at: LispPtr,
    },
    /// The storage allocator met something that must not be.
    BadStorage {
        /// What was found, in a few words.
        what: &'static str,
        /// Where.
        at: LispPtr,
    },
    /// Lisp needs another page and the world has no memory left.
    OutOfMemory,
    /// All of Lisp's address space is in use.
    StorageFull,
    /// A symbol that the machine needs is not in the image.
    MissingSymbol {
        /// Its print name.
        name: &'static str,
    },
    /// Lisp asked for the monitor (RAID) with a reason.
    Raid {
        /// What Lisp said, or what the machine knows.
        what: &'static str,
    },
    /// An opcode or subr of this machine is not built yet.
    NotBuilt {
        /// Its name.
        what: &'static str,
    },
}

impl fmt::Display for MachineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::BadUfn { opcode } => {
                write!(f, "opcode {opcode:#o} has no machine code and its Lisp definition is damaged")
            }
            Self::StackExhausted => write!(f, "Lisp's stack and its reserve are used up"),
            Self::BadStack { what, at } => write!(f, "Lisp's stack is damaged at {at:?}: {what}"),
            Self::BadCount { what, at } => write!(f, "the reference counts are damaged at {at:?}: {what}"),
            Self::BadStorage { what, at } => write!(f, "Lisp's storage is damaged at {at:?}: {what}"),
            Self::OutOfMemory => write!(f, "no memory is left for another page of Lisp"),
            Self::StorageFull => write!(f, "Lisp's address space is completely full"),
            Self::MissingSymbol { name } => write!(f, "the image has no symbol {name}: it is no Medley image"),
            Self::Raid { what } => write!(f, "Lisp asked for help: {what}"),
            Self::NotBuilt { what } => write!(f, "{what} is not built into this machine yet"),
        }
    }
}

impl core::error::Error for MachineError {}
