//! Objects and their types.
//!
//! The type of a pointer is looked up by its address: the type table has a word for each two pages, a type number in the
//! low 11 bits and, above them, what kinds of types it belongs to. Named types and their supertypes are in the type
//! descriptors ([`crate::storage::TypeDescriptor`]).

use crate::address::{AtomIndex, LispPtr};
use crate::dispatch::Flow;
use crate::layout::{Layout, SMALL_POSITIVE, type_entry, type_number, types};
use crate::machine::{Machine, Regs, attempt};
use crate::memory::Space;
use crate::storage::{self, TypeDescriptor};

/// LISTP: the top of stack if it is a CONS cell, or NIL.
#[inline(always)]
pub(crate) fn listp<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if type_number::<L>(m.space, r.tos) != types::LISTP {
        r.tos = 0;
    }
    Flow::Next
}

/// NTYPX: the type number.
#[inline(always)]
pub(crate) fn ntypx<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    r.tos = SMALL_POSITIVE | type_number::<L>(m.space, r.tos);
    Flow::Next
}

/// TYPEP: the top of stack if its type number is the operand, or NIL.
#[inline(always)]
pub(crate) fn typep<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if type_number::<L>(m.space, r.tos) != m.operand(r, 1) {
        r.tos = 0;
    }
    Flow::Next
}

/// TYPEMASK: the top of stack if its type is of one of the kinds in the operand, or NIL.
#[inline(always)]
pub(crate) fn type_mask<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if type_entry::<L>(m.space, r.tos) as u32 & m.operand(r, 1) << 8 == 0 {
        r.tos = 0;
    }
    Flow::Next
}

/// Type numbers are 11 bits.
const MOST_TYPES: u32 = 1 << 11;

/// True if a type, or one that it extends, has this name.
fn is_named<L: Layout>(space: Space, mut type_number: u32, name: u32) -> bool {
    // The bound is for damaged descriptors: there are no more types than this.
    for _ in 0..MOST_TYPES {
        let descriptor = TypeDescriptor::<L>::of(type_number);
        if descriptor.name(space) == name {
            return true;
        }
        type_number = descriptor.supertype(space);
        if type_number == 0 {
            break;
        }
    }
    false
}

/// DTEST and TYPECHECK: nothing if the top of stack is of the type that the operand names.
#[inline(always)]
pub(crate) fn dtest<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let descriptor = TypeDescriptor::<L>::of(type_number::<L>(m.space, r.tos));
    if descriptor.name(m.space) == m.operand_pointer(r, 1) { Flow::Next } else { m.slow(dtest_supertypes) }
}

fn dtest_supertypes<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let name = m.operand_pointer(r, 1);
    if is_named::<L>(m.space, type_number::<L>(m.space, r.tos), name) { Flow::Next } else { Flow::Ufn }
}

/// INSTANCEP: T if the top of stack is of the type that the operand names, or NIL.
#[inline(always)]
pub(crate) fn instancep<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let descriptor = TypeDescriptor::<L>::of(type_number::<L>(m.space, r.tos));
    if descriptor.name(m.space) == m.operand_pointer(r, 1) {
        r.tos = AtomIndex::T.0;
        return Flow::Next;
    }
    m.slow(instancep_supertypes)
}

fn instancep_supertypes<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let name = m.operand_pointer(r, 1);
    let is = is_named::<L>(m.space, type_number::<L>(m.space, r.tos), name);
    r.tos = if is { AtomIndex::T.0 } else { 0 };
    Flow::Next
}

/// CREATECELL: a new object of the type whose number is on top.
#[inline(always)]
pub(crate) fn create_cell<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(create_cell_slow)
}

fn create_cell_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos & L::SEGMENT_MASK != SMALL_POSITIVE {
        return Flow::Ufn;
    }
    r.tos = attempt!(storage::create_cell(m, r.tos & 0xFFFF)).0;
    Flow::Next
}

/// ATOMCELL.N: the address of one of a symbol's cells. The operand is the segment of that cell's table in Medley 2.0: 2
/// property list, 8 print name, 10 definition, 12 value; in Medley 3.5 the numbers are only tags.
#[inline(always)]
pub(crate) fn atom_cell<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let table = m.operand(r, 1);
    let symbol = r.tos & L::POINTER_MASK;
    let by_number = symbol & L::SEGMENT_MASK == 0;
    if !by_number && type_number::<L>(m.space, symbol) != types::NEW_ATOM {
        return Flow::Ufn;
    }
    let symbol = AtomIndex(symbol);
    let LispPtr(cell) = match table {
        2 => L::plist_cell(symbol),
        8 => L::pname_cell(symbol),
        10 => L::definition_cell(symbol),
        12 => L::value_cell(symbol),
        _ if by_number && !L::BIG => LispPtr((table << 16) + 2 * symbol.0),
        _ => return Flow::Ufn,
    };
    r.tos = cell;
    Flow::Next
}
