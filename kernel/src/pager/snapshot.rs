//! Snapshots: Lisp's memory as it was at one moment, given away page by page while Lisp goes on.
//!
//! ```text
//!   begin                        every page changed since the last save:    writable, changed  -->  read-only, FROZEN
//!
//!   Lisp writes to a frozen one  write fault: old contents to a spare frame, page writable again, its copy awaited
//!   take                         frozen, no copy: contents as they stand, page writable again
//!                                a copy:          that, and its frame is free again
//!
//!   end                          saved: what has changed is what changed since `begin`
//!                                failed: that, and everything the snapshot had
//! ```
//! Pages that have not changed since the last save need no protection: what is on the disk is what they held. The time
//! that Lisp stands still is that of [`begin`], a scan of the page table and a flush of the TLB, and of each write fault,
//! a copy of 4 KiB; both are measured.

use super::watch::WATCHED;
use super::{BASE, CHANGED, DIRTY, FRAME_BITS, PRESENT, Pager, PagerError, SHOW, WRITABLE, WRITTEN, with};
use crate::clock;
use crate::memory::frames::FRAME;
use crate::memory::{FRAMES, PhysicalAddress, direct};
use core::fmt;
use kernel_logic::page_plan::{ABSENT, LISP_PAGE, SLOTS, swap_groups};
use x86_64::VirtAddr;
use x86_64::instructions::tlb;

/// Bit 10 of an entry: read-only because the snapshot has not taken the page yet.
pub(super) const FROZEN: u64 = 1 << 10;
/// Bit 11 of an entry: the page belongs to the snapshot.
const TAKING: u64 = 1 << 11;
/// In a copy's number: there is one. The low eight bits say which Lisp pages existed, the rest where it is.
const COPIED: u64 = 1 << 8;

/// What snapshots have cost so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters {
    /// Snapshots begun.
    pub snapshots: u64,
    /// Pages in them.
    pub pages: u64,
    /// Pages that Lisp wrote to before they were taken.
    pub copies: u64,
    /// The longest time that Lisp stood still, in TSC ticks: to begin a snapshot, and for a copy.
    pub longest_begin: u64,
    /// As above.
    pub longest_copy: u64,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let microseconds = |ticks: u64| ticks * 1_000_000 / clock::tsc_hertz().max(1);
        write!(
            f,
            "{} snapshots of {} pages, {} copied before a write; longest stop {} us to begin, {} us to copy",
            self.snapshots,
            self.pages,
            self.copies,
            microseconds(self.longest_begin),
            microseconds(self.longest_copy)
        )
    }
}

/// The state of snapshots.
pub(super) struct State {
    /// For each 4 KiB page the copy of what the snapshot wants, or 0.
    copies: &'static mut [u64],
    /// Is there a snapshot?
    active: bool,
    counters: Counters,
    /// As in the counters, but since the last snapshot began.
    longest_copy_now: u64,
}

impl State {
    /// `copies` has an element for each 4 KiB page.
    pub(super) fn new(copies: &'static mut [u64]) -> Self {
        Self { copies, active: false, counters: Counters::default(), longest_copy_now: 0 }
    }
}

/// Begins a snapshot of what has changed since the last one that was saved; `page` gets the number of each 4 KiB page.
///
/// # Panics
/// When there is one already.
pub fn begin(mut page: impl FnMut(u32)) {
    with(|pager| {
        assert!(!pager.snapshot.active, "one snapshot at a time");
        let started = clock::cycles();
        pager.snapshot.active = true;
        pager.snapshot.longest_copy_now = 0;
        let mut pages = 0;
        for (number, entry) in pager.entries.iter_mut().enumerate() {
            // SAFETY: a valid reference; the processor sets bits in it, but not while this code runs on it.
            let value = unsafe { core::ptr::from_ref(entry).read_volatile() };
            if value & PRESENT == 0 || value & (DIRTY | WRITTEN) == 0 {
                continue;
            }
            let show = if value & DIRTY != 0 { SHOW | CHANGED } else { 0 };
            *entry = value & !(DIRTY | WRITTEN | WRITABLE) | FROZEN | TAKING | show;
            pages += 1;
            page(number as u32);
        }
        tlb::flush_all();
        let counters = &mut pager.snapshot.counters;
        counters.snapshots += 1;
        counters.pages += pages;
        counters.longest_begin = counters.longest_begin.max(clock::cycles() - started);
    });
}

/// Copies a page of the snapshot in the byte order of a sysout, once. Gives a bit for each of its Lisp pages that existed;
/// `None` if there was no memory to keep it.
pub fn take(page: u32, into: &mut [u8; FRAME as usize]) -> Option<u8> {
    with(|pager| {
        let number = page as usize;
        let copy = pager.snapshot.copies[number];
        if copy & COPIED != 0 {
            let frame = PhysicalAddress(copy & FRAME_BITS);
            swap_groups(contents(&frame), into);
            pager.snapshot.copies[number] = 0;
            release(frame);
            return Some(copy as u8);
        }
        let entry = pager.entries[number];
        if entry & FROZEN == 0 {
            return None;
        }
        swap_groups(contents(&PhysicalAddress(entry & FRAME_BITS)), into);
        pager.thaw(number);
        Some(pager.existing(number))
    })
}

/// Ends the snapshot. If it was not saved, what it had counts as changed again.
pub fn end(saved: bool) {
    with(|pager| {
        pager.snapshot.active = false;
        for (number, entry) in pager.entries.iter_mut().enumerate().filter(|(_, entry)| **entry & TAKING != 0) {
            let again = if saved { 0 } else { WRITTEN };
            let writable = if *entry & WATCHED == 0 { WRITABLE } else { 0 };
            *entry = *entry & !(TAKING | FROZEN) | writable | again;
            let copy = core::mem::take(&mut pager.snapshot.copies[number]);
            if copy & COPIED != 0 {
                release(PhysicalAddress(copy & FRAME_BITS));
            }
        }
        tlb::flush_all();
    });
}

/// The longest time that a copy took since the last snapshot began, microseconds.
pub fn longest_copy() -> u64 {
    with(|pager| pager.snapshot.longest_copy_now) * 1_000_000 / clock::tsc_hertz().max(1)
}

/// What snapshots have cost so far.
pub fn counters() -> Counters {
    with(|pager| pager.snapshot.counters)
}

/// The bytes of a frame of Lisp's, or of a copy.
fn contents(frame: &PhysicalAddress) -> &[u8] {
    // SAFETY: a frame that belongs to Lisp space or to a copy, reached through the direct map; Lisp does not run meanwhile.
    unsafe { core::slice::from_raw_parts(direct::<u8>(*frame), FRAME as usize) }
}

fn release(frame: PhysicalAddress) {
    // SAFETY: the frame of a copy, which nothing refers to any more.
    let _ = FRAMES.try_with(|frames| unsafe { frames.release(frame) });
}

impl Pager {
    /// Bit i: Lisp page i of a 4 KiB page exists.
    fn existing(&self, page: usize) -> u8 {
        let slots = self.table[page * SLOTS..][..SLOTS].iter().enumerate();
        slots.fold(0, |bits, (slot, &file)| bits | u8::from(file != ABSENT) << slot)
    }

    /// Lets Lisp write to a page again.
    fn thaw(&mut self, page: usize) {
        let writable = if self.entries[page] & WATCHED == 0 { WRITABLE } else { 0 };
        self.entries[page] = self.entries[page] & !FROZEN | writable;
        tlb::flush(VirtAddr::new(BASE + page as u64 * FRAME));
    }

    /// Sees to it that a page may be changed: what the snapshot still wants of it is copied. Without memory for that the
    /// page is lost to the snapshot, which then fails, and not to Lisp.
    pub(super) fn before_change(&mut self, page: usize) {
        let entry = self.entries[page];
        if entry & (PRESENT | FROZEN) != PRESENT | FROZEN {
            return;
        }
        let started = clock::cycles();
        if let Some(copy) = FRAMES.try_with(|frames| frames.allocate()).flatten() {
            let (from, to) = (direct::<u8>(PhysicalAddress(entry & FRAME_BITS)), direct::<u8>(copy));
            // SAFETY: a frame of Lisp space and one that was just allocated.
            unsafe { core::ptr::copy_nonoverlapping(from, to, FRAME as usize) };
            self.snapshot.copies[page] = copy.0 | COPIED | u64::from(self.existing(page));
        }
        self.thaw(page);
        let (passed, state) = (clock::cycles() - started, &mut self.snapshot);
        state.counters.copies += 1;
        state.counters.longest_copy = state.counters.longest_copy.max(passed);
        state.longest_copy_now = state.longest_copy_now.max(passed);
    }

    /// Serves a write to a page that is there and cannot be written.
    pub(super) fn write_to_present(&mut self, page: usize, word: u32) -> Result<(), PagerError> {
        let entry = self.entries[page];
        if entry & PRESENT == 0 || entry & (WRITABLE | FROZEN) == 0 {
            return Err(PagerError::NoPage { word });
        }
        self.before_change(page);
        // The processor may only have remembered that the page could not be written.
        tlb::flush(VirtAddr::new(BASE + page as u64 * FRAME));
        Ok(())
    }
}

const _: () = assert!(SLOTS * LISP_PAGE == FRAME as usize);
