//! Looking at array space without changing it; the format is in [`super::arrays`].

use super::arrays::{IN_USE, KIND_CODE, KIND_MASK, KIND_POINTERS, LAST_BUCKET, MIN_CELLS, PASSWORD, PASSWORD_MASK};
use crate::address::LispPtr;
use crate::layout::Layout;
use crate::machine::Machine;
use crate::memory::Space;

/// What an array block holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Contents {
    /// No pointers.
    Data,
    /// Pointers.
    Pointers,
    /// A compiled function.
    Code,
    /// What the collector does not know.
    Other,
}

/// A block of array space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ArrayBlock {
    /// Its header.
    pub at: LispPtr,
    /// Its end, behind the trailer.
    pub end: LispPtr,
    /// Cells, with header and trailer.
    pub cells: u32,
    /// Whether it is in use.
    pub in_use: bool,
    /// What it holds.
    pub contents: Contents,
    /// Whether the trailer repeats the header: in use, and so many cells.
    pub sound: bool,
}

/// The block with its header at an address, if there is one.
fn at<L: Layout>(space: Space, at: LispPtr) -> Option<ArrayBlock> {
    let (flags, cells) = (space.word(at), space.word(at.plus(1)) as u32);
    if flags & PASSWORD_MASK != PASSWORD || cells < 2 {
        return None;
    }
    let end = at.plus(2 * cells);
    if end.0 > L::POINTER_MASK {
        return None;
    }
    let contents = match flags & KIND_MASK {
        0 => Contents::Data,
        KIND_POINTERS => Contents::Pointers,
        KIND_CODE => Contents::Code,
        _ => Contents::Other,
    };
    // What a block holds only its header has to say: blocks that Lisp made say it twice, those of a new image do not.
    let differences = space.cell(end.offset(-2)) ^ space.cell(at);
    let sound = differences & !(u32::from(KIND_MASK) << 16) == 0;
    Some(ArrayBlock { at, end, cells, in_use: flags & IN_USE != 0, contents, sound })
}

/// The block whose contents begin at an address.
pub(crate) fn of_contents<L: Layout>(space: Space, contents: LispPtr) -> Option<ArrayBlock> {
    at::<L>(space, LispPtr(contents.0.checked_sub(2)? & L::POINTER_MASK))
}

/// The first block of a free list.
pub(crate) fn first_free<L: Layout>(m: &Machine<L>, bucket: u32) -> Option<LispPtr> {
    let buckets = LispPtr::from_cell::<L>(m.space.cell(m.symbols.free_block_buckets));
    if buckets == LispPtr::NIL || bucket > LAST_BUCKET {
        return None;
    }
    let first = LispPtr::from_cell::<L>(m.space.cell(buckets.plus(2 * bucket)));
    (first != LispPtr::NIL).then_some(first)
}

/// Blocks and cells on a free list, and whether the ring is sound.
pub(crate) fn free_list<L: Layout>(m: &Machine<L>, bucket: u32) -> (u32, u32, bool) {
    let Some(first) = first_free(m, bucket) else { return (0, 0, true) };
    let (mut blocks, mut cells, mut block) = (0, 0, first);
    while blocks < 1 << 16 {
        match at::<L>(m.space, block) {
            Some(found) if !found.in_use && found.cells >= MIN_CELLS => cells += found.cells,
            _ => return (blocks, cells, false),
        }
        blocks += 1;
        let next = LispPtr::from_cell::<L>(m.space.cell(block.plus(2)));
        if LispPtr::from_cell::<L>(m.space.cell(next.plus(4))) != block {
            return (blocks, cells, false);
        }
        block = next;
        if block == first {
            return (blocks, cells, true);
        }
    }
    (blocks, cells, false)
}
