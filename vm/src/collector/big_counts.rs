//! Counts too large for an entry of the tables.
//!
//! ```text
//!   HTbig, from its start:   | object | count |   one cell each
//!   object:  an address; T, free for another; NIL, the end
//! ```
//!
//! The entry in HTmain or HTcoll keeps the greatest count (63, or 32767 in Medley 3.5) while the true one is here.
//! Lisp reads this table too (`\GC.LOOKUP.BIGREFCNT`).

use super::references::Case;
use super::tables::Entries;
use crate::address::{AtomIndex, LispPtr, WORDS_PER_PAGE};
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::Machine;

/// Words in a row of the table.
const ROW_WORDS: u32 = 4;
/// Words that the table may grow to. In Medley 2.0 HTcoll follows, in Medley 3.5 space that nobody uses.
const TABLE_WORDS: u32 = 0x7F00;

/// The row of an object, or the first that is free or the end. `None` if the table has no end.
fn find<L: Layout>(m: &Machine<L>, object: LispPtr, free_too: bool) -> Option<LispPtr> {
    (0..TABLE_WORDS / ROW_WORDS).map(|row| L::HTBIG.plus(row * ROW_WORDS)).find(|row| {
        let found = m.space.cell(*row);
        found == 0 || found == object.0 || free_too && found == AtomIndex::T.0
    })
}

/// An object's count has just reached the maximum: makes a row for it.
#[cold]
pub(super) fn enter<L: Layout>(m: &mut Machine<L>, object: LispPtr) {
    let object = LispPtr(object.0 & !1);
    let Some(row) = find(m, object, true) else {
        return m.fail(MachineError::BadCount { what: "the table of large counts is full", at: object });
    };
    match m.space.cell(row) {
        found if found == object.0 => {
            m.fail(MachineError::BadCount { what: "its large count is there already", at: object });
            return;
        }
        // The last row: the end moves on, maybe to a new page.
        0 => {
            let end = row.plus(ROW_WORDS);
            if end.0 >= L::HTBIG.0 + TABLE_WORDS {
                return m.fail(MachineError::BadCount { what: "the table of large counts is full", at: object });
            }
            // The error, if there is one, is the machine's already.
            if end.0.is_multiple_of(WORDS_PER_PAGE) && crate::storage::new_page(m, end.page()).is_err() {
                return;
            }
        }
        _ => {}
    }
    m.space.set_cell(row.plus(2), L::MAX_COUNT / L::ONE);
    m.space.set_cell(row, object.0);
}

/// Changes the count of an object whose entry has the greatest count.
#[cold]
pub(super) fn change<L: Layout>(m: &mut Machine<L>, entry: LispPtr, object: LispPtr, case: Case) {
    if case == Case::Stack {
        L::store(m.space, entry, L::load(m.space, entry) | L::STACK_BIT);
        return;
    }
    let object = LispPtr(object.0 & !1);
    let row = find(m, object, false).filter(|row| m.space.cell(*row) != 0);
    let Some(row) = row else {
        return m.fail(MachineError::BadCount { what: "its large count is missing", at: object });
    };
    let count = m.space.cell(row.plus(2));
    let count = if case == Case::Add { count.wrapping_add(1) } else { count.wrapping_sub(1) };
    m.space.set_cell(row.plus(2), count);
    if case == Case::Delete && count < L::MAX_COUNT / L::ONE {
        // Small enough for the entry again.
        L::store(m.space, entry, L::load(m.space, entry) - L::ONE);
        m.space.set_cell(row, AtomIndex::T.0);
    }
}
