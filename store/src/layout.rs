//! How a disk is divided between worlds and files.
//!
//! ```text
//!   block 0                             n = Superblock::blocks                    the disk's end
//!     | worlds: superblocks, records,   | files: a file system of its own           |
//!     | pages (this crate)              | (crate diskfs)                            |
//! ```
//! The superblock says how many blocks are the worlds'. What comes behind them is the files'. On a disk that was made
//! before there were files, nothing comes behind them.

use crate::device::{BLOCK, Block, Device, DeviceError, SECTORS};
use crate::error::StoreError;
use crate::mount;
use core::ops::Range;

/// The blocks that belong to the worlds.
pub fn worlds(device: &mut impl Device) -> Result<Range<u32>, StoreError> {
    let mut block = [0; BLOCK];
    Ok(0..mount::superblock(device, &mut block)?.blocks)
}

/// The blocks that belong to the files; none on a disk that has no place for them.
pub fn files(device: &mut impl Device) -> Result<Range<u32>, StoreError> {
    let worlds = worlds(device)?;
    let end = u32::try_from(device.blocks()).unwrap_or(u32::MAX);
    Ok(worlds.end..end.max(worlds.end))
}

/// Some blocks of a disk, as a disk: block 0 is the first of them.
pub struct Part<D> {
    device: D,
    blocks: Range<u32>,
}

impl<D: Device> Part<D> {
    /// Those blocks, as far as the disk has them.
    pub fn new(device: D, blocks: Range<u32>) -> Part<D> {
        let end = device.blocks().min(blocks.end.into()) as u32;
        Part { blocks: blocks.start.min(end)..end, device }
    }

    /// The disk again.
    pub fn into_inner(self) -> D {
        self.device
    }

    fn place(&self, block: u32, count: u64) -> Result<u32, DeviceError> {
        let first = u64::from(self.blocks.start);
        match first + u64::from(block) + count <= u64::from(self.blocks.end) {
            true => Ok(self.blocks.start + block),
            false => Err(DeviceError::PastEnd {
                sector: (first + u64::from(block)) * SECTORS,
                sectors: u64::from(self.blocks.end) * SECTORS,
            }),
        }
    }
}

impl<D: Device> Device for Part<D> {
    fn blocks(&self) -> u64 {
        self.blocks.len() as u64
    }

    fn has_flush(&self) -> bool {
        self.device.has_flush()
    }

    fn read(&mut self, first: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        let first = self.place(first, (buffer.len() / BLOCK) as u64)?;
        self.device.read(first, buffer)
    }

    fn room(&mut self) -> usize {
        self.device.room()
    }

    fn submit_write(&mut self, block: u32, data: &Block) -> Result<(), DeviceError> {
        let block = self.place(block, 1)?;
        self.device.submit_write(block, data)
    }

    fn submit_flush(&mut self) -> Result<(), DeviceError> {
        self.device.submit_flush()
    }

    fn poll(&mut self) -> Result<usize, DeviceError> {
        self.device.poll()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;
    use crate::fake::FakeDisk;

    #[test]
    fn worlds_first_then_files() {
        let mut disk = FakeDisk::new(100);
        assert_eq!(files(&mut disk), Err(StoreError::Blank));
        Store::format(&mut Part::new(&mut disk, 0..40), 7).unwrap();
        assert_eq!((worlds(&mut disk), files(&mut disk)), (Ok(0..40), Ok(40..100)));
        let mut part = Part::new(&mut disk, 40..100);
        let block = [9; BLOCK];
        assert_eq!(part.blocks(), 60);
        part.submit_write(59, &block).unwrap();
        while part.poll().unwrap() > 0 {}
        assert_eq!(part.submit_write(60, &block), Err(DeviceError::PastEnd { sector: 800, sectors: 800 }));
        let mut read = [0; BLOCK];
        disk.read(99, &mut read).unwrap();
        assert_eq!(read, block);
        assert!(Store::scan(&mut disk).is_ok());
    }

    #[test]
    fn a_disk_from_before_there_were_files() {
        let mut disk = FakeDisk::new(50);
        Store::format(&mut disk, 7).unwrap();
        assert_eq!(files(&mut disk), Ok(50..50));
    }
}
