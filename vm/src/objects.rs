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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley35};
    use crate::storage::tests::with_storage;

    const SUB: u32 = 100;
    const SUPER: u32 = 101;

    fn run<L: Layout>(
        m: &mut Machine<L>,
        opcode: fn(&mut Machine<L>, &mut Regs) -> Flow,
        tos: u32,
        operand: u32,
    ) -> (Flow, u32) {
        let mut r = Regs { pc: 0x20_0000, tos, ..m.regs };
        for i in 0..L::ATOM_BYTES {
            let byte = operand >> (8 * (L::ATOM_BYTES - 1 - i));
            m.space.set_byte(crate::address::ByteAddr(r.pc + 1 + i), byte as u8);
        }
        let mut flow = opcode(m, &mut r);
        if flow == Flow::Slow {
            let rest = m.slow_path;
            flow = rest(m, &mut r);
        }
        (flow, r.tos)
    }

    fn types_and_supertypes<L: Layout>() {
        let mut m = with_storage::<L>();
        let m = &mut *m;
        // A name beyond 65535 is a NEW-ATOM.
        let (sub_name, super_name) = (0x12_3456, 777);
        TypeDescriptor::<L>::of(SUB).declare(m.space, sub_name, 6, 0x1000 | SUB as u16, SUPER as u16);
        TypeDescriptor::<L>::of(SUPER).declare(m.space, super_name, 4, SUPER as u16, 0);
        let (flow, object) = run(m, create_cell, SMALL_POSITIVE | SUB, 0);
        assert_eq!(flow, Flow::Next);
        assert_eq!(run(m, create_cell, SMALL_POSITIVE | 200, 0).0, Flow::Ufn);
        assert_eq!(run(m, create_cell, 76, 0).0, Flow::Ufn);
        assert_eq!(run(m, ntypx, object, 0), (Flow::Next, SMALL_POSITIVE | SUB));
        assert_eq!(run(m, listp, object, 0).1, 0);
        let first_byte = 8 * (L::ATOM_BYTES - 1);
        assert_eq!(run(m, typep, object, SUB << first_byte).1, object);
        assert_eq!(run(m, typep, object, SUPER << first_byte).1, 0);
        assert_eq!(run(m, type_mask, object, 0x10 << first_byte).1, object);
        assert_eq!(run(m, type_mask, object, 0x20 << first_byte).1, 0);
        for name in [sub_name, super_name] {
            assert_eq!(run(m, dtest, object, name), (Flow::Next, object));
            assert_eq!(run(m, instancep, object, name), (Flow::Next, AtomIndex::T.0));
        }
        assert_eq!(run(m, dtest, object, 778), (Flow::Ufn, object));
        assert_eq!(run(m, instancep, object, 778), (Flow::Next, 0));
    }

    #[test]
    fn types_are_tested_with_their_supertypes() {
        types_and_supertypes::<Medley2>();
        types_and_supertypes::<Medley35>();
    }

    #[test]
    fn cells_of_symbols() {
        let mut m = with_storage::<Medley2>();
        let m = &mut *m;
        let operand = |table: u32| table << 16;
        for (table, at) in [(2, 0x2_0000), (8, 0x8_0000), (10, 0xA_0000), (12, 0xC_0000)] {
            assert_eq!(run(m, atom_cell, 500, operand(table)), (Flow::Next, at + 1000));
        }
        assert_eq!(run(m, atom_cell, 0x20_0000, operand(8)).0, Flow::Ufn);
        m.space.set_word(LispPtr(Medley2::MDS_TYPE_TABLE.0 + (0x20_0000 >> 9)), types::NEW_ATOM as u16);
        assert_eq!(run(m, atom_cell, 0x20_0000, operand(12)), (Flow::Next, 0x20_0002));
    }

    #[test]
    fn cells_of_symbol_records() {
        let mut m = with_storage::<Medley35>();
        let m = &mut *m;
        for (table, offset) in [(2, 6), (8, 0), (10, 4), (12, 2)] {
            assert_eq!(run(m, atom_cell, 500, table << 24), (Flow::Next, 0x2C_0000 + 5000 + offset));
        }
        assert_eq!(run(m, atom_cell, 500, 3 << 24).0, Flow::Ufn);
    }
}
