//! Opcodes with a second opcode in their operand byte, and the microsecond clock.
//!
//! | opcode | operand | what |
//! |---|---|---|
//! | MISC3 | 9 | element of an array, given base, element type and index |
//! | MISC4 | 7 | stores such an element |
//! | MISC7 | 1 | reads or changes one bit of a bitmap |
//! | MISCN | 0 | a subroutine that a site has added to its emulator: there are none but the example, number 0 |
//! | | 1, 6 | multiple values |
//! | | 2, 4, 5 | hash codes: SXHASH, of strings, of strings without regard to case |
//! | | 7 to 11 | methods and instance variables of LOOPS |
//! | | 12 | calls of C functions: always NIL |
//!
//! Everything else is the UFN's.

use crate::address::LispPtr;
use crate::dispatch::Flow;
use crate::elements;
use crate::integers::integer_value;
use crate::layout::{Layout, SMALL_POSITIVE};
use crate::machine::{Machine, Regs, attempt};
use crate::sxhash;

/// RCLK: the low 32 bits of a clock of microseconds, in the FIXP on top, which stays there.
#[inline(always)]
pub(crate) fn rclk<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(|m, r| {
        let microseconds = m.unix_microseconds() as u32;
        m.space.set_cell(LispPtr::from_cell::<L>(r.tos), microseconds);
        Flow::Next
    })
}

/// MISC3: base, element type and index give an array element.
#[inline(always)]
pub(crate) fn misc3<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(misc3_slow)
}

/// The operand of MISC3 that fetches an element.
const FETCH_ELEMENT: u32 = 9;

fn misc3_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if m.operand(r, 1) != FETCH_ELEMENT {
        return Flow::Ufn;
    }
    let base = LispPtr::from_cell::<L>(m.below(r, 2));
    let Some((kind, index)) = kind_and_index(m, r) else {
        return Flow::Ufn;
    };
    match attempt!(elements::fetch(m, kind, base, index)) {
        Some(element) => {
            m.replace(r, 2, element);
            Flow::Next
        }
        None => Flow::Ufn,
    }
}

/// The element type just below the top and the index on top.
fn kind_and_index<L: Layout>(m: &Machine<L>, r: &Regs) -> Option<(u32, u32)> {
    Some((elements::index_value(m, m.below(r, 1))?, elements::index_value(m, r.tos)?))
}

/// MISC4: stores a datum at base, element type and index.
#[inline(always)]
pub(crate) fn misc4<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(misc4_slow)
}

/// The operand of MISC4 that stores an element.
const STORE_ELEMENT: u32 = 7;

fn misc4_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if m.operand(r, 1) != STORE_ELEMENT {
        return Flow::Ufn;
    }
    let data = m.below(r, 3);
    let base = LispPtr::from_cell::<L>(m.below(r, 2));
    let Some((kind, index)) = kind_and_index(m, r) else {
        return Flow::Ufn;
    };
    if !elements::store(m, kind, base, index, data) {
        return Flow::Ufn;
    }
    m.replace(r, 3, data);
    Flow::Next
}

/// MISC7: one bit of a bitmap.
#[inline(always)]
pub(crate) fn misc7<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(misc7_slow)
}

/// The operand of MISC7 for a bit of a bitmap.
const BITMAP_BIT: u32 = 1;

/// From the bottom: first word of the bitmap, x, y, operation (0 inverts the bit, 1 clears, 2 only reads, others set
/// it), height less one, words a row, and something the machine has no use for. Leaves what the bit was.
///
/// The origin is the lower left corner, the first word in memory the upper left one.
fn misc7_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if m.operand(r, 1) != BITMAP_BIT {
        return Flow::Ufn;
    }
    let number = |depth| integer_value(m, m.below(r, depth));
    let (Some(x), Some(y), Some(operation), Some(top), Some(row_words)) =
        (number(5), number(4), number(3), number(2), number(1))
    else {
        return Flow::Ufn;
    };
    let offset = row_words.wrapping_mul(top.wrapping_sub(y)).wrapping_add(x / 16);
    let at = LispPtr::from_cell::<L>(m.below(r, 6)).offset(offset);
    let mask = 0x8000u16 >> (x & 15);
    let word = m.space.word(at);
    match operation {
        0 => m.space.set_word(at, word ^ mask),
        1 => m.space.set_word(at, word & !mask),
        2 => {}
        _ => m.space.set_word(at, word | mask),
    }
    m.replace(r, 6, SMALL_POSITIVE | (word & mask != 0) as u32);
    Flow::Next
}

/// MISCN: an operation, by the first operand byte, on as many arguments as the second says.
#[inline(always)]
pub(crate) fn miscn<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(miscn_slow)
}

/// The arguments of a MISCN, on the stack; the last one is on top.
#[derive(Clone, Copy)]
pub(crate) struct Arguments {
    /// How many.
    pub(crate) count: u32,
}

impl Arguments {
    /// The argument with this number, from 0; NIL if there are not so many.
    pub(crate) fn get<L: Layout>(self, m: &Machine<L>, r: &Regs, number: u32) -> u32 {
        match self.count.checked_sub(number + 1) {
            None => 0,
            Some(0) => r.tos,
            Some(depth) => m.below(r, depth),
        }
    }

    /// Replaces the arguments by a result. (Without arguments this has to push; the reference overwrites whatever is on
    /// top then, which Lisp's own definition in LLSUBRS does not.)
    pub(crate) fn replace<L: Layout>(self, m: &Machine<L>, r: &mut Regs, result: u32) {
        match self.count {
            0 => m.push(r, result),
            count => m.replace(r, count - 1, result),
        }
    }
}

fn miscn_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let arguments = Arguments { count: m.operand(r, 2) };
    let first = arguments.get(m, r, 0);
    let code = match m.operand(r, 1) {
        0 => {
            if integer_value(m, first) != Some(0) {
                return Flow::Ufn;
            }
            arguments.replace(m, r, arguments.get(m, r, 1));
            return Flow::Next;
        }
        1 => return crate::values::values(m, r, arguments.count),
        6 => return crate::values::values_list(m, r, arguments.count),
        2 => match sxhash::sxhash::<L>(m.space, first) {
            Some(code) => code,
            None => return Flow::Ufn,
        },
        4 => sxhash::string_hash::<L>(m.space, first),
        5 => sxhash::string_equal_hash::<L>(m.space, first),
        0o14 => {
            arguments.replace(m, r, 0);
            return Flow::Next;
        }
        _ => return Flow::Ufn,
    };
    arguments.replace(m, r, SMALL_POSITIVE | code as u32);
    Flow::Next
}
