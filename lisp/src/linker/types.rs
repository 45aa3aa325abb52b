//! The types that every world has: their names, sizes and pointers, and what the type table says of them.
//!
//! ```text
//!   type-table word   not counted 8000 | symbol 4000 | integer 2000 | number 1000 | atom 0800 | type number
//!
//!   descriptor, 18 words at DTD + 18 n
//!     0-1 name | 3 words of an object | 6-7 kind | 10-11 list of the pointers' word offsets | 16 type-table word
//!     17 supertype
//! ```

use super::memory::Memory;
use super::places::NOT_COUNTED;
use vm::address::LispPtr;
use vm::layout::{CHARACTERS, Layout, Medley35, SMALL_NEGATIVE, SMALL_POSITIVE, types};

const SYMBOL: u16 = 0x4000;
const INTEGER: u16 = 0x2000;
const NUMBER: u16 = 0x1000;
const ATOM: u16 = 0x0800;

/// A type that every world has.
pub(super) struct Type {
    /// Its number.
    pub(super) number: u32,
    /// Its name.
    pub(super) name: &'static str,
    /// Words of an object; 0 if CREATECELL does not make them.
    words: u16,
    /// Flags in the type table.
    flags: u16,
    /// Word offsets of the pointers in an object that are counted.
    pub(super) pointers: &'static [u32],
}

const fn row(number: u32, name: &'static str, words: u16, flags: u16, pointers: &'static [u32]) -> Type {
    Type { number, name, words, flags, pointers }
}

/// All of them.
pub(super) const TYPES: [Type; 21] = [
    row(types::SMALLP, "SMALLP", 0, NOT_COUNTED | INTEGER | NUMBER | ATOM, &[]),
    row(types::FIXP, "FIXP", 2, INTEGER | NUMBER | ATOM, &[]),
    row(types::FLOATP, "FLOATP", 2, NUMBER | ATOM, &[]),
    row(types::LITATOM, "LITATOM", 0, NOT_COUNTED | SYMBOL | ATOM, &[]),
    row(types::LISTP, "LISTP", 4, 0, &[]),
    row(types::ARRAYP, "ARRAYP", 6, 0, &[0]),
    row(types::STRINGP, "STRINGP", 6, 0, &[0]),
    row(types::STACKP, "STACKP", 2, 0, &[]),
    row(types::CHARACTERP, "CHARACTER", 0, NOT_COUNTED | ATOM, &[]),
    row(types::VMEMPAGEP, "VMEMPAGEP", 256, 0, &[]),
    row(types::STREAM, "FILESTREAM", 0, 0, &[]),
    row(types::BITMAP, "BITMAP", 8, 0, &[0]),
    row(types::COMPILED_CLOSURE, "COMPILED-CLOSURE", 4, 0, &[0, 2]),
    row(types::ONED_ARRAY, "ONED-ARRAY", 8, 0, &[0]),
    row(types::TWOD_ARRAY, "TWOD-ARRAY", 10, 0, &[0]),
    row(types::GENERAL_ARRAY, "GENERAL-ARRAY", 10, 0, &[0, 8]),
    row(types::BIGNUM, "BIGNUM", 4, INTEGER | NUMBER | ATOM, &[0, 2]),
    row(types::RATIO, "RATIO", 4, NUMBER | ATOM, &[0, 2]),
    row(types::COMPLEX, "COMPLEX", 4, NUMBER | ATOM, &[0, 2]),
    row(types::PATHNAME, "PATHNAME", 8, 0, &[0, 2, 4, 6]),
    row(types::NEW_ATOM, "NEW-ATOM", 10, SYMBOL | ATOM, &[0, 2, 4, 6]),
];

/// The first number for types that the world defines. The collector has ideas of its own about some of those before.
pub(super) const FIRST_FREE: u32 = 80;
/// Descriptors that there is room for: as many as fit before the next table.
pub(super) const MOST: u32 = 2000;

impl Type {
    /// What the type table has for units of this type.
    pub(super) fn entry(&self) -> u16 {
        self.number as u16 | self.flags
    }

    /// Where its descriptor is.
    pub(super) fn descriptor(&self) -> LispPtr {
        Medley35::DTD.plus(18 * self.number)
    }

    /// Writes the descriptor. The list of pointers is the word offsets as small integers, already in memory.
    pub(super) fn describe(&self, memory: &mut Memory, name: u32, pointers: u32) {
        let at = self.descriptor();
        memory.set_cell(at, name);
        memory.set_word(at.plus(3), self.words);
        memory.set_cell(at.plus(10), pointers);
        memory.set_word(at.plus(16), self.entry());
    }
}

/// The entry of a type, by number.
pub(super) fn entry(number: u32) -> u16 {
    TYPES.iter().find(|it| it.number == number).map_or(number as u16, Type::entry)
}

/// Fills in the type table for what has a type by its address alone: symbols by number, characters, small integers; and
/// for what the machine alone uses.
pub(super) fn immediate_types(memory: &mut Memory, megabytes: u32) {
    let units = megabytes * 1024;
    memory.supply(Medley35::MDS_TYPE_TABLE, units);
    for unit in 0..Medley35::ARRAY_SPACE.0 >> 9 {
        memory.set_word(Medley35::MDS_TYPE_TABLE.plus(unit), NOT_COUNTED);
    }
    for (segment, number) in [
        (0, types::LITATOM),
        (CHARACTERS, types::CHARACTERP),
        (SMALL_POSITIVE, types::SMALLP),
        (SMALL_NEGATIVE, types::SMALLP),
    ] {
        for at in (segment..segment + 0x1_0000).step_by(512) {
            memory.set_word(Medley35::MDS_TYPE_TABLE.plus(at >> 9), entry(number));
        }
    }
}
