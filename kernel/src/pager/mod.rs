//! Lisp space: x86-64 page tables in the place of a D-machine's memory map.
//!
//! ```text
//!   Lisp word w          virtual page              page table entry            sysout
//!   BASE + 2w      -->   (address - BASE) / 4096   present: a frame       <--  eight file pages, read by the fault,
//!                                                  absent: fault               found through `table` (Lisp page -> file page)
//! ```
//! `table` is the inverse of the image's FPtoVP. The page table entries of all of Lisp space are one flat array, so
//! looking for dirty pages is a scan. Bits of an entry, beside the frame:
//!
//! | bit | meaning |
//! |---|---|
//! | 0 present, 1 writable, 63 no-execute | set together by a fault |
//! | 5 accessed, 6 dirty | set by the processor; dirty is cleared when display or snapshot have looked |
//! | 9 | changed since it was last saved: every dirty bit that [`take_dirty`] cleared is kept here |
//! | 10, 11 | waits for a snapshot, belongs to one: see [`snapshot`] |
//! | 53, 54 | a word in it is watched; it is not there and reads as zeroes while somebody looks: see [`watch`] |
//! | 55 | changed since [`states`] was asked last: every dirty bit that others cleared is kept here |
//! | 52 | came in or changed since the display looked: every dirty bit that a snapshot cleared is kept here |
//!
//! A Lisp page that shares its 4 KiB with an existing one reads as zeroes instead of faulting: the processor cannot
//! tell them apart. Where none of the eight exists, touching it is an error.

pub mod snapshot;
pub mod watch;

use crate::clock;
use crate::devices::block::{self, DiskError, Request};
use crate::memory::exclusive::Exclusive;
use crate::memory::frames::FRAME;
use crate::memory::paging::{self, DATA};
use crate::memory::{FRAMES, PhysicalAddress, direct, permanent_frames};
use crate::saving;
use core::fmt;
use kernel_logic::page_plan::{ABSENT, LISP_PAGE, NEW, Plan, SLOTS, swap_groups};
use store::StoreError;
use vm::memory::{GUARD, REGION};
use vm::platform::page_state;
use x86_64::VirtAddr;
use x86_64::instructions::tlb;
use x86_64::registers::control::{Cr0, Cr0Flags};

/// Where Lisp space starts.
pub const BASE: u64 = vm::memory::BASE as u64;

/// Bit 9 of an entry, see the module.
const WRITTEN: u64 = 1 << 9;
/// Bit 52 of an entry, see the module.
const SHOW: u64 = 1 << 52;
/// Bit 55 of an entry, see the module.
const CHANGED: u64 = 1 << 55;
const PRESENT: u64 = 1;
const WRITABLE: u64 = 2;
const ACCESSED: u64 = 1 << 5;
const DIRTY: u64 = 1 << 6;
const FRAME_BITS: u64 = 0x000f_ffff_ffff_f000;

/// Why a page fault in Lisp space cannot be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PagerError {
    /// Neither the image nor the allocator has a page there.
    NoPage {
        /// Lisp word address.
        word: u32,
    },
    /// The disk failed.
    Disk {
        /// Lisp word address of the 4 KiB page.
        word: u32,
        /// What it said.
        error: DiskError,
    },
    /// What the disk holds of a page is wrong, or it failed.
    Store {
        /// Lisp word address of the 4 KiB page.
        word: u32,
        /// What is wrong.
        error: StoreError,
    },
    /// No frame is left.
    OutOfMemory {
        /// Lisp word address.
        word: u32,
        /// Bytes of Lisp space that are resident.
        resident: u64,
    },
    /// A page fault in the pager itself.
    Reentered {
        /// Lisp word address.
        word: u32,
    },
}

impl fmt::Display for PagerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NoPage { word } => {
                write!(f, "Lisp touched address {word:#x}, where there is no page (virtual page {:#x})", word >> 8)
            }
            Self::Disk { word, error } => write!(f, "the page at Lisp address {word:#x} could not be read: {error}"),
            Self::Store { word, error } => {
                write!(f, "the page at Lisp address {word:#x} could not be read: {error}. {}", saving::WayBack)
            }
            Self::OutOfMemory { word, resident } => write!(
                f,
                "no memory left for the page at Lisp address {word:#x}; {} MiB of Lisp space are resident. Give the machine more memory",
                resident >> 20
            ),
            Self::Reentered { word } => write!(f, "the pager itself touched Lisp address {word:#x}"),
        }
    }
}

/// What the pager did so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counters {
    /// Page faults served.
    pub faults: u64,
    /// Requests to the disk for them.
    pub requests: u64,
    /// Lisp pages read.
    pub pages_read: u64,
    /// Lisp pages in the image.
    pub pages_in_image: u64,
    /// 4 KiB pages resident.
    pub resident: u64,
    /// 4 KiB pages changed since they were read or saved.
    pub dirty: u64,
    /// Time spent, in microseconds.
    pub microseconds: u64,
}

impl fmt::Display for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} faults, {} of {} Lisp pages read ({} %) in {} requests and {} ms, {} KiB resident, {} KiB dirty",
            self.faults,
            self.pages_read,
            self.pages_in_image,
            self.pages_read * 100 / self.pages_in_image.max(1),
            self.requests,
            self.microseconds / 1000,
            self.resident * 4,
            self.dirty * 4
        )
    }
}

/// Where pages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A plain sysout: the table has a file page for each Lisp page.
    Sysout,
    /// The machine's store, by 4 KiB pages: the table only says which Lisp pages exist.
    Store,
}

struct Pager {
    source: Source,
    /// File page of each Lisp page, [`ABSENT`] or [`NEW`].
    table: &'static mut [u32],
    /// Page table entries of Lisp space.
    entries: &'static mut [u64],
    /// Where the disk puts what it reads, in file order.
    staging: PhysicalAddress,
    counters: Counters,
    snapshot: snapshot::State,
    /// A frame of zeroes for pages that Lisp does not have, while somebody looks at a stopped machine.
    forgiving: Option<PhysicalAddress>,
    /// That frame, once it was needed.
    zeroes: Option<PhysicalAddress>,
    /// How many pages it stands for.
    forgiven: u32,
}

static PAGER: Exclusive<Option<Pager>> = Exclusive::new(None);

/// Makes a Lisp space of `lisp_pages` pages of 512 bytes. `fill` writes the file page of every Lisp page into the table,
/// which starts with [`ABSENT`] everywhere.
pub fn start<E>(source: Source, lisp_pages: usize, fill: impl FnOnce(&mut [u32]) -> Result<(), E>) -> Result<(), E> {
    let lisp_pages = lisp_pages.next_multiple_of(SLOTS);
    let frames = permanent_frames((lisp_pages as u64 * 4).div_ceil(FRAME));
    // SAFETY: frames of our own, for ever, large enough.
    let table = unsafe { core::slice::from_raw_parts_mut(direct::<u32>(frames), lisp_pages) };
    table.fill(ABSENT);
    fill(table)?;
    let pages_in_image = table.iter().filter(|&&page| page < NEW).count() as u64;
    let entries = paging::install_flat_tables(BASE, lisp_pages / SLOTS);
    let frames = permanent_frames((entries.len() as u64 * 8).div_ceil(FRAME));
    // SAFETY: frames of our own, for ever, large enough, zeroed.
    let copies = unsafe { core::slice::from_raw_parts_mut(direct::<u64>(frames), entries.len()) };
    // Snapshots rely on it: the kernel's own code must fault, too, when it writes where it may not.
    // SAFETY: it takes rights away from code that does not use them.
    unsafe { Cr0::update(|flags| flags.insert(Cr0Flags::WRITE_PROTECT)) };
    let pager = Pager {
        source,
        table,
        entries,
        staging: permanent_frames(1),
        counters: Counters { pages_in_image, ..Counters::default() },
        snapshot: snapshot::State::new(copies),
        forgiving: None,
        zeroes: None,
        forgiven: 0,
    };
    PAGER.with(|place| *place = Some(pager));
    Ok(())
}

/// Is that virtual address one that Lisp code can name, with a page behind it or not?
pub fn owns(address: u64) -> bool {
    (BASE - GUARD as u64..BASE + REGION as u64).contains(&address)
}

/// Serves a page fault: called on the page fault stack with interrupts off, whatever was running. `present`: the page is
/// there, but may not be written to.
pub fn fault(address: u64, present: bool) -> Result<(), PagerError> {
    // Below BASE is the guard: addresses that wrapped around.
    let offset = address.wrapping_sub(BASE);
    let (page, word) = ((offset / FRAME) as usize, (offset / 2) as u32);
    PAGER
        .try_with(|pager| match pager {
            Some(pager) if page < pager.entries.len() && present => pager.write_to_present(page, word),
            Some(pager) if page < pager.entries.len() => pager.bring_in(page, word),
            _ => Err(PagerError::NoPage { word }),
        })
        .unwrap_or(Err(PagerError::Reentered { word }))
}

/// Makes `count` Lisp pages from `first` (virtual page numbers) exist: zeroed, in no file. Those that exist already stay
/// as they are. The new ones are resident and count as changed.
///
/// # Panics
/// When they are outside Lisp space.
pub fn add_pages(first: u32, count: u32) -> Result<(), PagerError> {
    with(|pager| {
        for lisp_page in first as usize..(first + count) as usize {
            if pager.table[lisp_page] != ABSENT {
                continue;
            }
            let page = lisp_page / SLOTS;
            pager.before_change(page);
            pager.table[lisp_page] = NEW;
            if pager.entries[page] & PRESENT == 0 {
                pager.bring_in(page, lisp_page as u32 * 256).inspect_err(|_| pager.table[lisp_page] = ABSENT)?;
            }
            let frame = direct::<u8>(PhysicalAddress(pager.entries[page] & FRAME_BITS));
            // SAFETY: a slot of a resident frame of Lisp space.
            unsafe { frame.add(lisp_page % SLOTS * LISP_PAGE).write_bytes(0, LISP_PAGE) };
            pager.entries[page] |= WRITTEN | SHOW;
        }
        Ok(())
    })
}

/// Brings in what exists among `words` words from `word`, a multiple of 2048, without Lisp having touched it.
pub fn prefetch(word: u32, words: u32) -> Result<(), PagerError> {
    with(|pager| {
        let pages = (word / 2048) as usize..(word + words).div_ceil(2048) as usize;
        for page in pages {
            let absent = pager.entries.get(page).is_some_and(|entry| entry & PRESENT == 0);
            if absent && pager.table[page * SLOTS..][..SLOTS].iter().any(|&file| file != ABSENT) {
                pager.bring_in(page, page as u32 * 2048)?;
            }
        }
        Ok(())
    })
}

/// Does the Lisp page exist?
pub fn exists(lisp_page: u32) -> bool {
    with(|pager| pager.table.get(lisp_page as usize).is_some_and(|&page| page != ABSENT))
}

/// The frame behind a Lisp word address that is a multiple of 2048, if it is resident.
pub fn frame_of(word: u32) -> Option<PhysicalAddress> {
    with(|pager| {
        let entry = *pager.entries.get((word / 2048) as usize)?;
        (entry & PRESENT != 0).then_some(PhysicalAddress(entry & FRAME_BITS))
    })
}

/// Calls `page` with the number (counted from the first) of every 4 KiB page among `words` words from `word` that was
/// written to since the last call, and forgets that it was. `word` is a multiple of 2048. `page` may use this module.
pub fn take_dirty(word: u32, words: u32, mut page: impl FnMut(usize)) {
    let first = (word / 2048) as usize;
    for index in 0..words.div_ceil(2048) as usize {
        let dirty =
            with(|pager| pager.entries.get_mut(first + index).is_some_and(|entry| clear_dirty(entry, first + index)));
        if dirty {
            page(index);
        }
    }
}

/// Forgets that the display has to look at a page; that it has changed since the last save is kept in [`WRITTEN`]. Says
/// whether there is something to look at.
fn clear_dirty(entry: &mut u64, page: usize) -> bool {
    // The processor sets the bit behind the compiler's back, but not between these two lines: one processor, and only
    // this code is running on it.
    // SAFETY: a valid reference.
    let value = unsafe { core::ptr::from_ref(entry).read_volatile() };
    if value & PRESENT == 0 || value & (DIRTY | SHOW) == 0 {
        return false;
    }
    let written = if value & DIRTY != 0 { WRITTEN | CHANGED } else { 0 };
    // SAFETY: a valid reference; the entry goes on to map the same frame.
    unsafe { core::ptr::from_mut(entry).write_volatile(value & !(DIRTY | SHOW) | written) };
    tlb::flush(VirtAddr::new(BASE + page as u64 * FRAME));
    true
}

/// What the 4 KiB pages from number `first` on are like, a byte of [`page_state`]'s bits each; that they were touched and
/// changed is forgotten.
pub fn states(first: u32, states: &mut [u8]) {
    with(|pager| {
        for (number, state) in (first as usize..).zip(states.iter_mut()) {
            *state = 0;
            let Some(slots) = pager.table.get(number * SLOTS..(number + 1) * SLOTS) else { continue };
            if slots.iter().all(|&file| file == ABSENT) {
                continue;
            }
            *state = page_state::THERE;
            let entry = &mut pager.entries[number];
            // SAFETY: a valid reference; the processor sets bits in it, but not while this code runs on it.
            let value = unsafe { core::ptr::from_ref(entry).read_volatile() };
            if value & PRESENT == 0 {
                continue;
            }
            let bits = [
                (page_state::RESIDENT, PRESENT),
                (page_state::TOUCHED, ACCESSED),
                (page_state::CHANGED, DIRTY | CHANGED),
                (page_state::UNSAVED, DIRTY | WRITTEN),
            ];
            *state |= bits.iter().filter(|(_, mask)| value & mask != 0).fold(0, |all, (bit, _)| all | bit);
            let kept = if value & DIRTY != 0 { WRITTEN | SHOW } else { 0 };
            // SAFETY: a valid reference; the entry goes on to map the same frame.
            unsafe { core::ptr::from_mut(entry).write_volatile(value & !(ACCESSED | DIRTY | CHANGED) | kept) };
        }
        tlb::flush_all();
    });
}

/// What the pager did so far; counts dirty pages on the way.
pub fn counters() -> Counters {
    with(|pager| {
        let written = |entry: &&u64| **entry & PRESENT != 0 && **entry & (DIRTY | WRITTEN) != 0;
        let dirty = pager.entries.iter().filter(written).count() as u64;
        Counters { dirty, ..pager.counters }
    })
}

#[track_caller]
fn with<R>(work: impl FnOnce(&mut Pager) -> R) -> R {
    PAGER.with(|pager| work(pager.as_mut().expect("Lisp space has been made")))
}

impl Pager {
    /// Fills and maps a 4 KiB page. `word` is what was touched, for the message.
    fn bring_in(&mut self, page: usize, word: u32) -> Result<(), PagerError> {
        let started = clock::microseconds();
        let slots: &[u32; SLOTS] = self.table[page * SLOTS..][..SLOTS].try_into().expect("eight");
        let plan = Plan::new(slots);
        if plan.existing == 0 {
            if self.forgive_page(page) {
                return Ok(());
            }
            return Err(PagerError::NoPage { word });
        }
        let out_of_memory = PagerError::OutOfMemory { word, resident: self.counters.resident * FRAME };
        let frame = FRAMES.try_with(|frames| frames.allocate()).flatten().ok_or(out_of_memory)?;
        let read = match self.source {
            Source::Sysout => self.read(&plan, frame).map_err(|error| PagerError::Disk { word, error }),
            Source::Store => self.read_stored(page, frame).map_err(|error| PagerError::Store { word, error }),
        };
        if let Err(error) = read {
            // SAFETY: the frame was just allocated and is mapped nowhere.
            let _ = FRAMES.try_with(|frames| unsafe { frames.release(frame) });
            return Err(error);
        }
        // Absent until now, and the processor does not remember absent pages: no flush.
        self.entries[page] = frame.0 | DATA.bits() | SHOW;
        let counters = &mut self.counters;
        counters.faults += 1;
        let (requests, pages_read) = match self.source {
            Source::Sysout => (plan.runs().len(), plan.file_pages()),
            Source::Store => (usize::from(plan.file_pages() > 0), plan.file_pages()),
        };
        counters.requests += requests as u64;
        counters.pages_read += pages_read as u64;
        counters.resident += 1;
        counters.microseconds += clock::microseconds() - started;
        Ok(())
    }

    /// Reads a page of the store and swaps it into the frame; what does not exist is zero in the store.
    fn read_stored(&mut self, page: usize, frame: PhysicalAddress) -> Result<(), StoreError> {
        // SAFETY: the staging frame is the pager's own, and the pager is in use once; `frame` was just allocated.
        let (staging, memory) = unsafe {
            (
                &mut *direct::<[u8; FRAME as usize]>(self.staging),
                core::slice::from_raw_parts_mut(direct::<u8>(frame), FRAME as usize),
            )
        };
        saving::read_page(page as u32, staging)?;
        swap_groups(&staging[..], memory);
        Ok(())
    }

    /// Reads what the plan says, swaps it into the frame, zeroes the rest.
    fn read(&mut self, plan: &Plan, frame: PhysicalAddress) -> Result<(), DiskError> {
        // SAFETY: the staging frame is the pager's own, and the pager is in use once; `frame` was just allocated.
        let (staging, memory) = unsafe {
            (
                core::slice::from_raw_parts_mut(direct::<u8>(self.staging), FRAME as usize),
                core::slice::from_raw_parts_mut(direct::<u8>(frame), FRAME as usize),
            )
        };
        let mut requests: [Request; SLOTS] = core::array::from_fn(|_| Request { sector: 0, buffer: &mut [] });
        let mut rest = &mut staging[..];
        for (request, run) in requests.iter_mut().zip(plan.runs()) {
            let (buffer, tail) = rest.split_at_mut(run.count * LISP_PAGE);
            *request = Request { sector: run.first.into(), buffer };
            rest = tail;
        }
        let requests = &mut requests[..plan.runs().len()];
        block::read_batch(requests)?;
        memory.fill(0);
        for (request, run) in requests.iter().zip(plan.runs()) {
            for (slot, bytes) in run.slots.iter().zip(request.buffer.chunks_exact(LISP_PAGE)) {
                swap_groups(bytes, &mut memory[usize::from(*slot) * LISP_PAGE..][..LISP_PAGE]);
            }
        }
        Ok(())
    }
}
