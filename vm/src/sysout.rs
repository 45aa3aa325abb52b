//! The sysout: a Lisp world as a file.
//!
//! ```text
//!   file page   512 bytes each, words and cells big-endian
//!   0           some page of Lisp
//!   1           the interface page (IFPAGE): who wrote this, how many pages, where the map is
//!   ...         pages of Lisp, in the order in which they came to be
//!   s .. s+k    the map FPtoVP itself, s = IFPAGE word 59 less one
//!   ...         pages of Lisp
//!
//!   the map:    Medley 2.0    | unused | page 0 | page 1 | ...   16 bits each, FFFF: this file page holds nothing
//!               Medley 3.5    | unused | page 0 | page 1 | ...   32 bits each, FFFFxxxx: this file page holds nothing
//! ```
//!
//! An entry says which Lisp page the file page holds. The map lies in Lisp's memory too (`Layout::FPTOVP`) and must
//! therefore list its own pages, in order and side by side in the file. Format: the reference's loader and `newpage`.
//!
//! Everything here is computation over bytes that somebody else has read, and believes none of them:
//!
//! 1. [`Sysout::parse`] takes the interface page and the file's length; it says where the map is.
//! 2. [`Sysout::page_map`] takes the map's bytes and gives a [`PageMap`].
//! 3. [`PageMap::invert`] checks every entry and fills the table a pager wants: the file page of each Lisp page.

use crate::address::{BYTES_PER_PAGE, LispPtr};
use crate::layout::{Layout, Medley2, Medley35};

mod error;
mod map;

pub use error::SysoutError;
pub use map::{ABSENT, PageMap};

/// Where the interface page is in the file, in bytes; it is one page long.
pub const INTERFACE_PAGE_OFFSET: u64 = BYTES_PER_PAGE as u64;

/// What IFPAGE's `key` is in a world that was saved properly.
pub(crate) const KEY: u16 = 0x15E3;

/// Words of the interface page, by number.
pub mod interface {
    /// The frame that runs when Lisp starts; contexts by number follow it.
    pub const CURRENT_FRAME: u32 = 0;
    /// The context of `RESET`.
    pub const RESET_FRAME: u32 = 1;
    /// The context that handles stack overflow.
    pub const STACK_OVERFLOW_FRAME: u32 = 2;
    /// The context that handles the keyboard.
    pub const KEYBOARD_FRAME: u32 = 3;
    /// The context that handles hard returns.
    pub const HARD_RETURN_FRAME: u32 = 4;
    /// The context of the collector.
    pub const COLLECTOR_FRAME: u32 = 5;
    /// The context that handles page faults.
    pub const FAULT_FRAME: u32 = 6;
    /// Stack offset of the last block.
    pub const END_OF_STACK: u32 = 7;
    /// Least version of the emulator that can run this world.
    pub const LEAST_EMULATOR_VERSION: u32 = 10;
    /// Version of the emulator that runs.
    pub const EMULATOR_VERSION: u32 = 11;
    /// What kind of machine runs.
    pub const MACHINE_TYPE: u32 = 13;
    /// The context for everything else.
    pub const MISC_FRAME: u32 = 14;
    /// Marks a sysout.
    pub const KEY: u32 = 15;
    /// Low 16 bits of the machine's number.
    pub const SERIAL_NUMBER: u32 = 16;
    /// Pages of the file, Medley 2.0.
    pub const PAGES_2: u32 = 20;
    /// Word address of the user's name, a BCPL string.
    pub const USER_NAME: u32 = 28;
    /// Stack offset of the first block.
    pub const STACK_BASE: u32 = 30;
    /// What display the machine has.
    pub const DEVICES: u32 = 33;
    /// Megabytes of Lisp's space, Medley 2.0.
    pub const MEGABYTES_2: u32 = 45;
    /// How far storage has run out.
    pub const STORAGE_FULL_STATE: u32 = 46;
    /// First word of four cells through which the machine calls Lisp functions.
    pub const MISC_CALL: u32 = 48;
    /// Where the map is, in file pages, counted from 1.
    pub const MAP_START: u32 = 59;
    /// Mouse buttons as Lisp's tests of keys see them.
    pub const FAKE_BUTTONS: u32 = 60;
    /// FFFF: pointers have at least 24 bits.
    pub const WIDE_POINTERS: u32 = 61;
    /// Last file page there may be, Medley 2.0.
    pub const LAST_FILE_PAGE_2: u32 = 64;
    /// FFFF: storage has moved on to the second part of the address space.
    pub const FULL_SPACE_USED: u32 = 65;
    /// Last file page there may be, Medley 3.5, high word first.
    pub const LAST_FILE_PAGE_35: u32 = 80;
    /// Pages of the file, Medley 3.5, high word first.
    pub const PAGES_35: u32 = 82;
    /// Megabytes of Lisp's space, Medley 3.5, high word first.
    pub const MEGABYTES_35: u32 = 86;
}

/// Which of the two memory layouts an image has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LayoutKind {
    /// [`Medley2`].
    Medley2,
    /// [`Medley35`].
    Medley35,
}

/// What of a [`Layout`] matters to the map.
#[derive(Clone, Copy)]
struct Facts {
    name: &'static str,
    max_pages: u32,
    entry_bytes: u32,
    map: LispPtr,
    version: u16,
    required: [(LispPtr, &'static str); 11],
}

impl LayoutKind {
    const fn facts(self) -> Facts {
        const fn of<L: Layout>() -> Facts {
            Facts {
                name: L::NAME,
                max_pages: L::MAX_PAGES,
                entry_bytes: if L::BIG { 4 } else { 2 },
                map: L::FPTOVP,
                version: L::LVERSION,
                required: [
                    (L::IFPAGE, "the interface page"),
                    (L::MISCSTATS, "the statistics page"),
                    (L::UFN_TABLE, "the first page of the UFN table"),
                    (LispPtr(L::UFN_TABLE.0 + 0x100), "the second page of the UFN table"),
                    (L::DTD, "the data type descriptors"),
                    (L::MDS_TYPE_TABLE, "the type table"),
                    (L::ATOM_HASH_TABLE, "the symbol hash table"),
                    (L::HTMAIN, "the collector's main table"),
                    (L::HTOVERFLOW, "the collector's overflow table"),
                    (L::HTBIG, "the collector's table of large counts"),
                    (L::HTCOLL, "the collector's collision table"),
                ],
            }
        }
        match self {
            LayoutKind::Medley2 => of::<Medley2>(),
            LayoutKind::Medley35 => of::<Medley35>(),
        }
    }

    /// For messages: "Medley 2.0".
    pub const fn name(self) -> &'static str {
        self.facts().name
    }

    /// Lisp pages that the layout's pointers can reach.
    pub const fn max_pages(self) -> u32 {
        self.facts().max_pages
    }
}

/// What the interface page says about a sysout, checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sysout {
    layout: LayoutKind,
    pages: u32,
    map_start: u32,
    end_of_stack: u16,
    megabytes: u32,
}

impl Sysout {
    /// Reads the interface page of a file that is so many bytes long.
    pub fn parse(interface_page: &[u8; BYTES_PER_PAGE], file_bytes: u64) -> Result<Sysout, SysoutError> {
        let word = |number: u32| {
            let at = 2 * number as usize;
            u16::from_be_bytes([interface_page[at], interface_page[at + 1]])
        };
        let double = |number: u32| (word(number) as u32) << 16 | word(number + 1) as u32;

        if file_bytes < 2 * BYTES_PER_PAGE as u64 {
            return Err(SysoutError::TooShort { bytes: file_bytes });
        }
        if word(interface::KEY) != KEY {
            return Err(SysoutError::BadKey { found: word(interface::KEY) });
        }
        if !file_bytes.is_multiple_of(BYTES_PER_PAGE as u64) {
            return Err(SysoutError::PartialPage { bytes: file_bytes });
        }
        let Some(pages) =
            u32::try_from(file_bytes / BYTES_PER_PAGE as u64).ok().filter(|&n| n < LayoutKind::Medley35.max_pages())
        else {
            return Err(SysoutError::TooLong { bytes: file_bytes });
        };
        let (medley_2, medley_35) = (word(interface::PAGES_2) as u32, double(interface::PAGES_35));
        let layout = match pages {
            n if n == medley_2 => LayoutKind::Medley2,
            n if n == medley_35 => LayoutKind::Medley35,
            actual => return Err(SysoutError::WrongLength { medley_2, medley_35, actual }),
        };
        let megabytes = match layout {
            LayoutKind::Medley2 => word(interface::MEGABYTES_2) as u32,
            LayoutKind::Medley35 => double(interface::MEGABYTES_35),
        };
        let sysout = Sysout {
            layout,
            pages,
            map_start: (word(interface::MAP_START) as u32).wrapping_sub(1),
            end_of_stack: word(interface::END_OF_STACK),
            megabytes,
        };

        let wanted = word(interface::LEAST_EMULATOR_VERSION);
        let have = layout.facts().version;
        if wanted > have {
            return Err(SysoutError::TooNew { wanted, have });
        }
        Self::check_stack(word)?;
        let map_pages = sysout.map_pages();
        if sysout.map_start == u32::MAX || sysout.map_start + map_pages > pages {
            return Err(SysoutError::MapOutsideFile { start: sysout.map_start, pages: map_pages, file: pages });
        }
        Ok(sysout)
    }

    /// The running frame and the contexts are even offsets before the end of the stack.
    fn check_stack(word: impl Fn(u32) -> u16) -> Result<(), SysoutError> {
        let end = word(interface::END_OF_STACK);
        let base = word(interface::STACK_BASE);
        if end & 1 != 0 || end < 0x200 {
            return Err(SysoutError::BadStack { what: "the end of the stack", value: end });
        }
        if base & 1 != 0 || base >= end {
            return Err(SysoutError::BadStack { what: "the start of the stack", value: base });
        }
        for (number, what) in [
            (interface::CURRENT_FRAME, "the running frame"),
            (interface::RESET_FRAME, "the context for resetting"),
            (interface::STACK_OVERFLOW_FRAME, "the context for stack overflow"),
            (interface::KEYBOARD_FRAME, "the context for the keyboard"),
            (interface::HARD_RETURN_FRAME, "the context for hard returns"),
            (interface::COLLECTOR_FRAME, "the context of the collector"),
            (interface::FAULT_FRAME, "the context for page faults"),
        ] {
            let value = word(number);
            if value & 1 != 0 || value >= end {
                return Err(SysoutError::BadStack { what, value });
            }
        }
        Ok(())
    }

    /// Which memory layout the image has.
    pub fn layout(&self) -> LayoutKind {
        self.layout
    }

    /// Pages of the file.
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// Megabytes of Lisp space that the image was last run with; 0 if it never was.
    pub fn megabytes(&self) -> u32 {
        self.megabytes
    }

    /// Pages that the map takes, with its unused first entry.
    fn map_pages(&self) -> u32 {
        ((self.pages + 1) * self.layout.facts().entry_bytes).div_ceil(BYTES_PER_PAGE as u32)
    }

    /// Which bytes of the file are the entries of the map: offset and length.
    pub fn map_bytes(&self) -> (u64, usize) {
        let entry = self.layout.facts().entry_bytes;
        (self.map_start as u64 * BYTES_PER_PAGE as u64 + entry as u64, (self.pages * entry) as usize)
    }

    /// The map, from the bytes that [`map_bytes`](Self::map_bytes) named.
    pub fn page_map<'a>(&self, bytes: &'a [u8]) -> Result<PageMap<'a>, SysoutError> {
        let (_, wanted) = self.map_bytes();
        match bytes.get(..wanted) {
            Some(entries) => Ok(PageMap { sysout: *self, entries }),
            None => Err(SysoutError::MapNotRead { wanted, given: bytes.len() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;
    use std::vec;
    use std::vec::Vec;

    /// A small image with everything that is checked: all pages of `required` and the stack.
    fn image(layout: LayoutKind) -> Vec<u8> {
        let facts = layout.facts();
        let mut lisp: Vec<u32> = facts.required.iter().map(|(at, _)| at.page().0).collect();
        lisp.extend(0x100..0x110);
        lisp.sort();
        lisp.dedup();
        let map_start = lisp.len() as u32;
        lisp.push(facts.map.page().0);
        let mut bytes = vec![0; lisp.len() * BYTES_PER_PAGE];
        let pages = lisp.len() as u16;
        let word = |bytes: &mut Vec<u8>, number: u32, value: u16| {
            let at = BYTES_PER_PAGE + 2 * number as usize;
            bytes[at..at + 2].copy_from_slice(&value.to_be_bytes());
        };
        word(&mut bytes, interface::KEY, KEY);
        word(&mut bytes, interface::END_OF_STACK, 0xF00);
        word(&mut bytes, interface::STACK_BASE, 0x200);
        word(&mut bytes, interface::MAP_START, map_start as u16 + 1);
        let count = if layout == LayoutKind::Medley2 { interface::PAGES_2 } else { interface::PAGES_35 + 1 };
        word(&mut bytes, count, pages);
        let entry = facts.entry_bytes as usize;
        for (i, page) in lisp.iter().enumerate() {
            let at = map_start as usize * BYTES_PER_PAGE + (i + 1) * entry;
            bytes[at..at + entry].copy_from_slice(&page.to_be_bytes()[4 - entry..]);
        }
        bytes
    }

    fn check(bytes: &[u8]) -> Result<(LayoutKind, Vec<u32>), SysoutError> {
        let mut page = [0; BYTES_PER_PAGE];
        if let Some(found) = bytes.get(BYTES_PER_PAGE..2 * BYTES_PER_PAGE) {
            page.copy_from_slice(found);
        }
        let sysout = Sysout::parse(&page, bytes.len() as u64)?;
        let (at, length) = sysout.map_bytes();
        let map = sysout.page_map(&bytes[at as usize..at as usize + length])?;
        let mut table = vec![0; sysout.layout().max_pages() as usize];
        map.invert(&mut table)?;
        Ok((sysout.layout(), table))
    }

    #[test]
    fn both_layouts_are_told_apart() {
        for layout in [LayoutKind::Medley2, LayoutKind::Medley35] {
            let (found, table) = check(&image(layout)).unwrap();
            assert_eq!(found, layout);
            assert_eq!(table[0x100], 0);
            assert_eq!(table[0x10F], 0xF);
            assert_eq!(table[0x110], ABSENT);
        }
    }

    #[test]
    fn what_is_no_sysout_is_refused() {
        assert_eq!(check(&[]), Err(SysoutError::TooShort { bytes: 0 }));
        assert_eq!(check(&[0; 4096]), Err(SysoutError::BadKey { found: 0 }));
        let mut bytes = image(LayoutKind::Medley2);
        bytes.pop();
        assert!(matches!(check(&bytes), Err(SysoutError::PartialPage { .. })));
        bytes.truncate(8192);
        assert!(matches!(check(&bytes), Err(SysoutError::WrongLength { .. })));
        assert!(check(&bytes).unwrap_err().to_string().contains("16 pages"));
    }

    #[test]
    fn a_damaged_map_is_refused() {
        let good = image(LayoutKind::Medley2);
        let map = good.len() - BYTES_PER_PAGE;
        let mut bytes = good.clone();
        // The last entries are the map's own page and, before it, the collector's collision table.
        let last = map + 2 + 2 * (map / BYTES_PER_PAGE - 1);
        bytes[last] = bytes[last - 2];
        bytes[last + 1] = bytes[last - 1];
        assert!(matches!(check(&bytes), Err(SysoutError::DuplicatePage { .. })));
        let mut bytes = good.clone();
        bytes[map + 2..map + 4].fill(0xFF);
        assert!(matches!(check(&bytes), Err(SysoutError::MissingPage { .. })));
        let mut bytes = image(LayoutKind::Medley35);
        let map = bytes.len() - BYTES_PER_PAGE;
        bytes[map + 4] = 0x10;
        assert!(matches!(check(&bytes), Err(SysoutError::PageOutside { .. })));
    }

    #[test]
    fn no_flipped_bit_panics() {
        for layout in [LayoutKind::Medley2, LayoutKind::Medley35] {
            let good = image(layout);
            let map = good.len() - BYTES_PER_PAGE;
            for at in (BYTES_PER_PAGE..2 * BYTES_PER_PAGE).chain(map..good.len()) {
                for bit in 0..8 {
                    let mut bytes = good.clone();
                    bytes[at] ^= 1 << bit;
                    if let Err(error) = check(&bytes) {
                        assert!(error.to_string().len() > 40);
                    }
                }
            }
        }
    }
}
