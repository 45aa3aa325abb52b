//! Sums, differences, products and quotients.

use super::{MAX_SMALL, TAG_SHIFT, binary, give, integer_value, operands, small_cell, small_pair};
use crate::address::LispPtr;
use crate::dispatch::{Flow, SlowFunction};
use crate::layout::{Layout, SMALL_POSITIVE, type_number, types};
use crate::machine::{Machine, Regs};

/// The sum of two small integers in place of them, or the slow path.
#[inline(always)]
fn small_sum<L: Layout>(m: &mut Machine<L>, r: &mut Regs, slow: impl SlowFunction<L>) -> Flow {
    if let Some((a, b)) = small_pair(m.below(r, 1), r.tos)
        && let Some(sum) = a.checked_add(b)
    {
        m.replace(r, 1, small_cell(sum));
        return Flow::Next;
    }
    m.slow(slow)
}

/// The difference of two small integers in place of them, or the slow path.
#[inline(always)]
fn small_difference<L: Layout>(m: &mut Machine<L>, r: &mut Regs, slow: impl SlowFunction<L>) -> Flow {
    if let Some((a, b)) = small_pair(m.below(r, 1), r.tos)
        && let Some(difference) = a.checked_sub(b)
    {
        m.replace(r, 1, small_cell(difference));
        return Flow::Next;
    }
    m.slow(slow)
}

/// The product of two small integers in place of them if it is small too, or the slow path.
#[inline(always)]
fn small_product<L: Layout>(m: &mut Machine<L>, r: &mut Regs, slow: impl SlowFunction<L>) -> Flow {
    // One factor stays shifted, so the product is.
    if let Some((a, b)) = small_pair(m.below(r, 1), r.tos)
        && let Some(product) = (a >> TAG_SHIFT).checked_mul(b)
    {
        m.replace(r, 1, small_cell(product));
        return Flow::Next;
    }
    m.slow(slow)
}

/// The operands without their tags, if both are small and not negative and the upper one is not zero.
#[inline(always)]
fn small_division<L: Layout>(m: &Machine<L>, r: &Regs) -> Option<(u32, u32)> {
    let dividend = m.below(r, 1) ^ SMALL_POSITIVE;
    let divisor = r.tos ^ SMALL_POSITIVE;
    if dividend | divisor <= MAX_SMALL && divisor != 0 { Some((dividend, divisor)) } else { None }
}

/// The quotient of two small integers in place of them, or the slow path.
#[inline(always)]
fn small_quotient<L: Layout>(m: &mut Machine<L>, r: &mut Regs, slow: impl SlowFunction<L>) -> Flow {
    if let Some((dividend, divisor)) = small_division(m, r) {
        m.replace(r, 1, SMALL_POSITIVE | (dividend / divisor));
        return Flow::Next;
    }
    m.slow(slow)
}

/// An operation on two integers of 32 bits, or else on floats.
fn generic<L: Layout>(
    m: &mut Machine<L>,
    r: &mut Regs,
    operation: impl Fn(i32, i32) -> Option<i32>,
    floats: impl SlowFunction<L>,
) -> Flow {
    match operands(m, r) {
        None => floats(m, r),
        Some((a, b)) => match operation(a, b) {
            Some(value) => give(m, r, 1, value),
            None => Flow::Ufn,
        },
    }
}

/// PLUS2: the sum of two numbers.
#[inline(always)]
pub(crate) fn plus<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    small_sum(m, r, |m, r| generic(m, r, i32::checked_add, crate::floats::plus_slow))
}

/// IPLUS2: the sum of two integers.
#[inline(always)]
pub(crate) fn iplus<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    small_sum(m, r, |m, r| binary(m, r, i32::checked_add))
}

/// DIFFERENCE: of two numbers, the lower one less the upper one.
#[inline(always)]
pub(crate) fn difference<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    small_difference(m, r, |m, r| generic(m, r, i32::checked_sub, crate::floats::difference_slow))
}

/// IDIFFERENCE: of two integers.
#[inline(always)]
pub(crate) fn idifference<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    small_difference(m, r, |m, r| binary(m, r, i32::checked_sub))
}

/// TIMES2: the product of two numbers.
#[inline(always)]
pub(crate) fn times<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    small_product(m, r, |m, r| generic(m, r, i32::checked_mul, crate::floats::times_slow))
}

/// ITIMES2: the product of two integers.
#[inline(always)]
pub(crate) fn itimes<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    small_product(m, r, |m, r| binary(m, r, i32::checked_mul))
}

/// QUOTIENT: of two numbers, the lower one divided by the upper one; integers are truncated towards zero.
#[inline(always)]
pub(crate) fn quotient<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    small_quotient(m, r, |m, r| generic(m, r, i32::checked_div, crate::floats::quotient_slow))
}

/// IQUOTIENT: of two integers, truncated towards zero. (The one quotient that does not fit, -2^31 by -1, is the UFN's.)
#[inline(always)]
pub(crate) fn iquotient<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    small_quotient(m, r, |m, r| binary(m, r, i32::checked_div))
}

/// IREMAINDER: what IQUOTIENT leaves; it has the sign of the dividend.
#[inline(always)]
pub(crate) fn iremainder<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if let Some((dividend, divisor)) = small_division(m, r) {
        m.replace(r, 1, SMALL_POSITIVE | (dividend % divisor));
        return Flow::Next;
    }
    m.slow(|m, r| binary(m, r, |a, b| if b == 0 { None } else { Some(a.wrapping_rem(b)) }))
}

/// IPLUS.N: adds the operand byte, 0..=255.
#[inline(always)]
pub(crate) fn iplus_n<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(|m, r| with_operand(m, r, i32::checked_add))
}

/// IDIFFERENCE.N: subtracts the operand byte, 0..=255.
#[inline(always)]
pub(crate) fn idifference_n<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(|m, r| with_operand(m, r, i32::checked_sub))
}

/// An operation on the top of the stack and the operand byte.
fn with_operand<L: Layout>(m: &mut Machine<L>, r: &mut Regs, operation: impl Fn(i32, i32) -> Option<i32>) -> Flow {
    let operand = m.operand(r, 1) as i32;
    match integer_value(m, r.tos).and_then(|value| operation(value, operand)) {
        Some(value) => give(m, r, 0, value),
        None => Flow::Ufn,
    }
}

/// MAKENUMBER: a 32-bit integer from its two halves, the high one below, the low one on top.
#[inline(always)]
pub(crate) fn make_number<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(|m, r| {
        let high = m.below(r, 1) ^ SMALL_POSITIVE;
        let low = r.tos ^ SMALL_POSITIVE;
        if high | low > MAX_SMALL {
            return Flow::Ufn;
        }
        give(m, r, 1, (high << 16 | low) as i32)
    })
}

/// BOXIPLUS: adds to the FIXP below, in place, without regard to overflow; leaves the box.
#[inline(always)]
pub(crate) fn box_iplus<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(|m, r| in_box(m, r, i32::wrapping_add))
}

/// BOXIDIFFERENCE: subtracts from the FIXP below, in place, without regard to overflow; leaves the box.
#[inline(always)]
pub(crate) fn box_idifference<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(|m, r| in_box(m, r, i32::wrapping_sub))
}

fn in_box<L: Layout>(m: &mut Machine<L>, r: &mut Regs, operation: impl Fn(i32, i32) -> i32) -> Flow {
    let boxed = m.below(r, 1);
    if type_number::<L>(m.space, boxed) != types::FIXP {
        return Flow::Ufn;
    }
    let Some(operand) = integer_value(m, r.tos) else {
        return Flow::Ufn;
    };
    let at = LispPtr::from_cell::<L>(boxed);
    m.space.set_cell(at, operation(m.space.cell(at) as i32, operand) as u32);
    m.replace(r, 1, boxed);
    Flow::Next
}
