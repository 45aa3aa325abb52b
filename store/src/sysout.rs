//! From a sysout file to the pages of a world, and back.
//!
//! ```text
//!   sysout, file page f      FPtoVP(f) = v        page v/8 of the store, slot v%8
//!   0                        some page      -->
//!   1                        interface page -->   the same bytes: both are big-endian
//!   f: FPtoVP(f) = FFFF      nothing              not stored; zeroes in an export
//! ```
//! An export asks nobody but the world itself: its interface page says how many file pages there are and where the map
//! is, and the map, which lies in Lisp's memory, says which page each of them holds. The reference's loader wants the key,
//! a version it knows, and as many pages as the interface page counts; its saver writes the interface page to file page 1
//! last, whatever the map says is there, and so does the export.

use crate::checksum::Checksum;
use crate::device::{BLOCK, Block, Device};
use crate::error::StoreError;
use crate::format::{Name, Origin, SaveKind};
use crate::mount::Store;
use crate::save::{NewWorld, PageSource, SaveInfo};
use crate::{LISP_PAGES, bitmap::filled};
use alloc::vec::Vec;
use core::fmt;
use vm::address::{BYTES_PER_PAGE, FilePage, LispPage};
use vm::layout::{Layout, Medley2, Medley35};
use vm::sysout::{ABSENT, INTERFACE_PAGE_OFFSET, LayoutKind, Sysout, SysoutError, interface};

/// Why a file is no world, or a world no file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SysoutProblem {
    /// It is no sysout.
    Image(SysoutError),
    /// The file could not be read.
    Unreadable {
        /// Where, in bytes.
        at: u64,
    },
    /// The commit record names a layout that nobody knows.
    UnknownLayout {
        /// Its number.
        found: u32,
    },
    /// The commit record names one layout, the interface page another.
    OtherLayout,
    /// The world's own map lists a page that the world does not have.
    Missing {
        /// The file page.
        file: FilePage,
        /// The page.
        lisp: LispPage,
    },
    /// The export could not be written.
    Unwritable {
        /// The file page.
        file: FilePage,
    },
}

impl From<SysoutError> for StoreError {
    fn from(error: SysoutError) -> Self {
        Self::Sysout(SysoutProblem::Image(error))
    }
}

impl fmt::Display for SysoutProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Image(error) => write!(f, "{error}"),
            Self::Unreadable { at } => write!(f, "the sysout could not be read at byte {at}; check the file"),
            Self::UnknownLayout { found } => {
                write!(f, "the world has memory layout {found}, which this program does not know; use a newer one")
            }
            Self::OtherLayout => {
                write!(
                    f,
                    "the world's interface page is one of another Medley than was imported; use the generation before"
                )
            }
            Self::Missing { file, lisp } => write!(
                f,
                "the world's map says that file page {} holds Lisp page {:#x}, which the world does not have; use the \
                 generation before",
                file.0, lisp.0
            ),
            Self::Unwritable { file } => write!(f, "file page {} of the sysout could not be written", file.0),
        }
    }
}

/// The number of a layout in a commit record.
pub fn layout_number(layout: LayoutKind) -> u32 {
    match layout {
        LayoutKind::Medley2 => 2,
        LayoutKind::Medley35 => 35,
    }
}

/// The layout with a number from a commit record.
pub fn layout_of(number: u32) -> Result<LayoutKind, StoreError> {
    match number {
        2 => Ok(LayoutKind::Medley2),
        35 => Ok(LayoutKind::Medley35),
        found => Err(SysoutProblem::UnknownLayout { found }.into()),
    }
}

/// What an export must know of a layout: interface page, first page of the map, bytes of an entry, and where the
/// interface page counts file pages.
fn places(layout: LayoutKind) -> (LispPage, LispPage, u32) {
    fn of<L: Layout>() -> (LispPage, LispPage, u32) {
        (L::IFPAGE.page(), L::FPTOVP.page(), if L::BIG { 4 } else { 2 })
    }
    match layout {
        LayoutKind::Medley2 => of::<Medley2>(),
        LayoutKind::Medley35 => of::<Medley35>(),
    }
}

/// A file that can be read anywhere.
pub trait ReadAt {
    /// Fills `buffer` with the bytes from `at` on; false if it cannot.
    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> bool;
}

/// A sysout whose map has been read and checked, as a source of pages.
pub struct Image<'a, R: ReadAt> {
    file: &'a mut R,
    sysout: Sysout,
    bytes: u64,
    /// File page of each Lisp page, or [`ABSENT`].
    table: Vec<u32>,
}

impl<'a, R: ReadAt> Image<'a, R> {
    /// Reads what a file of so many bytes says about itself.
    pub fn open(file: &'a mut R, bytes: u64) -> Result<Self, StoreError> {
        let mut page = [0; BYTES_PER_PAGE];
        if bytes >= INTERFACE_PAGE_OFFSET + BYTES_PER_PAGE as u64 {
            read(file, INTERFACE_PAGE_OFFSET, &mut page)?;
        }
        let sysout = Sysout::parse(&page, bytes)?;
        let (at, length) = sysout.map_bytes();
        let mut map = filled(length, 0u8)?;
        read(file, at, &mut map)?;
        let mut table = filled(sysout.layout().max_pages() as usize, ABSENT)?;
        sysout.page_map(&map)?.invert(&mut table)?;
        Ok(Image { file, sysout, bytes, table })
    }

    /// What the interface page says.
    pub fn sysout(&self) -> &Sysout {
        &self.sysout
    }

    /// The pages of the store that something is in.
    pub fn pages(&self) -> Vec<u32> {
        let pages = self.table.chunks(LISP_PAGES as usize).enumerate();
        pages.filter(|(_, slots)| slots.iter().any(|&file| file != ABSENT)).map(|(page, _)| page as u32).collect()
    }

    /// Where the world comes from, for its records; reads the whole file.
    pub fn origin(&mut self, name: &str) -> Result<Origin, StoreError> {
        let mut sum = Checksum::new();
        let mut buffer = filled(64 * BYTES_PER_PAGE, 0u8)?;
        let mut at = 0;
        while at < self.bytes {
            let part = &mut buffer[..(self.bytes - at).min(64 * BYTES_PER_PAGE as u64) as usize];
            read(self.file, at, part)?;
            sum.update(part);
            at += part.len() as u64;
        }
        Ok(Origin { bytes: self.bytes, crc: sum.value(), name: Name::new(name) })
    }

    /// Puts the image on a disk, as its newest generation.
    pub fn import(
        &mut self,
        store: &mut Store,
        device: &mut impl Device,
        name: &str,
        date: i64,
    ) -> Result<u64, StoreError> {
        let pages = self.pages();
        let blocks = device.blocks();
        let needed = disk_blocks(pages.len() as u32);
        if blocks < needed {
            return Err(StoreError::TooSmall { has: blocks, needed });
        }
        let new = NewWorld {
            layout: layout_number(self.sysout.layout()),
            pages: self.sysout.layout().max_pages() / LISP_PAGES,
            origin: self.origin(name)?,
        };
        store.begin_world(&new, pages.into_iter(), &SaveInfo { date, kind: SaveKind::Import })?;
        store.finish(device, self)
    }
}

/// Blocks that a disk for a world of so many pages must have at least: two of everything, and a few.
pub fn disk_blocks(pages: u32) -> u64 {
    let tables = u64::from(pages).div_ceil(64) + 8;
    2 * (u64::from(pages) + tables) + u64::from(crate::format::FIRST_DATA)
}

fn read(file: &mut impl ReadAt, at: u64, buffer: &mut [u8]) -> Result<(), StoreError> {
    if file.read_at(at, buffer) { Ok(()) } else { Err(SysoutProblem::Unreadable { at }.into()) }
}

impl<R: ReadAt> PageSource for Image<'_, R> {
    fn page(&mut self, page: u32, into: &mut Block) -> Option<u8> {
        let mut present = 0;
        let slots = self.table.get((page * LISP_PAGES) as usize..)?;
        for (slot, bytes) in into.as_chunks_mut::<BYTES_PER_PAGE>().0.iter_mut().enumerate() {
            let Some(&file) = slots.get(slot).filter(|&&file| file != ABSENT) else { continue };
            present |= 1 << slot;
            if !self.file.read_at(u64::from(file) * BYTES_PER_PAGE as u64, bytes) {
                return None;
            }
        }
        Some(present)
    }
}

/// Lisp pages of the open generation, one at a time.
struct Reader<'a, D: Device> {
    store: &'a Store,
    device: &'a mut D,
    page: Option<(u32, u8)>,
    buffer: Block,
}

impl<D: Device> Reader<'_, D> {
    /// A Lisp page, if it exists.
    fn lisp_page(&mut self, lisp: LispPage) -> Result<Option<&[u8; BYTES_PER_PAGE]>, StoreError> {
        let (page, slot) = (lisp.0 / LISP_PAGES, lisp.0 % LISP_PAGES);
        let present = match self.page {
            Some((at, present)) if at == page => present,
            _ => {
                self.page = None;
                let present = self.store.read_page(self.device, page, &mut self.buffer)?;
                self.page = Some((page, present));
                present
            }
        };
        Ok((present & 1 << slot != 0).then(|| &self.buffer.as_chunks().0[slot as usize]))
    }
}

/// Writes the open generation as a sysout: `write` gets the file's pages, in order. Gives the number of them.
pub fn export<D: Device>(
    store: &Store,
    device: &mut D,
    write: &mut dyn FnMut(&[u8; BYTES_PER_PAGE]) -> bool,
) -> Result<u32, StoreError> {
    let record = store.current().ok_or(StoreError::NoWorld)?;
    let layout = layout_of(record.layout)?;
    let (interface_page, map_page, entry_bytes) = places(layout);
    let mut reader = Reader { store, device, page: None, buffer: [0; BLOCK] };
    let missing = |file, lisp| StoreError::Sysout(SysoutProblem::Missing { file: FilePage(file), lisp });

    let interface = *reader.lisp_page(interface_page)?.ok_or(missing(1, interface_page))?;
    let word = |number: u32| {
        let at = 2 * number as usize;
        u32::from(u16::from_be_bytes([interface[at], interface[at + 1]]))
    };
    let pages = match layout {
        LayoutKind::Medley2 => word(interface::PAGES_2),
        LayoutKind::Medley35 => word(interface::PAGES_35) << 16 | word(interface::PAGES_35 + 1),
    };
    let sysout = Sysout::parse(&interface, u64::from(pages) * BYTES_PER_PAGE as u64)?;
    if sysout.layout() != layout {
        return Err(SysoutProblem::OtherLayout.into());
    }

    // The first entry is unused.
    let length = ((pages + 1) * entry_bytes) as usize;
    let mut map = filled(length.next_multiple_of(BYTES_PER_PAGE), 0u8)?;
    for (index, bytes) in map.as_chunks_mut().0.iter_mut().enumerate() {
        let lisp = LispPage(map_page.0 + index as u32);
        *bytes = *reader.lisp_page(lisp)?.ok_or(missing(word(interface::MAP_START) + index as u32 - 1, lisp))?;
    }
    let map = sysout.page_map(&map[entry_bytes as usize..])?;
    map.invert(&mut filled(layout.max_pages() as usize, ABSENT)?)?;

    for file in 0..pages {
        let written = match map.entry(FilePage(file)) {
            _ if file == 1 => write(&interface),
            Some(lisp) => write(reader.lisp_page(lisp)?.ok_or(missing(file, lisp))?),
            None => write(&[0; BYTES_PER_PAGE]),
        };
        if !written {
            return Err(SysoutProblem::Unwritable { file: FilePage(file) }.into());
        }
    }
    Ok(pages)
}
