//! Lisp values as text, for people who look at a stopped machine.
//!
//! ```text
//!   NIL  CL:CAR  -17  3.5  #\a  "a string"  (A LIST . OF-MANY)  (1 2 ...)  #<STREAM {37,1204}>
//! ```
//!
//! What is nested or long is cut, and so every circle ends.

use crate::address::{AtomIndex, LispPtr};
use crate::arrays::Vector;
use crate::layout::{Layout, SMALL_POSITIVE, type_number, types};
use crate::lists::{car_of, cdr_of};
use crate::memory::Space;
use crate::storage::TypeDescriptor;
use crate::symbols;
use core::fmt;
use core::marker::PhantomData;

/// How much of a value is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Lists within lists.
    pub depth: u32,
    /// Elements of a list.
    pub elements: u32,
    /// Characters of a string.
    pub characters: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { depth: 3, elements: 12, characters: 80 }
    }
}

/// A value, printed.
#[derive(Clone, Copy, Debug)]
pub struct Printed<L> {
    space: Space,
    cell: u32,
    limits: Limits,
    layout: PhantomData<L>,
}

impl<L: Layout> Printed<L> {
    /// The value in a cell.
    pub fn new(space: Space, cell: u32, limits: Limits) -> Self {
        Printed { space, cell, limits, layout: PhantomData }
    }
}

/// The name of a type of objects.
pub fn type_name<L: Layout>(space: Space, number: u32) -> AtomIndex {
    AtomIndex(TypeDescriptor::<L>::of(number).name(space))
}

impl<L: Layout> fmt::Display for Printed<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Printed { space, limits, .. } = *self;
        let at = LispPtr::from_cell::<L>(self.cell);
        let number = type_number::<L>(space, at.0);
        match number {
            types::SMALLP if at.0 & !0xFFFF == SMALL_POSITIVE => write!(f, "{}", at.low()),
            types::SMALLP => write!(f, "{}", (at.0 | 0xFFFF_0000) as i32),
            types::FIXP => write!(f, "{}", space.cell(at) as i32),
            types::FLOATP => write!(f, "{:?}", f32::from_bits(space.cell(at))),
            types::LITATOM if at.0 == AtomIndex::NIL.0 => write!(f, "NIL"),
            types::LITATOM if at.0 == AtomIndex::T.0 => write!(f, "T"),
            types::LITATOM | types::NEW_ATOM => write!(f, "{}", symbols::name::<L>(space, AtomIndex(at.0))),
            types::CHARACTERP => match at.low() {
                code @ 0x21..=0x7E => write!(f, "#\\{}", code as u8 as char),
                code => write!(f, "#\\{code:o}"),
            },
            types::LISTP => self.write_list(at, f),
            types::ONED_ARRAY => match Vector::read::<L>(space, at.0) {
                Some(string) if string.is_string() => {
                    write!(f, "\"")?;
                    for i in 0..string.fill.min(limits.characters) {
                        match string.character_at(space, i) {
                            c @ 0x20..=0x7E => write!(f, "{}", c as u8 as char)?,
                            c => write!(f, "\\{c:o}\\")?,
                        }
                    }
                    write!(f, "{}\"", if string.fill > limits.characters { " ..." } else { "" })
                }
                Some(vector) => write!(f, "#<ONED-ARRAY of {} {at:?}>", vector.length),
                None => write!(f, "{at:?}"),
            },
            0 => write!(f, "{at:?}"),
            _ => write!(f, "#<{} {at:?}>", symbols::name::<L>(space, type_name::<L>(space, number))),
        }
    }
}

impl<L: Layout> Printed<L> {
    fn write_list(&self, mut at: LispPtr, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Printed { space, limits, .. } = *self;
        if limits.depth == 0 {
            return write!(f, "(...)");
        }
        let inner = Limits { depth: limits.depth - 1, ..limits };
        write!(f, "(")?;
        for i in 0.. {
            if i == limits.elements {
                return write!(f, "...)");
            }
            write!(f, "{}", Printed::<L>::new(space, car_of::<L>(space, at), inner))?;
            let rest = cdr_of::<L>(space, at);
            if rest == 0 {
                break;
            }
            if type_number::<L>(space, rest) != types::LISTP {
                write!(f, " . {}", Printed::<L>::new(space, rest, inner))?;
                break;
            }
            write!(f, " ")?;
            at = LispPtr(rest);
        }
        write!(f, ")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{CHARACTERS, Medley2, Medley35, SMALL_NEGATIVE};
    use crate::testing::machine;
    use std::string::ToString;

    const LISTS: u32 = 0x21_0000;
    const FIXP: u32 = 0x22_0000;

    /// The machine's cells hold a CAR and, in the code, the CDR: NIL, or the next cell.
    fn numbers_characters_and_lists<L: Layout>() {
        let m = machine::<L>();
        let space = m.space;
        for (at, number) in [
            (SMALL_POSITIVE, types::SMALLP),
            (SMALL_NEGATIVE, types::SMALLP),
            (CHARACTERS, types::CHARACTERP),
            (LISTS, types::LISTP),
            (FIXP, types::FIXP),
        ] {
            for unit in 0..128 {
                space.set_word(L::MDS_TYPE_TABLE.plus((at >> 9) + unit), number as u16);
            }
        }
        let show = |cell| Printed::<L>::new(space, cell, Limits::default()).to_string();
        assert_eq!(show(SMALL_POSITIVE | 17), "17");
        assert_eq!(show(SMALL_NEGATIVE | 0xFFFE), "-2");
        assert_eq!(show(CHARACTERS | 97), "#\\a");
        space.set_cell(LispPtr(FIXP), 100_000);
        assert_eq!(show(FIXP), "100000");
        assert_eq!(show(0x33_0004), "{63,4}");
        // (1 2), a dotted pair, and a circle.
        let shift = <L::Cdr as crate::lists::CdrCoding>::SHIFT;
        let nil = <L::Cdr as crate::lists::CdrCoding>::NIL;
        let from = |cell: u32| {
            let origin = <L::Cdr as crate::lists::CdrCoding>::origin(LispPtr(cell)).0;
            move |to: u32| (to - origin) / 2
        };
        let cell = LISTS + 8;
        space.set_cell(LispPtr(cell), (nil | from(cell)(cell + 2)) << shift | SMALL_POSITIVE | 1);
        space.set_cell(LispPtr(cell + 2), nil << shift | SMALL_POSITIVE | 2);
        assert_eq!(show(cell), "(1 2)");
        let pair = LISTS + 16;
        space.set_cell(LispPtr(pair), from(pair)(pair + 2) << shift | SMALL_POSITIVE | 1);
        space.set_cell(LispPtr(pair + 2), SMALL_POSITIVE | 2);
        assert_eq!(show(pair), "(1 . 2)");
        let circle = LISTS + 24;
        space.set_cell(LispPtr(circle), from(circle)(circle + 2) << shift | SMALL_POSITIVE | 1);
        space.set_cell(LispPtr(circle + 2), circle);
        assert_eq!(show(circle), "(1 1 1 1 1 1 1 1 1 1 1 1 ...)");
    }

    #[test]
    fn values_are_printed() {
        numbers_characters_and_lists::<Medley2>();
        numbers_characters_and_lists::<Medley35>();
    }
}
