//! Comparisons: of pointers, of numbers, and the leaves of EQUAL.
//!
//! | opcode | true for |
//! |---|---|
//! | EQ | the same pointer |
//! | EQL | and numbers of the same type and value |
//! | CMLEQUAL | as EQL; lists, strings and the like are the UFN's |
//! | EQUAL | and numbers of any type with the same value |
//! | CL_EQUAL | numbers with the same value; anything else is the UFN's |
//! | IGREATERP, GREATERP | integers, numbers of which the lower operand is greater |

use crate::address::{AtomIndex, LispPtr};
use crate::dispatch::Flow;
use crate::floats::float_value;
use crate::integers::small_pair;
use crate::layout::{CHARACTERS, Layout, SMALL_NEGATIVE, SMALL_POSITIVE, type_entry, type_number, types};
use crate::machine::{Machine, Regs};

/// In a word of the type table: this type is a number.
const NUMBER: u16 = 0x1000;

/// T or NIL.
#[inline(always)]
pub(crate) fn truth(value: bool) -> u32 {
    if value { AtomIndex::T.0 } else { AtomIndex::NIL.0 }
}

/// Segments of pointers that stand for themselves, a bit each: symbols by number, characters, small integers.
const SELF_EVIDENT: u32 = SYMBOLS_AND_CHARACTERS | 1 << (SMALL_POSITIVE >> 16) | 1 << (SMALL_NEGATIVE >> 16);
/// The same without small integers.
const SYMBOLS_AND_CHARACTERS: u32 = 1 | 1 << (CHARACTERS >> 16);

/// Whether a pointer is in one of a set of segments, all of them below 32.
#[inline(always)]
fn is_in(segments: u32, pointer: u32) -> bool {
    let segment = pointer >> 16;
    segment < 32 && segments >> segment & 1 != 0
}

/// Replaces the two operands by T or NIL.
#[inline(always)]
fn answer<L: Layout>(m: &Machine<L>, r: &mut Regs, value: bool) -> Flow {
    m.replace(r, 1, truth(value));
    Flow::Next
}

/// EQ.
#[inline(always)]
pub(crate) fn eq<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let below = m.below(r, 1);
    answer(m, r, below == r.tos)
}

/// EQL.
#[inline(always)]
pub(crate) fn eql<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let below = m.below(r, 1);
    if below == r.tos || is_in(SELF_EVIDENT, below) || is_in(SELF_EVIDENT, r.tos) {
        return answer(m, r, below == r.tos);
    }
    m.slow(eql_slow)
}

fn eql_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let (a, b) = (m.below(r, 1), r.tos);
    if is_in(SELF_EVIDENT, a & L::POINTER_MASK) || is_in(SELF_EVIDENT, b & L::POINTER_MASK) {
        return answer(m, r, false);
    }
    let kind = type_number::<L>(m.space, a);
    if kind != type_number::<L>(m.space, b) {
        return answer(m, r, false);
    }
    match same_value(m, kind, a, b) {
        Some(same) => answer(m, r, same),
        None if is_number(m, a) => Flow::Ufn,
        None => answer(m, r, false),
    }
}

/// CMLEQUAL: Common Lisp's EQUAL.
#[inline(always)]
pub(crate) fn cl_equal<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let below = m.below(r, 1);
    if below == r.tos || is_in(SELF_EVIDENT, below) || is_in(SELF_EVIDENT, r.tos) {
        return answer(m, r, below == r.tos);
    }
    m.slow(cl_equal_slow)
}

fn cl_equal_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let (a, b) = (m.below(r, 1), r.tos);
    if is_in(SELF_EVIDENT, a & L::POINTER_MASK) || is_in(SELF_EVIDENT, b & L::POINTER_MASK) {
        return answer(m, r, false);
    }
    match (is_number(m, a), is_number(m, b)) {
        (true, true) => {}
        (false, false) => return Flow::Ufn,
        _ => return answer(m, r, false),
    }
    let kind = type_number::<L>(m.space, a);
    if kind != type_number::<L>(m.space, b) {
        return answer(m, r, false);
    }
    match same_value(m, kind, a, b) {
        Some(same) => answer(m, r, same),
        None => Flow::Ufn,
    }
}

/// EQUAL: Interlisp's.
#[inline(always)]
pub(crate) fn equal<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let below = m.below(r, 1);
    if below == r.tos || is_in(SYMBOLS_AND_CHARACTERS, below) || is_in(SYMBOLS_AND_CHARACTERS, r.tos) {
        return answer(m, r, below == r.tos);
    }
    m.slow(equal_slow)
}

fn equal_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let (a, b) = (m.below(r, 1), r.tos);
    let (a_pointer, b_pointer) = (a & L::POINTER_MASK, b & L::POINTER_MASK);
    let different = is_in(SYMBOLS_AND_CHARACTERS, a_pointer)
        || is_in(SYMBOLS_AND_CHARACTERS, b_pointer)
        || is_in(SELF_EVIDENT, a_pointer) && is_in(SELF_EVIDENT, b_pointer);
    if different {
        return answer(m, r, false);
    }
    match (is_number(m, a), is_number(m, b)) {
        (true, true) => {}
        (false, false) => return Flow::Ufn,
        _ => return answer(m, r, false),
    }
    let kind = type_number::<L>(m.space, a);
    let other = type_number::<L>(m.space, b);
    if kind == other {
        return match same_value(m, kind, a, b) {
            Some(same) => answer(m, r, same),
            None => Flow::Ufn,
        };
    }
    if kind == types::FLOATP || other == types::FLOATP {
        return same_as_floats(m, r);
    }
    answer(m, r, false)
}

/// CL_EQUAL: Common Lisp's `=`.
#[inline(always)]
pub(crate) fn cl_arith_equal<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if let Some((a, b)) = small_pair(m.below(r, 1), r.tos) {
        return answer(m, r, a == b);
    }
    m.slow(cl_arith_equal_slow)
}

fn cl_arith_equal_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let (a, b) = (m.below(r, 1), r.tos);
    if !is_number(m, a) {
        return Flow::Ufn;
    }
    if a == b {
        return answer(m, r, true);
    }
    if !is_number(m, b) {
        return Flow::Ufn;
    }
    const SMALLP: u32 = types::SMALLP;
    const FIXP: u32 = types::FIXP;
    const FLOATP: u32 = types::FLOATP;
    match (type_number::<L>(m.space, a), type_number::<L>(m.space, b)) {
        (FIXP, FIXP) => match same_value(m, FIXP, a, b) {
            Some(same) => answer(m, r, same),
            None => Flow::Ufn,
        },
        // A small integer is never boxed, so a box has another value.
        (SMALLP | FIXP, SMALLP | FIXP) => answer(m, r, false),
        (SMALLP | FIXP | FLOATP, FLOATP) | (FLOATP, SMALLP | FIXP) => same_as_floats(m, r),
        _ => Flow::Ufn,
    }
}

/// Whether both operands are the same float.
fn same_as_floats<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    match crate::floats::operands(m, r) {
        Some((a, b)) => answer(m, r, a == b),
        None => Flow::Ufn,
    }
}

/// Whether two boxes of the same type hold the same number, if this machine knows how such a box looks.
fn same_value<L: Layout>(m: &Machine<L>, kind: u32, a: u32, b: u32) -> Option<bool> {
    match kind {
        types::SMALLP => Some(false),
        types::FIXP => Some(m.space.cell(LispPtr::from_cell::<L>(a)) == m.space.cell(LispPtr::from_cell::<L>(b))),
        types::FLOATP => Some(float_value(m, a)? == float_value(m, b)?),
        _ => None,
    }
}

/// Whether a pointer is to a number of any type.
fn is_number<L: Layout>(m: &Machine<L>, pointer: u32) -> bool {
    type_entry::<L>(m.space, pointer) & NUMBER != 0
}

/// IGREATERP: of integers.
#[inline(always)]
pub(crate) fn igreaterp<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if let Some((a, b)) = small_pair(m.below(r, 1), r.tos) {
        return answer(m, r, a > b);
    }
    m.slow(|m, r| match crate::integers::operands(m, r) {
        Some((a, b)) => answer(m, r, a > b),
        None => Flow::Ufn,
    })
}

/// GREATERP: of numbers; as integers if both are, else as floats.
#[inline(always)]
pub(crate) fn greaterp<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if let Some((a, b)) = small_pair(m.below(r, 1), r.tos) {
        return answer(m, r, a > b);
    }
    m.slow(|m, r| match crate::integers::operands(m, r) {
        Some((a, b)) => answer(m, r, a > b),
        None => crate::floats::fgreaterp_slow(m, r),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::{Outcome, Trial, in_both_layouts};
    use std::vec::Vec;

    in_both_layouts! {
        every_kind_with_every_other = kinds;
    }

    /// What a pointer is, for the model.
    #[derive(Clone, Copy, PartialEq, Debug)]
    enum Kind {
        Symbol,
        Character,
        Integer { value: i32, small: bool },
        Float(f32),
        Bignum,
        Other,
    }

    impl Kind {
        fn is_number(self) -> bool {
            matches!(self, Kind::Integer { .. } | Kind::Float(_) | Kind::Bignum)
        }
        fn is_self_evident(self) -> bool {
            matches!(self, Kind::Symbol | Kind::Character | Kind::Integer { small: true, .. })
        }
        fn as_float(self) -> Option<f32> {
            match self {
                Kind::Integer { value, .. } => Some(value as f32),
                Kind::Float(value) => Some(value),
                _ => None,
            }
        }
    }

    /// `None` is the UFN.
    fn model(opcode: u8, a: (u32, Kind), b: (u32, Kind)) -> Option<bool> {
        use Kind::{Bignum, Float, Integer};
        let same = a.0 == b.0;
        let numbers = (a.1.is_number(), b.1.is_number());
        let by_value = match (a.1, b.1) {
            (Integer { value: x, small: false }, Integer { value: y, small: false }) => Some(x == y),
            (Float(x), Float(y)) => Some(x == y),
            (Bignum, Bignum) => None,
            _ => Some(false),
        };
        let self_evident = a.1.is_self_evident() || b.1.is_self_evident();
        match opcode {
            0o360 => Some(same),
            0o72 if same => Some(true),
            0o72 => by_value,
            0o314 if same => Some(true),
            0o314 if self_evident => Some(false),
            0o314 if numbers == (false, false) => None,
            0o314 => by_value,
            0o364 if same => Some(true),
            0o364 if numbers == (false, false) && !self_evident => None,
            0o364 if numbers != (true, true) => Some(false),
            0o364 if matches!(a.1, Float(_)) != matches!(b.1, Float(_)) => Some(a.1.as_float()? == b.1.as_float()?),
            0o364 => by_value,
            _ if numbers == (true, true) && same => Some(true),
            _ if numbers != (true, true) => None,
            _ if a.1 == Bignum || b.1 == Bignum => None,
            _ if matches!(a.1, Float(_)) || matches!(b.1, Float(_)) => Some(a.1.as_float()? == b.1.as_float()?),
            _ => by_value,
        }
    }

    fn kinds<L: Layout>() {
        let mut trial = Trial::<L>::new();
        trial.set_type(0x30_0000, types::LISTP);
        let mut all: Vec<(u32, Kind)> = std::vec![
            (0, Kind::Symbol),
            (0o114, Kind::Symbol),
            (0x7_0041, Kind::Character),
            (0x7_0042, Kind::Character),
            (0x30_0000, Kind::Other),
            (0x30_0002, Kind::Other),
            (trial.bignum(), Kind::Bignum),
            (trial.bignum(), Kind::Bignum),
        ];
        for value in [0, 1, -1, 0xFFFF, -0x1_0000] {
            all.push((trial.integer(value), Kind::Integer { value, small: true }));
        }
        for value in [0x1_0000, i32::MAX, i32::MIN, 0x1_0000] {
            all.push((trial.integer(value), Kind::Integer { value, small: false }));
        }
        for value in [0.0, -0.0, 1.0, 65536.0, 2_147_483_648.0, f32::NAN, f32::INFINITY, 1.0] {
            all.push((trial.float(value), Kind::Float(value)));
        }
        for a in &all {
            for b in &all {
                for opcode in [0o360, 0o72, 0o314, 0o364, 0o377] {
                    let expected = match model(opcode, *a, *b) {
                        Some(value) => Outcome::Value(truth(value)),
                        None => Outcome::Ufn,
                    };
                    assert_eq!(trial.run(&[opcode], &[a.0, b.0]), expected, "{opcode:o} of {a:x?} {b:x?}");
                }
            }
        }
    }
}
