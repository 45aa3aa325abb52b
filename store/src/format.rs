//! What lies where on the disk.
//!
//! ```text
//!   block   4 KiB each
//!   0       superblock: the disk's number, the format's version, how many blocks are used
//!   1       the same again
//!   2,3,4   slots for commit records
//!   5 ...   pages, leaves and roots of the generations, in no order; everything else is free
//!
//!   commit record       root: 512 leaves        leaf: 256 pages                 page: 8 Lisp pages
//!   +------------+      +---------------+       +------------------------+      +--------------+
//!   | generation |  +-->| block, crc    |---+   | block, crc, presence   |  +-->| as in a      |
//!   | own block  |  |   | block, crc  --|-+ +-->|     :                  |  |   | sysout,      |
//!   | root, crc -|--+   |     :         | |     | block, crc, presence --|--+   | big-endian   |
//!   | crc        |      +---------------+ +-->  +------------------------+      +--------------+
//!   +------------+        8 bytes each            16 bytes each
//! ```
//! Every block is checked by a CRC-32 that lies in the block above it, so a block that was never written, is an older
//! one, or belongs elsewhere, is seen. Records and superblocks hold their own CRC in their last four bytes, and their own
//! position. Numbers are little-endian; block 0 stands for "nothing": no leaf, or a page of zeroes.

pub use crate::checksum::crc;
use crate::device::Block;
pub use crate::device::{BLOCK, SECTOR};
use core::fmt;

/// Version of the format.
pub const VERSION: u32 = 1;
/// Where the copies of the superblock are.
pub const SUPERBLOCKS: [u32; 2] = [0, 1];
/// Where commit records are.
pub const SLOTS: [u32; 3] = [2, 3, 4];
/// The first block that generations may use.
pub const FIRST_DATA: u32 = 5;
/// Pages in a leaf.
pub const LEAF_PAGES: u32 = 256;
/// Leaves in a root.
pub const ROOT_LEAVES: u32 = 512;
/// The largest world: 512 MB.
pub const MAX_PAGES: u32 = LEAF_PAGES * ROOT_LEAVES;
/// What is used of a disk at most, 4 GiB: two of the largest generations, and then some.
pub const MAX_BLOCKS: u32 = 1 << 20;
/// Longest name of an image, bytes.
pub const NAME: usize = 64;

const SUPERBLOCK_MAGIC: [u8; 8] = *b"Duralumn";
const RECORD_MAGIC: [u8; 8] = *b"DuraGen\n";
/// Bytes of a leaf's entry.
const LEAF_ENTRY: usize = 16;
/// Bytes of a root's entry.
const ROOT_ENTRY: usize = 8;
/// Where records and superblocks have their CRC.
const OWN_CRC: usize = BLOCK - 4;

fn put<const N: usize>(block: &mut Block, at: usize, bytes: [u8; N]) {
    block[at..at + N].copy_from_slice(&bytes);
}

fn get<const N: usize>(block: &Block, at: usize) -> [u8; N] {
    core::array::from_fn(|i| block[at + i])
}

fn get_u32(block: &Block, at: usize) -> u32 {
    u32::from_le_bytes(get(block, at))
}

fn get_u64(block: &Block, at: usize) -> u64 {
    u64::from_le_bytes(get(block, at))
}

fn seal(block: &mut Block) {
    let sum = crc(&block[..OWN_CRC]);
    put(block, OWN_CRC, sum.to_le_bytes());
}

fn is_sealed(block: &Block) -> bool {
    get_u32(block, OWN_CRC) == crc(&block[..OWN_CRC])
}

/// Is there nothing but zeroes?
pub(crate) fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == 0)
}

/// What the disk is, written once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Superblock {
    /// The disk's number, by which it knows its own records from those of a former life.
    pub id: u64,
    /// Version of the format.
    pub version: u32,
    /// Blocks that are used.
    pub blocks: u32,
}

impl Superblock {
    /// As it lies in block `at`.
    pub fn encode(&self, at: u32, block: &mut Block) {
        block.fill(0);
        put(block, 0, SUPERBLOCK_MAGIC);
        put(block, 8, self.id.to_le_bytes());
        put(block, 16, self.version.to_le_bytes());
        put(block, 20, at.to_le_bytes());
        put(block, 24, self.blocks.to_le_bytes());
        seal(block);
    }

    /// From block `at`, if it checks out.
    pub fn decode(at: u32, block: &Block) -> Option<Superblock> {
        let right = get(block, 0) == SUPERBLOCK_MAGIC && is_sealed(block) && get_u32(block, 20) == at;
        right.then(|| Superblock { id: get_u64(block, 8), version: get_u32(block, 16), blocks: get_u32(block, 24) })
    }
}

/// Why a generation came to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaveKind {
    /// A sysout was brought in.
    Import,
    /// Lisp saved.
    Save,
    /// The machine saved by itself.
    Autosave,
}

impl fmt::Display for SaveKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Import => "import",
            Self::Save => "save",
            Self::Autosave => "autosave",
        })
    }
}

/// The name of an image, for people.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Name {
    bytes: [u8; NAME],
    length: u8,
}

impl Name {
    /// As much of a name as there is room for.
    pub fn new(name: &str) -> Name {
        let mut length = name.len().min(NAME);
        while !name.is_char_boundary(length) {
            length -= 1;
        }
        let mut bytes = [0; NAME];
        bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
        Name { bytes, length: length as u8 }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.bytes[..self.length as usize]).unwrap_or("")
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The sysout a world came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// Bytes of the file.
    pub bytes: u64,
    /// CRC-32 of the file.
    pub crc: u32,
    /// What it was called.
    pub name: Name,
}

/// The commit record of a generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record {
    /// The disk it belongs to.
    pub disk: u64,
    /// Its number; later ones are greater.
    pub generation: u64,
    /// Generations before this one were given up when it was committed.
    pub oldest: u64,
    /// The generation it was made from; 0 for an imported one.
    pub parent: u64,
    /// When, in seconds since 1970.
    pub date: i64,
    /// Why.
    pub kind: SaveKind,
    /// The memory layout of the world: 2 for Medley 2.0, 35 for Medley 3.5.
    pub layout: u32,
    /// Pages of 4 KiB in the world's address space.
    pub pages: u32,
    /// Lisp pages of 512 bytes that exist.
    pub lisp_pages: u32,
    /// Where the root is.
    pub root: u32,
    /// CRC-32 of the root.
    pub root_crc: u32,
    /// Pages that this save wrote.
    pub written: u32,
    /// Where the world came from.
    pub origin: Origin,
}

impl Record {
    /// As it lies in block `at`.
    pub fn encode(&self, at: u32, block: &mut Block) {
        block.fill(0);
        put(block, 0, RECORD_MAGIC);
        put(block, 8, self.disk.to_le_bytes());
        put(block, 16, self.generation.to_le_bytes());
        put(block, 24, self.oldest.to_le_bytes());
        put(block, 32, self.parent.to_le_bytes());
        put(block, 40, self.date.to_le_bytes());
        put(block, 48, at.to_le_bytes());
        put(block, 52, self.layout.to_le_bytes());
        put(block, 56, self.pages.to_le_bytes());
        put(block, 60, self.lisp_pages.to_le_bytes());
        put(block, 64, self.root.to_le_bytes());
        put(block, 68, self.root_crc.to_le_bytes());
        put(block, 72, self.written.to_le_bytes());
        put(block, 76, (self.kind as u32).to_le_bytes());
        put(block, 80, self.origin.bytes.to_le_bytes());
        put(block, 88, self.origin.crc.to_le_bytes());
        put(block, 92, u32::from(self.origin.name.length).to_le_bytes());
        put(block, 96, self.origin.name.bytes);
        seal(block);
    }

    /// From block `at` of the disk with number `disk`, if it checks out.
    pub fn decode(at: u32, disk: u64, block: &Block) -> Option<Record> {
        let right = get(block, 0) == RECORD_MAGIC
            && is_sealed(block)
            && get_u32(block, 48) == at
            && get_u64(block, 8) == disk
            && get_u32(block, 56) <= MAX_PAGES
            && get_u32(block, 92) <= NAME as u32;
        let kind = match get_u32(block, 76) {
            0 => SaveKind::Import,
            1 => SaveKind::Save,
            2 => SaveKind::Autosave,
            _ => return None,
        };
        right.then(|| Record {
            disk,
            generation: get_u64(block, 16),
            oldest: get_u64(block, 24),
            parent: get_u64(block, 32),
            date: get_u64(block, 40).cast_signed(),
            kind,
            layout: get_u32(block, 52),
            pages: get_u32(block, 56),
            lisp_pages: get_u32(block, 60),
            root: get_u32(block, 64),
            root_crc: get_u32(block, 68),
            written: get_u32(block, 72),
            origin: Origin {
                bytes: get_u64(block, 80),
                crc: get_u32(block, 88),
                name: Name { bytes: get(block, 96), length: get_u32(block, 92) as u8 },
            },
        })
    }
}

/// Where a block is and what it must be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// The block; 0 for none.
    pub block: u32,
    /// CRC-32 of it.
    pub crc: u32,
}

/// The map's entry of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Entry {
    /// Where its contents are; block 0: they are zeroes.
    pub place: Place,
    /// Bit i: its Lisp page i exists.
    pub present: u8,
}

/// Puts a root together.
pub(crate) fn encode_root(leaves: &[Place], block: &mut Block) {
    block.fill(0);
    for (leaf, bytes) in leaves.iter().zip(block.chunks_exact_mut(ROOT_ENTRY)) {
        bytes[..4].copy_from_slice(&leaf.block.to_le_bytes());
        bytes[4..].copy_from_slice(&leaf.crc.to_le_bytes());
    }
}

/// The leaves that a root names.
pub(crate) fn decode_root(block: &Block) -> impl Iterator<Item = Place> + '_ {
    (0..ROOT_LEAVES as usize)
        .map(|i| Place { block: get_u32(block, i * ROOT_ENTRY), crc: get_u32(block, i * ROOT_ENTRY + 4) })
}

/// Puts an entry into a leaf.
pub(crate) fn encode_entry(leaf: &mut Block, index: usize, entry: Entry) {
    let at = index * LEAF_ENTRY;
    put(leaf, at, entry.place.block.to_le_bytes());
    put(leaf, at + 4, entry.place.crc.to_le_bytes());
    put(leaf, at + 8, [entry.present, 0, 0, 0, 0, 0, 0, 0]);
}

/// The entries of a leaf; `None` where one is impossible.
pub(crate) fn decode_leaf(block: &Block) -> impl Iterator<Item = Option<Entry>> + '_ {
    (0..LEAF_PAGES as usize).map(|i| {
        let at = i * LEAF_ENTRY;
        let entry =
            Entry { place: Place { block: get_u32(block, at), crc: get_u32(block, at + 4) }, present: block[at + 8] };
        let nothing = entry.place.block == 0 && entry.place.crc != 0 || entry.present == 0 && entry.place.block != 0;
        (!nothing && is_zero(&block[at + 9..at + LEAF_ENTRY])).then_some(entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            disk: 7,
            generation: 12,
            oldest: 11,
            parent: 11,
            date: -5,
            kind: SaveKind::Autosave,
            layout: 35,
            pages: 1000,
            lisp_pages: 7000,
            root: 99,
            root_crc: 0x1234_5678,
            written: 3,
            origin: Origin { bytes: 512, crc: 1, name: Name::new("lisp.sys") },
        }
    }

    #[test]
    fn records_come_back() {
        let mut block = [0; BLOCK];
        record().encode(3, &mut block);
        assert_eq!(Record::decode(3, 7, &block), Some(record()));
        assert_eq!(Record::decode(2, 7, &block), None);
        assert_eq!(Record::decode(3, 8, &block), None);
        let superblock = Superblock { id: 7, version: VERSION, blocks: 77 };
        superblock.encode(1, &mut block);
        assert_eq!(Superblock::decode(1, &block), Some(superblock));
        assert_eq!(Superblock::decode(0, &block), None);
    }

    #[test]
    fn every_flipped_bit_is_seen() {
        let mut block = [0; BLOCK];
        record().encode(3, &mut block);
        for bit in 0..BLOCK * 8 {
            block[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Record::decode(3, 7, &block), None);
            block[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn names_end_between_characters() {
        let name = Name::new(&"é".repeat(40));
        assert_eq!(name.as_str().len(), 64);
        assert_eq!(Name::new(&("x".to_owned() + &"é".repeat(40))).as_str().len(), 63);
    }

    use std::borrow::ToOwned;
}
