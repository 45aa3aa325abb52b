//! Looking at everything on a disk: each structure that is in use, and each page.

use crate::bitmap::Bitmap;
use crate::device::{BLOCK, Device, DeviceError, SECTORS};
use crate::error::StoreError;
use crate::format::{self, Entry, Record, SLOTS, SUPERBLOCKS, Superblock};
use crate::mount::{Slot, by_age, load, read_retrying, read_slots, superblock};
use alloc::vec::Vec;
use core::fmt;

/// Something that is not as it should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finding {
    /// A copy of the superblock.
    Superblock {
        /// Where.
        block: u32,
    },
    /// A slot for a commit record holds something else. A power cut in the last moment of a save does that, and it does
    /// no harm.
    Record {
        /// Where.
        block: u32,
    },
    /// The map of a generation.
    Map(StoreError),
    /// A page of a generation.
    Page {
        /// The generation.
        generation: u64,
        /// The page.
        page: u32,
        /// Where.
        block: u32,
        /// What the disk said, if it could not be read at all.
        error: Option<DeviceError>,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sector = |block: u32| u64::from(block) * SECTORS;
        match *self {
            Self::Superblock { block } => {
                write!(f, "the copy of the superblock in sector {} is damaged; the other copy serves", sector(block))
            }
            Self::Record { block } => write!(
                f,
                "sector {} holds no whole commit record: a save was cut off there, or a generation is lost",
                sector(block)
            ),
            Self::Map(error) => write!(f, "{error}"),
            Self::Page { generation, page, block, error: Some(error) } => {
                write!(f, "page {page:#x} of generation {generation} (sector {}): {error}", sector(block))
            }
            Self::Page { generation, page, block, error: None } => {
                write!(f, "page {page:#x} of generation {generation} (sector {}) is not what was saved", sector(block))
            }
        }
    }
}

/// What was found out about a generation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checked {
    /// Its record.
    pub record: Record,
    /// A later one took its blocks, so nothing was checked.
    pub given_up: bool,
    /// Its map checks out.
    pub map: bool,
    /// Pages that do not check out.
    pub bad_pages: u32,
}

/// What was found out about a disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Summary {
    /// The generations whose records are there, newest first.
    pub generations: Vec<Checked>,
    /// How many findings there were.
    pub findings: u32,
    /// Blocks that were read and compared.
    pub blocks: u32,
}

/// Checks everything, tells `report` what is wrong, and goes on as far as it can.
pub fn check(device: &mut impl Device, report: &mut dyn FnMut(Finding)) -> Result<Summary, StoreError> {
    let mut summary = Summary { generations: Vec::new(), findings: 0, blocks: 0 };
    let mut block = [0; BLOCK];
    let disk = superblock(device, &mut block)?;
    let mut tell = |summary: &mut Summary, finding| {
        summary.findings += 1;
        report(finding);
    };
    for at in SUPERBLOCKS {
        let right =
            read_retrying(device, at, &mut block).is_ok() && Superblock::decode(at, &block).as_ref() == Some(&disk);
        if !right {
            tell(&mut summary, Finding::Superblock { block: at });
        }
        summary.blocks += 1;
    }
    let slots = read_slots(device, disk.id, &mut block);
    for (slot, at) in slots.iter().zip(SLOTS) {
        if *slot == Slot::Bad {
            tell(&mut summary, Finding::Record { block: at });
        }
        summary.blocks += 1;
    }
    let records = by_age(&slots);
    if records.is_empty() && slots.iter().all(|slot| *slot == Slot::Empty) {
        return Err(StoreError::NoWorld);
    }

    // A page that two generations share is read once.
    let mut newer: Option<(Vec<Entry>, Bitmap)> = None;
    for (record, _, given_up) in records {
        let mut checked = Checked { record, given_up, map: false, bad_pages: 0 };
        if !given_up {
            match load(device, &record, disk.blocks) {
                Ok((world, _)) => {
                    checked.map = true;
                    summary.blocks += 1 + world.leaves.iter().filter(|leaf| leaf.block != 0).count() as u32;
                    let mut bad = Bitmap::new(record.pages)?;
                    for (page, entry) in world.map.iter().enumerate().filter(|(_, entry)| entry.place.block != 0) {
                        let shared = newer.as_ref().filter(|(map, _)| map.get(page) == Some(entry));
                        let (wrong, error) = match shared {
                            Some((_, bad)) => (bad.contains(page as u32), None),
                            None => {
                                summary.blocks += 1;
                                let error = read_retrying(device, entry.place.block, &mut block).err();
                                (error.is_some() || format::crc(&block) != entry.place.crc, error)
                            }
                        };
                        if wrong {
                            bad.insert(page as u32);
                            checked.bad_pages += 1;
                            let (generation, page, block) = (record.generation, page as u32, entry.place.block);
                            tell(&mut summary, Finding::Page { generation, page, block, error });
                        }
                    }
                    newer = Some((world.map, bad));
                }
                Err(error @ StoreError::NoMemory { .. }) => return Err(error),
                Err(error) => tell(&mut summary, Finding::Map(error)),
            }
        }
        summary.generations.push(checked);
    }
    Ok(summary)
}
