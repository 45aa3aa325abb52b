//! Every integer opcode against 64-bit arithmetic, at and around every boundary.

use crate::layout::Layout;
use crate::trial::{Outcome, Trial, in_both_layouts};
use std::vec::Vec;

in_both_layouts! {
    arithmetic_is_that_of_integers = arithmetic;
    operand_bytes_are_added_and_subtracted = operand_bytes;
    shifts_by_any_count = shifts;
    fixed_shifts_lose_what_falls_off = fixed_shifts;
    numbers_are_made_of_halves = make_number;
    boxes_are_changed_in_place = boxes;
    what_is_no_integer_is_lisps = strangers;
}

/// Numbers at which something changes, and their neighbours.
fn boundaries() -> Vec<i32> {
    let mut all: Vec<i64> = Vec::new();
    for edge in [0, 0x80, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x1_0001, 46341, 1 << 30, 1 << 31] {
        for near in -2..=2 {
            all.extend([edge + near, -edge + near]);
        }
    }
    all.retain(|&n| i32::try_from(n).is_ok());
    all.sort();
    all.dedup();
    all.into_iter().map(|n| n as i32).collect()
}

/// Checks one result: the number, or the UFN if it is not to be had.
fn check<L: Layout>(trial: &mut Trial<L>, code: &[u8], operands: &[u32], expected: Option<i64>, what: (i32, i32)) {
    let expected = expected.and_then(|n| i32::try_from(n).ok());
    let got = match trial.run(code, operands) {
        Outcome::Ufn => None,
        Outcome::Value(cell) => {
            Some(trial.integer_in(cell).unwrap_or_else(|| panic!("{code:x?} of {what:?} gave cell {cell:x}")))
        }
    };
    assert_eq!(got, expected, "{code:x?} of {what:?}");
}

fn arithmetic<L: Layout>() {
    type Model = fn(i64, i64) -> Option<i64>;
    let add: Model = |a, b| Some(a + b);
    let subtract: Model = |a, b| Some(a - b);
    let multiply: Model = |a, b| Some(a * b);
    let divide: Model = |a, b| a.checked_div(b);
    let models: [(u8, Model); 12] = [
        (0o324, add),
        (0o330, add),
        (0o325, subtract),
        (0o331, subtract),
        (0o326, multiply),
        (0o332, multiply),
        (0o327, divide),
        (0o333, divide),
        (0o334, |a, b| a.checked_rem(b)),
        (0o344, |a, b| Some(a | b)),
        (0o345, |a, b| Some(a & b)),
        (0o346, |a, b| Some(a ^ b)),
    ];
    let mut trial = Trial::<L>::new();
    for a in boundaries() {
        for b in boundaries() {
            let operands = [trial.integer(a), trial.integer(b)];
            for (opcode, model) in models {
                check(&mut trial, &[opcode], &operands, model(a as i64, b as i64), (a, b));
            }
            let greater = Outcome::Value(if a > b { 0o114 } else { 0 });
            assert_eq!(trial.run(&[0o361], &operands), greater, "IGREATERP of {a} {b}");
            assert_eq!(trial.run(&[0o363], &operands), greater, "GREATERP of {a} {b}");
        }
        // A small number in a box is as good as one without.
        let operands = [trial.fixp(a), trial.fixp(1)];
        for (opcode, model) in models {
            check(&mut trial, &[opcode], &operands, model(a as i64, 1), (a, 1));
        }
    }
}

fn operand_bytes<L: Layout>() {
    let mut trial = Trial::<L>::new();
    for a in boundaries() {
        for n in [0, 1, 2, 0x7F, 0x80, 0xFF] {
            let operands = [trial.integer(a)];
            check(&mut trial, &[0o335, n], &operands, Some(a as i64 + n as i64), (a, n as i32));
            check(&mut trial, &[0o336, n], &operands, Some(a as i64 - n as i64), (a, n as i32));
        }
    }
}

fn shifts<L: Layout>() {
    let mut trial = Trial::<L>::new();
    for a in boundaries() {
        for count in (-40..=40).chain([-0x1_0000, -0x1_0001, -100_000, 100, 0xFFFF, 0x1_0000, i32::MIN, i32::MAX]) {
            let model = match count {
                0..=31 => Some((a as i64) << count),
                -31..=-1 => Some(a as i64 >> -count),
                _ => None,
            };
            let operands = [trial.integer(a), trial.integer(count)];
            if count == 0 {
                assert_eq!(trial.run(&[0o347], &operands), Outcome::Value(operands[0]), "the same number");
            } else {
                check(&mut trial, &[0o347], &operands, model, (a, count));
            }
        }
        let operands = [trial.fixp(a), trial.integer(0)];
        assert_eq!(trial.run(&[0o347], &operands), Outcome::Value(operands[0]), "the same box");
    }
}

fn fixed_shifts<L: Layout>() {
    let mut trial = Trial::<L>::new();
    for a in boundaries() {
        let operands = [trial.integer(a)];
        check(&mut trial, &[0o340], &operands, Some((a << 1) as i64), (a, 1));
        check(&mut trial, &[0o341], &operands, Some((a << 8) as i64), (a, 8));
        check(&mut trial, &[0o342], &operands, Some((a as u32 >> 1) as i32 as i64), (a, -1));
        check(&mut trial, &[0o343], &operands, Some((a as u32 >> 8) as i32 as i64), (a, -8));
    }
}

fn make_number<L: Layout>() {
    let mut trial = Trial::<L>::new();
    for a in boundaries() {
        let (high, low) = ((a as u32 >> 16) as i32, a & 0xFFFF);
        let operands = [trial.integer(high), trial.integer(low)];
        check(&mut trial, &[0o365], &operands, Some(a as i64), (high, low));
        if a < 0 {
            let operands = [trial.integer(a), trial.integer(0)];
            check(&mut trial, &[0o365], &operands, None, (a, 0));
            check(&mut trial, &[0o365], &[operands[1], operands[0]], None, (0, a));
        }
    }
}

fn boxes<L: Layout>() {
    let mut trial = Trial::<L>::new();
    for a in boundaries() {
        for b in boundaries() {
            for (opcode, model) in [(0o366, a.wrapping_add(b)), (0o367, a.wrapping_sub(b))] {
                let operands = [trial.fixp(a), trial.integer(b)];
                assert_eq!(trial.run(&[opcode], &operands), Outcome::Value(operands[0]));
                assert_eq!(trial.m.space.cell(crate::address::LispPtr(operands[0])) as i32, model);
            }
        }
    }
    let small = trial.integer(5);
    assert_eq!(trial.run(&[0o366], &[small, small]), Outcome::Ufn);
    let float = trial.float(1.0);
    assert_eq!(trial.run(&[0o366], &[float, small]), Outcome::Ufn);
    let operands = [trial.fixp(5), float];
    assert_eq!(trial.run(&[0o367], &operands), Outcome::Ufn);
}

fn strangers<L: Layout>() {
    let mut trial = Trial::<L>::new();
    let two = trial.integer(2);
    let float = trial.float(1.5);
    let bignum = trial.bignum();
    for stranger in [0, 0o114, 0x7_0041, float, bignum, 0x10_0000, 0xD_FFFF] {
        for opcode in (0o330..=0o334).chain(0o344..=0o347).chain([0o361, 0o365]) {
            for operands in [[two, stranger], [stranger, two], [stranger, stranger]] {
                assert_eq!(trial.run(&[opcode], &operands), Outcome::Ufn, "{opcode:o} of {operands:x?}");
            }
        }
        for opcode in 0o340..=0o343 {
            assert_eq!(trial.run(&[opcode], &[stranger]), Outcome::Ufn, "{opcode:o} of {stranger:x}");
        }
        assert_eq!(trial.run(&[0o335, 1], &[stranger]), Outcome::Ufn);
        assert_eq!(trial.run(&[0o336, 1], &[stranger]), Outcome::Ufn);
    }
    // The generic ones know floats.
    for opcode in [0o324, 0o325, 0o326, 0o327, 0o363] {
        for stranger in [0, 0x7_0041, bignum] {
            for operands in [[two, stranger], [stranger, two], [float, stranger], [stranger, float]] {
                assert_eq!(trial.run(&[opcode], &operands), Outcome::Ufn, "{opcode:o} of {operands:x?}");
            }
        }
        assert_ne!(trial.run(&[opcode], &[two, float]), Outcome::Ufn, "{opcode:o}");
    }
}
