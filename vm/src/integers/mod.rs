//! Integers of 17 and 32 bits.
//!
//! ```text
//!   small     0000 0000 0000 111s vvvv vvvv vvvv vvvv     -65536..=65535, in the pointer itself
//!   FIXP      a pointer to a cell that holds 32 bits, two's complement
//!   bignum    a list of 12-bit digits: Lisp's business, reached by way of the UFN
//! ```
//!
//! The bits `s` and `v` of a small integer are its value in 17 bits, two's complement: segments 0xE and 0xF are one
//! number format. Shifted up by [`TAG_SHIFT`] the tag falls off and the value stands at the top of a machine word, where
//! the processor's own overflow flag tells whether a result is small. The opcodes try that and leave everything else to
//! a slow path.
//!
//! A result outside of 32 bits, a division by zero and an operand that is no integer go to the UFN with the stack
//! untouched. So do floats where an opcode wants integers: Lisp truncates them.

mod arithmetic;
mod bits;
#[cfg(test)]
mod tests;

pub(crate) use arithmetic::*;
pub(crate) use bits::*;

use crate::address::LispPtr;
use crate::dispatch::Flow;
use crate::layout::{Layout, SMALL_NEGATIVE, SMALL_POSITIVE, type_number, types};
use crate::machine::{Machine, Regs, attempt};

/// By how much a small integer must be shifted up for its tag to fall off and its sign to be on top.
pub(crate) const TAG_SHIFT: u32 = 15;
/// How many small integers there are.
const SMALLS: u32 = 1 << 17;
/// The largest small integer.
const MAX_SMALL: u32 = 0xFFFF;

/// Two small integers, shifted up by [`TAG_SHIFT`], if both are small.
#[inline(always)]
pub(crate) fn small_pair(a: u32, b: u32) -> Option<(i32, i32)> {
    if (a ^ SMALL_POSITIVE) | (b ^ SMALL_POSITIVE) < SMALLS {
        Some(((a << TAG_SHIFT) as i32, (b << TAG_SHIFT) as i32))
    } else {
        None
    }
}

/// The cell of a small integer that is shifted up by [`TAG_SHIFT`].
#[inline(always)]
fn small_cell(shifted: i32) -> u32 {
    SMALL_POSITIVE | shifted as u32 >> TAG_SHIFT
}

/// The value of a small integer or a boxed 32-bit one.
#[inline]
pub(crate) fn integer_value<L: Layout>(m: &Machine<L>, cell: u32) -> Option<i32> {
    match cell & L::SEGMENT_MASK {
        SMALL_POSITIVE | SMALL_NEGATIVE => Some((cell << TAG_SHIFT) as i32 >> TAG_SHIFT),
        _ if type_number::<L>(m.space, cell) == types::FIXP => Some(m.space.cell(LispPtr::from_cell::<L>(cell)) as i32),
        _ => None,
    }
}

/// A 32-bit integer as Lisp has it: immediate, or in a new FIXP.
#[inline]
pub(crate) fn make_integer<L: Layout>(m: &mut Machine<L>, value: i32) -> Result<u32, Flow> {
    if (value as u32).wrapping_add(SMALLS / 2) < SMALLS {
        return Ok(SMALL_POSITIVE | value as u32 & (SMALLS - 1));
    }
    let cell = crate::storage::create_cell(m, types::FIXP)?;
    m.space.set_cell(cell, value as u32);
    Ok(cell.0)
}

/// Replaces the top `1 + below` cells by an integer.
fn give<L: Layout>(m: &mut Machine<L>, r: &mut Regs, below: u32, value: i32) -> Flow {
    let cell = attempt!(make_integer(m, value));
    m.replace(r, below, cell);
    Flow::Next
}

/// The two operands on top of the stack, if both are integers: the lower one first.
pub(crate) fn operands<L: Layout>(m: &Machine<L>, r: &Regs) -> Option<(i32, i32)> {
    Some((integer_value(m, m.below(r, 1))?, integer_value(m, r.tos)?))
}

/// A 32-bit operation on the two operands on top; without integers or a result it is the UFN's.
fn binary<L: Layout>(m: &mut Machine<L>, r: &mut Regs, operation: impl Fn(i32, i32) -> Option<i32>) -> Flow {
    match operands(m, r).and_then(|(a, b)| operation(a, b)) {
        Some(value) => give(m, r, 1, value),
        None => Flow::Ufn,
    }
}
