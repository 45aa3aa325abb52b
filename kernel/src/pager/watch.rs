//! Watched words: Lisp runs at full speed, and stops when one of them changes.
//!
//! ```text
//!   set        the page of each watched word: read-only, WATCHED
//!   a write    page fault: what the words hold is noted, the page is writable for one instruction (trap flag)
//!   that done  debug exception: read-only again; do the words hold something else?  --> the first change is kept
//! ```
//! Also here: pages that somebody who looks at a stopped machine touches, and Lisp does not have. They read as zeroes for
//! as long as that lasts, and are no more than that.

use super::{BASE, PAGER, PRESENT, Pager, PagerError, WRITABLE, with};
use crate::cpu::TrapFrame;
use crate::memory::exclusive::Exclusive;
use crate::memory::frames::FRAME;
use crate::memory::{PhysicalAddress, direct, permanent_frames};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use monitor::Watched;
use x86_64::VirtAddr;
use x86_64::instructions::tlb;

/// Bit 53 of an entry: read-only because of a watched word.
pub(super) const WATCHED: u64 = 1 << 53;
/// Bit 54 of an entry: the page reads as zeroes, because Lisp does not have it and somebody looks.
const FORGIVEN: u64 = 1 << 54;
/// The flag that makes the processor stop behind one instruction.
const TRAP_FLAG: u64 = 1 << 8;

/// Most cells that are watched.
pub const MOST: usize = 8;

/// The first change that was noticed.
#[derive(Clone, Copy)]
pub struct Change {
    /// Which of the watched places.
    pub watch: usize,
    /// The processor's registers at the write.
    pub frame: TrapFrame,
}

struct State {
    places: [Watched; MOST],
    count: usize,
    /// What they held before the instruction that is being carried out.
    old: [u32; MOST],
    /// Pages that are writable for that instruction; at most two, as a write can cross a boundary.
    open: [Option<usize>; 2],
    frame: TrapFrame,
    change: Option<Change>,
}

static STATE: Exclusive<State> = Exclusive::new(State {
    places: [Watched { at: vm::address::LispPtr(0), words: 0 }; MOST],
    count: 0,
    old: [0; MOST],
    open: [None; 2],
    frame: TrapFrame::ZERO,
    change: None,
});
/// Is anything watched? Without it, write faults are none of ours.
static ACTIVE: AtomicBool = AtomicBool::new(false);
/// Was a change noticed of which nobody has been told?
static CHANGED: AtomicBool = AtomicBool::new(false);
/// Write faults because of watched pages.
static FAULTS: AtomicU64 = AtomicU64::new(0);

impl State {
    /// The cell at a watched place.
    fn cell(&self, place: usize) -> u32 {
        let word = self.places[place].at.0 & !1;
        super::frame_of(word & !2047).map_or(0, |frame| {
            // SAFETY: inside a resident frame of Lisp space, at a multiple of four bytes.
            unsafe { direct::<u32>(frame).add((word % 2048 / 2) as usize).read_volatile() }
        })
    }
}

/// The 4 KiB page of a word.
fn page_of(word: u32) -> usize {
    (word / 2048) as usize
}

/// Watches these cells from now on; their pages are brought in. False if one cannot be watched.
pub fn set(places: &[Watched]) -> bool {
    clear();
    if places.len() > MOST {
        return false;
    }
    for place in places {
        let watched = with(|pager| {
            let page = page_of(place.at.0);
            if pager.entries.get(page).is_none_or(|entry| entry & PRESENT == 0) {
                pager.bring_in(page, place.at.0)?;
            }
            let frozen = super::snapshot::FROZEN;
            if pager.entries[page] & (WRITABLE | frozen | WATCHED) == 0 {
                return Err(PagerError::NoPage { word: place.at.0 });
            }
            pager.entries[page] = pager.entries[page] & !WRITABLE | WATCHED;
            tlb::flush(VirtAddr::new(BASE + page as u64 * FRAME));
            Ok(())
        });
        if watched.is_err() {
            clear();
            return false;
        }
    }
    STATE.with(|state| {
        state.places[..places.len()].copy_from_slice(places);
        state.count = places.len();
        state.change = None;
        state.open = [None; 2];
    });
    CHANGED.store(false, Ordering::Relaxed);
    ACTIVE.store(true, Ordering::Relaxed);
    true
}

/// Watches nothing any more. A change that was noticed can still be taken.
pub fn clear() {
    ACTIVE.store(false, Ordering::Relaxed);
    with(|pager| {
        for page in 0..pager.entries.len() {
            let entry = pager.entries[page];
            if entry & WATCHED != 0 {
                let writable = if entry & super::snapshot::FROZEN == 0 { WRITABLE } else { 0 };
                pager.entries[page] = entry & !WATCHED | writable;
                tlb::flush(VirtAddr::new(BASE + page as u64 * FRAME));
            }
        }
    });
}

/// Was a change noticed since somebody asked, or took one? Only the first who asks is told: whoever asks until there is
/// nothing left, as the machine does for input, may have made the change by what it did with the last answer.
pub fn newly_changed() -> bool {
    CHANGED.swap(false, Ordering::Relaxed)
}

/// Takes the first change that was noticed.
pub fn take() -> Option<Change> {
    CHANGED.store(false, Ordering::Relaxed);
    STATE.with(|state| state.change.take())
}

/// Write faults because of watched pages so far.
pub fn faults() -> u64 {
    FAULTS.load(Ordering::Relaxed)
}

/// Serves a write to a page that is there and cannot be written, if that is because of a watched word: lets this one
/// instruction through. On the page fault stack, with interrupts off.
pub fn fault(frame: &mut TrapFrame, address: u64) -> bool {
    if !ACTIVE.load(Ordering::Relaxed) {
        return false;
    }
    let page = (address.wrapping_sub(BASE) / FRAME) as usize;
    let open = PAGER.try_with(|pager| {
        let Some(pager) = pager else { return false };
        if pager.entries.get(page).is_none_or(|entry| entry & (PRESENT | WATCHED) != PRESENT | WATCHED) {
            return false;
        }
        pager.before_change(page);
        pager.entries[page] |= WRITABLE;
        tlb::flush(VirtAddr::new(BASE + page as u64 * FRAME));
        true
    });
    if open != Some(true) {
        return false;
    }
    FAULTS.fetch_add(1, Ordering::Relaxed);
    STATE.with(|state| {
        if state.open == [None; 2] {
            state.frame = *frame;
            for place in 0..state.count {
                state.old[place] = state.cell(place);
            }
        }
        if let Some(place) = state.open.iter_mut().find(|place| place.is_none()) {
            *place = Some(page);
        }
    });
    frame.rflags |= TRAP_FLAG;
    true
}

/// After the one instruction: serves the debug exception, if it is ours. `changed` is called for the first change.
pub fn stepped(frame: &mut TrapFrame, changed: impl FnOnce()) -> bool {
    let noticed = STATE.with(|state| {
        if state.open == [None; 2] {
            return None;
        }
        for page in core::mem::take(&mut state.open).into_iter().flatten() {
            with(|pager| {
                if pager.entries[page] & WATCHED != 0 {
                    pager.entries[page] &= !WRITABLE;
                }
            });
            tlb::flush(VirtAddr::new(BASE + page as u64 * FRAME));
        }
        let watch = (0..state.count).find(|&place| state.cell(place) != state.old[place]);
        let first = watch.filter(|_| state.change.is_none());
        if let Some(watch) = first {
            state.change = Some(Change { watch, frame: state.frame });
        }
        Some(first.is_some())
    });
    let Some(noticed) = noticed else { return false };
    frame.rflags &= !TRAP_FLAG;
    if noticed {
        CHANGED.store(true, Ordering::Relaxed);
        changed();
    }
    true
}

/// Makes pages that Lisp does not have read as zeroes, or be errors again.
pub fn forgive(on: bool) {
    with(|pager| {
        pager.forgiving = on.then(|| pager.zeroes.unwrap_or_else(|| permanent_frames(1)));
        pager.zeroes = pager.zeroes.or(pager.forgiving);
        if !on && core::mem::take(&mut pager.forgiven) > 0 {
            for page in 0..pager.entries.len() {
                if pager.entries[page] & FORGIVEN != 0 {
                    pager.entries[page] = 0;
                    tlb::flush(VirtAddr::new(BASE + page as u64 * FRAME));
                }
            }
        }
    });
}

impl Pager {
    /// Maps zeroes where Lisp has no page, if somebody is only looking.
    pub(super) fn forgive_page(&mut self, page: usize) -> bool {
        let Some(PhysicalAddress(zeroes)) = self.forgiving else { return false };
        self.entries[page] = zeroes | PRESENT | 1 << 63 | FORGIVEN;
        self.forgiven += 1;
        true
    }
}

/// A 4 KiB page, as the monitor shows it.
pub fn state(page: u32) -> monitor::PageState {
    with(|pager| {
        let first = page as usize * super::SLOTS;
        let Some(slots) = pager.table.get(first..first + super::SLOTS) else { return monitor::PageState::default() };
        let pages = slots.iter().filter(|&&file| file != super::ABSENT).count() as u8;
        let entry = pager.entries[page as usize];
        let resident = entry & PRESENT != 0 && entry & FORGIVEN == 0;
        monitor::PageState { pages, resident, written: resident && entry & (super::DIRTY | super::WRITTEN) != 0 }
    })
}
