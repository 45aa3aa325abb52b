//! Raw memory: fetching and storing cells, words, bytes and bit fields at an address and an offset, moving blocks of
//! words, and taking pointers apart.
//!
//! The offset is an operand of the instruction, in words, or, for bytes and ADDBASE, an integer on the stack.

use crate::address::{ByteAddr, LispPtr};
use crate::dispatch::Flow;
use crate::layout::{Layout, SMALL_NEGATIVE, SMALL_POSITIVE, type_number, types};
use crate::machine::{Machine, Regs};

/// The value of an immediate integer.
#[inline(always)]
fn small_value<L: Layout>(cell: u32) -> Option<i32> {
    match cell & L::SEGMENT_MASK {
        SMALL_POSITIVE => Some((cell & 0xFFFF) as i32),
        SMALL_NEGATIVE => Some((cell | 0xFFFF_0000) as i32),
        _ => None,
    }
}

/// The value of an immediate integer or a FIXP.
#[inline(always)]
fn offset_value<L: Layout>(m: &Machine<L>, cell: u32) -> Option<i32> {
    match small_value::<L>(cell) {
        None if type_number::<L>(m.space, cell) == types::FIXP => {
            Some(m.space.cell(LispPtr::from_cell::<L>(cell)) as i32)
        }
        value => value,
    }
}

/// The address that the operand, in words, and a base make.
#[inline(always)]
fn at_operand<L: Layout>(m: &Machine<L>, r: &Regs, base: u32) -> LispPtr {
    LispPtr::from_cell::<L>(base).plus(m.operand(r, 1))
}

/// GETBASE.N: the word at the address on top and the offset.
#[inline(always)]
pub(crate) fn get_base<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    r.tos = SMALL_POSITIVE | m.space.word(at_operand(m, r, r.tos)) as u32;
    Flow::Next
}

/// GETBASEPTR.N: the pointer at the address on top and the offset.
#[inline(always)]
pub(crate) fn get_base_ptr<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    r.tos = m.space.cell(at_operand(m, r, r.tos)) & L::POINTER_MASK;
    Flow::Next
}

/// PUTBASE.N: stores the small integer on top as a word; leaves the address.
#[inline(always)]
pub(crate) fn put_base<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos >> 16 != SMALL_POSITIVE >> 16 {
        return Flow::Ufn;
    }
    let base = m.below(r, 1) & L::POINTER_MASK;
    m.space.set_word(at_operand(m, r, base), r.tos as u16);
    m.replace(r, 1, base);
    Flow::Next
}

/// PUTBASEPTR.N: stores the cell on top; leaves the address. References are not counted.
#[inline(always)]
pub(crate) fn put_base_ptr<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let base = m.below(r, 1) & L::POINTER_MASK;
    m.space.set_cell(at_operand(m, r, base), r.tos);
    m.replace(r, 1, base);
    Flow::Next
}

/// A field within a word, from the second operand: high nibble the first bit from the left, low nibble one less than
/// the size. How far to shift it down, and its mask then.
#[inline(always)]
fn field<L: Layout>(m: &Machine<L>, r: &Regs) -> (u32, u32) {
    let operand = m.operand(r, 2);
    let (first, size_less_1) = (operand >> 4, operand & 0xF);
    // A field that leaves its word at the right has no meaning; the shift stays within 0..=31 all the same.
    (15u32.wrapping_sub(first + size_less_1) & 31, (2 << size_less_1) - 1)
}

/// GETBITS.N.FD: a field of a word, as a small integer.
#[inline(always)]
pub(crate) fn get_bits<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let word = m.space.word(at_operand(m, r, r.tos)) as u32;
    let (shift, mask) = field(m, r);
    r.tos = SMALL_POSITIVE | word >> shift & mask;
    Flow::Next
}

/// PUTBITS.N.FD: stores the small integer on top in a field of a word; leaves the address.
#[inline(always)]
pub(crate) fn put_bits<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos & L::SEGMENT_MASK != SMALL_POSITIVE {
        return Flow::Ufn;
    }
    let base = m.below(r, 1) & L::POINTER_MASK;
    let at = at_operand(m, r, base);
    let (shift, mask) = field(m, r);
    let word = m.space.word(at) as u32 & !(mask << shift) | (r.tos & mask) << shift;
    m.space.set_word(at, word as u16);
    m.replace(r, 1, base);
    Flow::Next
}

/// GETBASEBYTE: the byte at the address below and the offset on top.
#[inline(always)]
pub(crate) fn get_base_byte<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let Some(offset) = offset_value(m, r.tos) else {
        return Flow::Ufn;
    };
    let base = LispPtr::from_cell::<L>(m.below(r, 1)).byte();
    let byte = m.space.byte(base.offset(offset));
    m.replace(r, 1, SMALL_POSITIVE | byte as u32);
    Flow::Next
}

/// PUTBASEBYTE: stores the small integer on top as the byte at the address below and the offset between them.
#[inline(always)]
pub(crate) fn put_base_byte<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos & L::SEGMENT_MASK != SMALL_POSITIVE || r.tos & 0xFFFF > 0xFF {
        return Flow::Ufn;
    }
    let Some(offset) = small_value::<L>(m.below(r, 1)) else {
        return Flow::Ufn;
    };
    let base = LispPtr::from_cell::<L>(m.below(r, 2)).byte();
    m.space.set_byte(base.offset(offset), r.tos as u8);
    r.sp = r.sp.wrapping_sub(4);
    Flow::Next
}

/// ADDBASE: the address below moved by the integer on top, in words.
#[inline(always)]
pub(crate) fn add_base<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let Some(offset) = offset_value(m, r.tos) else {
        return Flow::Ufn;
    };
    let address = (m.below(r, 1) & L::POINTER_MASK).wrapping_add_signed(offset);
    // An address below 0 is for Lisp to complain about.
    if (address as i32) < 0 {
        return Flow::Ufn;
    }
    m.replace(r, 1, address);
    Flow::Next
}

/// VAG2: a cell from its high word, below, and its low word, on top. All 32 bits: Lisp makes more than pointers of it.
#[inline(always)]
pub(crate) fn vag2<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let cell = m.below(r, 1) << 16 | r.tos & 0xFFFF;
    m.replace(r, 1, cell);
    Flow::Next
}

/// HILOC: the high word of a cell.
#[inline(always)]
pub(crate) fn hi_loc<L: Layout>(_m: &mut Machine<L>, r: &mut Regs) -> Flow {
    r.tos = SMALL_POSITIVE | r.tos >> 16;
    Flow::Next
}

/// LOLOC: the low word of a cell.
#[inline(always)]
pub(crate) fn lo_loc<L: Layout>(_m: &mut Machine<L>, r: &mut Regs) -> Flow {
    r.tos = SMALL_POSITIVE | r.tos & 0xFFFF;
    Flow::Next
}

/// BIN: the next byte of the stream on top, if it is in its buffer.
///
/// ```text
///   STREAM   word 0 place in buffer | word 1 bytes in buffer | cell 2 flags, buffer | ... | cell 10 flags, device
/// ```
///
/// The flag that allows this is the top bit of cell 2 in Medley 2.0, of cell 10 in Medley 3.5.
#[inline(always)]
pub(crate) fn bin<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let space = m.space;
    if type_number::<L>(space, r.tos) != types::STREAM {
        return Flow::Ufn;
    }
    let stream = LispPtr::from_cell::<L>(r.tos);
    let flags = space.cell(stream.plus(if L::BIG { 10 } else { 2 }));
    let place = space.word(stream);
    if flags >> 31 == 0 || place >= space.word(stream.plus(1)) {
        return Flow::Ufn;
    }
    let buffer: ByteAddr = LispPtr::from_cell::<L>(space.cell(stream.plus(2))).byte();
    let byte = space.byte(buffer.plus(place as u32));
    space.set_word(stream, place + 1);
    r.tos = SMALL_POSITIVE | byte as u32;
    Flow::Next
}

/// BLT: copies so many words (on top) from the address below to the one below that. The last word first: Lisp clears
/// memory by moving a block one word down after setting its last word.
#[inline(always)]
pub(crate) fn blt<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(blt_slow)
}

fn blt_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if r.tos & L::SEGMENT_MASK != SMALL_POSITIVE {
        return Flow::Ufn;
    }
    let words = r.tos & 0xFFFF;
    let source = LispPtr::from_cell::<L>(m.below(r, 1));
    let destination = LispPtr::from_cell::<L>(m.below(r, 2));
    m.space.copy_words_down(destination, source, words);
    m.replace(r, 2, r.tos);
    Flow::Next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::{Medley2, Medley35};
    use crate::testing;

    /// Code bytes for the operands of an opcode that is called directly.
    fn with_operands<L: Layout>(m: &Machine<L>, r: &mut Regs, operands: &[u8]) {
        r.pc = 0x20_0000;
        for (i, byte) in operands.iter().enumerate() {
            m.space.set_byte(ByteAddr(r.pc + 1 + i as u32), *byte);
        }
    }

    fn small(value: i32) -> u32 {
        if value < 0 { SMALL_NEGATIVE | value as u32 & 0xFFFF } else { SMALL_POSITIVE | value as u32 }
    }

    fn fields<L: Layout>() {
        let mut m = testing::machine::<L>();
        let mut r = m.regs;
        let at = LispPtr(0x12_3456);
        for first in 0..16u8 {
            for less_1 in 0..16 - first {
                m.space.set_word(at.plus(3), 0xA5C3);
                let width = less_1 as u32 + 1;
                let mask = (1u32 << width) - 1;
                let shift = 16 - first as u32 - width;
                with_operands(&m, &mut r, &[3, first << 4 | less_1]);
                r.tos = at.0;
                assert_eq!(get_bits(&mut m, &mut r), Flow::Next);
                assert_eq!(r.tos, SMALL_POSITIVE | 0xA5C3 >> shift & mask);
                m.push(&mut r, at.0);
                m.push(&mut r, SMALL_POSITIVE | 0x5A3C);
                assert_eq!(put_bits(&mut m, &mut r), Flow::Next);
                assert_eq!(r.tos, at.0);
                let expected = 0xA5C3 & !(mask << shift) | (0x5A3C & mask) << shift;
                assert_eq!(m.space.word(at.plus(3)) as u32, expected);
            }
        }
        m.push(&mut r, at.0);
        m.push(&mut r, SMALL_NEGATIVE);
        let before = r;
        assert_eq!(put_bits(&mut m, &mut r), Flow::Ufn);
        assert_eq!(r, before);
    }

    #[test]
    fn fields_of_words() {
        fields::<Medley2>();
        fields::<Medley35>();
    }

    #[test]
    fn cells_words_and_bytes() {
        let mut m = testing::machine::<Medley2>();
        let mut r = m.regs;
        let base = 0x15_0000;
        with_operands(&m, &mut r, &[6]);
        m.push(&mut r, 0xFF00_0000 | base);
        m.push(&mut r, 0x81AB_CDEF);
        assert_eq!(put_base_ptr(&mut m, &mut r), Flow::Next);
        assert_eq!(r.tos, base, "the address is left without its flags");
        assert_eq!(m.space.cell(LispPtr(base + 6)), 0x81AB_CDEF, "a cell is stored with them");
        assert_eq!(get_base_ptr(&mut m, &mut r), Flow::Next);
        assert_eq!(r.tos, 0xAB_CDEF);
        r.tos = base;
        assert_eq!(get_base(&mut m, &mut r), Flow::Next);
        assert_eq!(r.tos, SMALL_POSITIVE | 0x81AB);

        for (offset, expected) in [(small(12), 0x81), (small(15), 0xEF)] {
            m.push(&mut r, base);
            m.push(&mut r, offset);
            assert_eq!(get_base_byte(&mut m, &mut r), Flow::Next);
            assert_eq!(r.tos, SMALL_POSITIVE | expected);
        }
        m.push(&mut r, base + 10);
        m.push(&mut r, small(-7));
        m.push(&mut r, SMALL_POSITIVE | 0x42);
        assert_eq!(put_base_byte(&mut m, &mut r), Flow::Next);
        assert_eq!(m.space.cell(LispPtr(base + 6)), 0x8142_CDEF);
        m.push(&mut r, base);
        m.push(&mut r, small(13));
        m.push(&mut r, SMALL_POSITIVE | 0x100);
        assert_eq!(put_base_byte(&mut m, &mut r), Flow::Ufn);
    }

    #[test]
    fn addresses() {
        let mut m = testing::machine::<Medley35>();
        let mut r = m.regs;
        m.push(&mut r, 0x30_0000);
        m.push(&mut r, small(-2));
        assert_eq!(add_base(&mut m, &mut r), Flow::Next);
        assert_eq!(r.tos, 0x2F_FFFE);
        m.push(&mut r, 1);
        m.push(&mut r, small(-2));
        assert_eq!(add_base(&mut m, &mut r), Flow::Ufn);
        m.push(&mut r, small(0x8123));
        m.push(&mut r, small(0x4567));
        assert_eq!(vag2(&mut m, &mut r), Flow::Next);
        assert_eq!(r.tos, 0x8123_4567);
        m.push(&mut r, 0x8123_4567);
        assert_eq!(hi_loc(&mut m, &mut r), Flow::Next);
        assert_eq!(r.tos, small(0x8123));
        m.pop(&mut r);
        assert_eq!(lo_loc(&mut m, &mut r), Flow::Next);
        assert_eq!(r.tos, small(0x4567));
    }

    #[test]
    fn blocks_move_last_word_first() {
        let m = testing::machine::<Medley2>();
        let base = 0x15_0000;
        for (destination, source) in [(0, 64), (64, 0), (0, 1), (1, 0), (0, 2), (2, 0), (0, 7), (7, 0), (3, 5), (4, 40)]
        {
            for words in [0, 1, 2, 3, 8, 31, 32] {
                let mut model: [u16; 128] = core::array::from_fn(|i| i as u16 * 257);
                for (i, word) in model.iter().enumerate() {
                    m.space.set_word(LispPtr(base + i as u32), *word);
                }
                for i in (0..words).rev() {
                    model[destination + i] = model[source + i];
                }
                let at = |offset: usize| LispPtr(base + offset as u32);
                m.space.copy_words_down(at(destination), at(source), words as u32);
                for (i, word) in model.iter().enumerate() {
                    assert_eq!(m.space.word(at(i)), *word, "{words} words {source} -> {destination}, word {i}");
                }
            }
        }
    }

    #[test]
    fn streams_give_bytes_until_their_buffer_ends() {
        let mut m = testing::machine::<Medley35>();
        let mut r = m.regs;
        let stream = LispPtr(0x40_0000);
        m.space.set_word(LispPtr(Medley35::MDS_TYPE_TABLE.0 + (stream.0 >> 9)), types::STREAM as u16);
        m.space.set_word(stream.plus(1), 2);
        m.space.set_cell(stream.plus(2), 0x1000_0000 | 0x50_0000);
        m.space.set_cell(LispPtr(0x50_0000), 0x4142_4344);
        r.tos = stream.0;
        assert_eq!(bin(&mut m, &mut r), Flow::Ufn, "the device does not allow it");
        m.space.set_cell(stream.plus(10), 1 << 31);
        for expected in [0x41, 0x42] {
            r.tos = stream.0;
            assert_eq!(bin(&mut m, &mut r), Flow::Next);
            assert_eq!(r.tos, SMALL_POSITIVE | expected);
        }
        r.tos = stream.0;
        assert_eq!(bin(&mut m, &mut r), Flow::Ufn);
    }
}
