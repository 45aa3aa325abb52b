//! Finding the worlds on a disk, and reading one.
//!
//! ```text
//!   slots         2: generation 7      3: generation 8      4: torn
//!   kept          8 and 7, if their roots and leaves check out     blocks in use = those that 8 and 7 name
//! ```
//! There is no list of free blocks that could be wrong: what the kept generations do not name is free. Opening a disk
//! writes nothing.

use crate::bitmap::{Bitmap, filled};
use crate::device::{BLOCK, Block, Device, DeviceError};
use crate::error::StoreError;
use crate::format::{
    self, Entry, FIRST_DATA, LEAF_PAGES, MAX_BLOCKS, Place, ROOT_LEAVES, Record, SLOTS, SUPERBLOCKS, Superblock,
    VERSION,
};
use crate::save::Save;
use alloc::vec::Vec;

/// How many generations are kept.
pub(crate) const KEPT: usize = 2;
/// How often a read is tried.
const TRIES: usize = 3;
/// Leaves read at once.
const RUN: usize = 16;

/// Reads, and again if the disk fails.
pub(crate) fn read_retrying(device: &mut impl Device, first: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
    let mut result = device.read(first, buffer);
    for _ in 1..TRIES {
        if result.is_ok() {
            break;
        }
        result = device.read(first, buffer);
    }
    result
}

/// What a slot for a commit record holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Slot {
    /// Zeroes.
    Empty,
    /// Something that is no record of this disk, or cannot be read.
    Bad,
    /// A record.
    Record(Record),
}

/// What can be said about a generation without reading its pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Health {
    /// Its map checks out.
    Complete,
    /// Its map does not.
    Damaged(StoreError),
    /// A later one took its blocks.
    GivenUp,
}

/// A generation whose commit record is on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Generation {
    /// Its record.
    pub record: Record,
    /// What it is worth.
    pub health: Health,
}

/// A complete generation that is not given up.
pub(crate) struct Kept {
    pub(crate) record: Record,
    pub(crate) slot: usize,
    /// The blocks it uses.
    pub(crate) used: Bitmap,
}

/// The map of a generation, in memory.
pub(crate) struct World {
    pub(crate) record: Record,
    /// An entry for each page.
    pub(crate) map: Vec<Entry>,
    /// Where the leaves are; [`ROOT_LEAVES`] of them.
    pub(crate) leaves: Vec<Place>,
}

/// The superblock, from whichever copy checks out.
pub(crate) fn superblock(device: &mut impl Device, block: &mut Block) -> Result<Superblock, StoreError> {
    let mut blank = true;
    let mut failure = None;
    for at in SUPERBLOCKS {
        if u64::from(at) >= device.blocks() {
            continue;
        }
        match read_retrying(device, at, block) {
            Ok(()) => match Superblock::decode(at, block) {
                Some(found) if found.version != VERSION => return Err(StoreError::Version { found: found.version }),
                Some(found) if u64::from(found.blocks) > device.blocks() => {
                    return Err(StoreError::Shrunk { has: device.blocks(), had: found.blocks });
                }
                Some(found) => return Ok(found),
                None => blank &= format::is_zero(block),
            },
            Err(error) => failure = Some(error),
        }
    }
    Err(match failure {
        Some(error) => error.into(),
        None if blank => StoreError::Blank,
        None => StoreError::NotAStore,
    })
}

/// What is in the slots.
pub(crate) fn read_slots(device: &mut impl Device, disk: u64, block: &mut Block) -> [Slot; SLOTS.len()] {
    SLOTS.map(|at| match read_retrying(device, at, block) {
        Ok(()) if format::is_zero(block) => Slot::Empty,
        Ok(()) => Record::decode(at, disk, block).map_or(Slot::Bad, Slot::Record),
        Err(_) => Slot::Bad,
    })
}

/// Records by falling generation, with their slots; and whether a later one says that it was given up.
pub(crate) fn by_age(slots: &[Slot; SLOTS.len()]) -> Vec<(Record, usize, bool)> {
    let mut records: Vec<(Record, usize, bool)> = Vec::new();
    for (index, slot) in slots.iter().enumerate() {
        if let Slot::Record(record) = *slot {
            records.push((record, index, false));
        }
    }
    records.sort_by_key(|(record, ..)| core::cmp::Reverse(record.generation));
    let oldest = records.first().map_or(0, |(record, ..)| record.oldest);
    for (record, _, given_up) in &mut records {
        *given_up = record.generation < oldest;
    }
    records
}

/// Reads and checks the map of a generation.
pub(crate) fn load(device: &mut impl Device, record: &Record, blocks: u32) -> Result<(World, Bitmap), StoreError> {
    let damaged = |block, what| StoreError::MapDamaged { generation: record.generation, block, what };
    let mut used = Bitmap::new(blocks)?;
    let usable = |block: u32| (FIRST_DATA..blocks).contains(&block);
    let mut buffer = filled(RUN * BLOCK, 0u8)?;

    let (root, _) = buffer.split_first_chunk_mut::<BLOCK>().expect("a run has a block");
    if !usable(record.root) {
        return Err(damaged(record.root, "the root of its map"));
    }
    read_retrying(device, record.root, root)?;
    if format::crc(root) != record.root_crc {
        return Err(damaged(record.root, "the root of its map"));
    }
    used.insert(record.root);
    let mut leaves = filled(ROOT_LEAVES as usize, Place::default())?;
    leaves.iter_mut().zip(format::decode_root(root)).for_each(|(leaf, found)| *leaf = found);

    let mut map = filled(record.pages as usize, Entry::default())?;
    let mut index = 0;
    while index < leaves.len() {
        let first = leaves[index].block;
        if first == 0 {
            index += 1;
            continue;
        }
        // Leaves that lie side by side are read together.
        let run = (1..RUN.min(leaves.len() - index))
            .find(|&i| leaves[index + i].block != first.wrapping_add(i as u32))
            .unwrap_or(RUN.min(leaves.len() - index));
        if !usable(first) || !usable(first + run as u32 - 1) {
            return Err(damaged(first, "a leaf of its map"));
        }
        read_retrying(device, first, &mut buffer[..run * BLOCK])?;
        for (i, bytes) in buffer.as_chunks::<BLOCK>().0[..run].iter().enumerate() {
            let place = leaves[index + i];
            let base = (index + i) * LEAF_PAGES as usize;
            if format::crc(bytes) != place.crc || base >= map.len() || !used.insert(place.block) {
                return Err(damaged(place.block, "a leaf of its map"));
            }
            for (page, entry) in format::decode_leaf(bytes).enumerate() {
                let wrong = damaged(place.block, "a leaf with possible entries");
                let entry = entry.ok_or(wrong)?;
                if entry == Entry::default() {
                    continue;
                }
                let block = entry.place.block;
                if block != 0 && (!usable(block) || !used.insert(block)) {
                    return Err(wrong);
                }
                *map.get_mut(base + page).ok_or(wrong)? = entry;
            }
        }
        index += run;
    }
    Ok((World { record: *record, map, leaves }, used))
}

/// A disk with worlds, and the one of them that is open.
pub struct Store {
    pub(crate) id: u64,
    /// Blocks of the disk that are used.
    pub(crate) blocks: u32,
    /// Everything found in the slots, newest first.
    generations: Vec<Generation>,
    /// Newest first, at most [`KEPT`].
    pub(crate) kept: Vec<Kept>,
    pub(crate) world: Option<World>,
    /// Slots that hold, or may hold, a record that must not be believed any more once blocks are reused.
    pub(crate) wipe: [bool; SLOTS.len()],
    /// The greatest number a generation has had.
    pub(crate) last: u64,
    pub(crate) save: Option<Save>,
    /// Where to look for a free block first.
    pub(crate) hint: u32,
}

impl Store {
    /// Makes an empty store of a disk; all that was on it is lost. `id` tells its records from those of a former life,
    /// so it must be new each time.
    pub fn format(device: &mut impl Device, id: u64) -> Result<Store, StoreError> {
        let blocks = device.blocks().min(MAX_BLOCKS.into()) as u32;
        if blocks < FIRST_DATA + 2 {
            return Err(StoreError::TooSmall { has: blocks.into(), needed: u64::from(FIRST_DATA) + 2 });
        }
        let superblock = Superblock { id, version: VERSION, blocks };
        let mut block = [0; BLOCK];
        let mut write = |at: u32, block: &Block| {
            while device.room() == 0 {
                device.poll()?;
            }
            device.submit_write(at, block)
        };
        for at in SLOTS {
            write(at, &block)?;
        }
        for at in SUPERBLOCKS {
            superblock.encode(at, &mut block);
            write(at, &block)?;
        }
        while device.poll()? > 0 {}
        if device.has_flush() {
            device.submit_flush()?;
            while device.poll()? > 0 {}
        }
        Ok(Store::empty(&superblock))
    }

    fn empty(superblock: &Superblock) -> Store {
        Store {
            id: superblock.id,
            blocks: superblock.blocks,
            generations: Vec::new(),
            kept: Vec::new(),
            world: None,
            wipe: [false; SLOTS.len()],
            last: 0,
            save: None,
            hint: FIRST_DATA,
        }
    }

    /// Opens the newest complete generation.
    pub fn open(device: &mut impl Device) -> Result<Store, StoreError> {
        let mut store = Store::scan(device)?;
        let newest = store.kept.first().map(|kept| kept.record);
        match newest {
            Some(record) => store.choose(device, &record)?,
            None if store.generations.is_empty() && store.wipe == [false; SLOTS.len()] => {
                return Err(StoreError::NoWorld);
            }
            None => return Err(StoreError::NoCompleteGeneration),
        }
        Ok(store)
    }

    /// Opens a certain generation.
    pub fn open_generation(device: &mut impl Device, generation: u64) -> Result<Store, StoreError> {
        let mut store = Store::scan(device)?;
        let found = store.generations.iter().find(|found| found.record.generation == generation).copied();
        match found {
            Some(Generation { record, health: Health::Complete }) => store.choose(device, &record)?,
            Some(Generation { health: Health::Damaged(error), .. }) => return Err(error),
            _ => return Err(StoreError::NoSuchGeneration { generation }),
        }
        Ok(store)
    }

    fn choose(&mut self, device: &mut impl Device, record: &Record) -> Result<(), StoreError> {
        let (world, _) = load(device, record, self.blocks)?;
        self.world = Some(world);
        Ok(())
    }

    /// Opens a disk without choosing a generation: to see which there are, or to put a new world beside them.
    pub fn scan(device: &mut impl Device) -> Result<Store, StoreError> {
        let mut block = [0; BLOCK];
        let superblock = superblock(device, &mut block)?;
        let mut store = Store::empty(&superblock);
        let slots = read_slots(device, store.id, &mut block);
        for (record, slot, given_up) in by_age(&slots) {
            store.last = store.last.max(record.generation);
            let health = if given_up || store.kept.len() == KEPT {
                Health::GivenUp
            } else {
                match load(device, &record, store.blocks) {
                    Ok((_, used)) => {
                        store.kept.push(Kept { record, slot, used });
                        Health::Complete
                    }
                    Err(error @ StoreError::NoMemory { .. }) => return Err(error),
                    Err(error) => Health::Damaged(error),
                }
            };
            store.generations.push(Generation { record, health });
        }
        // Records that are not kept must not come back to life when their blocks are used for something else: a later
        // start may be able to read what this one could not. Those that the newest kept record declares given up cannot.
        let oldest = store.kept.first().map_or(0, |kept| kept.record.oldest);
        for (index, slot) in slots.iter().enumerate() {
            let kept = store.kept.iter().any(|kept| kept.slot == index);
            store.wipe[index] = match slot {
                Slot::Empty => false,
                // Torn, most likely; or unreadable, and then it might be anything.
                Slot::Bad => true,
                Slot::Record(record) => !kept && record.generation >= oldest,
            };
        }
        Ok(store)
    }

    /// The generations whose records are on the disk, newest first; as it was opened.
    pub fn generations(&self) -> &[Generation] {
        &self.generations
    }

    /// The record of the generation that is open.
    pub fn current(&self) -> Option<&Record> {
        self.world.as_ref().map(|world| &world.record)
    }

    /// The number by which the disk knows its records.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// How many bytes of the disk are in use, and how many could be.
    pub fn usage(&self) -> (u64, u64) {
        let sets: Vec<&Bitmap> = self.kept.iter().map(|kept| &kept.used).collect();
        let free = Bitmap::count_free(&sets, FIRST_DATA, self.blocks);
        (u64::from(self.blocks - free) * BLOCK as u64, u64::from(self.blocks) * BLOCK as u64)
    }

    /// The map's entry of a page of the open generation; the default for what does not exist.
    pub fn entry(&self, page: u32) -> Entry {
        self.world.as_ref().and_then(|world| world.map.get(page as usize)).copied().unwrap_or_default()
    }

    /// Reads a page of the open generation and checks it. Gives the bits of the Lisp pages that exist; the others are
    /// zeroes. Allocates nothing, so a page fault may call it.
    pub fn read_page(&self, device: &mut impl Device, page: u32, buffer: &mut Block) -> Result<u8, StoreError> {
        let entry = self.entry(page);
        if entry.place.block == 0 {
            buffer.fill(0);
            return Ok(entry.present);
        }
        let generation = self.current().map_or(0, |record| record.generation);
        for _ in 0..TRIES {
            read_retrying(device, entry.place.block, buffer)?;
            if format::crc(buffer) == entry.place.crc {
                return Ok(entry.present);
            }
        }
        Err(StoreError::PageDamaged { generation, page, block: entry.place.block })
    }

    /// The list of generations after a save.
    pub(crate) fn list_kept(&mut self) {
        self.generations.clear();
        let complete = |kept: &Kept| Generation { record: kept.record, health: Health::Complete };
        self.generations.extend(self.kept.iter().map(complete));
    }
}
