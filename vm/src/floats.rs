//! Floats: FLOATP boxes, and the opcodes on unboxed floats.
//!
//! ```text
//!   FLOATP     a pointer to a cell that holds an IEEE single
//!   unboxed    the 32 bits themselves on the stack: code that the compiler knows to be about floats keeps them so
//! ```
//!
//! Small integers and FIXPs count as floats wherever a boxed one does; anything else goes to the UFN. So does every
//! result that is infinite or no number: Lisp decides whether that is an error.

use crate::address::LispPtr;
use crate::dispatch::{Flow, SlowPath};
use crate::layout::{Layout, SMALL_POSITIVE, type_number, types};
use crate::machine::{Machine, Regs, attempt};

/// The value of a float or an integer of up to 32 bits.
pub(crate) fn float_value<L: Layout>(m: &Machine<L>, cell: u32) -> Option<f32> {
    match crate::integers::integer_value(m, cell) {
        Some(integer) => Some(integer as f32),
        None if type_number::<L>(m.space, cell) == types::FLOATP => {
            Some(f32::from_bits(m.space.cell(LispPtr::from_cell::<L>(cell))))
        }
        None => None,
    }
}

/// 32 bits in a new FLOATP.
pub(crate) fn make_float<L: Layout>(m: &mut Machine<L>, bits: u32) -> Result<u32, Flow> {
    let cell = crate::storage::create_cell(m, types::FLOATP)?;
    m.space.set_cell(cell, bits);
    Ok(cell.0)
}

/// The two operands on top of the stack as floats, the lower one first.
pub(crate) fn operands<L: Layout>(m: &Machine<L>, r: &Regs) -> Option<(f32, f32)> {
    Some((float_value(m, m.below(r, 1))?, float_value(m, r.tos)?))
}

/// A boxed result of two operands.
fn binary<L: Layout>(m: &mut Machine<L>, r: &mut Regs, operation: fn(f32, f32) -> f32) -> Flow {
    let Some((a, b)) = operands(m, r) else {
        return Flow::Ufn;
    };
    let result = operation(a, b);
    if !result.is_finite() {
        return Flow::Ufn;
    }
    let cell = attempt!(make_float(m, result.to_bits()));
    m.replace(r, 1, cell);
    Flow::Next
}

macro_rules! boxed {
    ($($(#[$doc:meta])* $name:ident, $slow:ident, $operation:expr;)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $name<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
            m.slow($slow)
        }

        /// The same for an opcode that has found out that its operands are not both integers.
        pub(crate) fn $slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
            binary(m, r, $operation)
        }
    )*};
}
boxed! {
    /// FPLUS2: the sum.
    plus, plus_slow, |a, b| a + b;
    /// FDIFFERENCE: the lower operand less the upper one.
    difference, difference_slow, |a, b| a - b;
    /// FTIMES2: the product.
    times, times_slow, |a, b| a * b;
    /// FQUOTIENT: the lower operand divided by the upper one.
    quotient, quotient_slow, |a, b| a / b;
}

/// FGREATERP: whether the lower operand is greater.
#[inline(always)]
pub(crate) fn fgreaterp<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(fgreaterp_slow)
}

/// FGREATERP, and GREATERP where not both operands are integers.
pub(crate) fn fgreaterp_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let Some((a, b)) = operands(m, r) else {
        return Flow::Ufn;
    };
    m.replace(r, 1, crate::compare::truth(a > b));
    Flow::Next
}

/// The sign of an unboxed float.
const SIGN: u32 = 1 << 31;

/// UBFLOAT1: an operation on one unboxed float, by the operand byte.
#[inline(always)]
pub(crate) fn unboxed_1<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(unboxed_1_slow)
}

fn unboxed_1_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    r.tos = match m.operand(r, 1) {
        // BOX
        0 => attempt!(make_float(m, r.tos)),
        // UNBOX
        1 => match float_value(m, r.tos) {
            Some(value) => value.to_bits(),
            None => return Flow::Ufn,
        },
        // ABS
        2 => r.tos & !SIGN,
        // NEGATE
        3 => r.tos ^ SIGN,
        // 4, UFIX: the reference compares with a limit of the wrong sign, so it too leaves all floats but 2^31 to Lisp,
        // and that one it gets wrong.
        _ => return Flow::Ufn,
    };
    Flow::Next
}

/// UBFLOAT2: an operation on two unboxed floats, by the operand byte.
#[inline(always)]
pub(crate) fn unboxed_2<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(unboxed_2_slow as SlowPath<L>)
}

fn unboxed_2_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let (a_bits, b_bits) = (m.below(r, 1), r.tos);
    let (a, b) = (f32::from_bits(a_bits), f32::from_bits(b_bits));
    let greater = a > b;
    let result = match m.operand(r, 1) {
        // ADD
        0 => a + b,
        // SUB
        1 => a - b,
        // ISUB: SUB with its operands exchanged
        2 => b - a,
        // MULT
        3 => a * b,
        // DIV
        4 => a / b,
        // REM: exact, with the sign of the dividend
        8 => a % b,
        // GREAT, MAX and MIN: nothing to round, so no check; where one is no number "greater" is false
        choice @ 5..=7 => {
            let cell = match choice {
                5 => crate::compare::truth(greater),
                6 if greater => a_bits,
                6 => b_bits,
                _ if greater => b_bits,
                _ => a_bits,
            };
            m.replace(r, 1, cell);
            return Flow::Next;
        }
        _ => return Flow::Ufn,
    };
    if !result.is_finite() {
        return Flow::Ufn;
    }
    m.replace(r, 1, result.to_bits());
    Flow::Next
}

/// UBFLOAT3: the value of a polynomial. From the bottom: the argument, unboxed; the address of the coefficients, the
/// highest power's first; the degree.
#[inline(always)]
pub(crate) fn unboxed_3<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(unboxed_3_slow)
}

fn unboxed_3_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if m.operand(r, 1) != 0 || r.tos & L::SEGMENT_MASK != SMALL_POSITIVE {
        return Flow::Ufn;
    }
    let argument = f32::from_bits(m.below(r, 2));
    let mut coefficient = LispPtr::from_cell::<L>(m.below(r, 1));
    let mut result = f32::from_bits(m.space.cell(coefficient));
    for _ in 0..r.tos & 0xFFFF {
        coefficient = coefficient.plus(2);
        result = result * argument + f32::from_bits(m.space.cell(coefficient));
    }
    if !result.is_finite() {
        return Flow::Ufn;
    }
    m.replace(r, 2, result.to_bits());
    Flow::Next
}
