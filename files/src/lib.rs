//! Lisp's files: what `{DSK}` and `{UNIX}` mean, over anything that can keep directories and bytes.
//!
//! ```text
//!   vm::platform::Files   names, versions, recognition, lists            LispFiles
//!   ------------------------------------------------------------------------------
//!   Volume                directories, bytes, attributes, hard links     MemoryVolume   here
//!                                                                        Mounts         here: volumes in one tree
//!                                                                        MachineFiles   here: the console, the end
//!                                                                        HostVolume     tests/runner
//!                                                                        Share          kernel: 9P over virtio
//! ```
//! A [`Path`] is a list of names from the volume's root; there is no `..` in it and no way to say one, so nothing that
//! Lisp writes leaves the root.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod lisp;
mod listing;
mod machine_files;
mod memory;
mod mounts;
mod names;
mod resolve;
mod versions;
mod volume;

pub use lisp::LispFiles;
pub use machine_files::MachineFiles;
pub use memory::{Faults, MemoryVolume};
pub use mounts::Mounts;
pub use names::unix_path;
pub use volume::{
    Attributes, Change, Entries, Entry, FileId, Kind, LONGEST_NAME, Path, PathBuf, Result, Space, Volume, VolumeError,
    check_name, check_path, keep,
};
