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
use crate::loops::{self, Operation};
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

/// DOVEMISC: input and output of the Xerox 6085. Its functions are still in the images, so its length has to be known.
#[inline(always)]
pub(crate) fn dove_misc<L: Layout>(_m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    Flow::Ufn
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
        number => match Operation::from_operand(number) {
            Some(operation) => return loops::operate(m, r, operation, arguments),
            None => return Flow::Ufn,
        },
    };
    arguments.replace(m, r, SMALL_POSITIVE | code as u32);
    Flow::Next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{CHARACTERS, SMALL_NEGATIVE};
    use crate::trial::{Outcome, Trial, in_both_layouts};

    in_both_layouts! {
        the_clock_is_put_in_its_box = clock;
        bits_of_bitmaps = bitmap_bits;
        elements_come_back_as_they_were_stored = elements_round_trip;
        elements_that_do_not_fit_are_lisps = elements_that_do_not_fit;
        elements_by_address = element_addresses;
        miscn_takes_its_arguments = miscn_arguments;
    }

    const BASE: LispPtr = LispPtr(0x30_0000);

    fn clock<L: Layout>() {
        let mut trial = Trial::<L>::new();
        let cell = trial.fixp(0);
        let start = trial.m.unix_microseconds() as u32;
        trial.m.world().microseconds += 0x1_2345_6789;
        assert_eq!(trial.run(&[0o167], &[cell]), Outcome::Value(cell));
        assert_eq!(trial.m.space.cell(LispPtr(cell)), start.wrapping_add(0x2345_6789));
    }

    fn bitmap_bits<L: Layout>() {
        let mut trial = Trial::<L>::new();
        let (height, row_words) = (5, 3);
        for (x, y) in [(0, 0), (0, 4), (15, 2), (16, 2), (47, 0), (47, 4), (20, 1)] {
            let word = BASE.offset((height - 1 - y) * row_words + x / 16);
            let mask = 0x8000 >> (x % 16);
            for before in [0x5AA5, 0xA55A] {
                let models = [before ^ mask, before & !mask, before, before | mask, before | mask];
                for (operation, after) in models.into_iter().enumerate() {
                    trial.m.space.set_word(word, before);
                    let numbers = [x, y, operation as i32, height - 1, row_words].map(|n| trial.integer(n));
                    let [x, y, operation, top, row] = numbers;
                    let operands = [BASE.0, x, y, operation, top, row, 0];
                    let was = SMALL_POSITIVE | (before & mask != 0) as u32;
                    assert_eq!(trial.run(&[0o70, 1], &operands), Outcome::Value(was));
                    assert_eq!(trial.m.space.word(word), after);
                    assert_eq!(trial.run(&[0o70, 0], &operands), Outcome::Ufn);
                    assert_eq!(trial.run(&[0o70, 1], &[BASE.0, x, y, operation, top, 0, 0]), Outcome::Ufn);
                }
            }
        }
    }

    fn store<L: Layout>(trial: &mut Trial<L>, kind: u32, index: i32, data: u32) -> Outcome {
        let index = trial.integer(index);
        trial.run(&[0o373, 7], &[data, BASE.0, SMALL_POSITIVE | kind, index])
    }

    fn fetch<L: Layout>(trial: &mut Trial<L>, kind: u32, index: i32) -> Outcome {
        let index = trial.integer(index);
        trial.run(&[0o372, 9], &[BASE.0, SMALL_POSITIVE | kind, index])
    }

    fn elements_round_trip<L: Layout>() {
        let mut trial = Trial::<L>::new();
        let small = |n: u32| SMALL_POSITIVE | n;
        let negative = |n: u32| SMALL_NEGATIVE | n;
        let cases: [(u32, &[u32]); 8] = [
            (0, &[small(0), small(1)]),
            (3, &[small(0), small(0x7F), small(0xFF)]),
            (4, &[small(0), small(0x8000), small(0xFFFF)]),
            (20, &[small(0), small(0x7FFF), negative(0x8000), negative(0xFFFF)]),
            (38, &[0, 0o114, small(7)]),
            (67, &[CHARACTERS, CHARACTERS | 0xFF]),
            (68, &[CHARACTERS, CHARACTERS | 0xFFFF]),
            (86, &[0, 0o114, 0x12_3456]),
        ];
        for (kind, values) in cases {
            for index in [0, 1, 7, 8, 9, 100, 0x1_0002] {
                for value in values {
                    assert_eq!(store(&mut trial, kind, index, *value), Outcome::Value(*value), "{kind} {value:x}");
                    assert_eq!(fetch(&mut trial, kind, index), Outcome::Value(*value), "{kind} {value:x}");
                }
            }
        }
        for value in [0, -1, 0xFFFF, 0x1_0000, -0x1_0000, -0x1_0001, i32::MAX, i32::MIN] {
            let data = trial.integer(value);
            assert_eq!(store(&mut trial, 22, 3, data), Outcome::Value(data));
            let Outcome::Value(cell) = fetch(&mut trial, 22, 3) else { panic!("element {value}") };
            assert_eq!(trial.integer_in(cell), Some(value));
        }
        let data = trial.float(-2.5);
        assert_eq!(store(&mut trial, 54, 3, data), Outcome::Value(data));
        let Outcome::Value(cell) = fetch(&mut trial, 54, 3) else { panic!("float element") };
        assert_eq!(trial.float_in(cell), Some(-2.5));
    }

    fn elements_that_do_not_fit<L: Layout>() {
        let mut trial = Trial::<L>::new();
        let small = |n: u32| SMALL_POSITIVE | n;
        let float = trial.float(1.0);
        let big = trial.integer(0x1_0000);
        let cases: [(u32, &[u32]); 8] = [
            (0, &[small(2), SMALL_NEGATIVE | 0xFFFF, 0, float]),
            (3, &[small(0x100), SMALL_NEGATIVE | 0xFFFF, big, 0]),
            (4, &[SMALL_NEGATIVE | 0xFFFF, big, 0]),
            (20, &[small(0x8000), SMALL_NEGATIVE | 0x7FFF, big, 0]),
            (22, &[0, float]),
            (54, &[small(1), big, 0]),
            (67, &[CHARACTERS | 0x100, small(65)]),
            (68, &[small(65), 0]),
        ];
        for (kind, values) in cases {
            for value in values {
                assert_eq!(store(&mut trial, kind, 1, *value), Outcome::Ufn, "{kind} {value:x}");
            }
        }
        assert_eq!(store(&mut trial, 5, 1, small(1)), Outcome::Ufn);
        assert_eq!(fetch(&mut trial, 5, 1), Outcome::Ufn);
        assert_eq!(store(&mut trial, 4, -1, small(1)), Outcome::Ufn);
        assert_eq!(fetch(&mut trial, 4, -1), Outcome::Ufn);
        assert_eq!(trial.run(&[0o372, 8], &[BASE.0, small(4), small(0)]), Outcome::Ufn);
        assert_eq!(trial.run(&[0o373, 8], &[small(0), BASE.0, small(4), small(0)]), Outcome::Ufn);
    }

    /// Elements are counted from the most significant end.
    fn element_addresses<L: Layout>() {
        let mut trial = Trial::<L>::new();
        trial.m.space.set_cell(BASE, 0x8123_4567);
        for (kind, index, expected) in [(0, 0, 1), (0, 1, 0), (0, 7, 1), (3, 1, 0x23), (3, 3, 0x67), (4, 1, 0x4567)] {
            assert_eq!(fetch(&mut trial, kind, index), Outcome::Value(SMALL_POSITIVE | expected));
        }
        assert_eq!(fetch(&mut trial, 20, 0), Outcome::Value(SMALL_NEGATIVE | 0x8123));
        assert_eq!(fetch(&mut trial, 67, 2), Outcome::Value(CHARACTERS | 0x45));
    }

    fn miscn_arguments<L: Layout>() {
        let mut trial = Trial::<L>::new();
        let small = |n: u32| SMALL_POSITIVE | n;
        // SXHASH of a small integer is its low half; further arguments are dropped.
        assert_eq!(trial.run(&[0o44, 2, 1], &[SMALL_NEGATIVE | 5]), Outcome::Value(small(5)));
        assert_eq!(trial.run(&[0o44, 2, 3], &[small(7), small(8), small(9)]), Outcome::Value(small(7)));
        // Without an argument it is that of NIL, pushed.
        assert_eq!(trial.run(&[0o44, 2, 0], &[]), Outcome::Value(small(0)));
        assert_eq!(trial.run(&[0o44, 0o14, 2], &[small(7), small(8)]), Outcome::Value(0));
        // The example of a site's own subroutine gives its argument.
        assert_eq!(trial.run(&[0o44, 0, 2], &[small(0), small(8)]), Outcome::Value(small(8)));
        assert_eq!(trial.run(&[0o44, 0, 2], &[small(1), small(8)]), Outcome::Ufn);
        assert_eq!(trial.run(&[0o44, 3, 1], &[small(1)]), Outcome::Ufn);
        assert_eq!(trial.run(&[0o44, 0o15, 0], &[]), Outcome::Ufn);
        // What follows is no FN1 \MVLIST, so VALUES gives the first one only.
        assert_eq!(trial.run(&[0o44, 1, 3], &[small(1), small(2), small(3)]), Outcome::Value(small(1)));
    }
}
