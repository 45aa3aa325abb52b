//! The two memory layouts of Medley images, side by side: the only place where they differ by number.
//!
//! | | [`Medley2`] | [`Medley35`] |
//! |---|---|---|
//! | pointer | 24 bits | 28 bits |
//! | symbol tables | four arrays of cells, and NEW-ATOM records | 10-word records |
//! | CDR coding | 8 bits, within a page | 4 bits, forward from the cell |
//! | collector entries | 16 bits | 32 bits |
//!
//! The machine is generic over [`Layout`] and compiled once for each; a choice by `L::` is made by the compiler.
//! Numbers from the reference's memory map; see `docs/` for the pictures.

use crate::address::{AtomIndex, LispPtr};
use crate::lists::{CdrCoding, NewCoding, OldCoding};
use crate::memory::Space;

/// What differs between a Medley 2.0 image and a Medley 3.5 image.
pub trait Layout: Copy + 'static {
    /// How CONS cells hold their CDRs.
    type Cdr: CdrCoding;
    /// For messages: "Medley 2.0".
    const NAME: &'static str;
    /// True for 28-bit pointers, 32-bit collector entries, symbol records and new CDR coding.
    const BIG: bool;
    /// The bits of a cell that are a pointer.
    const POINTER_MASK: u32;
    /// The bits of a pointer that are its segment.
    const SEGMENT_MASK: u32 = Self::POINTER_MASK & !0xFFFF;
    /// Bytes of a symbol or pointer operand in the code stream.
    const ATOM_BYTES: u32;

    /// The interface page, through which Lisp and the machine share their registers.
    const IFPAGE: LispPtr;
    /// Statistics page.
    const MISCSTATS: LispPtr;
    /// The table of functions that stand in for opcodes.
    const UFN_TABLE: LispPtr;
    /// The array of data type descriptors, 18 words each.
    const DTD: LispPtr;
    /// Map from file pages to Lisp pages.
    const FPTOVP: LispPtr;
    /// Type table: one word for each two pages.
    const MDS_TYPE_TABLE: LispPtr;
    /// Hash table of symbols.
    const ATOM_HASH_TABLE: LispPtr;
    /// Collector: main table, overflow table, large counts, collisions.
    const HTMAIN: LispPtr;
    /// Collector: overflow entries.
    const HTOVERFLOW: LispPtr;
    /// Collector: large counts.
    const HTBIG: LispPtr;
    /// Collector: collision chains.
    const HTCOLL: LispPtr;
    /// First word of array space.
    const ARRAY_SPACE: LispPtr;
    /// Most Lisp pages an image of this layout can have (its address space).
    const MAX_PAGES: u32 = (Self::POINTER_MASK + 1) >> 8;
    /// Least and greatest version number (`lversion`) the images of this layout carry.
    const LVERSION: u16;

    /// The cell that holds a symbol's print name.
    fn pname_cell(atom: AtomIndex) -> LispPtr;
    /// The cell that holds a symbol's top-level value.
    fn value_cell(atom: AtomIndex) -> LispPtr;
    /// The cell that holds a symbol's function definition.
    fn definition_cell(atom: AtomIndex) -> LispPtr;
    /// The cell that holds a symbol's property list.
    fn plist_cell(atom: AtomIndex) -> LispPtr;

    /// The number of the package that a symbol belongs to; 0 if to none.
    fn package_index(space: Space, atom: AtomIndex) -> u8;
    /// True if a symbol's print name is made of 16-bit characters.
    fn has_fat_name(space: Space, atom: AtomIndex) -> bool;

    /// The function header pointer in a frame's cell (frame words 2-3, or the name table in words 6-7).
    fn frame_pointer(cell: u32) -> LispPtr;
    /// How a frame stores a function header or name table pointer.
    fn frame_cell(pointer: LispPtr) -> u32;
}

/// I/O page: keyboard bits, mouse, cursor. The same in both layouts.
pub const IOPAGE: LispPtr = LispPtr(0x0_FF00);
/// The stack segment. The same in both layouts.
pub const STACK: LispPtr = LispPtr(0x1_0000);
/// The screen's bitmap. The same in both layouts.
pub const DISPLAY: LispPtr = LispPtr(0x12_0000);
/// Characters are immediate: this plus the character code.
pub const CHARACTERS: u32 = 0x7_0000;
/// Small integers 0..65535 are immediate: this plus the number.
pub const SMALL_POSITIVE: u32 = 0xE_0000;
/// Small integers -65536..-1 are immediate: this plus the low 16 bits.
pub const SMALL_NEGATIVE: u32 = 0xF_0000;

/// Segment 0 pointers are symbols by number; anything else is a NEW-ATOM record (type 21).
const NEW_ATOM_PNAME: u32 = 0;
const NEW_ATOM_VALUE: u32 = 2;
const NEW_ATOM_DEFINITION: u32 = 4;
const NEW_ATOM_PLIST: u32 = 6;
const NEW_ATOM_FLAGS: u32 = 8;

/// Medley 2.0: 24-bit pointers, at most 32 MB.
#[derive(Clone, Copy, Debug)]
pub struct Medley2;

/// Medley 3.5: 28-bit pointers, at most 512 MB.
#[derive(Clone, Copy, Debug)]
pub struct Medley35;

impl Medley2 {
    #[inline(always)]
    fn symbol_cell(table: u32, atom: AtomIndex, record_offset: u32) -> LispPtr {
        if atom.0 & Self::SEGMENT_MASK == 0 {
            LispPtr(table + 2 * atom.0)
        } else {
            LispPtr((atom.0 & Self::POINTER_MASK) + record_offset)
        }
    }
}

impl Layout for Medley2 {
    type Cdr = OldCoding;
    const NAME: &'static str = "Medley 2.0";
    const BIG: bool = false;
    const POINTER_MASK: u32 = 0xFF_FFFF;
    const ATOM_BYTES: u32 = 3;
    const IFPAGE: LispPtr = LispPtr(0x6_0000);
    const MISCSTATS: LispPtr = LispPtr(0x6_0A00);
    const UFN_TABLE: LispPtr = LispPtr(0x6_0C00);
    const DTD: LispPtr = LispPtr(0x6_1000);
    const FPTOVP: LispPtr = LispPtr(0x4_0000);
    const MDS_TYPE_TABLE: LispPtr = LispPtr(0x6_8000);
    const ATOM_HASH_TABLE: LispPtr = LispPtr(0x7_0000);
    const HTMAIN: LispPtr = LispPtr(0x10_0000);
    const HTOVERFLOW: LispPtr = LispPtr(0x10_8000);
    const HTBIG: LispPtr = LispPtr(0x10_8100);
    const HTCOLL: LispPtr = LispPtr(0x11_0000);
    const ARRAY_SPACE: LispPtr = LispPtr(0x13_0000);
    const LVERSION: u16 = 20100;

    #[inline(always)]
    fn pname_cell(atom: AtomIndex) -> LispPtr {
        Self::symbol_cell(0x8_0000, atom, NEW_ATOM_PNAME)
    }
    #[inline(always)]
    fn value_cell(atom: AtomIndex) -> LispPtr {
        Self::symbol_cell(0xC_0000, atom, NEW_ATOM_VALUE)
    }
    #[inline(always)]
    fn definition_cell(atom: AtomIndex) -> LispPtr {
        Self::symbol_cell(0xA_0000, atom, NEW_ATOM_DEFINITION)
    }
    #[inline(always)]
    fn plist_cell(atom: AtomIndex) -> LispPtr {
        Self::symbol_cell(0x2_0000, atom, NEW_ATOM_PLIST)
    }
    fn package_index(space: Space, atom: AtomIndex) -> u8 {
        (space.cell(Self::pname_cell(atom)) >> 24) as u8
    }
    fn has_fat_name(space: Space, atom: AtomIndex) -> bool {
        space.cell(Self::plist_cell(atom)) & 1 << 29 != 0
    }
    #[inline(always)]
    fn frame_pointer(cell: u32) -> LispPtr {
        LispPtr(cell.rotate_left(16) & Self::POINTER_MASK)
    }
    #[inline(always)]
    fn frame_cell(pointer: LispPtr) -> u32 {
        pointer.0.rotate_left(16)
    }
}

impl Medley35 {
    #[inline(always)]
    fn record(atom: AtomIndex) -> LispPtr {
        if atom.0 & Self::SEGMENT_MASK == 0 {
            LispPtr(0x2C_0000 + 10 * atom.0)
        } else {
            LispPtr(atom.0 & Self::POINTER_MASK)
        }
    }
}

impl Layout for Medley35 {
    type Cdr = NewCoding;
    const NAME: &'static str = "Medley 3.5";
    const BIG: bool = true;
    const POINTER_MASK: u32 = 0xFFF_FFFF;
    const ATOM_BYTES: u32 = 4;
    const IFPAGE: LispPtr = LispPtr(0x14_0000);
    const MISCSTATS: LispPtr = LispPtr(0x14_0A00);
    const UFN_TABLE: LispPtr = LispPtr(0x14_0C00);
    const DTD: LispPtr = LispPtr(0x14_1000);
    const FPTOVP: LispPtr = LispPtr(0x2_0000);
    const MDS_TYPE_TABLE: LispPtr = LispPtr(0x18_0000);
    const ATOM_HASH_TABLE: LispPtr = LispPtr(0x15_0000);
    const HTMAIN: LispPtr = LispPtr(0x16_0000);
    const HTOVERFLOW: LispPtr = LispPtr(0x17_0000);
    const HTBIG: LispPtr = LispPtr(0x17_0100);
    const HTCOLL: LispPtr = LispPtr(0x1C_0000);
    const ARRAY_SPACE: LispPtr = LispPtr(0x2E_0000);
    const LVERSION: u16 = 35010;

    #[inline(always)]
    fn pname_cell(atom: AtomIndex) -> LispPtr {
        Self::record(atom).plus(NEW_ATOM_PNAME)
    }
    #[inline(always)]
    fn value_cell(atom: AtomIndex) -> LispPtr {
        Self::record(atom).plus(NEW_ATOM_VALUE)
    }
    #[inline(always)]
    fn definition_cell(atom: AtomIndex) -> LispPtr {
        Self::record(atom).plus(NEW_ATOM_DEFINITION)
    }
    #[inline(always)]
    fn plist_cell(atom: AtomIndex) -> LispPtr {
        Self::record(atom).plus(NEW_ATOM_PLIST)
    }
    fn package_index(space: Space, atom: AtomIndex) -> u8 {
        (space.cell(Self::record(atom).plus(NEW_ATOM_FLAGS)) >> 24) as u8
    }
    fn has_fat_name(space: Space, atom: AtomIndex) -> bool {
        space.cell(Self::record(atom).plus(NEW_ATOM_FLAGS)) & 1 << 13 != 0
    }
    #[inline(always)]
    fn frame_pointer(cell: u32) -> LispPtr {
        LispPtr(cell & Self::POINTER_MASK)
    }
    #[inline(always)]
    fn frame_cell(pointer: LispPtr) -> u32 {
        pointer.0
    }
}

/// Types every image has, by number (the index of their descriptor).
pub mod types {
    /// Immediate integers.
    pub const SMALLP: u32 = 1;
    /// Boxed 32-bit integers.
    pub const FIXP: u32 = 2;
    /// Boxed single floats.
    pub const FLOATP: u32 = 3;
    /// Symbols by number.
    pub const LITATOM: u32 = 4;
    /// CONS cells.
    pub const LISTP: u32 = 5;
    /// Interlisp arrays.
    pub const ARRAYP: u32 = 6;
    /// Interlisp strings.
    pub const STRINGP: u32 = 7;
    /// Stack pointers.
    pub const STACKP: u32 = 8;
    /// Immediate characters.
    pub const CHARACTERP: u32 = 9;
    /// Virtual memory pages.
    pub const VMEMPAGEP: u32 = 10;
    /// Streams.
    pub const STREAM: u32 = 11;
    /// Bitmaps.
    pub const BITMAP: u32 = 12;
    /// Compiled closures.
    pub const COMPILED_CLOSURE: u32 = 13;
    /// One-dimensional Common Lisp arrays.
    pub const ONED_ARRAY: u32 = 14;
    /// Two-dimensional Common Lisp arrays.
    pub const TWOD_ARRAY: u32 = 15;
    /// Common Lisp arrays of other ranks.
    pub const GENERAL_ARRAY: u32 = 16;
    /// Bignums.
    pub const BIGNUM: u32 = 17;
    /// Ratios.
    pub const RATIO: u32 = 18;
    /// Complex numbers.
    pub const COMPLEX: u32 = 19;
    /// Pathnames.
    pub const PATHNAME: u32 = 20;
    /// Symbols that are records.
    pub const NEW_ATOM: u32 = 21;
}

/// The type-table word of a pointer: type number in the low 11 bits, flags above.
#[inline(always)]
pub fn type_entry<L: Layout>(space: Space, cell: u32) -> u16 {
    space.word(LispPtr(L::MDS_TYPE_TABLE.0 + ((cell & L::POINTER_MASK) >> 9)))
}

/// The type number of a pointer.
#[inline(always)]
pub fn type_number<L: Layout>(space: Space, cell: u32) -> u32 {
    (type_entry::<L>(space, cell) & 0x7FF) as u32
}
