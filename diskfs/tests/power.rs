//! Cuts the power after every write of work with files, with every or many a choice of what the disk's cache loses, and
//! again while the machine recovers. Each time the disk must open, check clean, and hold what was there before the
//! operation that was cut off, or after it, or between two of its steps that are known; and whatever was closed or synced.
//!
//! `DISKFS_CUTS=N` makes N random cuts instead of the usual ten thousand (after those that try every subset).

mod common;

use common::{clean, options, path, platter, read};
use diskfs::{DiskVolume, Made, make, share};
use files::{Kind, PathBuf, Volume, VolumeError};
use std::collections::BTreeMap;
use store::fake::{FakeDisk, Fate, Random};
use store::layout::Part;
use store::{Block, Name, NewWorld, Origin, PageSource, Progress, SaveInfo, SaveKind, Store};

/// Names with their bytes; directories have none.
type Tree = BTreeMap<String, Option<Vec<u8>>>;

#[derive(Clone, Debug)]
enum Operation {
    /// Makes a file, in two steps: the name, and the bytes.
    Make(String, Vec<u8>),
    /// Gives a file other bytes.
    Replace(String, Vec<u8>),
    /// Adds bytes and syncs, then adds more and closes.
    Append(String, Vec<u8>, Vec<u8>),
    Rename(String, String),
    Remove(String),
    /// Removes a file while it is open.
    RemoveOpen(String),
    Directory(String),
    Link(String, String),
}

use Operation::*;

impl Operation {
    /// What the disk may hold when the operation is cut off, in order; the last is the state when it is done.
    fn states(&self, before: &Tree) -> Vec<Tree> {
        let mut states = vec![before.clone()];
        let mut after = before.clone();
        match self.clone() {
            Make(name, bytes) => {
                after.insert(name.clone(), Some(Vec::new()));
                states.push(after.clone());
                after.insert(name, Some(bytes));
            }
            Replace(name, bytes) => drop(after.insert(name, Some(bytes))),
            Append(name, some, more) => {
                let mut bytes = after[&name].clone().unwrap();
                bytes.extend(some);
                after.insert(name.clone(), Some(bytes.clone()));
                states.push(after.clone());
                bytes.extend(more);
                after.insert(name, Some(bytes));
            }
            Rename(from, to) => {
                let content = after.remove(&from).unwrap();
                after.insert(to, content);
            }
            Remove(name) | RemoveOpen(name) => drop(after.remove(&name)),
            Directory(name) => drop(after.insert(name, None)),
            Link(from, to) => drop(after.insert(to, after[&from].clone())),
        }
        states.push(after);
        states
    }

    fn run(&self, volume: &mut dyn Volume) -> files::Result<()> {
        match self {
            Make(name, bytes) => common::write(volume, name, bytes),
            Replace(name, bytes) => {
                let file = volume.open(&path(name), true)?;
                volume.set_length(file, 0)?;
                volume.write(file, 0, bytes)?;
                volume.close(file)
            }
            Append(name, some, more) => {
                let file = volume.open(&path(name), true)?;
                let at = volume.attributes_of_open(file)?.length;
                volume.write(file, at, some)?;
                volume.sync(file)?;
                volume.write(file, at + some.len() as u64, more)?;
                volume.close(file)
            }
            Rename(from, to) => volume.rename(&path(from), &path(to)),
            Remove(name) => volume.remove(&path(name)),
            RemoveOpen(name) => {
                let file = volume.open(&path(name), false)?;
                volume.remove(&path(name))?;
                volume.close(file)
            }
            Directory(name) => volume.create_directory(&path(name)),
            Link(from, to) => volume.link(&path(from), &path(to)),
        }
    }
}

/// What a volume holds.
fn tree(volume: &mut dyn Volume) -> files::Result<Tree> {
    fn walk(volume: &mut dyn Volume, directory: &PathBuf, tree: &mut Tree) -> files::Result<()> {
        let entries = volume.entries(directory)?;
        let names: Vec<(String, Option<Kind>)> = entries.iter().map(|entry| (entry.name.into(), entry.kind)).collect();
        for (name, kind) in names {
            let mut path = directory.clone();
            path.push(name);
            if kind == Some(Kind::Directory) {
                tree.insert(path.join("/"), None);
                walk(volume, &path, tree)?;
            } else {
                let bytes = read(volume, &path)?;
                tree.insert(path.join("/"), Some(bytes));
            }
        }
        Ok(())
    }
    let mut tree = Tree::new();
    walk(volume, &PathBuf::new(), &mut tree)?;
    Ok(tree)
}

fn bytes(random: &mut Random, count: usize) -> Vec<u8> {
    let seed = random.number();
    (0..count as u64).map(|i| (seed.wrapping_add(i * i * 31) >> (i % 5)) as u8).collect()
}

/// Any operation that makes sense.
fn operation(random: &mut Random, tree: &Tree) -> Operation {
    let files: Vec<&String> = tree.iter().filter(|(_, content)| content.is_some()).map(|(name, _)| name).collect();
    let directories: Vec<&String> =
        tree.iter().filter(|(_, content)| content.is_none()).map(|(name, _)| name).collect();
    let fresh = |random: &mut Random| {
        let name = format!("new-{}.lisp", random.below(1000));
        match directories.is_empty() || random.below(2) == 0 {
            true => name,
            false => format!("{}/{name}", directories[random.below(directories.len())]),
        }
    };
    let limit = [50, 5000, 50_000][random.below(3)];
    let count = random.below(limit);
    let content = bytes(random, count);
    let name = fresh(random);
    let other = (!files.is_empty()).then(|| files[random.below(files.len())].clone());
    match (random.below(9), other) {
        _ if tree.contains_key(&name) => Directory(format!("d{}", random.number())),
        (0, _) => Directory(format!("d{}", random.number())),
        (1, Some(other)) => Replace(other, content),
        (2, Some(other)) => Append(other, content, bytes(random, 700)),
        (3, Some(other)) => Rename(other, name),
        (4, Some(other)) => Rename(other, files[random.below(files.len())].clone()),
        (5, Some(other)) => Remove(other),
        (6, Some(other)) => RemoveOpen(other),
        (7, Some(other)) => Link(other, name),
        _ => Make(name, content),
    }
}

/// Operations, with what the disk may hold during each.
struct Script {
    operations: Vec<Operation>,
    states: Vec<Vec<Tree>>,
}

impl Script {
    fn random(random: &mut Random, before: &Tree, count: usize) -> Script {
        let (mut operations, mut states, mut tree) = (Vec::new(), Vec::new(), before.clone());
        while operations.len() < count {
            let next = operation(random, &tree);
            // Two names of one file are two files of the same bytes to a map of names, so those are not written to.
            let alike = |name: &String| tree.values().filter(|content| **content == tree[name]).count() > 1;
            let writes = matches!(&next, Replace(name, _) | Append(name, ..) if alike(name));
            let same = matches!(&next, Rename(from, to) if from == to || tree.get(from) == tree.get(to));
            if writes || same {
                continue;
            }
            let during = next.states(&tree);
            tree = during.last().unwrap().clone();
            operations.push(next);
            states.push(during);
        }
        Script { operations, states }
    }

    /// Runs until the power goes. Says which operation was cut off.
    fn run(&self, volume: &mut dyn Volume) -> usize {
        for (number, operation) in self.operations.iter().enumerate() {
            match operation.run(volume) {
                Ok(()) => {}
                Err(VolumeError::Device) => return number,
                Err(error) => panic!("{operation:?}: {error}"),
            }
        }
        self.operations.len()
    }

    /// What may be there when operation `cut` was cut off.
    fn possible(&self, cut: usize) -> &[Tree] {
        match self.states.get(cut) {
            Some(states) => states,
            None => &self.states[cut - 1][self.states[cut - 1].len() - 1..],
        }
    }
}

#[derive(Default, Debug)]
struct Tally {
    cuts: u64,
    old: u64,
    new: u64,
    between: u64,
}

impl Tally {
    fn print(&self, what: &str) {
        let Tally { cuts, old, new, between } = self;
        println!("files, power cuts, {what}: {cuts} ({old} before, {new} after, {between} between)");
    }
}

/// Opens what a cut has left, checks it, and says what is there.
fn recover(platter: Vec<u8>, possible: &[Tree], tally: &mut Tally, what: &str) -> Tree {
    let mut volume = DiskVolume::open(FakeDisk::with(platter, 5).with_depth(1), options())
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    clean(&mut volume).unwrap_or_else(|findings| panic!("{what}: {findings}"));
    let found = tree(&mut volume).unwrap_or_else(|error| panic!("{what}: {error}"));
    let Some(state) = possible.iter().rposition(|state| *state == found) else {
        let names =
            |tree: &Tree| format!("{:?}", tree.iter().map(|(n, b)| (n, b.as_ref().map(Vec::len))).collect::<Vec<_>>());
        let all: Vec<String> = possible.iter().map(names).collect();
        panic!("{what}: {} is none of\n{}", names(&found), all.join("\n"));
    };
    tally.cuts += 1;
    match state {
        _ if state + 1 == possible.len() => tally.new += 1,
        0 => tally.old += 1,
        _ => tally.between += 1,
    }
    found
}

/// A disk with some files.
fn scene(random: &mut Random, blocks: u32) -> (Vec<u8>, Tree) {
    let mut volume = DiskVolume::open(FakeDisk::with(platter(blocks), 3).with_depth(1), options()).unwrap();
    let script = Script::random(random, &Tree::new(), 6);
    assert_eq!(script.run(&mut volume), 6);
    let tree = script.states.last().unwrap().last().unwrap().clone();
    (volume.into_device().platter().to_vec(), tree)
}

/// The disk after the power went when so many writes and flushes were submitted, and which operation that was in.
fn cut(platter: &[u8], script: &Script, power: u64, depth: usize, seed: u64) -> (FakeDisk, usize) {
    let mut disk = FakeDisk::with(platter.to_vec(), seed).with_depth(depth);
    disk.faults.power = Some(power);
    match DiskVolume::open(disk, options()) {
        Ok(mut volume) => {
            let at = script.run(&mut volume);
            (volume.into_device(), at)
        }
        Err(error) => panic!("seed {seed}: {error}"),
    }
}

#[test]
fn every_cut_leaves_whole_files() {
    let mut tally = Tally::default();
    let mut random = Random::new(11);
    let (platter, before) = scene(&mut random, 512);
    let content = bytes(&mut random, 9000);
    let operations = [
        Make("x".into(), content.clone()),
        Append("x".into(), content, vec![1]),
        Rename("x".into(), "y".into()),
        RemoveOpen("y".into()),
    ];
    for operation in 0..operations.len() {
        // Up to here undisturbed.
        let mut script = Script { operations: Vec::new(), states: Vec::new() };
        let mut now = before.clone();
        for operation in &operations[..=operation] {
            script.states.push(operation.states(&now));
            script.operations.push(operation.clone());
            now = script.states.last().unwrap().last().unwrap().clone();
        }
        let (disk, _) =
            cut(&platter, &Script { operations: operations[..operation].to_vec(), states: Vec::new() }, u64::MAX, 3, 1);
        let start = disk.platter().to_vec();
        let last =
            Script { operations: vec![operations[operation].clone()], states: vec![script.states.pop().unwrap()] };
        for power in 0.. {
            let (disk, at) = cut(&start, &last, power, 3, power + 1);
            let losable = disk.losable().len();
            let every = losable <= 7;
            for subset in 0..if every { 1u64 << losable } else { 150 } {
                let subset = if every { subset } else { random.number() };
                let fate = |i: usize| if subset & 1 << (i % 64) != 0 { Fate::KEPT } else { Fate::LOST };
                recover(
                    disk.after_cut(fate),
                    last.possible(at),
                    &mut tally,
                    &format!("{operation}, cut {power}, {subset:#b}"),
                );
            }
            for torn in 0..losable {
                for (sectors, garbage) in [(0x0F, None), (0x80, Some(0)), (0xFE, Some(7)), (0x7F, None)] {
                    let fate = |i| if i == torn { Fate { sectors, garbage } } else { Fate::KEPT };
                    let what = format!("{operation}, cut {power}, write {torn} torn {sectors:#x} {garbage:?}");
                    recover(disk.after_cut(fate), last.possible(at), &mut tally, &what);
                }
            }
            if at == 1 {
                break;
            }
        }
    }
    tally.print("every write");
    assert!(tally.cuts > 2000 && tally.old > 500 && tally.new > 50 && tally.between > 50, "{tally:?}");
}

#[test]
fn random_cuts_and_second_cuts_leave_whole_files() {
    let wanted = std::env::var("DISKFS_CUTS").ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let mut tally = Tally::default();
    let mut seconds = 0;
    let mut seed = 1000;
    while tally.cuts < wanted {
        seed += 1;
        let mut random = Random::new(seed);
        let (platter, before) = scene(&mut random, 580);
        let script = Script::random(&mut random, &before, 4);
        for _ in 0..40 {
            let (power, depth) = (random.below(130) as u64, 1 + random.below(8));
            let what = format!("seed {seed}, cut {power} of depth {depth}");
            let (disk, at) = cut(&platter, &script, power, depth, seed);
            let after = disk.after_cut(|_| Fate::random(&mut random));
            let found = recover(after.clone(), script.possible(at), &mut tally, &what);

            // The machine starts again, tidies up, works on, and the power goes again.
            let again = Script::random(&mut random, &found, 2);
            let power = random.below(60) as u64;
            let (disk, at) = cut(&after, &again, power, depth, seed + 1);
            let after = disk.after_cut(|_| Fate::random(&mut random));
            let what = format!("{what}, second cut {power}");
            let found = recover(after.clone(), again.possible(at), &mut tally, &what);
            seconds += 1;

            // And at last it may work. Not each time: that takes a third of the test.
            if !power.is_multiple_of(4) {
                continue;
            }
            let mut volume = DiskVolume::open(FakeDisk::with(after, seed), options()).unwrap();
            let last = Make("last".into(), bytes(&mut random, 6000));
            last.run(&mut volume).unwrap_or_else(|error| panic!("{what}: {error}"));
            let expected = last.states(&found).pop().unwrap();
            assert!(tree(&mut volume).unwrap() == expected, "{what}: the last file");
            clean(&mut volume).unwrap_or_else(|findings| panic!("{what}: {findings}"));
        }
    }
    tally.print(&format!("random, {seconds} of them second ones"));
    assert!(tally.old * 10 > tally.cuts && tally.new * 20 > tally.cuts && tally.between > 100, "{tally:?}");
}

/// A world that is being saved.
struct World(u8);

impl PageSource for World {
    fn page(&mut self, page: u32, into: &mut Block) -> Option<u8> {
        into.fill(self.0 ^ page as u8 | 1);
        Some(0xFF)
    }
}

const PAGES: u32 = 20;

fn world_of(device: FakeDisk) -> Option<u8> {
    let mut device = device;
    let store = Store::open(&mut device).ok()?;
    let mut block = [0; store::BLOCK];
    let which: Vec<u8> = (0..PAGES)
        .map(|page| {
            store.read_page(&mut device, page, &mut block).unwrap();
            assert!(block.iter().all(|&byte| byte == block[0]), "a page is torn");
            [1, 9].into_iter().find(|world| world ^ page as u8 | 1 == block[0]).expect("a page of a world")
        })
        .collect();
    assert!(which.windows(2).all(|pair| pair[0] == pair[1]), "pages of two worlds");
    Some(which[0])
}

#[test]
fn a_world_is_saved_while_files_are_written() {
    // Blocks of the worlds first, then files, as on a real disk; both work on it at once, and the power goes.
    let worlds = 70;
    let mut disk = FakeDisk::new(worlds + 600).with_depth(1);
    let mut store = Store::format(&mut Part::new(&mut disk, 0..worlds), 7).unwrap();
    make(&mut disk, &Made { id: 9, date: 1 }).unwrap();
    let new = NewWorld { layout: 2, pages: PAGES, origin: Origin { bytes: 0, crc: 0, name: Name::new("x") } };
    let info = SaveInfo { date: 1, kind: SaveKind::Import };
    store.begin_world(&new, 0..PAGES, &info).unwrap();
    store.finish(&mut disk, &mut World(1)).unwrap();
    let platter = disk.platter().to_vec();

    let (mut tally, mut saved) = (Tally::default(), 0);
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let mut disk = FakeDisk::with(platter.clone(), seed).with_depth(1 + random.below(6));
        disk.faults.power = Some(random.below(150) as u64);
        let (mut of_worlds, of_files) = share(disk);
        let mut store = Store::open(&mut of_worlds).unwrap();
        let mut volume = DiskVolume::open(of_files, options()).unwrap();
        let info = SaveInfo { date: 2, kind: SaveKind::Autosave };
        store.begin_save(0..PAGES, &info).unwrap();
        let script = Script::random(&mut random, &Tree::new(), 5);
        let (mut at, mut done, mut save_over) = (0, false, false);
        while at < script.operations.len() {
            for _ in 0..random.below(9) {
                if save_over {
                    break;
                }
                match store.step(&mut of_worlds, &mut World(9), random.below(12)) {
                    Ok(Progress::Done { .. }) => (done, save_over) = (true, true),
                    Ok(_) => {}
                    Err(_) => save_over = true,
                }
            }
            match script.operations[at].run(&mut volume) {
                Ok(()) => at += 1,
                Err(error) => {
                    assert_eq!(error, VolumeError::Device, "seed {seed}");
                    break;
                }
            }
        }
        drop(of_worlds);
        let after = volume.device().with(|disk| disk.after_cut(|_| Fate::random(&mut random)));
        let found = world_of(FakeDisk::with(after.clone(), 1)).expect("a world");
        assert!(found == 9 || !done, "seed {seed}: the save was done, and the old world is back");
        saved += u32::from(found == 9);
        recover(after, script.possible(at), &mut tally, &format!("seed {seed}, world and files"));
    }
    tally.print(&format!("a world saved at once, {saved} times the new one"));
    assert!(saved > 40 && tally.new > 40, "{saved} {tally:?}");
}
