//! Worlds in memory, with which those on a disk are compared.
#![allow(dead_code, reason = "each test uses a part")]

use std::collections::BTreeMap;
use store::fake::{FakeDisk, Random};
use store::format::SECTOR;
use store::{
    BLOCK, Block, Health, Name, NewWorld, Origin, PageSource, Progress, SaveInfo, SaveKind, Store, StoreError,
};

/// A world: of each page the Lisp pages that exist, and its bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Model {
    pub size: u32,
    pub pages: BTreeMap<u32, (u8, Box<Block>)>,
}

impl Model {
    /// A world of `pages` pages, spread over an address space of `size`.
    pub fn new(size: u32, pages: u32, random: &mut Random) -> Model {
        let mut model = Model { size, pages: BTreeMap::new() };
        while model.pages.len() < pages as usize {
            let page = random.below(size as usize) as u32;
            model.touch(page, random);
        }
        model
    }

    /// Changes a page.
    pub fn touch(&mut self, page: u32, random: &mut Random) {
        let before = self.pages.get(&page).cloned();
        let (present, bytes) = self.pages.entry(page).or_insert((0, Box::new([0; BLOCK])));
        *present |= random.number() as u8 | 1;
        for (slot, sector) in bytes.chunks_exact_mut(SECTOR).enumerate() {
            if *present & 1 << slot != 0 && random.below(2) == 0 {
                // Sometimes zeroes: new pages that nobody has written to.
                let zero = random.below(4) == 0;
                sector.iter_mut().for_each(|byte| *byte = if zero { 0 } else { random.number() as u8 });
            }
        }
        if before.is_some_and(|(old, old_bytes)| old == *present && old_bytes == *bytes) {
            bytes[0] ^= 1;
        }
    }

    /// Changes so many pages, old and new ones; gives their numbers.
    pub fn change(&mut self, count: usize, random: &mut Random) -> Vec<u32> {
        let mut dirty: Vec<u32> = Vec::new();
        while dirty.len() < count {
            let known = self.pages.keys().nth(random.below(self.pages.len())).copied();
            let page = match known {
                Some(page) if random.below(4) != 0 => page,
                _ => random.below(self.size as usize) as u32,
            };
            self.touch(page, random);
            if !dirty.contains(&page) {
                dirty.push(page);
            }
        }
        dirty
    }

    /// What is wrong with an open generation, if anything is.
    pub fn differs(&self, store: &Store, disk: &mut FakeDisk) -> Option<String> {
        let mut buffer = [0; BLOCK];
        for page in 0..self.size {
            match (store.entry(page).present, self.pages.get(&page)) {
                (0, None) => continue,
                (_, None) => return Some(format!("page {page} exists")),
                (_, Some((present, bytes))) => match store.read_page(disk, page, &mut buffer) {
                    Ok(found) if found == *present && buffer == **bytes => {}
                    Ok(found) if found == *present => return Some(format!("page {page} has other bytes")),
                    Ok(found) => return Some(format!("page {page} has {found:#x} for {present:#x}")),
                    Err(error) => return Some(error.to_string()),
                },
            }
        }
        None
    }
}

impl PageSource for Model {
    fn page(&mut self, page: u32, into: &mut Block) -> Option<u8> {
        let Some((present, bytes)) = self.pages.get(&page) else { return Some(0) };
        // What is in Lisp pages that do not exist must not matter.
        into.fill(0xEE);
        for slot in (0..8).filter(|slot| present & 1 << slot != 0) {
            into[slot * SECTOR..][..SECTOR].copy_from_slice(&bytes[slot * SECTOR..][..SECTOR]);
        }
        Some(*present)
    }
}

pub fn info() -> SaveInfo {
    SaveInfo { date: 1_000_000_000, kind: SaveKind::Save }
}

/// Puts a world on a disk as its first generation.
pub fn import(disk: &mut FakeDisk, model: &mut Model) -> Store {
    let mut store = Store::format(disk, 42).unwrap();
    let origin = Origin { bytes: 1, crc: 2, name: Name::new("model") };
    let new = NewWorld { layout: 2, pages: model.size, origin };
    store.begin_world(&new, model.pages.keys().copied().collect::<Vec<_>>().into_iter(), &info()).unwrap();
    store.finish(disk, model).unwrap();
    store
}

/// Saves what has changed, until it is done or the disk says no.
pub fn save(store: &mut Store, disk: &mut FakeDisk, model: &mut Model, dirty: &[u32]) -> Result<u64, StoreError> {
    store.begin_save(dirty.iter().copied(), &info())?;
    loop {
        if let Progress::Done { generation } = store.step(disk, model, 3)? {
            return Ok(generation);
        }
    }
}

/// Opens a disk; gives the worlds that are complete, newest first, by their places in `models`; those that are no model
/// are a reason to stop.
pub fn identify(platter: Vec<u8>, models: &[&Model]) -> Result<Vec<usize>, String> {
    let mut disk = FakeDisk::with(platter, 1).with_depth(1);
    let store = Store::open(&mut disk).map_err(|error| error.to_string())?;
    let mut found = vec![which(&store, &mut disk, models)?];
    let others = store.generations().iter().skip(1).filter(|other| other.health == Health::Complete);
    for other in others.map(|other| other.record.generation).collect::<Vec<_>>() {
        let store = Store::open_generation(&mut disk, other).map_err(|error| error.to_string())?;
        found.push(which(&store, &mut disk, models)?);
    }
    Ok(found)
}

fn which(store: &Store, disk: &mut FakeDisk, models: &[&Model]) -> Result<usize, String> {
    let mut reasons = String::new();
    for (index, model) in models.iter().enumerate() {
        match model.differs(store, disk) {
            None => return Ok(index),
            Some(reason) => reasons += &format!("; not {index}: {reason}"),
        }
    }
    Err(format!("generation {:?} is no world that was ever saved{reasons}", store.current().map(|r| r.generation)))
}
