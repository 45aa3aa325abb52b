//! Array space: blocks, their free lists, merging.
//!
//! ```text
//!   block    | password 13, kind 2, in use 1 | cells in the block 16 |   header, one cell
//!            | ... contents; if free: forward, backward, two cells   |
//!            | password 13, kind 2, in use 1 | cells in the block 16 |   trailer, one cell
//! ```
//!
//! Blocks lie one behind the other, 2 to 65535 cells each with header and trailer. Free ones of at least 4 cells are in
//! rings, one for each number of bits in their size; `\FREEBLOCKBUCKETS` has a cell for each that names the first. A
//! freed block is merged with free neighbours, unless `\ARRAYMERGING` is NIL. Offsets of this format are in
//! LLARRAYELT; the kinds say what a block's contents are to the collector: no pointers, pointers, or a compiled
//! function.

use super::code;
use super::references::{Case, count};
use crate::address::{AtomIndex, LispPtr};
use crate::error::MachineError;
use crate::layout::Layout;
use crate::machine::Machine;

/// Cells in the largest block.
const MAX_CELLS: u32 = 65535;
/// Cells in the smallest block that can be on a free list: header, trailer and two links.
pub(super) const MIN_CELLS: u32 = 4;
/// Cells that the remainder of a merge needs if small objects are made in hunks of 64 cells.
const MIN_HUNK_CELLS: u32 = 66;
/// The free list of the largest blocks.
pub(super) const LAST_BUCKET: u32 = 30;
/// The header word's password, in place.
pub(super) const PASSWORD: u16 = 0o125250;
pub(super) const PASSWORD_MASK: u16 = !7;
pub(super) const KIND_MASK: u16 = 6;
pub(super) const IN_USE: u16 = 1;
/// Contents are pointers.
pub(super) const KIND_POINTERS: u16 = 1 << 1;
/// Contents are a compiled function.
pub(super) const KIND_CODE: u16 = 2 << 1;

/// A block, by the address of its header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Block(LispPtr);

impl Block {
    fn flags<L: Layout>(self, m: &Machine<L>) -> u16 {
        m.space.word(self.0)
    }
    fn cells<L: Layout>(self, m: &Machine<L>) -> u32 {
        m.space.word(self.0.plus(1)) as u32
    }
    fn in_use<L: Layout>(self, m: &Machine<L>) -> bool {
        self.flags(m) & IN_USE != 0
    }
    fn trailer<L: Layout>(self, m: &Machine<L>) -> LispPtr {
        self.0.plus(2 * self.cells(m)).offset(-2)
    }
    fn end<L: Layout>(self, m: &Machine<L>) -> LispPtr {
        self.0.plus(2 * self.cells(m))
    }
    fn forward<L: Layout>(self, m: &Machine<L>) -> LispPtr {
        LispPtr::from_cell::<L>(m.space.cell(self.0.plus(2)))
    }
    fn backward<L: Layout>(self, m: &Machine<L>) -> LispPtr {
        LispPtr::from_cell::<L>(m.space.cell(self.0.plus(4)))
    }
    fn set_forward<L: Layout>(self, m: &Machine<L>, to: Block) {
        m.space.set_cell(self.0.plus(2), to.0.0);
    }
    fn set_backward<L: Layout>(self, m: &Machine<L>, to: Block) {
        m.space.set_cell(self.0.plus(4), to.0.0);
    }

    /// Where the free list of blocks this size starts.
    fn bucket<L: Layout>(self, m: &Machine<L>) -> LispPtr {
        let bits = u32::BITS - self.cells(m).leading_zeros();
        LispPtr::from_cell::<L>(m.space.cell(m.symbols.free_block_buckets)).plus(2 * bits.min(LAST_BUCKET))
    }
}

/// Writes header and trailer of a free block.
fn make_free_block<L: Layout>(m: &Machine<L>, block: Block, cells: u32) {
    let header = (PASSWORD as u32) << 16 | cells;
    m.space.set_cell(block.0, header);
    m.space.set_cell(block.trailer(m), header);
}

/// Makes a free block of so many cells of array space and joins it to a free one before it.
pub(crate) fn add_free_block<L: Layout>(m: &mut Machine<L>, at: LispPtr, cells: u32) {
    let block = Block(at);
    make_free_block(m, block, cells);
    merge_with_previous(m, block);
}

/// Reclaims a block, given the address of its contents.
pub(super) fn reclaim_block<L: Layout>(m: &mut Machine<L>, contents: LispPtr) {
    let block = Block(contents.offset(-2));
    let flags = if contents.high() < L::ARRAY_SPACE.high() { 0 } else { block.flags(m) };
    if flags & (PASSWORD_MASK | IN_USE) != PASSWORD | IN_USE {
        return m.fail(MachineError::BadStorage { what: "no array block is where one is reclaimed", at: contents });
    }
    match flags & KIND_MASK {
        KIND_POINTERS => {
            let end = block.trailer(m);
            let mut at = contents;
            while at < end {
                let pointer = m.space.cell(at);
                // One that was the last is in the tables now, for this sweep or the next.
                count(m, pointer, Case::Delete);
                m.space.set_cell(at, 0);
                at = at.plus(2);
            }
        }
        KIND_CODE if code::reclaim(m, contents) => return,
        _ => {}
    }
    make_free_block(m, block, block.cells(m));
    let merged = merge_with_previous(m, block);
    merge_with_next(m, merged);
}

/// Puts a free block on its free list, merged with the block before it if that is free; returns what it is part of.
fn merge_with_previous<L: Layout>(m: &mut Machine<L>, block: Block) -> Block {
    let first = |variable| LispPtr::from_cell::<L>(m.space.cell(variable)) == block.0;
    let merging = m.space.cell(m.symbols.array_merging) != 0;
    let before = Block(block.0.offset(-2));
    if !merging || first(m.symbols.array_space) || first(m.symbols.array_space_2) || before.in_use(m) {
        link(m, block);
        return block;
    }
    // The trailer says how far back the header is.
    let before = Block(LispPtr(block.0.0.wrapping_sub(2 * before.cells(m))));
    check(m, before, false, false);
    unlink(m, before);
    merge(m, before, block)
}

/// Merges a block on a free list with the block behind it, if that is free.
fn merge_with_next<L: Layout>(m: &mut Machine<L>, block: Block) {
    if m.space.cell(m.symbols.array_merging) == 0 || !check(m, block, false, true) {
        return;
    }
    let next = Block(block.end(m));
    let unused = |variable| LispPtr::from_cell::<L>(m.space.cell(variable)) == next.0;
    if unused(m.symbols.array_free_list) || unused(m.symbols.array_free_list_2) {
        return;
    }
    let in_use = next.in_use(m);
    if !check(m, next, in_use, false) || in_use {
        return;
    }
    unlink(m, next);
    unlink(m, block);
    merge(m, block, next);
}

/// Makes one free block of two neighbours, or, if that would be too large, the largest and a remainder; returns the
/// first.
fn merge<L: Layout>(m: &mut Machine<L>, block: Block, next: Block) -> Block {
    if block.end(m) != next.0 {
        m.fail(MachineError::BadStorage { what: "two array blocks to merge are no neighbours", at: block.0 });
        return block;
    }
    let all = block.cells(m) + next.cells(m);
    let mut cells = all;
    if all > MAX_CELLS {
        let hunks = m.space.cell(m.symbols.hunking) == AtomIndex::T.0;
        let least = if hunks { MIN_HUNK_CELLS } else { MIN_CELLS };
        let remainder = (all - MAX_CELLS).max(least);
        cells = all - remainder;
        let second = Block(block.0.plus(2 * cells));
        make_free_block(m, second, remainder);
        link(m, second);
    }
    make_free_block(m, block, cells);
    link(m, block);
    block
}

/// Puts a block in front of its free list.
fn link<L: Layout>(m: &mut Machine<L>, block: Block) {
    if m.space.cell(m.symbols.free_block_buckets) == 0 {
        return;
    }
    if block.cells(m) < MIN_CELLS {
        check(m, block, false, false);
        return;
    }
    let bucket = block.bucket(m);
    match LispPtr::from_cell::<L>(m.space.cell(bucket)) {
        LispPtr::NIL => {
            block.set_forward(m, block);
            block.set_backward(m, block);
        }
        first => {
            let first = Block(first);
            let last = Block(first.backward(m));
            block.set_forward(m, first);
            block.set_backward(m, last);
            last.set_forward(m, block);
            first.set_backward(m, block);
        }
    }
    m.space.set_cell(bucket, block.0.0);
    check(m, block, false, true);
}

/// Takes a block off its free list, if it is on one.
fn unlink<L: Layout>(m: &mut Machine<L>, block: Block) {
    let forward = Block(block.forward(m));
    if block.cells(m) < MIN_CELLS || forward.0 == LispPtr::NIL {
        return;
    }
    let backward = Block(block.backward(m));
    let bucket = block.bucket(m);
    let first = LispPtr::from_cell::<L>(m.space.cell(bucket)) == block.0;
    if forward == block {
        if first {
            m.space.set_cell(bucket, 0);
        } else {
            m.fail(MachineError::BadStorage { what: "a free array block is on no free list", at: block.0 });
        }
        return;
    }
    if first {
        m.space.set_cell(bucket, forward.0.0);
    }
    forward.set_backward(m, backward);
    backward.set_forward(m, forward);
}

/// If `ARRAYBLOCKCHECKING` asks for it: whether header and trailer are what they should be, and, for a block on a free
/// list, its links. Stops the machine if not.
fn check<L: Layout>(m: &mut Machine<L>, block: Block, in_use: bool, on_free_list: bool) -> bool {
    if m.space.cell(m.symbols.array_block_checking) == 0 {
        return true;
    }
    let trailer = Block(block.trailer(m));
    let expected = |end: Block| {
        end.flags(m) & PASSWORD_MASK == PASSWORD && end.in_use(m) == in_use && end.cells(m) == block.cells(m)
    };
    let linked = || {
        let neighbours =
            Block(block.forward(m)).backward(m) == block.0 && Block(block.backward(m)).forward(m) == block.0;
        neighbours && m.space.cell(block.bucket(m)) & L::POINTER_MASK != 0
    };
    let what = if !expected(block) || !expected(trailer) {
        "an array block's header or trailer is wrong"
    } else if on_free_list && block.cells(m) >= MIN_CELLS && !linked() {
        "a free array block is not linked with its neighbours"
    } else {
        return true;
    };
    m.fail(MachineError::BadStorage { what, at: block.0 });
    false
}
