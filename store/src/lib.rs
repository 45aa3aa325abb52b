//! The machine's disk: a Lisp world that survives, and the saver that writes it.
//!
//! ```text
//!   kernel: pager, save, autosave      boot tools: import, export, list, check      tests: power cuts
//!                    \                              |                               /
//!                     +---------------------->   Store   <-------------------------+
//!                                                   |
//!                                            trait Device
//!                            /                      |                      \
//!                     virtio driver            a host's file           FakeDisk (loses, tears, reorders)
//! ```
//! A world is a set of 4 KiB *pages*: page `p` is the eight Lisp pages `8p .. 8p + 8`, in the byte order of a sysout,
//! with one bit for each that exists. A *generation* is a whole world at one moment. Saving writes what has changed to
//! free blocks, then a new map, then a commit record; no block of a generation that is kept is ever written again
//! before it has been given up. The format is in [`format`], the order of writes in `save`, both told at length in
//! `docs/saving.md`.
//!
//! ```text
//!   let mut store = Store::open(&mut disk)?;                  newest complete generation
//!   store.read_page(&mut disk, page, &mut buffer)?;           checked against its checksum
//!   store.begin_save(dirty_pages, &SaveInfo { .. })?;         nothing written yet
//!   while store.step(&mut disk, &mut source, 8)? != Done {}   a few writes a step; Lisp may run between steps
//! ```

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod bitmap;
mod check;
mod checksum;
mod date;
pub mod device;
mod error;
#[cfg(feature = "testing")]
pub mod fake;
pub mod format;
pub mod layout;
mod mount;
mod save;
pub mod sysout;

pub use check::{Checked, Finding, Summary, check};
pub use date::Date;
pub use device::{Block, Device, DeviceError};
pub use error::StoreError;
pub use format::{BLOCK, Entry, Name, Origin, Record, SaveKind};
pub use mount::{Generation, Health, Store};
pub use save::{NewWorld, PageSource, Progress, SaveInfo};

/// Lisp pages in a page of the store.
pub const LISP_PAGES: u32 = 8;
