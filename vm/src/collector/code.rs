//! Reclaiming compiled functions.
//!
//! A function's code refers to its constants by GCONST instructions, and its header to its name; nothing else in it is a
//! pointer. Before a function goes it leaves the closure cache, a hash table that finds the one closure of a function
//! without an environment without counting as a reference to the function:
//!
//! ```text
//!   table    | base, a cell | last index, 16 | slots, 16 | keys, 16 | null slots, 16 | key accessor, a cell |
//!   base     cells: NIL (never used), a mark for deleted ones, or a closure, whose first cell is its function
//! ```
//!
//! Format and hash function are IMPLICIT-KEY-HASH's.

use super::references::{Case, count};
use crate::address::{ByteAddr, LispPtr};
use crate::error::MachineError;
use crate::isa;
use crate::layout::Layout;
use crate::machine::Machine;

/// Ends a function's code.
const END_OF_CODE: u8 = 0;
/// A pointer constant.
const GCONST: u8 = 0o157;
/// Bytes that a function's code may have: the program counter has 16 bits.
const MAX_CODE: u32 = 1 << 16;

/// Drops what a compiled function refers to. True if the function must not be freed yet: the closure cache had it, and
/// the closure there goes first.
pub(super) fn reclaim<L: Layout>(m: &mut Machine<L>, function: LispPtr) -> bool {
    if m.space.cell(m.symbols.closure_cache_enabled) != 0 && leave_closure_cache(m, function) {
        return true;
    }
    let name = m.space.cell(function.plus(4)) & L::POINTER_MASK;
    count(m, name, Case::Delete);
    let start = m.space.word(function.plus(3)) as u32;
    if start != 0 {
        drop_constants(m, function, start);
    }
    false
}

/// Drops the references of all GCONST instructions, but to the function itself.
fn drop_constants<L: Layout>(m: &mut Machine<L>, function: LispPtr, start: u32) {
    let mut offset = start;
    while offset < MAX_CODE {
        let at = function.byte().plus(offset);
        let opcode = m.space.byte(at);
        if opcode == END_OF_CODE {
            return;
        }
        if opcode == GCONST {
            let constant = (1..=L::ATOM_BYTES).fold(0, |sum, i| sum << 8 | m.space.byte(at.plus(i)) as u32);
            if constant != function.0 {
                count(m, constant, Case::Delete);
            }
        }
        offset += length(m, at);
    }
    m.fail(MachineError::BadStorage { what: "a compiled function has no end", at: function });
}

/// Bytes of the instruction at an address. Opcodes without machine code say in the UFN table how many operands they have.
fn length<L: Layout>(m: &Machine<L>, at: ByteAddr) -> u32 {
    let opcode = m.space.byte(at);
    match isa::opcode(opcode) {
        Some(row) => row.length::<L>(),
        None => 1 + (m.space.cell(L::UFN_TABLE.plus(2 * opcode as u32)) >> 8 & 0xFF),
    }
}

/// Takes a function's closure out of the closure cache; false if it is not there.
fn leave_closure_cache<L: Layout>(m: &mut Machine<L>, function: LispPtr) -> bool {
    let table = LispPtr::from_cell::<L>(m.space.cell(m.symbols.closure_cache));
    let base = LispPtr::from_cell::<L>(m.space.cell(table));
    let mask = m.space.word(table.plus(2)) as u32;
    let deleted = m.space.cell(m.symbols.deleted_implicit_hash_slot);

    let low = function.low() as u32;
    let hash = function.high() as u32 ^ (low & 0x1FFF) << 3 ^ low >> 9;
    let step = (hash ^ hash >> 8) & mask.min(63) | 1;
    let mut index = hash & mask;
    // The step is odd and the size a power of two: this comes by each slot once.
    for _ in 0..=mask {
        let slot = base.plus(2 * index);
        let value = m.space.cell(slot);
        if value == 0 {
            return false;
        }
        if value != deleted && m.space.cell(LispPtr::from_cell::<L>(value)) & L::POINTER_MASK == function.0 {
            count(m, deleted, Case::Add);
            count(m, value, Case::Delete);
            m.space.set_cell(slot, deleted);
            let keys = table.plus(4);
            m.space.set_word(keys, m.space.word(keys).wrapping_sub(1));
            return true;
        }
        index = (index + step) & 0xFFFF & mask;
    }
    false
}
