//! Lisp's memory: one fixed region of the machine's own virtual space.
//!
//! ```text
//!   x86-64 virtual address              Lisp
//!   BASE              0x4000_0000       word 0
//!   BASE + 2*w                          word w (the pair of words w, w^1 is one native 32-bit cell)
//!   BASE + REGION     ...               end of what a u32 word address can reach
//! ```
//!
//! Pages are big-endian in the sysout and are brought to native order, 32 bits at a time, when they are read. So:
//!
//! ```text
//!   cell  c (even word address)   u32 at  BASE + 2*c
//!   word  w                       u16 at  BASE + 2*(w ^ 1)
//!   byte  b                       u8  at  BASE + (b ^ 3)
//! ```
//!
//! BASE is small enough to be an x86 displacement, so a Lisp pointer in a register is used directly:
//! `mov eax, [2*rdi + 0x40000000]`. No access is checked: the address space itself is the bounds check. Whoever
//! creates a [`Space`] promises that the whole region answers with Lisp's pages or with a page fault that a pager
//! resolves or reports. This is the one module of `vm` with unsafe code that touches Lisp memory.

use crate::address::{ByteAddr, LispPtr};

mod rows;
pub(crate) use rows::operation;

/// Where Lisp's word 0 is in the machine's virtual space.
pub const BASE: usize = 0x4000_0000;

/// How far from an address the `_near` operations may go, in words.
pub const NEAR: u32 = 0x7FFF;

/// Virtual space on both sides of Lisp's that must fault, in bytes: what `_near` operations can reach.
pub const GUARD: usize = 1 << 16;

/// How much virtual space from BASE on a `u32` word address can reach, in bytes, with the guard behind it.
pub const REGION: usize = (1 << 33) + GUARD;

/// A loop's counter as it is. LLVM cannot know how often a loop runs whose counter goes through this, and so makes a short
/// one of it, as is right where it runs once or twice.
#[inline(always)]
pub(crate) fn few(mut counter: u32) -> u32 {
    // SAFETY: no instruction.
    unsafe { core::arch::asm!("/* {0:e} */", inout(reg) counter, options(pure, nomem, nostack, preserves_flags)) };
    counter
}

/// The right to touch Lisp memory. It has no size and is copied freely.
#[derive(Clone, Copy, Debug)]
pub struct Space(());

impl Space {
    /// Claims the region.
    ///
    /// # Safety
    /// For as long as any copy is used, `BASE - GUARD .. BASE + REGION` must belong to Lisp alone: no Rust object lives
    /// there, no reference into it exists while an operation of `Space` runs, and an access either reaches plain memory
    /// or faults into a pager that supplies the page or never returns. Other processors and threads do not write there
    /// meanwhile; what reads there (a display) copes with half-done changes.
    pub const unsafe fn claim() -> Space {
        Space(())
    }

    #[inline(always)]
    fn at<T>(byte: usize) -> *mut T {
        core::ptr::with_exposed_provenance_mut(BASE + byte)
    }

    /// The cell at an even word address.
    #[inline(always)]
    pub fn cell(self, a: LispPtr) -> u32 {
        // SAFETY: a u32 word address stays inside the region of `claim`, even with an odd one's two bytes beyond.
        unsafe { Self::at::<u32>(a.0 as usize * 2).read_unaligned() }
    }

    /// Stores a cell at an even word address.
    #[inline(always)]
    pub fn set_cell(self, a: LispPtr, value: u32) {
        // SAFETY: a u32 word address stays inside the region of `claim`, even with an odd one's two bytes beyond.
        unsafe { Self::at::<u32>(a.0 as usize * 2).write_unaligned(value) }
    }

    /// The word at a word address.
    #[inline(always)]
    pub fn word(self, a: LispPtr) -> u16 {
        // SAFETY: a u32 word address stays inside the region of `claim`.
        unsafe { Self::at::<u16>((a.0 ^ 1) as usize * 2).read() }
    }

    /// Stores a word at a word address.
    #[inline(always)]
    pub fn set_word(self, a: LispPtr, value: u16) {
        // SAFETY: a u32 word address stays inside the region of `claim`.
        unsafe { Self::at::<u16>((a.0 ^ 1) as usize * 2).write(value) }
    }

    /// The byte at a byte address.
    #[inline(always)]
    pub fn byte(self, a: ByteAddr) -> u8 {
        // SAFETY: a u32 byte address stays inside the region of `claim`.
        unsafe { Self::at::<u8>((a.0 ^ 3) as usize).read() }
    }

    /// Four bytes from a byte address on, the first one most significant.
    #[inline(always)]
    pub fn code_bytes(self, a: ByteAddr) -> u32 {
        let pair = self.cell_pair(LispPtr((a.0 & !3) >> 1));
        (pair.rotate_left(32) << (8 * (a.0 & 3)) >> 32) as u32
    }

    /// Stores a byte at a byte address.
    #[inline(always)]
    pub fn set_byte(self, a: ByteAddr, value: u8) {
        // SAFETY: a u32 byte address stays inside the region of `claim`.
        unsafe { Self::at::<u8>((a.0 ^ 3) as usize).write(value) }
    }

    /// The cell a few words up or down from `a`. Unlike `cell(a.offset(words))` this does not wrap around at the ends
    /// of the address space, so that the distance becomes part of the instruction.
    #[inline(always)]
    pub fn cell_near(self, a: LispPtr, words: i32) -> u32 {
        debug_assert!(words.unsigned_abs() <= NEAR);
        // SAFETY: at most GUARD bytes outside of what a u32 word address reaches, which `claim` covers.
        unsafe { Self::near::<u32>(a, words).read_unaligned() }
    }

    /// Stores the cell a few words up or down from `a`.
    #[inline(always)]
    pub fn set_cell_near(self, a: LispPtr, words: i32, value: u32) {
        debug_assert!(words.unsigned_abs() <= NEAR);
        // SAFETY: at most GUARD bytes outside of what a u32 word address reaches, which `claim` covers.
        unsafe { Self::near::<u32>(a, words).write_unaligned(value) }
    }

    /// The word `words` up or down from `a`, where `a` is even.
    #[inline(always)]
    pub fn word_near(self, a: LispPtr, words: i32) -> u16 {
        debug_assert!(words.unsigned_abs() <= NEAR && a.0 & 1 == 0);
        // SAFETY: at most GUARD bytes outside of what a u32 word address reaches, which `claim` covers.
        unsafe { Self::near::<u16>(a, words ^ 1).read() }
    }

    /// Stores the word `words` up or down from `a`, where `a` is even.
    #[inline(always)]
    pub fn set_word_near(self, a: LispPtr, words: i32, value: u16) {
        debug_assert!(words.unsigned_abs() <= NEAR && a.0 & 1 == 0);
        // SAFETY: at most GUARD bytes outside of what a u32 word address reaches, which `claim` covers.
        unsafe { Self::near::<u16>(a, words ^ 1).write(value) }
    }

    #[inline(always)]
    fn near<T>(a: LispPtr, words: i32) -> *mut T {
        let byte = (a.0 as usize * 2).wrapping_add_signed(words as isize * 2);
        core::ptr::with_exposed_provenance_mut(BASE.wrapping_add(byte))
    }

    /// Two neighbouring cells from an even word address: the first in the low half.
    #[inline(always)]
    pub fn cell_pair(self, a: LispPtr) -> u64 {
        // SAFETY: a u32 word address and 8 bytes from there on are inside the region of `claim`: a guard is behind it.
        unsafe { Self::at::<u64>(a.0 as usize * 2).read_unaligned() }
    }

    /// Stores two neighbouring cells at an even word address: the low half first.
    #[inline(always)]
    pub fn set_cell_pair(self, a: LispPtr, value: u64) {
        // SAFETY: a u32 word address and 8 bytes from there on are inside the region of `claim`: a guard is behind it.
        unsafe { Self::at::<u64>(a.0 as usize * 2).write_unaligned(value) }
    }

    /// Stores the same pair of cells from `a` up to `end`, which must be some pairs further up: few, mostly.
    #[inline(always)]
    pub fn fill_few_pairs(self, mut a: LispPtr, end: LispPtr, value: u64) {
        loop {
            self.set_cell_pair(a, value);
            a = LispPtr(few(a.0)).plus(4);
            if a == end {
                break;
            }
        }
    }

    /// Fills `cells` cells from an even word address on.
    pub fn fill_cells(self, a: LispPtr, cells: u32, value: u32) {
        for i in 0..cells {
            self.set_cell(a.plus(2 * i), value);
        }
    }

    /// Copies words as if one by one, the last one first. So a block that overlaps the end of its source from below is
    /// filled with repetitions of the source's end, as the D-machine's block transfer does.
    pub fn copy_words_down(self, destination: LispPtr, source: LispPtr, words: u32) {
        if words == 0 {
            return;
        }
        let distance = source.0.wrapping_sub(destination.0);
        let repeats = distance < words;
        let wraps = |a: LispPtr| a.0.checked_add(words).is_none();
        if repeats || (distance & 1) != 0 || wraps(destination) || wraps(source) {
            if distance == 1 {
                let last = self.word(source.plus(words - 1));
                return self.fill_words(destination, words, last);
            }
            for i in (0..words).rev() {
                self.set_word(destination.plus(i), self.word(source.plus(i)));
            }
            return;
        }
        // Both have the same parity: single words at the ends, cells between.
        let head = (destination.0 & 1).min(words);
        let cells = (words - head) / 2;
        let tail = words - head - 2 * cells;
        if tail != 0 {
            let last = words - 1;
            self.set_word(destination.plus(last), self.word(source.plus(last)));
        }
        if cells != 0 {
            let (from, to) = (source.plus(head).0 as usize * 2, destination.plus(head).0 as usize * 2);
            // SAFETY: both blocks begin and end inside what a u32 word address reaches, which `claim` covers, at even
            // words, so cells are aligned; `copy` allows the blocks to overlap.
            unsafe { core::ptr::copy(Self::at::<u32>(from), Self::at::<u32>(to), cells as usize) }
        }
        if head != 0 {
            self.set_word(destination, self.word(source));
        }
    }

    /// Fills words with a value.
    pub fn fill_words(self, a: LispPtr, words: u32, value: u16) {
        let head = (a.0 & 1).min(words);
        let cells = (words - head) / 2;
        if head != 0 {
            self.set_word(a, value);
        }
        self.fill_cells(a.plus(head), cells, value as u32 * 0x1_0001);
        if words != head + 2 * cells {
            self.set_word(a.plus(words - 1), value);
        }
    }
}

/// Brings one page between file order (big-endian) and native order; the exchange is its own inverse.
pub fn swap_page(page: &mut [u8]) {
    let (cells, _) = page.as_chunks_mut::<4>();
    for cell in cells {
        *cell = u32::from_be_bytes(*cell).to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapping_twice_is_nothing() {
        let mut page: [u8; 512] = core::array::from_fn(|i| i as u8);
        let before = page;
        swap_page(&mut page);
        assert_eq!(page[..4], [3, 2, 1, 0]);
        swap_page(&mut page);
        assert_eq!(page, before);
    }
}
