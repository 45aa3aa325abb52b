//! Elements of arrays: a place in memory read or written as one of the kinds that Common Lisp's arrays have.
//!
//! ```text
//!   code     element                         code     element
//!     0      1 bit                             38     pointer, counted
//!     3      8 bits, not negative              54     single float
//!     4      16 bits, not negative             67     character of 8 bits
//!    20      16 bits, two's complement         68     character of 16 bits
//!    22      32 bits, two's complement         86     pointer, not counted
//! ```
//!
//! The code is the element type in an array's header: kind in the high four bits, logarithm of the size in the low four.

use crate::address::LispPtr;
use crate::collector::is_counted;
use crate::dispatch::Flow;
use crate::layout::{CHARACTERS, Layout, SMALL_NEGATIVE, SMALL_POSITIVE, type_number, types};
use crate::machine::Machine;
use crate::memory::Space;

const BIT: u32 = 0;
const BYTE: u32 = 3;
const WORD: u32 = 4;
const SIGNED_WORD: u32 = 20;
const SIGNED_CELL: u32 = 22;
const POINTER: u32 = 38;
const FLOAT: u32 = 54;
pub(crate) const THIN_CHARACTER: u32 = 67;
/// Characters of 16 bits: a string is of these or of thin ones.
pub(crate) const FAT_CHARACTER: u32 = 68;
const UNCOUNTED_POINTER: u32 = 86;

/// The value of an integer that is not negative: what indices and codes have to be.
pub(crate) fn index_value<L: Layout>(m: &Machine<L>, cell: u32) -> Option<u32> {
    crate::integers::integer_value(m, cell).and_then(|value| u32::try_from(value).ok())
}

/// The element at an index from `base`, if no box has to be made for it and the machine knows this kind.
#[inline(always)]
pub(crate) fn fetch_immediate(space: Space, kind: u32, base: LispPtr, index: u32) -> Option<u32> {
    Some(match kind {
        POINTER | UNCOUNTED_POINTER => space.cell(base.plus(index.wrapping_mul(2))),
        SIGNED_WORD => {
            let word = space.word(base.plus(index)) as u32;
            word | if word & 0x8000 == 0 { SMALL_POSITIVE } else { SMALL_NEGATIVE }
        }
        WORD => SMALL_POSITIVE | space.word(base.plus(index)) as u32,
        FAT_CHARACTER => CHARACTERS | space.word(base.plus(index)) as u32,
        BYTE => SMALL_POSITIVE | space.byte(base.byte().plus(index)) as u32,
        THIN_CHARACTER => CHARACTERS | space.byte(base.byte().plus(index)) as u32,
        BIT => SMALL_POSITIVE | space.byte(base.byte().plus(index >> 3)) as u32 >> (7 - (index & 7)) & 1,
        _ => return None,
    })
}

/// The element at an index from `base`, or nothing if no machine knows this kind. Some elements need a new box.
pub(crate) fn fetch<L: Layout>(m: &mut Machine<L>, kind: u32, base: LispPtr, index: u32) -> Result<Option<u32>, Flow> {
    let cell_at = base.plus(index.wrapping_mul(2));
    match kind {
        SIGNED_CELL => crate::integers::make_integer(m, m.space.cell(cell_at) as i32).map(Some),
        FLOAT => crate::floats::make_float(m, m.space.cell(cell_at)).map(Some),
        _ => Ok(fetch_immediate(m.space, kind, base, index)),
    }
}

/// Stores one of the most frequent kinds of elements, if no reference has to be counted for it. False if nothing has been
/// done.
#[inline(always)]
pub(crate) fn store_immediate<L: Layout>(space: Space, kind: u32, base: LispPtr, index: u32, data: u32) -> bool {
    match kind {
        POINTER => {
            let at = base.plus(index.wrapping_mul(2));
            let counted = is_counted::<L>(space, data) | is_counted::<L>(space, space.cell(at));
            if !counted {
                space.set_cell(at, data);
            }
            !counted
        }
        THIN_CHARACTER if data ^ CHARACTERS <= 0xFF => {
            space.set_byte(base.byte().plus(index), data as u8);
            true
        }
        BYTE if data ^ SMALL_POSITIVE <= 0xFF => {
            space.set_byte(base.byte().plus(index), data as u8);
            true
        }
        _ => false,
    }
}

/// Stores an element at an index from `base`; nothing is stored if `data` does not fit or no machine knows this kind.
#[must_use]
pub(crate) fn store<L: Layout>(m: &mut Machine<L>, kind: u32, base: LispPtr, index: u32, data: u32) -> bool {
    store_if_fit(m, kind, base, index, data).is_some()
}

fn store_if_fit<L: Layout>(m: &mut Machine<L>, kind: u32, base: LispPtr, index: u32, data: u32) -> Option<()> {
    let cell_at = base.plus(index.wrapping_mul(2));
    let segment = data & L::SEGMENT_MASK;
    match kind {
        POINTER => {
            let old = m.space.cell(cell_at);
            crate::collector::delete_reference(m, old);
            crate::collector::add_reference(m, data);
            m.space.set_cell(cell_at, data);
        }
        UNCOUNTED_POINTER => m.space.set_cell(cell_at, data),
        SIGNED_CELL => m.space.set_cell(cell_at, crate::integers::integer_value(m, data)? as u32),
        FLOAT => {
            (type_number::<L>(m.space, data) == types::FLOATP).then_some(())?;
            m.space.set_cell(cell_at, m.space.cell(LispPtr::from_cell::<L>(data)));
        }
        SIGNED_WORD => {
            let sign = if data & 0x8000 == 0 { SMALL_POSITIVE } else { SMALL_NEGATIVE };
            (segment == sign).then_some(())?;
            m.space.set_word(base.plus(index), data as u16);
        }
        WORD => m.space.set_word(base.plus(index), u16::try_from(index_value(m, data)?).ok()?),
        FAT_CHARACTER => {
            (segment == CHARACTERS).then_some(())?;
            m.space.set_word(base.plus(index), data as u16);
        }
        BYTE => m.space.set_byte(base.byte().plus(index), u8::try_from(index_value(m, data)?).ok()?),
        THIN_CHARACTER => {
            (segment == CHARACTERS).then_some(())?;
            m.space.set_byte(base.byte().plus(index), u8::try_from(data as u16).ok()?);
        }
        BIT => {
            let at = base.byte().plus(index >> 3);
            let mask = 1 << (7 - (index & 7));
            let rest = m.space.byte(at) & !mask;
            let byte = match index_value(m, data)? {
                0 => rest,
                1 => rest | mask,
                _ => return None,
            };
            m.space.set_byte(at, byte);
        }
        _ => return None,
    }
    Some(())
}
