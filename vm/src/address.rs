//! Addresses with types.
//!
//! Lisp's memory is counted in three units, and mixing them up is the classic mistake of an emulator:
//!
//! ```text
//!   byte    8 bits            ByteAddr   = 2 * LispPtr + (0 or 1)
//!   word   16 bits, 2 bytes   LispPtr    (a Lisp pointer *is* a word address)
//!   cell   32 bits, 2 words   an even LispPtr
//!   page  256 words           LispPage   = LispPtr >> 8
//! ```
//!
//! A cell holds a raw `u32`. In Medley 2.0 the low 24 bits are a pointer, in Medley 3.5 the low 28; what stands
//! above are flags. [`LispPtr::from_cell`] is the one way from a cell to a pointer, and it masks.

use crate::layout::Layout;

/// Words in a page.
pub const WORDS_PER_PAGE: u32 = 256;
/// Bytes in a page.
pub const BYTES_PER_PAGE: usize = 512;

/// A word address in Lisp's virtual space; `LispPtr(0)` is also NIL.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LispPtr(pub u32);

impl LispPtr {
    /// The symbol NIL, and the null pointer.
    pub const NIL: LispPtr = LispPtr(0);

    /// The pointer part of a cell.
    #[inline(always)]
    pub fn from_cell<L: Layout>(cell: u32) -> LispPtr {
        LispPtr(cell & L::POINTER_MASK)
    }

    /// `words` further up (or, negative, down).
    #[inline(always)]
    pub const fn offset(self, words: i32) -> LispPtr {
        LispPtr(self.0.wrapping_add_signed(words))
    }

    /// `words` further up.
    #[inline(always)]
    pub const fn plus(self, words: u32) -> LispPtr {
        LispPtr(self.0.wrapping_add(words))
    }

    /// The page this word is in.
    #[inline(always)]
    pub const fn page(self) -> LispPage {
        LispPage(self.0 >> 8)
    }

    /// The first word of the page this word is in.
    #[inline(always)]
    pub const fn page_base(self) -> LispPtr {
        LispPtr(self.0 & !0xFF)
    }

    /// The first byte of this word.
    #[inline(always)]
    pub const fn byte(self) -> ByteAddr {
        ByteAddr(self.0.wrapping_mul(2))
    }

    /// The low 16 bits: the word's number within its segment.
    #[inline(always)]
    pub const fn low(self) -> u16 {
        self.0 as u16
    }

    /// The high part: the segment number.
    #[inline(always)]
    pub const fn high(self) -> u16 {
        (self.0 >> 16) as u16
    }
}

impl core::fmt::Debug for LispPtr {
    /// Octal halves, as Lisp itself prints addresses: `{12,34567}`.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{{{:o},{:o}}}", self.high(), self.low())
    }
}

/// A byte address in Lisp's virtual space, in Lisp's (big-endian) byte numbering.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct ByteAddr(pub u32);

impl ByteAddr {
    /// `bytes` further up.
    #[inline(always)]
    pub const fn plus(self, bytes: u32) -> ByteAddr {
        ByteAddr(self.0.wrapping_add(bytes))
    }
    /// `bytes` further up (or, negative, down).
    #[inline(always)]
    pub const fn offset(self, bytes: i32) -> ByteAddr {
        ByteAddr(self.0.wrapping_add_signed(bytes))
    }
    /// The word this byte is in.
    #[inline(always)]
    pub const fn word(self) -> LispPtr {
        LispPtr(self.0 >> 1)
    }
}

/// The number of a 512-byte page in Lisp's virtual space.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LispPage(pub u32);

impl LispPage {
    /// The first word of the page.
    #[inline(always)]
    pub const fn base(self) -> LispPtr {
        LispPtr(self.0 << 8)
    }
}

/// The number of a 512-byte page in the sysout file; page 0 is the first 512 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FilePage(pub u32);

/// A symbol: an index into the symbol tables, or, in Medley 3.5, the address of a NEW-ATOM record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AtomIndex(pub u32);

impl AtomIndex {
    /// The symbol NIL.
    pub const NIL: AtomIndex = AtomIndex(0);
    /// The value that marks an unbound variable.
    pub const NOBIND: AtomIndex = AtomIndex(1);
    /// The symbol T.
    pub const T: AtomIndex = AtomIndex(0o114);
}

/// A word offset into the stack segment (Lisp word address 0x10000 + offset).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct StackOffset(pub u16);

impl StackOffset {
    /// Where the stack segment starts.
    pub const BASE: u32 = 0x1_0000;

    /// The address of this place on the stack.
    #[inline(always)]
    pub const fn ptr(self) -> LispPtr {
        LispPtr(Self::BASE + self.0 as u32)
    }

    /// The offset of an address within the stack segment.
    #[inline(always)]
    pub const fn of(ptr: LispPtr) -> StackOffset {
        StackOffset(ptr.0 as u16)
    }
}
