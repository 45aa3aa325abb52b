//! The collector: reference counts, and what happens to objects that have none.
//!
//! ```text
//!   tables       the tables of counts and their chains       big_counts   counts that do not fit an entry
//!   references   adding and deleting references; RPLPTR      scan         marking what the stack refers to
//!   reclaim      the sweep; taking objects apart             finalize     types that need more than that
//!   arrays       blocks of array space: free lists, merging  code         compiled functions
//!   blocks, tally                                            looking at all that, for people
//! ```
//!
//! Lisp's stack is not counted: a collection first gives everything a frame refers to a stack bit, then reclaims each
//! object in the tables that has neither count nor stack bit (and what loses its last reference by that), and at last
//! takes the stack bits away. Lisp cannot run meanwhile, and while the countdown is NIL no further collection is asked
//! for. The order in which entries come and go is the reference emulator's, so that the tables compare bit for bit.

use crate::address::{AtomIndex, LispPage, LispPtr, WORDS_PER_PAGE};
use crate::dispatch::Flow;
use crate::error::MachineError;
use crate::layout::{Layout, SMALL_POSITIVE};
use crate::machine::{Machine, Regs};

mod arrays;
mod big_counts;
pub(crate) mod blocks;
mod code;
mod finalize;
mod reclaim;
mod references;
mod scan;
mod tables;
pub(crate) mod tally;
#[cfg(test)]
mod tests;

pub(crate) use arrays::add_free_block;
pub(crate) use references::{add_quickly, add_reference, delete_quickly, delete_reference, gcref, is_counted, rplptr};

/// The word of the statistics page where the cell with the milliseconds spent collecting is.
const GC_TIME: u32 = 16;
/// In the cell at \INTERRUPTSTATE: Lisp shall be told that the collector has been switched off.
const GC_DISABLED_INTERRUPT: u32 = 1 << 28;
/// Marks a free block of the stack; the low half is its length in words.
const FREE_STACK: u32 = 0xA000_0000;

/// Collects all garbage (subr DORECLAIM). `r` is what it was at the subr's opcode, which has no arguments.
pub(crate) fn reclaim<L: Layout>(m: &mut Machine<L>, r: &Regs) {
    if m.space.cell(m.symbols.gc_disabled) != 0 {
        return;
    }
    let start = m.platform.microseconds();
    m.space.set_cell(m.symbols.reclaim_countdown, 0);
    if end_frame(m, r) && scan::mark_stack(m) {
        reclaim::sweep(m);
        reclaim::unmark(m);
    }
    m.space.set_cell(m.symbols.reclaim_countdown, m.space.cell(m.symbols.reclaim_min));
    let milliseconds = m.platform.microseconds().saturating_sub(start) / 1000;
    let time = L::MISCSTATS.plus(GC_TIME);
    m.space.set_cell(time, m.space.cell(time).wrapping_add(milliseconds as u32));
}

/// Makes the running frame look like one that is not running: its part of the stack ends, and the rest is free. The top
/// of the stack is stored twice, as the reference does.
fn end_frame<L: Layout>(m: &mut Machine<L>, r: &Regs) -> bool {
    let top = LispPtr(r.sp);
    let end = top.plus(4);
    m.space.set_cell(top, r.tos);
    m.space.set_cell(top.plus(2), r.tos);
    m.space.set_word_near(LispPtr(r.pvar), -6, end.low());
    if end > m.stack_end {
        m.fail(MachineError::BadStack { what: "the running frame has no room to be scanned", at: end });
        return false;
    }
    let free = m.stack_end.0 - end.0;
    if free != 0 {
        m.space.set_cell(end, FREE_STACK | free);
    }
    true
}

/// Switches the collector off for good (subr DISABLEGC, or because its tables are full), and has Lisp tell the user.
#[cold]
pub(crate) fn disable<L: Layout>(m: &mut Machine<L>) {
    // A small image has only a part of the type table.
    let table_words = if L::BIG { 0x4_0000 } else { 0x8000 };
    let table = L::MDS_TYPE_TABLE.page().0..L::MDS_TYPE_TABLE.plus(table_words).page().0;
    for file_page in m.file_pages() {
        let page = m.page_of_file(file_page);
        if table.contains(&page) {
            for word in 0..WORDS_PER_PAGE {
                let at = LispPage(page).base().plus(word);
                m.space.set_word(at, m.space.word(at) | references::NOT_COUNTED);
            }
        }
    }
    m.space.set_cell(m.symbols.reclaim_countdown, 0);
    m.space.set_cell(m.symbols.reclaim_min, 0);
    if m.space.cell(m.symbols.gc_disabled) == 0 {
        m.post_interrupt(GC_DISABLED_INTERRUPT);
    }
    m.space.set_cell(m.symbols.gc_disabled, AtomIndex::T.0);
}

/// RECLAIMCELL: Lisp's own collector calls it; its UFN takes the object apart.
#[inline(always)]
pub(crate) fn reclaim_cell_op<L: Layout>(_m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    Flow::Ufn
}

/// GCSCAN1: the next entry of HTmain below a number that may have garbage, or NIL.
#[inline(always)]
pub(crate) fn gc_scan_1<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(|m, r| {
        r.tos = small_or_nil(tables::scan_for_garbage::<L>(m.space, r.tos & 0xFFFF));
        Flow::Next
    })
}

/// GCSCAN2: the next entry of HTmain below a number that may have a stack bit, or NIL.
#[inline(always)]
pub(crate) fn gc_scan_2<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(|m, r| {
        r.tos = small_or_nil(tables::scan_for_stack_bits::<L>(m.space, r.tos & 0xFFFF));
        Flow::Next
    })
}

fn small_or_nil(probe: Option<u32>) -> u32 {
    probe.map_or(0, |probe| SMALL_POSITIVE | probe)
}
