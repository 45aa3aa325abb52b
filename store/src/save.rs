//! The saver: from one generation to the next, a few writes at a time.
//!
//! ```text
//!   Wipe?  -> flush     records that must not be believed any more (rare: after a failed save, or when space is short)
//!   Pages               changed pages, to free blocks
//!   Leaves              leaves of the map that name them, to free blocks
//!   Root   -> flush     names the leaves; now the new generation is whole, and nobody knows of it
//!   Record -> flush     into a slot that no kept generation has; now it is the newest
//! ```
//! Nothing that a kept generation uses is written, so until the record is whole the disk holds the old world, and
//! afterwards the new one. A step submits a few writes and returns; between steps Lisp may run, as long as the source
//! gives the pages as they were at [`Store::begin_save`]. In memory, too, the old generation stays the open one until
//! the last flush is done, and reading goes on from it.

use crate::bitmap::{Bitmap, filled};
use crate::device::{BLOCK, Block, Device};
use crate::error::StoreError;
use crate::format::{
    self, Entry, FIRST_DATA, LEAF_PAGES, MAX_PAGES, Origin, Place, ROOT_LEAVES, Record, SLOTS, SaveKind,
};
use crate::mount::{KEPT, Kept, Store, World};
use alloc::boxed::Box;
use alloc::vec::Vec;

/// Where the saver gets pages from.
pub trait PageSource {
    /// Puts a page, in sysout order, into `into`: the bytes of Lisp pages that do not exist are not looked at. Gives a
    /// bit for each Lisp page that exists, or `None` if it cannot; then the save fails. The page is asked for once, and
    /// may change as soon as this returns.
    fn page(&mut self, page: u32, into: &mut Block) -> Option<u8>;
}

/// What a commit record tells about a save.
#[derive(Clone, Copy, Debug)]
pub struct SaveInfo {
    /// When, in seconds since 1970.
    pub date: i64,
    /// Why.
    pub kind: SaveKind,
}

/// What a world is that the disk has not seen before.
#[derive(Clone, Copy, Debug)]
pub struct NewWorld {
    /// 2 for Medley 2.0, 35 for Medley 3.5.
    pub layout: u32,
    /// Pages of 4 KiB in its address space.
    pub pages: u32,
    /// Where it comes from.
    pub origin: Origin,
}

/// How far a save is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    /// More can be done at once: pages done, and pages in all.
    Going {
        /// Pages handed to the disk.
        done: u32,
        /// Pages to save.
        pages: u32,
    },
    /// Nothing can be done before the disk has done something: as before.
    Waiting {
        /// Pages handed to the disk.
        done: u32,
        /// Pages to save.
        pages: u32,
    },
    /// The generation of that number is on the disk and is the open one.
    Done {
        /// Its number.
        generation: u64,
    },
}

/// What has become durable when a flush is done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Wiped,
    Written,
    Committed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// Records to wipe, from a slot on.
    Wipe(usize),
    Pages,
    Leaves,
    Root,
    Record,
    /// Everything is submitted, not everything done.
    Settle(Stage),
    /// The flush is submitted.
    Flush(Stage),
    /// It failed, and writes may still be under way: their blocks must not be used for anything else before they are done.
    Failed(StoreError),
}

/// A save under way.
pub(crate) struct Save {
    phase: Phase,
    /// What will be the record; root, sum and counts come in on the way.
    record: Record,
    slot: usize,
    /// Pages to save, rising.
    dirty: Vec<u32>,
    /// Their new entries.
    entries: Vec<Entry>,
    /// The next leaf to look at.
    leaf: u32,
    /// The leaves of the new generation.
    leaves: Vec<Place>,
    /// The map of a new world; otherwise the open one's is changed at the end.
    fresh: Option<Vec<Entry>>,
    /// Blocks of the new generation.
    used: Bitmap,
    /// A block being put together.
    block: Box<Block>,
    /// Where to look for a free block first.
    hint: u32,
}

impl Store {
    /// Begins to save what has changed: the open generation with the pages that `dirty` names, in any order, as they are
    /// now. Writes nothing yet.
    pub fn begin_save(&mut self, dirty: impl Iterator<Item = u32>, info: &SaveInfo) -> Result<(), StoreError> {
        let world = self.world.as_ref().ok_or(StoreError::NoWorld)?;
        let base = world.record;
        let record = Record { parent: base.generation, date: info.date, kind: info.kind, written: 0, ..base };
        let mut leaves = filled(ROOT_LEAVES as usize, Place::default())?;
        leaves.copy_from_slice(&world.leaves);
        self.begin(dirty, record, leaves, None)
    }

    /// Begins to save a world that has nothing to do with the open one: `pages` are all its pages. What the disk held
    /// stays as the generation before.
    pub fn begin_world(
        &mut self,
        new: &NewWorld,
        pages: impl Iterator<Item = u32>,
        info: &SaveInfo,
    ) -> Result<(), StoreError> {
        let record = Record {
            disk: self.id,
            generation: 0,
            oldest: 0,
            parent: 0,
            date: info.date,
            kind: info.kind,
            layout: new.layout,
            pages: new.pages.min(MAX_PAGES),
            lisp_pages: 0,
            root: 0,
            root_crc: 0,
            written: 0,
            origin: new.origin,
        };
        let leaves = filled(ROOT_LEAVES as usize, Place::default())?;
        let fresh = filled(record.pages as usize, Entry::default())?;
        self.begin(pages, record, leaves, Some(fresh))
    }

    fn begin(
        &mut self,
        pages: impl Iterator<Item = u32>,
        record: Record,
        leaves: Vec<Place>,
        fresh: Option<Vec<Entry>>,
    ) -> Result<(), StoreError> {
        if self.save.is_some() {
            return Err(StoreError::SaveUnderWay);
        }
        let mut dirty = Vec::new();
        for page in pages {
            if page >= record.pages {
                return Err(StoreError::PageOutside { page, pages: record.pages });
            }
            if dirty.len() == dirty.capacity() {
                let bytes = (dirty.len() + 1) * size_of::<u32>();
                dirty.try_reserve(1).map_err(|_| StoreError::NoMemory { bytes })?;
            }
            dirty.push(page);
        }
        dirty.sort_unstable();
        dirty.dedup();
        let entries = filled(dirty.len(), Entry::default())?;
        let base = if fresh.is_none() { record.parent } else { 0 };
        let used = match self.kept.iter().find(|kept| kept.record.generation == base) {
            Some(kept) => kept.used.copy()?,
            None => Bitmap::new(self.blocks)?,
        };
        let changed_leaves = dirty.chunk_by(|a, b| a / LEAF_PAGES == b / LEAF_PAGES).count();
        self.make_room((dirty.len() + changed_leaves + 1) as u32, base)?;

        let generation = self.last + 1;
        let older = self.kept.iter().map(|kept| kept.record.generation).max();
        let record = Record { generation, oldest: older.unwrap_or(generation), ..record };
        let free = |slot: &usize| !self.kept.iter().any(|kept| kept.slot == *slot);
        let preferred = (generation % SLOTS.len() as u64) as usize;
        let slot =
            (0..SLOTS.len()).map(|i| (preferred + i) % SLOTS.len()).find(free).expect("fewer are kept than slots");
        self.save = Some(Save {
            phase: if self.wipe.contains(&true) { Phase::Wipe(0) } else { Phase::Pages },
            record,
            slot,
            dirty,
            entries,
            leaf: 0,
            leaves,
            fresh,
            used,
            block: Box::new([0; BLOCK]),
            hint: self.hint,
        });
        Ok(())
    }

    /// Sees to it that there are so many free blocks. The newest generation and the one that is the base stay; the other
    /// one is given up if need be, because a person who cannot save loses more than one who cannot go back twice.
    fn make_room(&mut self, needed: u32, base: u64) -> Result<(), StoreError> {
        let free = |store: &Store, but: Option<usize>| {
            let sets: Vec<&Bitmap> =
                store.kept.iter().enumerate().filter(|(i, _)| Some(*i) != but).map(|(_, kept)| &kept.used).collect();
            Bitmap::count_free(&sets, FIRST_DATA, store.blocks)
        };
        let mut found = free(self, None);
        if found >= needed {
            return Ok(());
        }
        if self.kept.len() == KEPT {
            // The older one, if the base is the newer one or a new world; else the newer one, which its user has left.
            let victim = usize::from(self.kept[1].record.generation != base);
            found = free(self, Some(victim));
            if found >= needed {
                let kept = self.kept.remove(victim);
                self.wipe[kept.slot] = true;
                return Ok(());
            }
        }
        Err(StoreError::Full { needed, free: found })
    }

    /// Is a save under way?
    pub fn is_saving(&self) -> bool {
        self.save.is_some()
    }

    /// Goes on with the save: handles at most `budget` blocks (at least one), never waits. After an error the save is
    /// over, the old generation is still the open one, and what has changed must be saved again.
    pub fn step(
        &mut self,
        device: &mut impl Device,
        source: &mut impl PageSource,
        budget: usize,
    ) -> Result<Progress, StoreError> {
        let mut save = self.save.take().ok_or(StoreError::NoSave)?;
        match self.advance(&mut save, device, source, budget.max(1)) {
            Ok(true) => Ok(Progress::Done { generation: self.commit(save) }),
            Ok(false) => {
                let done = match save.phase {
                    Phase::Wipe(_) | Phase::Settle(Stage::Wiped) | Phase::Flush(Stage::Wiped) => 0,
                    _ => save.record.written,
                };
                let pages = save.dirty.len() as u32;
                let waits =
                    device.room() == 0 || matches!(save.phase, Phase::Settle(_) | Phase::Flush(_) | Phase::Failed(_));
                self.save = Some(save);
                Ok(if waits { Progress::Waiting { done, pages } } else { Progress::Going { done, pages } })
            }
            Err(error) => Err(error),
        }
    }

    /// Goes on until the save is done.
    pub fn finish(&mut self, device: &mut impl Device, source: &mut impl PageSource) -> Result<u64, StoreError> {
        loop {
            if let Progress::Done { generation } = self.step(device, source, usize::MAX)? {
                return Ok(generation);
            }
            core::hint::spin_loop();
        }
    }

    /// True when the save is done; false when the disk or Lisp should have a turn.
    fn advance(
        &mut self,
        save: &mut Save,
        device: &mut impl Device,
        source: &mut impl PageSource,
        mut budget: usize,
    ) -> Result<bool, StoreError> {
        loop {
            let under_way = match device.poll() {
                Ok(under_way) => under_way,
                Err(error) => {
                    // What failed first is what the user should read.
                    if !matches!(save.phase, Phase::Failed(_)) {
                        save.phase = Phase::Failed(error.into());
                    }
                    return Ok(false);
                }
            };
            let result = match save.phase {
                Phase::Failed(error) if under_way == 0 => return Err(error),
                Phase::Failed(_) => return Ok(false),
                Phase::Settle(_) | Phase::Flush(_) if under_way > 0 => return Ok(false),
                Phase::Settle(stage) if device.has_flush() => {
                    save.phase = Phase::Flush(stage);
                    device.submit_flush().map_err(StoreError::from)
                }
                Phase::Settle(stage) | Phase::Flush(stage) => {
                    save.phase = match stage {
                        Stage::Wiped => {
                            self.wipe = [false; SLOTS.len()];
                            Phase::Pages
                        }
                        Stage::Written => Phase::Record,
                        Stage::Committed => return Ok(true),
                    };
                    Ok(())
                }
                _ if budget == 0 || device.room() == 0 => return Ok(false),
                _ => {
                    budget -= 1;
                    self.submit(save, device, source)
                }
            };
            if let Err(error) = result {
                save.phase = Phase::Failed(error);
            }
        }
    }

    /// Submits one block of the phase, or goes to the next phase.
    fn submit(
        &mut self,
        save: &mut Save,
        device: &mut impl Device,
        source: &mut impl PageSource,
    ) -> Result<(), StoreError> {
        match save.phase {
            Phase::Wipe(slot) => {
                if self.wipe[slot] {
                    save.block.fill(0);
                    device.submit_write(SLOTS[slot], &save.block)?;
                }
                save.phase = if slot + 1 < SLOTS.len() { Phase::Wipe(slot + 1) } else { Phase::Settle(Stage::Wiped) };
            }
            Phase::Pages => match save.dirty.get(save.record.written as usize) {
                Some(&page) => self.submit_page(save, device, source, page)?,
                None => save.phase = Phase::Leaves,
            },
            Phase::Leaves => {
                match save.dirty[save.dirty.partition_point(|&page| page / LEAF_PAGES < save.leaf)..].first() {
                    Some(&page) => self.submit_leaf(save, device, page / LEAF_PAGES)?,
                    None => save.phase = Phase::Root,
                }
            }
            Phase::Root => {
                // Without a changed page the old root serves.
                if !save.dirty.is_empty() || save.record.root == 0 {
                    format::encode_root(&save.leaves, &mut save.block);
                    if save.record.root != 0 {
                        save.used.remove(save.record.root);
                    }
                    let place = self.submit_block(save, device)?;
                    (save.record.root, save.record.root_crc) = (place.block, place.crc);
                }
                save.phase = Phase::Settle(Stage::Written);
            }
            Phase::Record => {
                save.record.encode(SLOTS[save.slot], &mut save.block);
                // From here on the record may be on the disk, whatever the disk says. If the save fails, its blocks will
                // be used for something else, so the record must go first.
                self.wipe[save.slot] = true;
                device.submit_write(SLOTS[save.slot], &save.block)?;
                save.phase = Phase::Settle(Stage::Committed);
            }
            Phase::Settle(_) | Phase::Flush(_) | Phase::Failed(_) => {}
        }
        Ok(())
    }

    /// Submits a page and notes its entry.
    fn submit_page(
        &self,
        save: &mut Save,
        device: &mut impl Device,
        source: &mut impl PageSource,
        page: u32,
    ) -> Result<(), StoreError> {
        let present = source.page(page, &mut save.block).ok_or(StoreError::Source { page })?;
        for (slot, bytes) in save.block.chunks_exact_mut(format::SECTOR).enumerate() {
            if present & 1 << slot == 0 {
                bytes.fill(0);
            }
        }
        let old = match (&save.fresh, &self.world) {
            (None, Some(world)) => world.map[page as usize],
            _ => Entry::default(),
        };
        if old.place.block != 0 {
            save.used.remove(old.place.block);
        }
        let place = if format::is_zero(&save.block[..]) { Place::default() } else { self.submit_block(save, device)? };
        save.entries[save.record.written as usize] = Entry { place, present };
        save.record.written += 1;
        save.record.lisp_pages =
            (save.record.lisp_pages + present.count_ones()).saturating_sub(old.present.count_ones());
        Ok(())
    }

    /// Submits the leaf with that number, made of the old map and the new entries.
    fn submit_leaf(&self, save: &mut Save, device: &mut impl Device, leaf: u32) -> Result<(), StoreError> {
        let pages = leaf * LEAF_PAGES..(leaf + 1) * LEAF_PAGES;
        save.block.fill(0);
        if let (None, Some(world)) = (&save.fresh, &self.world) {
            let old = world.map.iter().skip(pages.start as usize).take(LEAF_PAGES as usize);
            for (index, &entry) in old.enumerate() {
                format::encode_entry(&mut save.block, index, entry);
            }
        }
        let first = save.dirty.partition_point(|&page| page < pages.start);
        for (&page, &entry) in
            save.dirty[first..].iter().zip(&save.entries[first..]).take_while(|(page, _)| **page < pages.end)
        {
            format::encode_entry(&mut save.block, (page - pages.start) as usize, entry);
        }
        let some = !format::is_zero(&save.block[..]);
        let old = save.leaves[leaf as usize];
        if old.block != 0 {
            save.used.remove(old.block);
        }
        save.leaves[leaf as usize] = if some { self.submit_block(save, device)? } else { Place::default() };
        save.leaf = leaf + 1;
        Ok(())
    }

    /// Submits the block that was put together, to a free place.
    fn submit_block(&self, save: &mut Save, device: &mut impl Device) -> Result<Place, StoreError> {
        let mut sets = [&save.used; KEPT + 1];
        for (set, kept) in sets.iter_mut().zip(&self.kept) {
            *set = &kept.used;
        }
        let free = Bitmap::find_free(&sets, FIRST_DATA, save.hint, self.blocks);
        let block = free.ok_or(StoreError::Full { needed: 1, free: 0 })?;
        device.submit_write(block, &save.block)?;
        save.used.insert(block);
        save.hint = block + 1;
        Ok(Place { block, crc: format::crc(&save.block[..]) })
    }

    /// Makes the saved generation the open one.
    fn commit(&mut self, save: Save) -> u64 {
        let Save { record, slot, dirty, entries, leaves, fresh, used, hint, .. } = save;
        self.hint = hint;
        let mut map = match (fresh, self.world.take()) {
            (Some(map), _) => map,
            (None, Some(world)) => world.map,
            (None, None) => Vec::new(),
        };
        for (&page, &entry) in dirty.iter().zip(&entries) {
            map[page as usize] = entry;
        }
        self.wipe[slot] = false;
        self.last = record.generation;
        self.kept.insert(0, Kept { record, slot, used });
        self.kept.truncate(KEPT);
        self.world = Some(World { record, map, leaves });
        self.list_kept();
        record.generation
    }
}
