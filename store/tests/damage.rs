//! Disks that are damaged, that fail, and that fill up.

mod common;

use common::{Model, identify, import, info, save};
use std::collections::BTreeMap;
use store::fake::{FakeDisk, Faults, Random};
use store::format::{self, SLOTS, SUPERBLOCKS};
use store::{BLOCK, Block, DeviceError, Finding, Health, Record, Store, StoreError, check};

/// A disk with generations 1, 2 and 3, the last two of them alive.
fn disk() -> (Vec<u8>, [Model; 2]) {
    let mut random = Random::new(9);
    let mut model = Model::new(700, 12, &mut random);
    let mut disk = FakeDisk::new(90);
    let mut store = import(&mut disk, &mut model);
    let dirty = model.change(3, &mut random);
    save(&mut store, &mut disk, &mut model, &dirty).unwrap();
    let old = model.clone();
    let dirty = model.change(3, &mut random);
    save(&mut store, &mut disk, &mut model, &dirty).unwrap();
    (disk.platter().to_vec(), [old, model])
}

fn block(platter: &[u8], number: u32) -> Block {
    platter.as_chunks().0[number as usize]
}

fn findings(platter: Vec<u8>) -> Result<Vec<Finding>, StoreError> {
    let mut found = Vec::new();
    check(&mut FakeDisk::with(platter, 1), &mut |finding| found.push(finding))?;
    Ok(found)
}

/// What each block in use is, and of which generations.
fn structures(platter: &[u8]) -> BTreeMap<u32, (&'static str, Vec<u64>)> {
    let mut found: BTreeMap<u32, (&'static str, Vec<u64>)> = BTreeMap::new();
    SUPERBLOCKS.iter().for_each(|&at| _ = found.insert(at, ("superblock", vec![])));
    for at in SLOTS {
        let record = Record::decode(at, 42, &block(platter, at)).expect("three generations fill the slots");
        found.insert(at, ("record", vec![record.generation]));
        if record.generation == 1 {
            continue;
        }
        let mut add = |number: u32, what| {
            let entry = found.entry(number).or_insert((what, vec![]));
            assert_eq!(entry.0, what);
            entry.1.push(record.generation);
        };
        add(record.root, "root");
        let number = |bytes: &[u8]| u32::from_le_bytes(bytes.try_into().unwrap());
        for leaf in block(platter, record.root).chunks(8).map(|entry| number(&entry[..4])).filter(|&leaf| leaf != 0) {
            add(leaf, "leaf");
            for page in block(platter, leaf).chunks(16).map(|entry| number(&entry[..4])).filter(|&page| page != 0) {
                add(page, "page");
            }
        }
    }
    found
}

#[test]
fn every_flipped_bit_is_found_and_an_undamaged_generation_is_taken() {
    let (platter, [old, new]) = disk();
    assert_eq!(findings(platter.clone()), Ok(vec![]));
    let mut random = Random::new(5);
    let mut seen = BTreeMap::new();
    for (&at, (what, generations)) in &structures(&platter) {
        for _ in 0..12 {
            let bit = random.below(BLOCK * 8);
            let mut bytes = platter.clone();
            bytes[at as usize * BLOCK + bit / 8] ^= 1 << (bit % 8);
            let found = findings(bytes.clone()).unwrap();
            let what = *what;
            let fits = |finding: &Finding| match *finding {
                Finding::Superblock { block } => what == "superblock" && block == at,
                Finding::Record { block } => what == "record" && block == at,
                Finding::Map(StoreError::MapDamaged { block, generation, .. }) => {
                    (what == "root" || what == "leaf") && block == at && generations.contains(&generation)
                }
                Finding::Page { block, generation, .. } => {
                    what == "page" && block == at && generations.contains(&generation)
                }
                Finding::Map(_) => false,
            };
            // A lost record of the newest brings the one that it gave up back into sight, and that may be damaged.
            let newest_lost = what == "record" && generations[0] == 3;
            assert!(found.iter().any(fits), "{what} {at}, bit {bit}: {found:?}");
            assert!(newest_lost || found.iter().all(fits), "{what} {at}, bit {bit}: {found:?}");
            *seen.entry(what).or_insert(0) += 1;

            let mut disk = FakeDisk::with(bytes, 1);
            match Store::open(&mut disk) {
                Ok(store) => {
                    let generation = store.current().unwrap().generation;
                    let good = if generation == 3 { &new } else { &old };
                    assert!(generation >= 2, "{what} {at}: generation {generation} is given up");
                    assert_eq!(generation == 3, what == "page" || what == "superblock" || !generations.contains(&3));
                    if what == "page" && generations.contains(&generation) {
                        assert!(good.differs(&store, &mut disk).unwrap().contains("is not what was saved"));
                    } else {
                        assert_eq!(good.differs(&store, &mut disk), None, "{what} {at}");
                    }
                }
                // What both generations share.
                Err(error) => {
                    assert_eq!(error, StoreError::NoCompleteGeneration);
                    assert_eq!((what, generations.len()), ("leaf", 2));
                }
            }
        }
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    println!("flipped bits, all found: {seen:?}");
}

#[test]
fn when_nothing_is_left_the_disk_says_so() {
    let (platter, _) = disk();
    let damaged = |blocks: &[u32]| {
        let mut bytes = platter.clone();
        blocks.iter().for_each(|&at| bytes[at as usize * BLOCK + 9] ^= 0x10);
        Store::open(&mut FakeDisk::with(bytes, 1)).err()
    };
    assert_eq!(damaged(&SLOTS), Some(StoreError::NoCompleteGeneration));
    assert_eq!(damaged(&SUPERBLOCKS), Some(StoreError::NotAStore));
    assert_eq!(Store::open(&mut FakeDisk::new(40)).err(), Some(StoreError::Blank));
    let mut disk = FakeDisk::new(40);
    Store::format(&mut disk, 1).unwrap();
    assert_eq!(Store::open(&mut disk).err(), Some(StoreError::NoWorld));
    let cut = platter[..80 * BLOCK].to_vec();
    assert_eq!(Store::open(&mut FakeDisk::with(cut, 1)).err(), Some(StoreError::Shrunk { has: 80, had: 90 }));
    let mut disk = FakeDisk::with(platter.clone(), 1);
    assert_eq!(Store::open_generation(&mut disk, 1).err(), Some(StoreError::NoSuchGeneration { generation: 1 }));
    for error in [StoreError::NoCompleteGeneration, StoreError::Blank, StoreError::NoWorld, StoreError::NotAStore] {
        assert!(error.to_string().contains(';'), "a message says what to do: {error}");
    }
}

#[test]
fn a_misdirected_record_and_a_stale_one_are_not_believed() {
    let (platter, [_, new]) = disk();
    for from in SLOTS {
        for to in SLOTS.into_iter().filter(|&to| to != from) {
            let record = Record::decode(to, 42, &block(&platter, to)).unwrap();
            let mut bytes = platter.clone();
            let copy = block(&platter, from);
            bytes[to as usize * BLOCK..][..BLOCK].copy_from_slice(&copy);
            let store = Store::open(&mut FakeDisk::with(bytes, 1)).unwrap();
            let expected = if record.generation == 3 { 2 } else { 3 };
            assert_eq!(store.current().unwrap().generation, expected);
        }
    }
    // A disk that was formatted again does not know its former records.
    let mut disk = FakeDisk::with(platter, 1);
    let record = block(disk.platter(), SLOTS[0]);
    Store::format(&mut disk, 43).unwrap();
    disk.platter_mut(|bytes| bytes[SLOTS[0] as usize * BLOCK..][..BLOCK].copy_from_slice(&record));
    assert_eq!(Store::open(&mut disk).err(), Some(StoreError::NoCompleteGeneration));
    import(&mut disk, &mut new.clone());
    assert_eq!(identify(disk.platter().to_vec(), &[&new]), Ok(vec![0]));
}

#[test]
fn failing_writes_and_flushes_leave_the_old_world_and_the_next_save_works() {
    let (platter, [before, old]) = disk();
    let mut random = Random::new(77);
    let mut new = old.clone();
    let dirty = new.change(6, &mut random);
    let mut failures = 0;
    for depth in [1, 4] {
        for number in 0..40u64 {
            for kind in 0..4 {
                let mut disk = FakeDisk::with(platter.clone(), number).with_depth(depth);
                let mut store = Store::open(&mut disk).unwrap();
                disk.faults = match kind {
                    0 => Faults { write: Some((number, 0)), ..Faults::default() },
                    1 => Faults { write: Some((number, 3)), ..Faults::default() },
                    // It says it failed, and has written everything.
                    2 => Faults { write: Some((number, 8)), ..Faults::default() },
                    _ => Faults { flush: Some(number), ..Faults::default() },
                };
                let Err(error) = save(&mut store, &mut disk, &mut new, &dirty) else { continue };
                failures += 1;
                assert!(matches!(error, StoreError::Device(DeviceError::Write { .. } | DeviceError::Flush)), "{error}");
                // The machine goes on in the old world, and whatever happens now, the disk has the old or the new one.
                assert_eq!(old.differs(&store, &mut disk), None);
                let found =
                    identify(disk.after_cut(|_| store::fake::Fate::random(&mut random)), &[&before, &old, &new]);
                assert!(found.as_ref().is_ok_and(|found| found[0] > 0), "{found:?}");
                // A cut anywhere in the next save: the record of the failed one must not come to life.
                let mut third = new.clone();
                let mut more = third.change(4, &mut random);
                more.extend(&dirty);
                disk.faults.power = Some(disk.submitted() + random.below(22) as u64);
                let done = save(&mut store, &mut disk, &mut third, &more).is_ok();
                let platter = disk.after_cut(|_| store::fake::Fate::random(&mut random));
                let found = identify(platter, &[&before, &old, &new, &third]).unwrap()[0];
                assert!(found > 0 && (!done || found == 3));
            }
        }
    }
    assert!(failures > 40, "{failures}");
}

#[test]
fn a_full_disk_refuses_before_it_writes_and_a_sparse_one_when_it_does() {
    let mut random = Random::new(3);
    let mut model = Model::new(700, 20, &mut random);
    let mut disk = FakeDisk::new(34);
    let mut store = import(&mut disk, &mut model);
    let writes = disk.counts.writes;
    let mut new = model.clone();
    let dirty = new.change(12, &mut random);
    let error = save(&mut store, &mut disk, &mut new, &dirty).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert_eq!(disk.counts.writes, writes);
    assert!(!store.is_saving());
    let mut new = model.clone();
    let dirty = new.change(1, &mut random);
    save(&mut store, &mut disk, &mut new, &dirty).unwrap();
    assert_eq!(new.differs(&store, &mut disk), None);

    let mut disk = FakeDisk::new(90);
    let mut store = import(&mut disk, &mut model);
    disk.faults.full_from = Some(30);
    let mut new = model.clone();
    let dirty = new.change(15, &mut random);
    let error = save(&mut store, &mut disk, &mut new, &dirty).unwrap_err();
    assert!(matches!(error, StoreError::Device(DeviceError::NoSpace { .. })), "{error}");
    assert_eq!(model.differs(&store, &mut disk), None);
    assert_eq!(identify(disk.platter().to_vec(), &[&model]), Ok(vec![0]));
}

#[test]
fn reads_that_fail_are_tried_again_and_then_named() {
    let (platter, [_, new]) = disk();
    let mut disk = FakeDisk::with(platter.clone(), 1);
    let store = Store::open(&mut disk).unwrap();
    let (page, at) = (0..700).map(|page| (page, store.entry(page).place.block)).find(|(_, at)| *at != 0).unwrap();
    let mut buffer = [0; BLOCK];
    disk.faults.read = Some((at, 2));
    assert!(store.read_page(&mut disk, page, &mut buffer).is_ok());
    disk.faults.read = Some((at, 9));
    let error = store.read_page(&mut disk, page, &mut buffer).unwrap_err();
    assert_eq!(error, StoreError::Device(DeviceError::Read { sector: u64::from(at) * 8 }));

    // A record that cannot be read now must not come back when its blocks are something else.
    let slot = SLOTS.into_iter().find(|&at| Record::decode(at, 42, &block(&platter, at)).unwrap().generation == 3);
    let mut disk = FakeDisk::with(platter, 1);
    disk.faults.read = Some((slot.unwrap(), 3));
    let mut store = Store::open(&mut disk).unwrap();
    assert_eq!(store.current().unwrap().generation, 2);
    let mut third = new.clone();
    let dirty: Vec<u32> = third.pages.keys().copied().collect();
    disk.faults.power = Some(disk.submitted() + 14);
    assert!(save(&mut store, &mut disk, &mut third, &dirty).is_err());
    let mut disk = FakeDisk::with(disk.after_cut(|_| store::fake::Fate::KEPT), 1);
    let store = Store::open(&mut disk).unwrap();
    assert_eq!(store.current().unwrap().generation, 2);
}

#[test]
fn cost_follows_what_has_changed() {
    let mut random = Random::new(1);
    let mut model = Model::new(60_000, 4000, &mut random);
    let mut disk = FakeDisk::new(9000);
    let mut store = import(&mut disk, &mut model);
    let full = disk.counts;
    let dirty = model.change(40, &mut random);
    save(&mut store, &mut disk, &mut model, &dirty).unwrap();
    let writes = disk.counts.writes - full.writes;
    // The pages, a leaf for each at most, the root, the record.
    assert!(writes <= 40 + 40 + 2, "{writes}");
    assert_eq!(disk.counts.flushes - full.flushes, 2);
    assert_eq!(store.generations()[0].record.written, 40);
    println!("a full save writes {} blocks, one of 1 % of the pages {writes}", full.writes);
}

#[test]
fn a_save_without_flush_and_an_empty_one_work() {
    let mut random = Random::new(8);
    let mut model = Model::new(500, 10, &mut random);
    let mut disk = FakeDisk::new(60).without_flush();
    let mut store = import(&mut disk, &mut model);
    assert_eq!(save(&mut store, &mut disk, &mut model, &[]), Ok(2));
    assert_eq!(store.begin_save([500].into_iter(), &info()), Err(StoreError::PageOutside { page: 500, pages: 500 }));
    let before = model.clone();
    let dirty = model.change(4, &mut random);
    assert_eq!(save(&mut store, &mut disk, &mut model, &dirty), Ok(3));
    assert_eq!(identify(disk.platter().to_vec(), &[&before, &model]), Ok(vec![1, 0]));
    assert_eq!(disk.counts.flushes, 0);
}

#[test]
fn the_generation_before_can_be_chosen_and_saved_from() {
    let (platter, [old, new]) = disk();
    let mut random = Random::new(6);
    let mut disk = FakeDisk::with(platter, 1);
    let mut store = Store::open_generation(&mut disk, 2).unwrap();
    assert_eq!(old.differs(&store, &mut disk), None);
    let mut next = old.clone();
    let dirty = next.change(2, &mut random);
    assert_eq!(save(&mut store, &mut disk, &mut next, &dirty), Ok(4));
    let mut store = Store::open(&mut disk).unwrap();
    assert_eq!(next.differs(&store, &mut disk), None);
    assert_eq!(store.current().unwrap().parent, 2);
    let complete: Vec<u64> = (store.generations().iter().filter(|g| g.health == Health::Complete))
        .map(|generation| generation.record.generation)
        .collect();
    assert_eq!(complete, [4, 3]);
    let other = Store::open_generation(&mut disk, 3).unwrap();
    assert_eq!(new.differs(&other, &mut disk), None);
    // A new world beside the old ones.
    let mut fresh = Model::new(300, 5, &mut random);
    let origin = store.current().unwrap().origin;
    let world = store::NewWorld { layout: 35, pages: 300, origin };
    store.begin_world(&world, fresh.pages.keys().copied().collect::<Vec<_>>().into_iter(), &info()).unwrap();
    assert_eq!(store.finish(&mut disk, &mut fresh), Ok(5));
    assert_eq!(identify(disk.platter().to_vec(), &[&fresh, &next]), Ok(vec![0, 1]));
    assert_eq!(format::VERSION, 1);
}
