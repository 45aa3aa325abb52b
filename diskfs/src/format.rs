//! Making an empty file system, and finding the newest header of one.
//!
//! RedoxFS can make one only with `std`. What it makes is little: a header that names a tree with the root directory in it
//! and a list of free blocks. Here that is done with what it offers without `std`: a header that names nothing is opened,
//! told which blocks are free, and the rest is an ordinary change.

use crate::error::FilesError;
use crate::region::Region;
use redoxfs::{
    BLOCK_SIZE, BlockAddr, BlockData, BlockMeta, FileSystem, HEADER_RING, Header, Node, SIGNATURE, Tree, TreeData,
    VERSION,
};
use store::{BLOCK, Device, layout};
use syscall::error::{EIO, Error};

/// The fewest blocks a place for files can have: the headers, and some hundred for files.
pub const LEAST_BLOCKS: u32 = 512;

/// What a new file system is told.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// A number of its own.
    pub id: u128,
    /// When, in seconds since 1970.
    pub date: i64,
}

/// Where the files of a disk are: first block, and how many.
pub(crate) fn place(device: &mut impl Device) -> Result<(u32, u32), FilesError> {
    let place = layout::files(device)?;
    let has = place.len() as u32;
    if has < LEAST_BLOCKS { Err(FilesError::NoPlace { has }) } else { Ok((place.start, has)) }
}

/// Has nothing ever been put where the files of a disk should be? Then [`make`] takes nothing from anybody.
pub fn is_blank(device: &mut impl Device) -> Result<bool, FilesError> {
    let (first, _) = place(device)?;
    let mut block = [0; BLOCK];
    for number in 0..HEADER_RING as u32 {
        device.read(first + number, &mut block)?;
        if block.iter().any(|&byte| byte != 0) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Makes an empty file system behind the worlds of a disk. All files that were there are lost.
pub fn make(device: &mut impl Device, made: &Made) -> Result<(), FilesError> {
    let (first, blocks) = place(device)?;
    let mut region = Region::new(device, first, blocks, 64);
    region.wipe(0..HEADER_RING as u32)?;
    let mut header = Header {
        signature: *SIGNATURE,
        version: VERSION.into(),
        uuid: made.id.to_le_bytes(),
        size: (u64::from(blocks) * BLOCK_SIZE).into(),
        ..Header::default()
    };
    let generation = header.update(None);
    redox_write(&mut region, generation, &header)?;
    let mut fs = FileSystem::open(region, None, Some(generation), false).map_err(|_| FilesError::Damaged)?;
    free_all(&mut fs, blocks);
    let filled = fs.tx(|tx| {
        // Counts the blocks of what is thrown away.
        let mut nothing = TreeData::new(0, Node::default());
        let tree: BlockData<Tree> = BlockData::empty(BlockAddr::default()).ok_or(Error::new(EIO))?;
        tx.header.tree = tx.sync_block(&mut nothing, tree)?;
        tx.header_changed = true;
        let mut root = Node::new(Node::MODE_DIR | 0o755, 0, 0, made.date.max(0).cast_unsigned(), 0);
        root.set_links(1);
        let root = tx.sync_block(&mut nothing, BlockData::new(BlockAddr::default(), root))?;
        tx.insert_tree(root)?;
        // The list of what is free is written anew: there is none yet to which a change could be added.
        tx.sync(true).map(drop)
    });
    let failure = fs.disk.failure;
    filled.map_err(|_| failure.map_or(FilesError::Damaged, FilesError::Device))
}

fn redox_write<D: Device>(region: &mut Region<D>, place: u64, bytes: &[u8]) -> Result<(), FilesError> {
    // SAFETY: the function has no contract; see region.rs.
    #[expect(unsafe_code, reason = "RedoxFS calls its functions unsafe")]
    let written = unsafe { redoxfs::Disk::write_at(region, place, bytes) };
    written.map(drop).map_err(|_| region.failure.map_or(FilesError::Damaged, FilesError::Device))
}

/// Says that every block behind the headers is free.
fn free_all<D: Device>(fs: &mut FileSystem<Region<D>>, blocks: u32) {
    // SAFETY: this could say that a block is free that something uses; here nothing uses any.
    #[expect(unsafe_code, reason = "RedoxFS calls its functions unsafe")]
    let allocator = unsafe { fs.allocator_mut() };
    for number in HEADER_RING..blocks.into() {
        // SAFETY: a block inside of the region, of level 0.
        #[expect(unsafe_code, reason = "RedoxFS calls its functions unsafe")]
        allocator.deallocate(unsafe { BlockAddr::new(number, BlockMeta::default()) });
    }
}

/// The place in the ring of the newest header.
pub(crate) fn newest<D: Device>(region: &mut Region<D>) -> Result<u64, FilesError> {
    let mut newest: Option<(u64, Header)> = None;
    let (mut blank, mut version) = (true, None);
    for place in 0..HEADER_RING {
        let Some(header) = region.header(place as u32) else {
            blank = false;
            continue;
        };
        blank &= header.iter().all(|&byte| byte == 0);
        if header.signature == *SIGNATURE && header.version.to_ne() != VERSION {
            version = Some(header.version.to_ne());
        }
        let here = header.valid() && header.generation() % HEADER_RING == place && !header.encrypted();
        if here && newest.as_ref().is_none_or(|(_, known)| known.generation() < header.generation()) {
            newest = Some((place, header));
        }
    }
    match newest {
        Some((_, header)) if header.size() / BLOCK_SIZE > region.blocks().into() => {
            Err(FilesError::Shrunk { has: region.blocks().into(), had: header.size() / BLOCK_SIZE })
        }
        // Made halfway.
        Some((_, header)) if { header.tree }.is_null() => Err(FilesError::Blank),
        Some((place, _)) => Ok(place),
        None if blank => Err(FilesError::Blank),
        None => Err(version.map_or(FilesError::NotFiles, |found| FilesError::Version { found })),
    }
}
