//! The machine's own file system: what `{DSK}` is when nobody shares a folder with it.
//!
//! ```text
//!   trait files::Volume      DiskVolume      open files, their bytes gathered in memory
//!                                |
//!   crate redoxfs            copy on write: a change writes new blocks, then a header that names them
//!                                |
//!   trait redoxfs::Disk      Region          flushes before and after each header, a cache, no header that may not count
//!                                |
//!   trait store::Device      share           one disk, two users: the worlds' store and the files
//!                            /   |   \
//!              virtio driver  a host's file  FakeDisk (loses, tears, reorders)
//! ```
//! The format is RedoxFS 8, and lies behind the worlds on the same disk ([`store::layout`]). Why this one, what it lacks
//! and what is done about that is told in `docs/files-on-disk.md`.
//!
//! ```text
//!   diskfs::make(&mut disk, &made)?;                     once; `boot import` does it
//!   let mut volume = DiskVolume::open(disk, options)?;   newest whole state
//!   volume.create(&path)?; ..                            each change of names is durable when it is done
//!   volume.close(file)?;                                 and the bytes of a file when it is synced or closed
//! ```

#![no_std]
#![deny(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod buffers;
mod cache;
mod check;
mod error;
mod format;
mod listings;
mod names;
mod nodes;
mod region;
mod share;
mod volume;

pub use check::{Finding, Summary, check};
pub use error::FilesError;
pub use format::{LEAST_BLOCKS, Made, is_blank, make};
pub use names::LONGEST_NAME;
pub use region::Counts;
pub use share::{Turns, User, Who, share};
pub use volume::{DiskVolume, NewFile, Options};
