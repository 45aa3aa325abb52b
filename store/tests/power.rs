//! Cuts the power after every write of a save, with every or many a choice of what the disk's cache loses, and again
//! while the machine recovers. Each time the disk must hold exactly the old or exactly the new world.
//!
//! `STORE_CUTS=N` makes N random cuts instead of the usual few thousand (after the exhaustive ones).

mod common;

use common::{Model, identify, import, save};
use store::fake::{FakeDisk, Fate, Random};
use store::{Store, StoreError};

/// What was seen.
#[derive(Default, Debug)]
struct Tally {
    cuts: u64,
    old: u64,
    new: u64,
}

/// Before: the disk with two generations, `before` and `old`. After: `new`, which differs in `dirty`.
struct Scene {
    platter: Vec<u8>,
    before: Model,
    old: Model,
    new: Model,
    dirty: Vec<u32>,
    /// There is room for three generations, so that the one before must survive, too.
    roomy: bool,
}

impl Scene {
    /// `None` when the disk is too small to save what has changed.
    fn new(seed: u64, pages: u32, first: usize, second: usize, blocks: u32) -> Option<Scene> {
        let mut random = Random::new(seed);
        let before = Model::new(700, pages, &mut random);
        let mut disk = FakeDisk::new(blocks);
        let mut store = import(&mut disk, &mut before.clone());
        let mut old = before.clone();
        let dirty = old.change(first, &mut random);
        save(&mut store, &mut disk, &mut old, &dirty).ok()?;
        let mut new = old.clone();
        let dirty = new.change(second, &mut random);
        let (used, all) = store.usage();
        // Pages, three leaves at most, and the root.
        let roomy = (all - used) / 4096 >= second as u64 + 4;
        let scene = Scene { platter: disk.platter().to_vec(), before, old, new, dirty, roomy };
        scene.cut_at(u64::MAX, 1).1.then_some(scene)
    }

    /// On the smallest disk on which the save is possible at all.
    fn tight(seed: u64, pages: u32, first: usize, second: usize) -> Scene {
        (2 * pages + 9..)
            .find_map(|blocks| Scene::new(seed, pages, first, second, blocks))
            .expect("some disk is large enough")
    }

    /// The disk when so many writes and flushes were submitted; `None` when the save was over before.
    fn cut_at(&self, power: u64, depth: usize) -> (FakeDisk, bool) {
        let mut disk = FakeDisk::with(self.platter.clone(), power * 31 + depth as u64).with_depth(depth);
        let mut store = Store::open(&mut disk).unwrap();
        disk.faults.power = Some(power);
        let done = save(&mut store, &mut disk, &mut self.new.clone(), &self.dirty).is_ok();
        (disk, done)
    }

    /// Checks what a cut has left. Says whether it is the new world.
    fn judge(&self, platter: Vec<u8>, must_be_new: bool, tally: &mut Tally, what: impl Fn() -> String) -> bool {
        let found = identify(platter, &[&self.before, &self.old, &self.new])
            .unwrap_or_else(|reason| panic!("{}: {reason}", what()));
        tally.cuts += 1;
        match found[0] {
            1 => tally.old += 1,
            2 => tally.new += 1,
            _ => panic!("{}: the world before the old one came back", what()),
        }
        assert!(found[0] == 2 || !must_be_new, "{}: the save was done, and the old world is back", what());
        if self.roomy {
            assert_eq!(found.get(1), Some(&(found[0] - 1)), "{}: the generation before is lost", what());
        }
        found[0] == 2
    }
}

/// Every cut, and of what was not flushed every subset of writes; every torn sector pattern of the last one.
fn exhaustive(scene: &Scene, tally: &mut Tally) {
    for power in 0.. {
        let (disk, done) = scene.cut_at(power, 3);
        let losable = disk.losable().len();
        assert!(losable <= 12, "{losable} writes are too many for every subset");
        for subset in 0..1u32 << losable {
            let fate = |i: usize| if subset & 1 << i != 0 { Fate::KEPT } else { Fate::LOST };
            scene.judge(disk.after_cut(fate), done, tally, || format!("cut {power}, subset {subset:#b}"));
        }
        for torn in 0..losable {
            for sectors in [1, 2, 0x0F, 0x7F, 0x80, 0xF0, 0xFE] {
                for garbage in [None, Some(0), Some(7)] {
                    let fate = |i| if i == torn { Fate { sectors, garbage } } else { Fate::KEPT };
                    let what = || format!("cut {power}, write {torn} torn {sectors:#x} {garbage:?}");
                    scene.judge(disk.after_cut(fate), done, tally, what);
                }
            }
        }
        if done {
            return;
        }
    }
}

/// A cut at a random place of a random save, and then another one in the save after it, from what was found.
fn random(seed: u64, tally: &mut Tally) {
    let mut random = Random::new(seed);
    let pages = 3 + random.below(12) as u32;
    let (first, second) = (1 + random.below(6), 1 + random.below(16));
    // From hardly enough, where the older generation must be given up, to plenty.
    let blocks = 2 * pages + 25 + random.below(40) as u32;
    let Some(scene) = Scene::new(seed, pages, first, second, blocks) else { return };
    let depth = 1 + random.below(8);
    let power = random.below(second + 12) as u64;
    let (disk, done) = scene.cut_at(power, depth);
    let mut cut = None;
    for _ in 0..3 {
        let mut fates = random.clone();
        random.number();
        let platter = disk.after_cut(|_| Fate::random(&mut fates));
        let is_new = scene.judge(platter.clone(), done, tally, || format!("seed {seed}, cut {power} of depth {depth}"));
        cut = Some((platter, is_new));
    }
    let Some((platter, is_new)) = cut else { return };

    // The machine starts again, saves again, and the power goes again.
    let old = if is_new { &scene.new } else { &scene.old };
    let mut new = old.clone();
    let dirty = new.change(1 + random.below(12), &mut random);
    let again = random.below(dirty.len() + 14) as u64;
    let mut disk = FakeDisk::with(platter, seed).with_depth(depth);
    let mut store = Store::open(&mut disk).unwrap();
    disk.faults.power = Some(again);
    let done = match save(&mut store, &mut disk, &mut new.clone(), &dirty) {
        Ok(_) => true,
        Err(StoreError::Device(_)) => false,
        // Even one generation and all new pages do not fit: then nothing has happened.
        Err(StoreError::Full { .. }) => return,
        Err(error) => panic!("seed {seed}: {error}"),
    };
    let mut worlds = vec![&scene.before, &scene.old, &scene.new];
    worlds.push(&new);
    let platter = disk.after_cut(|_| Fate::random(&mut random));
    let found = identify(platter.clone(), &worlds).unwrap_or_else(|reason| panic!("seed {seed}, second cut: {reason}"));
    tally.cuts += 1;
    let was = if is_new { 2 } else { 1 };
    assert!(found[0] == 3 || found[0] == was && !done, "seed {seed}: after the second cut world {} is there", found[0]);
    if found[0] == 3 {
        tally.new += 1
    } else {
        tally.old += 1
    }

    // And at last the machine may work.
    let mut disk = FakeDisk::with(platter, seed);
    let mut store = Store::open(&mut disk).unwrap();
    let mut last = worlds[found[0]].clone();
    let dirty = last.change(3, &mut random);
    save(&mut store, &mut disk, &mut last, &dirty).unwrap();
    assert_eq!(identify(disk.platter().to_vec(), &[&last, worlds[found[0]]]).unwrap()[0], 0, "seed {seed}");
}

#[test]
fn every_cut_leaves_the_old_or_the_new_world() {
    let mut tally = Tally::default();
    let mut roomy = 0;
    for scene in [
        Scene::new(1, 6, 2, 4, 60).expect("there is room"),
        Scene::new(2, 5, 1, 2, 50).expect("there is room"),
        Scene::new(3, 5, 1, 1, 50).expect("there is room"),
        // Here the generation before must be given up first.
        Scene::tight(4, 6, 4, 5),
        Scene::tight(5, 4, 4, 4),
    ] {
        roomy += u32::from(scene.roomy);
        exhaustive(&scene, &mut tally);
    }
    assert_eq!(roomy, 3);
    println!("power cuts, exhaustive: {} ({} old world, {} new world)", tally.cuts, tally.old, tally.new);
    // Nearly all cuts are before the one write that counts.
    assert!(tally.old > 3000 && tally.new >= 10, "{tally:?}");
}

#[test]
fn random_cuts_and_second_cuts_leave_the_old_or_the_new_world() {
    let wanted = std::env::var("STORE_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let mut tally = Tally::default();
    let mut seed = 1000;
    while tally.cuts < wanted {
        random(seed, &mut tally);
        seed += 1;
    }
    println!("power cuts, random, with second cuts: {} ({} old world, {} new world)", tally.cuts, tally.old, tally.new);
    assert!(tally.old * 10 > tally.cuts && tally.new * 10 > tally.cuts, "{tally:?}");
}
