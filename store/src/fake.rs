//! A strict disk for tests: it promises no more than real ones, and forgets what real ones may forget.
//!
//! ```text
//!   submit_write --copy-->  under way  --poll, in any order-->  cache (unflushed)  --flush-->  platter
//!                                                                    |
//!                                             power cut: each write kept, lost, or any of its sectors torn
//! ```
//! A read sees platter and cache, not what is under way. A flush makes durable what was in the cache when it was
//! submitted. After a power cut the platter is all there is.

use crate::device::{BLOCK, Block, Device, DeviceError, SECTOR, SECTORS};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;

/// A generator of numbers that are random enough for tests: xorshift64*.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Starts a row of numbers.
    pub fn new(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 8
    }

    /// A number less than `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit.max(1) as u64) as usize
    }
}

/// A write that a power cut may lose.
#[derive(Clone)]
pub struct Unflushed {
    /// Where.
    pub block: u32,
    /// What.
    pub data: Box<Block>,
}

/// What happens to an unflushed write when the power goes: which sectors reach the platter, and one that is garbage.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fate {
    /// Bit i: sector i is written.
    pub sectors: u8,
    /// A sector that is neither old nor new.
    pub garbage: Option<u8>,
}

impl Fate {
    /// Nothing reaches the platter.
    pub const LOST: Fate = Fate { sectors: 0, garbage: None };
    /// All of it does.
    pub const KEPT: Fate = Fate { sectors: 0xFF, garbage: None };

    /// Any fate.
    pub fn random(random: &mut Random) -> Fate {
        match random.below(8) {
            0..3 => Fate::LOST,
            3..6 => Fate::KEPT,
            6 => Fate { sectors: random.number() as u8, garbage: None },
            _ => Fate { sectors: random.number() as u8, garbage: Some(random.below(8) as u8) },
        }
    }
}

enum UnderWay {
    Write(Unflushed),
    /// Makes so many of the cache's first writes durable.
    Flush(usize),
}

/// What went through a disk.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Blocks read.
    pub reads: u64,
    /// Blocks written.
    pub writes: u64,
    /// Flushes.
    pub flushes: u64,
}

/// What shall go wrong.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Faults {
    /// Reads of this block fail so many times.
    pub read: Option<(u32, u32)>,
    /// The write with this number (counted from 0) fails; so many of its sectors are written.
    pub write: Option<(u64, u8)>,
    /// The flush with this number fails, and loses what it should have made durable.
    pub flush: Option<u64>,
    /// Blocks from here on have no room behind them.
    pub full_from: Option<u32>,
    /// The power goes when so many writes and flushes were submitted: nothing works any more.
    pub power: Option<u64>,
}

/// A disk in memory.
pub struct FakeDisk {
    platter: Vec<u8>,
    /// What reads see in place of the platter.
    cache: BTreeMap<u32, Box<Block>>,
    unflushed: Vec<Unflushed>,
    under_way: Vec<UnderWay>,
    errors: Vec<DeviceError>,
    /// Requests that can be under way.
    depth: usize,
    flushes: bool,
    random: Random,
    submitted: u64,
    gone: bool,
    /// What went through it.
    pub counts: Counts,
    /// What shall go wrong.
    pub faults: Faults,
}

impl FakeDisk {
    /// A disk of zeroes.
    pub fn new(blocks: u32) -> FakeDisk {
        FakeDisk::with(vec![0; blocks as usize * BLOCK], 1)
    }

    /// A disk with something on it.
    pub fn with(platter: Vec<u8>, seed: u64) -> FakeDisk {
        FakeDisk {
            platter,
            cache: BTreeMap::new(),
            unflushed: Vec::new(),
            under_way: Vec::new(),
            errors: Vec::new(),
            depth: 5,
            flushes: true,
            random: Random::new(seed),
            submitted: 0,
            gone: false,
            counts: Counts::default(),
            faults: Faults::default(),
        }
    }

    /// The same disk without flushes: every write that is done is durable.
    pub fn without_flush(mut self) -> FakeDisk {
        self.flushes = false;
        self
    }

    /// The same disk with another queue depth.
    pub fn with_depth(mut self, depth: usize) -> FakeDisk {
        self.depth = depth;
        self
    }

    /// How many writes and flushes were submitted.
    pub fn submitted(&self) -> u64 {
        self.submitted
    }

    /// What is durable.
    pub fn platter(&self) -> &[u8] {
        &self.platter
    }

    /// What is durable, to damage it; forgets all that is not.
    pub fn platter_mut(&mut self, damage: impl FnOnce(&mut [u8])) {
        damage(&mut self.platter);
        self.cache.clear();
        self.unflushed.clear();
        self.under_way.clear();
    }

    /// Writes that a power cut now might lose: those in the cache, and those under way.
    pub fn losable(&self) -> Vec<Unflushed> {
        let under_way = self.under_way.iter().filter_map(|request| match request {
            UnderWay::Write(write) => Some(write.clone()),
            UnderWay::Flush(_) => None,
        });
        self.unflushed.iter().cloned().chain(under_way).collect()
    }

    /// The platter after a power cut in which each losable write has the fate that `fate` gives it.
    pub fn after_cut(&self, mut fate: impl FnMut(usize) -> Fate) -> Vec<u8> {
        let mut platter = self.platter.clone();
        for (index, write) in self.losable().iter().enumerate() {
            apply(block_of(&mut platter, write.block), write, fate(index));
        }
        platter
    }

    fn submit(&mut self, request: UnderWay) -> Result<(), DeviceError> {
        assert!(self.under_way.len() < self.depth, "more was submitted than there is room for");
        self.gone |= self.faults.power == Some(self.submitted);
        if self.gone {
            return Err(DeviceError::Gone);
        }
        self.submitted += 1;
        self.under_way.push(request);
        Ok(())
    }

    /// Completes one request.
    fn complete(&mut self, index: usize) {
        match self.under_way.remove(index) {
            UnderWay::Write(write) => {
                let number = self.counts.writes;
                self.counts.writes += 1;
                let sector = u64::from(write.block) * SECTORS;
                let mut fate = Fate::KEPT;
                if self.faults.full_from.is_some_and(|limit| write.block >= limit) {
                    self.errors.push(DeviceError::NoSpace { sector });
                    return;
                }
                if let Some((failing, sectors)) = self.faults.write
                    && failing == number
                {
                    self.errors.push(DeviceError::Write { sector });
                    fate = Fate { sectors: ((1u16 << sectors.min(8)) - 1) as u8, garbage: None };
                }
                let platter = block_of(&mut self.platter, write.block);
                if !self.flushes {
                    apply(platter, &write, fate);
                    return;
                }
                let seen = self.cache.entry(write.block).or_insert_with(|| Box::new(*platter));
                apply(seen, &write, fate);
                self.unflushed.push(Unflushed { block: write.block, data: seen.clone() });
            }
            UnderWay::Flush(count) => {
                let number = self.counts.flushes;
                self.counts.flushes += 1;
                let fails = self.faults.flush == Some(number);
                for write in self.unflushed.drain(..count) {
                    let fate = if fails { Fate::LOST } else { Fate::KEPT };
                    apply(block_of(&mut self.platter, write.block), &write, fate);
                }
                // What a failed flush could not write is gone from the cache, too, and reads show it.
                self.cache.clear();
                for write in &self.unflushed {
                    self.cache.insert(write.block, write.data.clone());
                }
                if fails {
                    self.errors.push(DeviceError::Flush);
                }
            }
        }
    }
}

fn block_of(bytes: &mut [u8], block: u32) -> &mut Block {
    &mut bytes.as_chunks_mut().0[block as usize]
}

fn apply(block: &mut Block, write: &Unflushed, fate: Fate) {
    let sectors = block.chunks_exact_mut(SECTOR).zip(write.data.chunks_exact(SECTOR));
    for (sector, (target, data)) in sectors.enumerate() {
        if fate.garbage == Some(sector as u8) {
            target.iter_mut().zip(data).enumerate().for_each(|(i, (t, d))| *t = t.rotate_left(3) ^ d ^ i as u8);
        } else if fate.sectors & 1 << sector != 0 {
            target.copy_from_slice(data);
        }
    }
}

impl Device for FakeDisk {
    fn blocks(&self) -> u64 {
        (self.platter.len() / BLOCK) as u64
    }

    fn has_flush(&self) -> bool {
        self.flushes
    }

    fn read(&mut self, first: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        assert!(buffer.len().is_multiple_of(BLOCK), "whole blocks are read");
        if self.gone {
            return Err(DeviceError::Gone);
        }
        let sector = u64::from(first) * SECTORS;
        let count = (buffer.len() / BLOCK) as u32;
        if u64::from(first) + u64::from(count) > self.blocks() {
            return Err(DeviceError::PastEnd { sector, sectors: self.blocks() * SECTORS });
        }
        let read = first..first + count;
        for request in &self.under_way {
            if let UnderWay::Write(write) = request {
                assert!(!read.contains(&write.block), "a block is read while it is being written");
            }
        }
        if let Some((block, times)) = &mut self.faults.read
            && read.contains(block)
            && *times > 0
        {
            *times -= 1;
            buffer.fill(0xA5);
            return Err(DeviceError::Read { sector });
        }
        self.counts.reads += u64::from(count);
        buffer.copy_from_slice(&self.platter[first as usize * BLOCK..][..buffer.len()]);
        for (block, data) in self.cache.range(read) {
            buffer[(block - first) as usize * BLOCK..][..BLOCK].copy_from_slice(&data[..]);
        }
        Ok(())
    }

    fn room(&mut self) -> usize {
        self.depth - self.under_way.len()
    }

    fn submit_write(&mut self, block: u32, data: &Block) -> Result<(), DeviceError> {
        let sector = u64::from(block) * SECTORS;
        if u64::from(block) >= self.blocks() {
            return Err(DeviceError::PastEnd { sector, sectors: self.blocks() * SECTORS });
        }
        for request in &self.under_way {
            if let UnderWay::Write(write) = request {
                assert_ne!(write.block, block, "a block is written while it is being written");
            }
        }
        self.submit(UnderWay::Write(Unflushed { block, data: Box::new(*data) }))
    }

    fn submit_flush(&mut self) -> Result<(), DeviceError> {
        assert!(self.flushes, "a disk that has no flush is told to flush");
        self.submit(UnderWay::Flush(self.unflushed.len()))
    }

    fn poll(&mut self) -> Result<usize, DeviceError> {
        if self.gone {
            return Ok(0);
        }
        if self.depth == 1 {
            // A disk that does everything at once.
            while !self.under_way.is_empty() {
                self.complete(0);
            }
        } else if !self.under_way.is_empty() {
            for _ in 0..self.random.below(self.under_way.len() + 1) {
                let index = self.random.below(self.under_way.len());
                self.complete(index);
            }
        }
        match self.errors.pop() {
            Some(error) => Err(error),
            None => Ok(self.under_way.len()),
        }
    }
}
