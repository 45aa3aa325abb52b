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
use core::cell::Cell;
use core::marker::PhantomData;

/// How many elements of a list or string count.
const COUNTED: u32 = 13;
/// How deep lists within lists may be for the machine; deeper ones, which may be circular, are left to Lisp, whose stack
/// can overflow decently.
const DEPTH: u32 = 100;

/// How many parts the machine looks at, for a few lists that share their elements can be many when walked through; more
/// are left to Lisp too, which can be interrupted.
const PARTS: u32 = 1 << 18;

/// The element type of strings of 8-bit characters.
const THIN_CHARACTER: u32 = 67;
/// The element type of strings of 16-bit characters.
const FAT_CHARACTER: u32 = 68;

/// SXHASH; nothing if the object is nested too deeply.
pub(crate) fn sxhash<L: Layout>(space: Space, object: u32) -> Option<u16> {
    Hasher::<L> { space, left: Cell::new(PARTS), layout: PhantomData }.any(object, DEPTH)
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
    /// How many more parts to look at.
    left: Cell<u32>,
    layout: PhantomData<L>,
}

impl<L: Layout> Hasher<L> {
    fn any(&self, object: u32, depth: u32) -> Option<u16> {
        self.left.set(self.left.get().checked_sub(1)?);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::CHARACTERS;
    use crate::lists::CdrCoding;
    use crate::trial::{Trial, in_both_layouts};

    in_both_layouts! {
        numbers_and_addresses = numbers;
        lists_count_to_thirteen = lists;
        deep_lists_are_lisps = deep_lists;
        strings_thin_and_fat = strings;
        names_of_symbols = names;
        bit_vectors_as_the_reference_sees_them = bit_vectors;
        pathnames_bignums_and_pairs = structures;
    }

    const HEADER: LispPtr = LispPtr(0x30_0000);
    const TEXT: LispPtr = LispPtr(0x31_0000);
    const LIST: LispPtr = LispPtr(0x32_0000);

    const BITS: u32 = 1 << 29;
    const STRING: u32 = 1 << 28;

    fn hash<L: Layout>(trial: &Trial<L>, object: u32) -> u16 {
        sxhash::<L>(trial.m.space, object).expect("not deep")
    }

    /// A list in neighbouring cells of one page.
    fn list<L: Layout>(trial: &Trial<L>, at: LispPtr, elements: &[u32]) {
        trial.set_type(at.0, types::LISTP);
        for (i, element) in elements.iter().enumerate() {
            let next = if L::BIG { 1 } else { (at.0 & 0xFF) / 2 + i as u32 + 1 };
            let code = L::Cdr::NIL | if i + 1 < elements.len() { next } else { 0 };
            trial.m.space.set_cell(at.plus(2 * i as u32), code << L::Cdr::SHIFT | element);
        }
    }

    fn array<L: Layout>(trial: &Trial<L>, flags: u32, element: u32, offset: u32, fill: u32) -> u32 {
        trial.set_type(HEADER.0, types::ONED_ARRAY);
        let space = trial.m.space;
        space.set_cell(HEADER, TEXT.0);
        space.set_cell(HEADER.plus(2), flags | element << 16 | offset);
        space.set_cell(HEADER.plus(4), if L::BIG { fill } else { fill << 16 | fill });
        space.set_cell(HEADER.plus(6), fill);
        HEADER.0
    }

    fn numbers<L: Layout>() {
        let mut trial = Trial::<L>::new();
        assert_eq!(hash(&trial, SMALL_POSITIVE | 0x1234), 0x1234);
        assert_eq!(hash(&trial, SMALL_NEGATIVE | 0xFFFF), 0xFFFF);
        let box_of = trial.fixp(0x1234_5678);
        assert_eq!(hash(&trial, box_of), 0x5678);
        let one = trial.float(1.5);
        assert_eq!(hash(&trial, one), 0x3FC0);
        assert_eq!(hash(&trial, 0), 0);
        assert_eq!(hash(&trial, 0o114), (0o114 << 3) as u16);
        // 0x33F357: segment 0x33, 0x1357 << 3 = 0x9AB8, 0x33F357 >> 9 & 0x7F = 0x79.
        assert_eq!(hash(&trial, 0x33_F357), 0x33 ^ 0x9AB8 ^ 0x79);
        assert_eq!(hash(&trial, CHARACTERS | 0x41), 7 ^ 0x41 << 3);
    }

    fn lists<L: Layout>() {
        let trial = Trial::<L>::new();
        let elements: [u32; 14] = core::array::from_fn(|i| SMALL_POSITIVE | ((0x1111 * (i as u32 + 1)) & 0xFFFF));
        let mut expected = 0u32;
        for (i, element) in elements.iter().enumerate() {
            if i < 13 {
                expected ^= element & 0xFFFF;
                expected = (expected << 7 | expected >> 9) & 0xFFFF;
            }
            list(&trial, LIST, &elements[..=i]);
            assert_eq!(hash(&trial, LIST.0) as u32, expected, "{} elements", i + 1);
        }
    }

    fn deep_lists<L: Layout>() {
        let trial = Trial::<L>::new();
        list(&trial, LIST, &[LIST.0, LIST.0]);
        assert_eq!(sxhash::<L>(trial.m.space, LIST.0), None, "circular");
        // Ten lists, each with the next one thirteen times: nowhere deep, and thirteen to the tenth elements.
        let level = |number: u32| LIST.0 + 64 * number;
        for number in 0..10 {
            list(&trial, LispPtr(level(number)), &[level(number + 1); 13]);
        }
        assert_eq!(sxhash::<L>(trial.m.space, LIST.0), None, "wide");
        list(&trial, LIST, &[LIST.0 + 2, SMALL_POSITIVE | 1]);
        let inner = 1u16.rotate_left(7);
        let outer = inner.rotate_left(7);
        assert_eq!(hash(&trial, LIST.0), (outer ^ 1).rotate_left(7));
    }

    /// The definition in LLARRAYELT, in wide arithmetic.
    fn name_model(characters: &[u32], set: u32) -> u16 {
        let mut hash = 0u32;
        for c in characters {
            hash = (hash + ((hash & 4095) << 2)) & 0xFFFF;
            hash = ((c | set) + hash + ((hash & 255) << 8)) & 0xFFFF;
        }
        hash as u16
    }

    fn strings<L: Layout>() {
        let trial = Trial::<L>::new();
        let space = trial.m.space;
        let text = b"xyzHello, Lisp World!";
        let characters: [u32; 18] = core::array::from_fn(|i| text[i + 3] as u32);
        let sx = |n: usize| characters[..n.min(13)].iter().fold(0u16, |h, c| (h ^ *c as u16).rotate_left(7));
        for fat in [false, true] {
            for (i, c) in text.iter().enumerate() {
                if fat {
                    space.set_word(TEXT.plus(i as u32), *c as u16);
                } else {
                    trial.set_byte(TEXT.byte().plus(i as u32), *c);
                }
            }
            for n in [0, 1, 2, 12, 13, 14, 18] {
                let object = array(&trial, STRING, if fat { 68 } else { 67 }, 3, n as u32);
                assert_eq!(hash(&trial, object), sx(n), "fat {fat}, {n} characters");
                assert_eq!(string_hash::<L>(space, object), name_model(&characters[..n], 0));
                assert_eq!(string_equal_hash::<L>(space, object), name_model(&characters[..n], 0x20));
            }
        }
        let object = array(&trial, 0, 38, 0, 5);
        assert_eq!(hash(&trial, object), address_hash(object));
        assert_eq!(string_hash::<L>(space, object), address_hash(object));
        assert_eq!(string_hash::<L>(space, SMALL_POSITIVE | 9), address_hash(SMALL_POSITIVE | 9));
    }

    fn names<L: Layout>() {
        let trial = Trial::<L>::new();
        let space = trial.m.space;
        let atom = AtomIndex(700);
        space.set_cell(L::pname_cell(atom), TEXT.0);
        for (i, byte) in b"\x04CONS".iter().enumerate() {
            trial.set_byte(TEXT.byte().plus(i as u32), *byte);
        }
        let characters = [67, 79, 78, 83];
        assert_eq!(string_hash::<L>(space, atom.0), name_model(&characters, 0));
        assert_eq!(string_equal_hash::<L>(space, atom.0), name_model(&characters, 0x20));
        assert_eq!(hash(&trial, atom.0), 700 << 3 ^ 700 >> 9);
    }

    fn bit_vectors<L: Layout>() {
        let trial = Trial::<L>::new();
        let space = trial.m.space;
        for (i, word) in [0x1234, 0xABCD, 0x5678, 0x9F0F].into_iter().enumerate() {
            space.set_word(TEXT.plus(i as u32), word);
        }
        for (offset, fill, expected) in [
            (0, 0, 0),
            (0, 4, 0xA),
            (0, 16, 0xABCD),
            (0, 40, 0xABCD),
            (4, 40, 0x234A),
            (16, 40, 0xABCD),
            (20, 40, 0xBCD5),
            (20, 24, 0xB),
            (20, 10, 0xBCD5),
        ] {
            let object = array(&trial, BITS, 0, offset, fill);
            assert_eq!(hash(&trial, object), expected, "{fill} bits from {offset}");
        }
    }

    fn structures<L: Layout>() {
        let trial = Trial::<L>::new();
        let space = trial.m.space;
        let at = LispPtr(0x34_0000);
        trial.set_type(at.0, types::PATHNAME);
        let parts = [3u16, 50, 700, 9000, 11, 130];
        for (i, part) in parts.iter().enumerate() {
            space.set_cell(at.plus(2 * i as u32), SMALL_POSITIVE | *part as u32);
        }
        let [host, device, directory, name, kind, version] = parts;
        let mut expected = (host ^ device).rotate_left(7);
        for part in [kind, version, directory, name] {
            expected = (expected ^ part).rotate_left(7);
        }
        assert_eq!(hash(&trial, at.0), expected);
        trial.set_type(at.0, types::RATIO);
        assert_eq!(hash(&trial, at.0), host ^ device);
        trial.set_type(at.0, types::COMPLEX);
        assert_eq!(hash(&trial, at.0), host ^ device);
        list(&trial, LIST, &[SMALL_POSITIVE | 0xABC, SMALL_POSITIVE | 0x123, SMALL_POSITIVE | 1]);
        trial.set_type(at.0, types::BIGNUM);
        space.set_cell(at, LIST.0);
        assert_eq!(hash(&trial, at.0), 0x3ABC);
    }
}
