//! The files' part of the disk as RedoxFS wants it, with the order of writes that makes it safe.
//!
//! ```text
//!   block 0 .. 255    headers, a ring: header of generation g in block g % 256
//!   block 256 ..      everything else; a change never writes where the newest durable state has something
//!
//!   a change:   blocks, in any order, several under way at once
//!               FLUSH           now the new state is whole, and nothing names it
//!               header          the next one in the ring
//!               FLUSH           now it is the newest
//! ```
//! RedoxFS itself writes in this order, but knows no flush. Its blocks carry their sums in the blocks above them, and its
//! headers their own, so a header that is found whole names a state that is whole. A header whose write failed is in doubt:
//! later it might turn up and name blocks that are others' by then. It is wiped before anything else is written.

use crate::cache::Cache;
use alloc::boxed::Box;
use alloc::vec::Vec;
use redoxfs::HEADER_RING;
use store::{BLOCK, Block, Device, DeviceError};
use syscall::error::{EIO, ENOSPC, Error, Result};

/// How often a read is tried.
const TRIES: usize = 3;
/// Blocks that are read at once when one is wanted: what lies side by side was mostly written together.
const AHEAD: usize = 8;
/// RedoxFS wants a count of bytes.
const BLOCK_BYTES: u64 = BLOCK as u64;

/// What went through to the disk.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Requests to read.
    pub reads: u64,
    /// Blocks written.
    pub writes: u64,
    /// Flushes.
    pub flushes: u64,
}

/// See the module.
pub struct Region<D> {
    device: D,
    /// First block on the device.
    first: u32,
    blocks: u32,
    cache: Cache,
    ahead: Box<[Block; AHEAD]>,
    /// Headers that may not be believed.
    doubtful: Vec<u32>,
    pub(crate) counts: Counts,
    /// Why the last request failed, for whoever wants to know more than RedoxFS tells.
    pub(crate) failure: Option<DeviceError>,
}

impl<D: Device> Region<D> {
    /// So many blocks of a device from one on, with a cache of so many blocks.
    pub fn new(device: D, first: u32, blocks: u32, cached: usize) -> Region<D> {
        Region {
            device,
            first,
            blocks,
            cache: Cache::new(cached),
            ahead: Box::new([[0; BLOCK]; AHEAD]),
            doubtful: Vec::new(),
            counts: Counts::default(),
            failure: None,
        }
    }

    /// The device.
    pub fn device(&mut self) -> &mut D {
        &mut self.device
    }

    /// The device again.
    pub fn into_device(self) -> D {
        self.device
    }

    /// Blocks in it.
    pub fn blocks(&self) -> u32 {
        self.blocks
    }

    /// The header in a place of the ring; `None` if it cannot be read.
    pub fn header(&mut self, place: u32) -> Option<redoxfs::Header> {
        let mut header = redoxfs::Header::default();
        let mut block = [0; BLOCK];
        self.read_retrying(place, &mut block).ok()?;
        header.copy_from_slice(&block);
        Some(header)
    }

    fn read_retrying(&mut self, block: u32, buffer: &mut [u8]) -> core::result::Result<(), DeviceError> {
        let mut result = Ok(());
        for _ in 0..TRIES {
            self.counts.reads += 1;
            result = self.device.read(self.first + block, buffer);
            if result.is_ok() {
                break;
            }
        }
        result
    }

    /// Puts a block into the cache, with some neighbours if they are not there yet.
    fn fetch(&mut self, number: u32, into: &mut [u8]) -> core::result::Result<(), DeviceError> {
        let most = (AHEAD as u32).min(self.blocks - number);
        let run = (1..most).find(|&next| self.cache.has(number + next)).unwrap_or(most) as usize;
        self.counts.reads += 1;
        let read = self.device.read(self.first + number, self.ahead[..run].as_flattened_mut());
        if read.is_ok() {
            for (next, block) in (number..).zip(&self.ahead[..run]) {
                self.cache.put(next, block);
            }
            into.copy_from_slice(&self.ahead[0]);
        }
        // One bad block must not hide its neighbours.
        read.or_else(|_| self.read_retrying(number, into))
    }

    fn submit(&mut self, number: u32, block: &Block) -> core::result::Result<(), DeviceError> {
        self.wait_for_room()?;
        self.counts.writes += 1;
        self.device.submit_write(self.first + number, block)
    }

    fn wait_for_room(&mut self) -> core::result::Result<(), DeviceError> {
        while self.device.room() == 0 {
            self.device.poll()?;
            core::hint::spin_loop();
        }
        Ok(())
    }

    /// Waits until nothing is under way. Gives the first error.
    fn settle(&mut self) -> core::result::Result<(), DeviceError> {
        let mut result = Ok(());
        loop {
            match self.device.poll() {
                Ok(0) => return result,
                Ok(_) => core::hint::spin_loop(),
                Err(error) => result = result.and(Err(error)),
            }
        }
    }

    /// Returns when everything that was written is durable.
    pub fn flush(&mut self) -> core::result::Result<(), DeviceError> {
        self.settle()?;
        if self.device.has_flush() {
            self.wait_for_room()?;
            self.counts.flushes += 1;
            self.device.submit_flush()?;
            self.settle()?;
        }
        Ok(())
    }

    /// Makes blocks zero, durably.
    pub fn wipe(&mut self, blocks: impl Iterator<Item = u32>) -> core::result::Result<(), DeviceError> {
        for number in blocks {
            self.cache.forget(number);
            self.submit(number, &[0; BLOCK])?;
        }
        self.flush()
    }

    /// Writes blocks that lie side by side; what they replace is forgotten.
    fn put(&mut self, first: u32, bytes: &[u8]) -> core::result::Result<(), DeviceError> {
        let blocks = bytes.as_chunks::<BLOCK>().0;
        for (number, block) in (first..).zip(blocks) {
            // A tree's blocks come alone and are read soon; a file's bytes come in runs and are kept elsewhere.
            if blocks.len() == 1 {
                self.cache.put(number, block)
            } else {
                self.cache.forget(number)
            }
            self.submit(number, block)?;
        }
        Ok(())
    }

    fn put_header(&mut self, place: u32, bytes: &[u8]) -> core::result::Result<(), DeviceError> {
        self.flush()?;
        // From here on the header may be on the disk, whatever the disk says.
        self.doubtful.push(place);
        self.put(place, bytes)?;
        self.flush()?;
        self.doubtful.retain(|&doubtful| doubtful != place);
        Ok(())
    }

    fn write(&mut self, first: u32, bytes: &[u8]) -> core::result::Result<(), DeviceError> {
        if !self.doubtful.is_empty() {
            let doubtful = self.doubtful.clone();
            self.wipe(doubtful.into_iter())?;
            self.doubtful.clear();
        }
        if u64::from(first) < HEADER_RING { self.put_header(first, bytes) } else { self.put(first, bytes) }
    }

    /// A block number of RedoxFS, if so many bytes fit behind it.
    fn place(&self, block: u64, bytes: usize) -> Result<u32> {
        let inside = bytes.is_multiple_of(BLOCK)
            && (bytes as u64 / BLOCK_BYTES).checked_add(block).is_some_and(|end| end <= self.blocks.into());
        if inside { Ok(block as u32) } else { Err(Error::new(EIO)) }
    }

    /// What RedoxFS is told.
    fn fail(&mut self, error: DeviceError) -> Error {
        self.failure = Some(error);
        Error::new(if matches!(error, DeviceError::NoSpace { .. }) { ENOSPC } else { EIO })
    }
}

// SAFETY (of every `unsafe fn` here): the functions are `unsafe` in the trait "to discourage use", they have no contract and
// do nothing unsafe.
#[expect(unsafe_code, reason = "RedoxFS calls its functions unsafe")]
impl<D: Device> redoxfs::Disk for Region<D> {
    unsafe fn read_at(&mut self, block: u64, buffer: &mut [u8]) -> Result<usize> {
        let first = self.place(block, buffer.len())?;
        if buffer.len() == BLOCK {
            if let Some(known) = self.cache.get(first) {
                buffer.copy_from_slice(known);
                return Ok(BLOCK);
            }
            if u64::from(first) < HEADER_RING {
                // A header that cannot be read now, but perhaps next time, must not come back to life.
                if self.read_retrying(first, buffer).is_err() {
                    buffer.fill(0);
                    self.doubtful.push(first);
                }
                return Ok(BLOCK);
            }
            self.fetch(first, buffer).map_err(|error| self.fail(error))?;
        } else {
            self.read_retrying(first, buffer).map_err(|error| self.fail(error))?;
        }
        Ok(buffer.len())
    }

    unsafe fn write_at(&mut self, block: u64, buffer: &[u8]) -> Result<usize> {
        let first = self.place(block, buffer.len())?;
        if let Err(error) = self.write(first, buffer) {
            let _ = self.settle();
            // What is on the disk now is anybody's guess.
            self.cache.clear();
            return Err(self.fail(error));
        }
        Ok(buffer.len())
    }

    fn size(&mut self) -> Result<u64> {
        Ok(u64::from(self.blocks) * BLOCK_BYTES)
    }
}
