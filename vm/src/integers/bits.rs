//! Bitwise operations and shifts.
//!
//! AND and OR of two small integers work on the cells as they are: the tag survives, and what differs between the two
//! segments is the sign bit. XOR takes the tag away, so it is put back.

use super::{MAX_SMALL, binary, give, integer_value, operands, small_pair};
use crate::dispatch::Flow;
use crate::layout::{Layout, SMALL_POSITIVE};
use crate::machine::{Machine, Regs};

/// LOGOR2.
#[inline(always)]
pub(crate) fn log_or<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let below = m.below(r, 1);
    if small_pair(below, r.tos).is_some() {
        m.replace(r, 1, below | r.tos);
        return Flow::Next;
    }
    m.slow(|m, r| binary(m, r, |a, b| Some(a | b)))
}

/// LOGAND2.
#[inline(always)]
pub(crate) fn log_and<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let below = m.below(r, 1);
    if small_pair(below, r.tos).is_some() {
        m.replace(r, 1, below & r.tos);
        return Flow::Next;
    }
    m.slow(|m, r| binary(m, r, |a, b| Some(a & b)))
}

/// LOGXOR2.
#[inline(always)]
pub(crate) fn log_xor<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let below = m.below(r, 1);
    if small_pair(below, r.tos).is_some() {
        m.replace(r, 1, below ^ r.tos ^ SMALL_POSITIVE);
        return Flow::Next;
    }
    m.slow(|m, r| binary(m, r, |a, b| Some(a ^ b)))
}

/// Shifts a small integer that is not negative to the left, if the result is one too.
#[inline(always)]
fn small_left<L: Layout, const COUNT: u32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let value = r.tos ^ SMALL_POSITIVE;
    if value <= MAX_SMALL >> COUNT {
        r.tos = SMALL_POSITIVE | value << COUNT;
        return Flow::Next;
    }
    m.slow(|m, r| unary(m, r, |value| value << COUNT))
}

/// Shifts a small integer that is not negative to the right.
#[inline(always)]
fn small_right<L: Layout, const COUNT: u32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let value = r.tos ^ SMALL_POSITIVE;
    if value <= MAX_SMALL {
        r.tos = SMALL_POSITIVE | value >> COUNT;
        return Flow::Next;
    }
    m.slow(|m, r| unary(m, r, |value| value >> COUNT))
}

/// An operation on the 32 bits on top.
fn unary<L: Layout>(m: &mut Machine<L>, r: &mut Regs, operation: impl Fn(u32) -> u32) -> Flow {
    match integer_value(m, r.tos) {
        Some(value) => give(m, r, 0, operation(value as u32) as i32),
        None => Flow::Ufn,
    }
}

/// LLSH1: shifts 32 bits left by one; what falls off is lost.
#[inline(always)]
pub(crate) fn shift_left_1<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    small_left::<L, 1>(m, r)
}

/// LLSH8: shifts 32 bits left by eight; what falls off is lost.
#[inline(always)]
pub(crate) fn shift_left_8<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    small_left::<L, 8>(m, r)
}

/// LRSH1: shifts 32 bits right by one and fills with zero.
#[inline(always)]
pub(crate) fn shift_right_1<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    small_right::<L, 1>(m, r)
}

/// LRSH8: shifts 32 bits right by eight and fills with zero.
#[inline(always)]
pub(crate) fn shift_right_8<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    small_right::<L, 8>(m, r)
}

/// LSH: shifts the lower operand arithmetically by the upper one, left if that is positive.
#[inline(always)]
pub(crate) fn shift<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let value = m.below(r, 1) ^ SMALL_POSITIVE;
    if value <= MAX_SMALL {
        let left = r.tos ^ SMALL_POSITIVE;
        if left <= 16 {
            let shifted = value << left;
            if shifted <= MAX_SMALL {
                m.replace(r, 1, SMALL_POSITIVE | shifted);
                return Flow::Next;
            }
        } else {
            // Small -1 is the last cell of segment 0xF, -2 the one before, and so on.
            let right = 0x10_0000u32.wrapping_sub(r.tos);
            if (1..=31).contains(&right) {
                m.replace(r, 1, SMALL_POSITIVE | value >> right);
                return Flow::Next;
            }
        }
    }
    m.slow(shift_slow)
}

fn shift_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let Some((value, count)) = operands(m, r) else {
        return Flow::Ufn;
    };
    let shifted = match count {
        0 => {
            // The very same number, even if it is a box whose value would fit without.
            m.replace(r, 1, m.below(r, 1));
            return Flow::Next;
        }
        1..=31 => {
            let shifted = value << count;
            if shifted >> count != value {
                return Flow::Ufn;
            }
            shifted
        }
        -31..=-1 => value >> -count,
        _ => return Flow::Ufn,
    };
    give(m, r, 1, shifted)
}
