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
use crate::dispatch::Flow;
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
fn binary<L: Layout>(m: &mut Machine<L>, r: &mut Regs, operation: impl Fn(f32, f32) -> f32) -> Flow {
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
    m.slow(unboxed_2_slow)
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
        8 => remainder(a, b),
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

/// The remainder of a division truncated to an integer, which is always exact; no number where C's `fmodf` gives none.
/// (`%` would want that very function from a C library.)
fn remainder(a: f32, b: f32) -> f32 {
    if !a.is_finite() || b.is_nan() || b == 0.0 {
        return f32::NAN;
    }
    let sign = a.to_bits() & SIGN;
    let (a_bits, b_bits) = (a.to_bits() & !SIGN, b.to_bits() & !SIGN);
    if a_bits < b_bits {
        return a;
    }
    // Value = mantissa * 2^exponent * (smallest float), with 24 bits of mantissa unless it is subnormal.
    let parts = |bits: u32| match bits >> 23 {
        0 => (bits as u64, 0),
        exponent => ((bits & 0x7F_FFFF | 0x80_0000) as u64, exponent - 1),
    };
    let (mut rest, mut exponent) = parts(a_bits);
    let (divisor, unit) = parts(b_bits);
    rest %= divisor;
    while exponent > unit {
        // The rest has 24 bits at most, so 40 more fit.
        let step = (exponent - unit).min(40);
        rest = (rest << step) % divisor;
        exponent -= step;
    }
    // Less than the divisor, in the divisor's units: exact.
    let unit = f32::from_bits(if unit < 23 { 1 << unit } else { (unit - 22) << 23 });
    f32::from_bits((rest as f32 * unit).to_bits() | sign)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Outcome, Trial, in_both_layouts};

    in_both_layouts! {
        boxed_arithmetic_rounds_to_single = boxed_arithmetic;
        integers_and_floats_mix = mixed;
        unboxed_operations_on_one = unboxed_one;
        unboxed_operations_on_two = unboxed_two;
        polynomials_are_evaluated = polynomials;
    }

    const FLOATS: [f32; 16] = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.1,
        1.5,
        -2.25,
        16_777_216.0,
        16_777_217.0,
        2_147_483_648.0,
        -2_147_483_648.0,
        f32::MAX,
        f32::MIN,
        f32::MIN_POSITIVE,
        1e-45,
        3e38,
    ];
    const STRANGE: [f32; 3] = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN];

    /// What the four operations should give.
    fn models(a: f32, b: f32) -> [f32; 4] {
        // In double precision a sum, product or quotient of singles is exact enough to be rounded once more.
        let (a, b) = (a as f64, b as f64);
        [a + b, a - b, a * b, a / b].map(|exact| exact as f32)
    }

    fn check<L: Layout>(trial: &mut Trial<L>, opcode: u8, operands: [u32; 2], expected: f32) {
        match trial.run(&[opcode], &operands) {
            Outcome::Ufn => assert!(!expected.is_finite(), "{opcode:o} of {operands:x?}"),
            Outcome::Value(cell) => {
                assert_eq!(trial.float_in(cell).map(f32::to_bits), Some(expected.to_bits()), "{opcode:o}")
            }
        }
    }

    fn boxed_arithmetic<L: Layout>() {
        let mut trial = Trial::<L>::new();
        for a in FLOATS.into_iter().chain(STRANGE) {
            for b in FLOATS.into_iter().chain(STRANGE) {
                let operands = [trial.float(a), trial.float(b)];
                for (i, expected) in models(a, b).into_iter().enumerate() {
                    check(&mut trial, 0o350 + i as u8, operands, expected);
                    check(&mut trial, 0o324 + i as u8, operands, expected);
                }
                let greater = Outcome::Value(if a > b { 0o114 } else { 0 });
                assert_eq!(trial.run(&[0o362], &operands), greater, "FGREATERP of {a} {b}");
                assert_eq!(trial.run(&[0o363], &operands), greater, "GREATERP of {a} {b}");
            }
        }
        let one = trial.float(1.0);
        for stranger in [0, 0o114, trial.bignum()] {
            for opcode in (0o350..=0o353).chain([0o362]) {
                assert_eq!(trial.run(&[opcode], &[one, stranger]), Outcome::Ufn);
                assert_eq!(trial.run(&[opcode], &[stranger, one]), Outcome::Ufn);
            }
        }
    }

    fn mixed<L: Layout>() {
        let mut trial = Trial::<L>::new();
        for integer in [0, 1, -1, 0xFFFF, -0x1_0000, 0x1_0000, 16_777_217, i32::MAX, i32::MIN] {
            for float in FLOATS {
                let operands = [trial.integer(integer), trial.float(float)];
                for (i, expected) in models(integer as f32, float).into_iter().enumerate() {
                    check(&mut trial, 0o350 + i as u8, operands, expected);
                    check(&mut trial, 0o324 + i as u8, operands, expected);
                }
                let operands = [operands[1], operands[0]];
                for (i, expected) in models(float, integer as f32).into_iter().enumerate() {
                    check(&mut trial, 0o350 + i as u8, operands, expected);
                    check(&mut trial, 0o324 + i as u8, operands, expected);
                }
            }
            // FPLUS2 of two integers is a float.
            let operands = [trial.integer(integer), trial.integer(integer)];
            check(&mut trial, 0o350, operands, integer as f32 + integer as f32);
        }
    }

    fn unboxed_one<L: Layout>() {
        let mut trial = Trial::<L>::new();
        for value in FLOATS.into_iter().chain(STRANGE) {
            let bits = value.to_bits();
            let Outcome::Value(boxed) = trial.run(&[0o355, 0], &[bits]) else { panic!("BOX is never the UFN's") };
            assert_eq!(trial.float_in(boxed).map(f32::to_bits), Some(bits));
            let boxed = trial.float(value);
            assert_eq!(trial.run(&[0o355, 1], &[boxed]), Outcome::Value(bits));
            assert_eq!(trial.run(&[0o355, 2], &[bits]), Outcome::Value(value.abs().to_bits()));
            assert_eq!(trial.run(&[0o355, 3], &[bits]), Outcome::Value((-value).to_bits()));
            assert_eq!(trial.run(&[0o355, 4], &[bits]), Outcome::Ufn);
            assert_eq!(trial.run(&[0o355, 5], &[bits]), Outcome::Ufn);
        }
        for integer in [0, -1, 70_000, i32::MIN, i32::MAX] {
            let cell = trial.integer(integer);
            assert_eq!(trial.run(&[0o355, 1], &[cell]), Outcome::Value((integer as f32).to_bits()));
        }
        assert_eq!(trial.run(&[0o355, 1], &[0]), Outcome::Ufn);
    }

    fn unboxed_two<L: Layout>() {
        let mut trial = Trial::<L>::new();
        for a in FLOATS.into_iter().chain(STRANGE) {
            for b in FLOATS.into_iter().chain(STRANGE) {
                let operands = [a.to_bits(), b.to_bits()];
                let [sum, difference, product, quotient] = models(a, b);
                // The remainder of singles is a single; that of doubles is the same number.
                let remainder = (a as f64 % b as f64) as f32;
                let results = [(0, sum), (1, difference), (2, b - a), (3, product), (4, quotient), (8, remainder)];
                for (operation, expected) in results {
                    let expected = if expected.is_finite() { Outcome::Value(expected.to_bits()) } else { Outcome::Ufn };
                    assert_eq!(trial.run(&[0o354, operation], &operands), expected, "{operation} of {a} {b}");
                }
                let greater = a > b;
                let picks = [
                    (5, if greater { 0o114 } else { 0 }),
                    (6, operands[!greater as usize]),
                    (7, operands[greater as usize]),
                ];
                for (operation, expected) in picks {
                    assert_eq!(trial.run(&[0o354, operation], &operands), Outcome::Value(expected));
                }
                assert_eq!(trial.run(&[0o354, 9], &operands), Outcome::Ufn);
            }
        }
    }

    #[test]
    fn remainders_are_exact() {
        let mut state = 1u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 32) as u32
        };
        for i in 0..200_000 {
            // Any two floats, then two of similar size, then subnormal ones.
            let mask = [u32::MAX, 0x80FF_FFFF, 0x807F_FFFF][i % 3];
            let (a, b) = (f32::from_bits(next() & mask), f32::from_bits(next() & mask));
            let (got, expected) = (remainder(a, b), (a as f64 % b as f64) as f32);
            assert!(got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan(), "{a:e} rem {b:e}");
        }
    }

    fn polynomials<L: Layout>() {
        let mut trial = Trial::<L>::new();
        let coefficients = [2.0f32, -0.5, 0.1, 7.0];
        let base = LispPtr(0x30_0000);
        for (i, coefficient) in coefficients.iter().enumerate() {
            trial.m.space.set_cell(base.plus(2 * i as u32), coefficient.to_bits());
        }
        for x in FLOATS {
            for degree in 0..4 {
                let expected = coefficients[1..=degree].iter().fold(coefficients[0], |sum, c| sum * x + c);
                let operands = [x.to_bits(), base.0, SMALL_POSITIVE | degree as u32];
                let expected = if expected.is_finite() { Outcome::Value(expected.to_bits()) } else { Outcome::Ufn };
                assert_eq!(trial.run(&[0o62, 0], &operands), expected, "degree {degree} at {x}");
                assert_eq!(trial.run(&[0o62, 1], &operands), Outcome::Ufn);
            }
        }
        assert_eq!(trial.run(&[0o62, 0], &[0, base.0, 0]), Outcome::Ufn);
    }
}
