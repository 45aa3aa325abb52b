//! Hash codes of 16 bits: SXHASH for EQUAL, and two for strings and the names of symbols.
//!
//! ```text
//!   number        low 16 bits of an integer; the halves of a float, or the parts of a ratio or complex, xored
//!   string        of its first 13 characters, each xored into the code, which then turns left by 7 bits
//!   list          the same with the codes of its first 13 elements; pathname: with those of its fields
//!   bit vector    some of its first bits
//!   other         of the address: segment ^ (low 13 bits << 3) ^ (bits 9 to 15)
//! ```
//!
//! Hash tables are saved with the image, so a code must be the one that other machines compute. The definition is in the
//! Lisp sources CMLHASH and LLARRAYELT, and, where those are vague, in the reference emulator.

use crate::address::{AtomIndex, ByteAddr, LispPtr};
use crate::layout::{Layout, SMALL_NEGATIVE, SMALL_POSITIVE, type_number, types};
use crate::lists::{car_of, cdr_of};
use crate::memory::Space;
use core::marker::PhantomData;

/// How many elements of a list or string count.
const COUNTED: u32 = 13;
/// How deep lists within lists may be for the machine; deeper ones, which may be circular, are left to Lisp, whose stack
/// can overflow decently.
const DEPTH: u32 = 100;

/// The element type of strings of 8-bit characters.
const THIN_CHARACTER: u32 = 67;
/// The element type of strings of 16-bit characters.
const FAT_CHARACTER: u32 = 68;

/// SXHASH; nothing if the object is nested too deeply.
pub(crate) fn sxhash<L: Layout>(space: Space, object: u32) -> Option<u16> {
    Hasher::<L> { space, layout: PhantomData }.any(object, DEPTH)
}

/// The code for STRING=, of a string or symbol.
pub(crate) fn string_hash<L: Layout>(space: Space, object: u32) -> u16 {
    name_hash::<L>(space, object, 0)
}

/// The code for STRING-EQUAL, of a string or symbol: upper and lower case are the same.
pub(crate) fn string_equal_hash<L: Layout>(space: Space, object: u32) -> u16 {
    name_hash::<L>(space, object, 0x20)
}

/// The code of an address.
fn address_hash(object: u32) -> u16 {
    (object >> 16) as u16 ^ (object as u16 & 0x1FFF) << 3 ^ (object >> 9) as u16 & 0x7F
}

/// Adds a code to the code of what came before it.
fn mix(hash: u16, more: u16) -> u16 {
    (hash ^ more).rotate_left(7)
}

/// What the hash codes need of the header of a one-dimensional array; one of a general array is read in the same way.
struct Header {
    base: LispPtr,
    offset: u32,
    element: u32,
    fill: u32,
    is_bits: bool,
    is_string: bool,
}

impl Header {
    fn read<L: Layout>(space: Space, at: LispPtr) -> Header {
        let second = space.cell(at.plus(2));
        let third = space.cell(at.plus(4));
        Header {
            base: LispPtr::from_cell::<L>(space.cell(at)),
            offset: second & 0xFFFF,
            element: second >> 16 & 0xFF,
            fill: if L::BIG { third } else { third >> 16 },
            is_bits: second >> 29 & 1 != 0,
            is_string: second >> 28 & 1 != 0,
        }
    }
}

/// Characters of 8 or 16 bits in Lisp memory.
enum Text {
    Thin(ByteAddr),
    Fat(LispPtr),
}

impl Text {
    fn get(&self, space: Space, index: u32) -> u16 {
        match self {
            Text::Thin(at) => space.byte(at.plus(index)) as u16,
            Text::Fat(at) => space.word(at.plus(index)),
        }
    }
}

struct Hasher<L> {
    space: Space,
    layout: PhantomData<L>,
}

impl<L: Layout> Hasher<L> {
    fn any(&self, object: u32, depth: u32) -> Option<u16> {
        if let SMALL_POSITIVE | SMALL_NEGATIVE = object & L::SEGMENT_MASK {
            return Some(object as u16);
        }
        let at = LispPtr::from_cell::<L>(object);
        let cell = |words: u32| self.space.cell(at.plus(words));
        match type_number::<L>(self.space, object) {
            types::FIXP => Some(cell(0) as u16),
            types::FLOATP => Some(cell(0) as u16 ^ (cell(0) >> 16) as u16),
            types::LISTP => self.list(object, depth.checked_sub(1)?),
            types::PATHNAME => {
                let depth = depth.checked_sub(1)?;
                // Host and device together, then type, version, directory, name.
                let mut hash = mix(self.any(cell(0), depth)?, self.any(cell(2), depth)?);
                for field in [8, 10, 4, 6] {
                    hash = mix(hash, self.any(cell(field), depth)?);
                }
                Some(hash)
            }
            types::ONED_ARRAY | types::GENERAL_ARRAY => {
                let header = Header::read::<L>(self.space, at);
                if header.is_string {
                    Some(self.string(&header))
                } else if header.is_bits {
                    Some(self.bits(&header))
                } else {
                    Some(address_hash(object))
                }
            }
            types::BIGNUM => {
                // Digits of 12 bits, the least first.
                let digits = cell(0) & L::POINTER_MASK;
                let low = self.car(digits) as u16;
                let next = self.car(self.cdr(digits)) as u16;
                Some(low.wrapping_add(next << 12))
            }
            types::COMPLEX | types::RATIO => {
                let depth = depth.checked_sub(1)?;
                Some(self.any(cell(0), depth)? ^ self.any(cell(2), depth)?)
            }
            _ => Some(address_hash(object)),
        }
    }

    fn car(&self, list: u32) -> u32 {
        if type_number::<L>(self.space, list) == types::LISTP {
            car_of::<L>(self.space, LispPtr::from_cell::<L>(list))
        } else {
            0
        }
    }

    fn cdr(&self, list: u32) -> u32 {
        if type_number::<L>(self.space, list) == types::LISTP {
            cdr_of::<L>(self.space, LispPtr::from_cell::<L>(list))
        } else {
            0
        }
    }

    fn list(&self, mut list: u32, depth: u32) -> Option<u16> {
        let mut hash = 0;
        for _ in 0..COUNTED {
            if type_number::<L>(self.space, list) != types::LISTP {
                break;
            }
            hash = mix(hash, self.any(self.car(list), depth)?);
            list = self.cdr(list);
        }
        Some(hash)
    }

    fn string(&self, header: &Header) -> u16 {
        let text = match header.element {
            THIN_CHARACTER => Text::Thin(header.base.byte().plus(header.offset)),
            FAT_CHARACTER => Text::Fat(header.base.plus(header.offset)),
            _ => return 0,
        };
        (0..header.fill.min(COUNTED)).fold(0, |hash, i| mix(hash, text.get(self.space, i)))
    }

    /// The bits' code is the reference emulator's with all its oddities, for it is in saved hash tables. Without an
    /// offset it takes the second word (as a little-endian machine sees the first one); with an offset it takes that as
    /// part of the length.
    fn bits(&self, header: &Header) -> u16 {
        let Header { base, offset, fill, .. } = *header;
        let shift_down =
            |word: u16, length: u32| if length < 16 { (word as u32 >> (16 - length)) as u16 } else { word };
        if offset == 0 {
            return shift_down(self.space.word(LispPtr(base.0 ^ 1)), fill);
        }
        let first = base.plus(offset >> 4);
        let two_words = (self.space.word(first) as u32) << 16 | self.space.word(first.plus(1)) as u32;
        let word = (two_words << (offset & 15) >> 16) as u16;
        shift_down(word, fill.wrapping_sub(offset))
    }
}

/// The code of the characters of a string or of a symbol's name, with some bits set in every character.
fn name_hash<L: Layout>(space: Space, object: u32, set: u16) -> u16 {
    let at = LispPtr::from_cell::<L>(object);
    let (text, length) = match type_number::<L>(space, object) {
        types::LITATOM | types::NEW_ATOM => {
            let atom = AtomIndex(at.0);
            let name = LispPtr::from_cell::<L>(space.cell(L::pname_cell(atom)));
            let length = space.byte(name.byte()) as u32;
            if L::has_fat_name(space, atom) {
                (Text::Fat(name.plus(1)), length)
            } else {
                (Text::Thin(name.byte().plus(1)), length)
            }
        }
        types::ONED_ARRAY | types::GENERAL_ARRAY => {
            let header = Header::read::<L>(space, at);
            if !header.is_string {
                return address_hash(object);
            }
            if header.element == FAT_CHARACTER {
                (Text::Fat(header.base.plus(header.offset)), header.fill)
            } else {
                (Text::Thin(header.base.byte().plus(header.offset)), header.fill)
            }
        }
        _ => return address_hash(object),
    };
    let mut hash = 0u16;
    for i in 0..length {
        hash = hash.wrapping_add((hash & 0xFFF) << 2);
        hash = hash.wrapping_add(text.get(space, i) | set).wrapping_add((hash & 0xFF) << 8);
    }
    hash
}
