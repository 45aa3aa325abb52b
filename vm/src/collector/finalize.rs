//! Types whose objects need more than their pointers dropped when they go.
//!
//! | type | |
//! |---|---|
//! | array block | is put back into array space, not on a list of free objects |
//! | STACKP | lets go of its frame |
//! | VMEMPAGEP | stays while it is a file buffer, which is marked free |
//! | code hunk | a small compiled function: its constants are dropped |

use super::{arrays, code};
use crate::address::LispPtr;
use crate::frames::{Frame, decrement_use_count};
use crate::layout::{Layout, types};
use crate::machine::Machine;

/// The type of array blocks, which is no type to Lisp.
const ARRAY_BLOCK: u32 = 0;
/// The types of compiled functions outside of array space, one for each size.
const CODE_HUNKS: core::ops::RangeInclusive<u32> = 64..=73;

/// More file buffers than there can be.
const MOST_BUFFERS: u32 = 1 << 16;
/// Set in a buffer's last cell: nobody refers to its page.
const BUFFER_UNREFERENCED: u32 = 0x8000_0000;

/// Does what an object's type demands; true if that is all and the object itself is not to be freed.
pub(super) fn finalize<L: Layout>(m: &mut Machine<L>, object: LispPtr, type_number: u32) -> bool {
    match type_number {
        ARRAY_BLOCK => {
            arrays::reclaim_block(m, object);
            true
        }
        types::STACKP => {
            let frame = Frame::at_offset(m.space, m.space.word(object.plus(1)));
            if let Err(error) = decrement_use_count(frame) {
                m.fail(error);
            }
            false
        }
        types::VMEMPAGEP => release_buffer(m, object),
        hunk if CODE_HUNKS.contains(&hunk) => code::reclaim(m, object),
        _ => false,
    }
}

/// Marks the file buffer that has this page as free; false if none has.
///
/// ```text
///   buffer   | file page | memory page | next buffer | flags, next buffer of the system |   a cell each
/// ```
fn release_buffer<L: Layout>(m: &Machine<L>, page: LispPtr) -> bool {
    let mut buffer = LispPtr::from_cell::<L>(m.space.cell(m.symbols.system_buffer_list));
    for _ in 0..MOST_BUFFERS {
        if buffer == LispPtr::NIL {
            break;
        }
        let last = buffer.plus(6);
        if LispPtr::from_cell::<L>(m.space.cell(buffer.plus(2))) == page {
            m.space.set_cell(last, m.space.cell(last) | BUFFER_UNREFERENCED);
            return true;
        }
        buffer = LispPtr::from_cell::<L>(m.space.cell(last));
    }
    false
}
