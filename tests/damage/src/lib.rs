//! Damage: which bytes of an image change, and how long it is then, from a seed. The same seed is the same damage for
//! the host runner and for QEMU.

#![forbid(unsafe_code)]

use std::fmt::Write;
use vm::address::{AtomIndex, BYTES_PER_PAGE, FilePage, LispPage, LispPtr};
use vm::layout::{Layout, STACK};
use vm::sysout::{INTERFACE_PAGE_OFFSET, LayoutKind, Sysout, interface};

/// Steele, Lea and Flood's splitmix64: every seed is good.
pub struct Random(u64);

impl Random {
    /// Numbers that follow from a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ z >> 31
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn byte(&mut self) -> u8 {
        self.next() as u8
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// What is done to an image.
#[derive(Debug, Default, PartialEq)]
pub struct Damage {
    /// For the list of kinds: a word or two.
    pub kind: &'static str,
    /// For people: what, where.
    pub what: String,
    /// Bytes to overwrite, by their place in the file.
    pub edits: Vec<(usize, u8)>,
    /// How long the file is afterwards, in bytes, if not as before.
    pub length: Option<usize>,
}

/// An image, and where in it what is.
pub struct Image {
    bytes: Vec<u8>,
    sysout: Sysout,
    /// Name, and file pages with the Lisp pages they hold.
    regions: Vec<(&'static str, Vec<usize>)>,
}

/// Which Lisp pages hold what: name, first word, words.
fn regions<L: Layout>() -> Vec<(&'static str, LispPtr, u32)> {
    let (types, counts, collisions) = if L::BIG { (1 << 18, 1 << 16, 1 << 20) } else { (1 << 15, 1 << 15, 1 << 16) };
    let symbols = if L::BIG { 1 << 17 } else { 1 << 16 };
    vec![
        ("the stack", STACK, 1 << 16),
        ("the UFN table", L::UFN_TABLE, 0x200),
        ("type descriptors", L::DTD, 0x2000),
        ("the type table", L::MDS_TYPE_TABLE, types),
        ("the symbol hash table", L::ATOM_HASH_TABLE, 1 << 16),
        ("reference counts", L::HTMAIN, counts),
        ("large reference counts", L::HTOVERFLOW, 0x8000),
        ("reference count collisions", L::HTCOLL, collisions),
        ("values", L::value_cell(AtomIndex(0)), symbols),
        ("definitions", L::definition_cell(AtomIndex(0)), symbols),
        ("property lists", L::plist_cell(AtomIndex(0)), symbols),
        ("print names", L::pname_cell(AtomIndex(0)), symbols),
        ("array space", L::ARRAY_SPACE, 1 << 22),
        ("anything", LispPtr(0), L::POINTER_MASK),
    ]
}

impl Image {
    /// Looks where everything is in a sound image.
    pub fn new(bytes: Vec<u8>) -> Result<Image, String> {
        use vm::layout::{Medley2, Medley35};
        let page = bytes.get(BYTES_PER_PAGE..2 * BYTES_PER_PAGE).and_then(|page| page.try_into().ok());
        let sysout = Sysout::parse(page.ok_or("the image has no interface page")?, bytes.len() as u64)
            .map_err(|error| error.to_string())?;
        let (at, length) = sysout.map_bytes();
        let map = sysout.page_map(&bytes[at as usize..at as usize + length]).map_err(|error| error.to_string())?;
        let places = match sysout.layout() {
            LayoutKind::Medley2 => regions::<Medley2>(),
            LayoutKind::Medley35 => regions::<Medley35>(),
        };
        let of = |(name, first, words): (&'static str, LispPtr, u32)| {
            let range = first.page()..=LispPage((first.0 + words - 1) >> 8);
            let pages = map.pages().filter(|(_, lisp)| range.contains(lisp)).map(|(FilePage(file), _)| file as usize);
            (name, pages.collect::<Vec<_>>())
        };
        let regions = places.into_iter().map(of).filter(|(_, pages)| !pages.is_empty()).collect();
        Ok(Image { bytes, sysout, regions })
    }

    /// The bytes of the image.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The image, damaged.
    pub fn damaged(&self, damage: &Damage) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for &(at, byte) in &damage.edits {
            bytes[at] = byte;
        }
        if let Some(length) = damage.length {
            bytes.resize(length, 0);
        }
        bytes
    }

    /// The damage of a seed.
    pub fn damage(&self, seed: u64) -> Damage {
        let mut random = Random::new(seed);
        let random = &mut random;
        let mut damage = Damage::default();
        match random.below(100) {
            0..=17 => self.interface(random, &mut damage),
            18..=39 => self.map(random, &mut damage),
            40..=47 => self.length(random, &mut damage),
            48..=52 => self.key(random, &mut damage),
            53..=55 => self.other_layout(random, &mut damage),
            _ => self.contents(random, &mut damage),
        }
        damage
    }

    fn flip(&self, damage: &mut Damage, at: usize, bits: u8) {
        let now = damage.edits.iter().rev().find(|edit| edit.0 == at).map_or(self.bytes[at], |edit| edit.1);
        damage.edits.push((at, now ^ bits));
        if damage.edits.len() <= 8 {
            let _ = write!(damage.what, " {at:#x}^{bits:02x}");
        }
    }

    fn set_word(&self, damage: &mut Damage, number: u32, value: u16) {
        let at = INTERFACE_PAGE_OFFSET as usize + 2 * number as usize;
        damage.edits.extend([(at, (value >> 8) as u8), (at + 1, value as u8)]);
        let _ = write!(damage.what, " IFPAGE[{number}]={value:#x}");
    }

    fn word(&self, number: u32) -> u16 {
        let at = INTERFACE_PAGE_OFFSET as usize + 2 * number as usize;
        u16::from_be_bytes([self.bytes[at], self.bytes[at + 1]])
    }

    /// Bits or words of the interface page.
    fn interface(&self, random: &mut Random, damage: &mut Damage) {
        const USED: u32 = 90;
        let first = INTERFACE_PAGE_OFFSET as usize;
        damage.kind = "interface page";
        match random.below(4) {
            0 => self.flip(damage, first + random.below(2 * USED as usize), 1 << random.below(8)),
            1 => {
                for _ in 0..2 + random.below(30) {
                    self.flip(damage, first + random.below(BYTES_PER_PAGE), 1 << random.below(8));
                }
            }
            _ => {
                for _ in 0..1 + random.below(3) {
                    let number = random.below(USED as usize) as u32;
                    let old = self.word(number);
                    let values = [0, 1, 2, 10, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, old ^ 1, old.wrapping_add(2)];
                    let random_value = random.next() as u16;
                    let value = if random.below(3) == 0 { random_value } else { random.pick(&values) };
                    // The key has a kind of its own.
                    if number != interface::KEY {
                        self.set_word(damage, number, value);
                    }
                }
            }
        }
    }

    /// Entries of the map of pages.
    fn map(&self, random: &mut Random, damage: &mut Damage) {
        damage.kind = "map of pages";
        let (start, length) = self.sysout.map_bytes();
        let start = start as usize;
        let bytes = if self.sysout.layout() == LayoutKind::Medley2 { 2 } else { 4 };
        let entry = |random: &mut Random| start + bytes * random.below(length / bytes);
        match random.below(6) {
            0 => self.flip(damage, start + random.below(length), 1 << random.below(8)),
            1 => {
                for _ in 0..2 + random.below(60) {
                    self.flip(damage, start + random.below(length), 1 << random.below(8));
                }
            }
            2 => {
                // An empty entry: a page is missing.
                for _ in 0..1 + random.below(40) {
                    let at = entry(random);
                    damage.edits.extend((at..at + bytes).map(|at| (at, 0xFF)));
                    let _ = write!(damage.what, " {at:#x} empty");
                }
            }
            3 => {
                // Two entries exchanged, or a few: a map that is sound and wrong.
                for _ in 0..1 + random.below(6) {
                    let (a, b) = (entry(random), entry(random));
                    for i in 0..bytes {
                        damage.edits.extend([(a + i, self.bytes[b + i]), (b + i, self.bytes[a + i])]);
                    }
                    let _ = write!(damage.what, " {a:#x}<>{b:#x}");
                }
            }
            4 => {
                let at = entry(random);
                damage.edits.extend((at..at + bytes).map(|at| (at, random.byte())));
                let _ = write!(damage.what, " {at:#x} random");
            }
            _ => {
                // Entries moved by one place.
                let first = random.below(length / bytes - 2);
                let last = first + 1 + random.below(length / bytes - 1 - first);
                let places = start + bytes * first..start + bytes * last;
                let _ = write!(damage.what, " {places:#x?} moved");
                damage.edits.extend(places.map(|at| (at, self.bytes[at + bytes])));
            }
        }
    }

    /// A file that ends too early, or goes on too long.
    fn length(&self, random: &mut Random, damage: &mut Damage) {
        let all = self.bytes.len();
        damage.kind = "length";
        let pages = 1 + random.below(all / BYTES_PER_PAGE - 1);
        let length = match random.below(8) {
            0 => 0,
            1 => 1 + random.below(2 * BYTES_PER_PAGE),
            2 => random.below(all),
            3 => all + 1 + random.below(4 * BYTES_PER_PAGE),
            4 => all + BYTES_PER_PAGE * (1 + random.below(100)),
            5 => pages * BYTES_PER_PAGE,
            _ => {
                // The interface page agrees with the length.
                let pages = if random.below(2) == 0 { pages } else { all / BYTES_PER_PAGE - 1 - random.below(64) };
                let pages = pages.max(2);
                match self.sysout.layout() {
                    LayoutKind::Medley2 => self.set_word(damage, interface::PAGES_2, pages as u16),
                    LayoutKind::Medley35 => {
                        self.set_word(damage, interface::PAGES_35, (pages >> 16) as u16);
                        self.set_word(damage, interface::PAGES_35 + 1, pages as u16);
                    }
                }
                pages * BYTES_PER_PAGE
            }
        };
        let _ = write!(damage.what, " {length} of {all} bytes");
        damage.length = Some(length);
    }

    /// No sysout, or one for another emulator.
    fn key(&self, random: &mut Random, damage: &mut Damage) {
        damage.kind = "key or version";
        if random.below(2) == 0 {
            let value = random.next() as u16;
            self.set_word(damage, interface::KEY, value);
        } else {
            let value = random.next() as u16;
            let number = random.pick(&[interface::LEAST_EMULATOR_VERSION, interface::EMULATOR_VERSION]);
            self.set_word(damage, number, value);
        }
    }

    /// The other layout's fields in the interface page.
    fn other_layout(&self, random: &mut Random, damage: &mut Damage) {
        damage.kind = "other layout";
        let pages = self.sysout.pages();
        match self.sysout.layout() {
            LayoutKind::Medley2 => {
                self.set_word(damage, interface::PAGES_2, 0);
                self.set_word(damage, interface::PAGES_35, (pages >> 16) as u16);
                self.set_word(damage, interface::PAGES_35 + 1, pages as u16);
                if random.below(2) == 0 {
                    // With a map that is at least the right length.
                    let start = 1 + random.below(pages as usize - 1);
                    self.set_word(damage, interface::MAP_START, start as u16);
                }
            }
            LayoutKind::Medley35 => {
                self.set_word(damage, interface::PAGES_35, 0);
                self.set_word(damage, interface::PAGES_35 + 1, 0);
                self.set_word(damage, interface::PAGES_2, pages as u16);
            }
        }
    }

    /// What the pages hold: a few bits, many bits, whole pages.
    fn contents(&self, random: &mut Random, damage: &mut Damage) {
        let region = &self.regions[random.below(self.regions.len())];
        damage.kind = region.0;
        let pages = &region.1;
        let page = |random: &mut Random| pages[random.below(pages.len())] * BYTES_PER_PAGE;
        match random.below(8) {
            0 => self.flip(damage, page(random) + random.below(BYTES_PER_PAGE), 1 << random.below(8)),
            1 | 2 => {
                for _ in 0..2 + random.below(30) {
                    self.flip(damage, page(random) + random.below(BYTES_PER_PAGE), 1 << random.below(8));
                }
            }
            3 | 4 => {
                for _ in 0..100 + random.below(1000) {
                    self.flip(damage, page(random) + random.below(BYTES_PER_PAGE), 1 << random.below(8));
                }
            }
            5 => {
                for _ in 0..1 + random.below(4) {
                    let at = page(random);
                    let value = random.pick(&[0, 0, 0xFF, 0x55]);
                    damage.edits.extend((at..at + BYTES_PER_PAGE).map(|at| (at, value)));
                    let _ = write!(damage.what, " {at:#x} all {value:#x}");
                }
            }
            6 => {
                for _ in 0..1 + random.below(4) {
                    let at = page(random);
                    damage.edits.extend((at..at + BYTES_PER_PAGE).map(|at| (at, random.byte())));
                    let _ = write!(damage.what, " {at:#x} random");
                }
            }
            _ => {
                let anything = &self.regions[self.regions.len() - 1].1;
                let (to, from) = (page(random), anything[random.below(anything.len())] * BYTES_PER_PAGE);
                damage.edits.extend((0..BYTES_PER_PAGE).map(|i| (to + i, self.bytes[from + i])));
                let _ = write!(damage.what, " {to:#x} is {from:#x}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_the_published_ones() {
        // The first output of splitmix64 for the seed 0.
        assert_eq!(Random(0).next(), 0xE220_A839_7B1D_CDAF);
        let mut random = Random::new(1);
        assert!((0..1000).all(|_| random.below(7) < 7));
    }
}
