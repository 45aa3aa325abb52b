//! The disk's files against files in memory: the same operations, the same answers, and the same files after it was
//! opened anew; and nothing wrong on the disk.

mod common;

use common::{clean, options, path, platter, read};
use diskfs::DiskVolume;
use files::{Change, FileId, Kind, LispFiles, MemoryVolume, PathBuf, Volume, VolumeError};
use store::fake::{FakeDisk, Random};
use vm::platform::{FileAccess, FileDevice, Files, Recognition};

/// A few names, so that they meet.
fn some_path(random: &mut Random) -> PathBuf {
    let names = ["a", "B", "b", "sub", "x.lisp;1", "n:1"];
    (0..1 + random.below(3)).map(|_| names[random.below(names.len())].to_string()).collect()
}

fn bytes(random: &mut Random, count: usize) -> Vec<u8> {
    let (seed, plain) = (random.number(), random.below(2) == 0);
    (0..count as u64).map(|i| if plain { seed as u8 } else { (seed ^ i.wrapping_mul(0x9E37_79B9)) as u8 }).collect()
}

/// All that can be seen of a tree.
fn dump(volume: &mut dyn Volume, directory: &PathBuf, lines: &mut Vec<String>) {
    let entries = volume.entries(directory).unwrap();
    let mut names: Vec<(String, Option<Kind>)> =
        entries.iter().map(|entry| (entry.name.to_string(), entry.kind)).collect();
    names.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, kind) in names {
        let mut path = directory.clone();
        path.push(name);
        let attributes = volume.attributes(&path).unwrap();
        assert_eq!(kind, Some(attributes.kind));
        lines.push(format!("{path:?} {:?} {} {:o}", attributes.kind, attributes.length, attributes.mode));
        if attributes.kind == Kind::Directory {
            dump(volume, &path, lines);
        } else {
            let bytes = read(volume, &path).unwrap();
            lines.push(format!("{} {:?}", attributes.written, bytes));
        }
    }
}

fn same(a: &mut dyn Volume, b: &mut dyn Volume, what: &str) {
    let (mut lines, mut others) = (Vec::new(), Vec::new());
    dump(a, &PathBuf::new(), &mut lines);
    dump(b, &PathBuf::new(), &mut others);
    assert!(lines == others, "{what}: the files differ\n{}", differ(&lines, &others));
}

fn differ(a: &[String], b: &[String]) -> String {
    let short = |line: Option<&String>| line.map(|line| line.chars().take(200).collect::<String>());
    let at = (0..a.len().max(b.len())).find(|&i| a.get(i) != b.get(i)).unwrap_or(0);
    format!("{:?}\n{:?}", short(a.get(at)), short(b.get(at)))
}

/// One of a few operations on both.
fn step(random: &mut Random, a: &mut dyn Volume, b: &mut dyn Volume, open: &mut Vec<(FileId, FileId)>, what: &str) {
    let some_file = |random: &mut Random| (!open.is_empty()).then(|| random.below(open.len()));
    // Directories are remembered, so they are looked at often.
    let mut directory = some_path(random);
    directory.truncate(random.below(3));
    let names = |volume: &mut dyn Volume| {
        let entries = volume.entries(&directory)?;
        let mut names: Vec<_> = entries.iter().map(|entry| (entry.name.to_string(), entry.kind)).collect();
        names.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(names)
    };
    assert_eq!(names(a), names(b) as files::Result<_>, "{what}: list {directory:?}");
    match random.below(16) {
        0..3 => {
            let path = some_path(random);
            match (a.create(&path), b.create(&path)) {
                (Ok(a), Ok(b)) => open.push((a, b)),
                (one, two) => assert_eq!(one, two, "{what}: create {path:?}"),
            }
        }
        3 => {
            let (path, write) = (some_path(random), random.below(2) == 0);
            match (a.open(&path, write), b.open(&path, write)) {
                (Ok(a), Ok(b)) => open.push((a, b)),
                (one, two) => assert_eq!(one, two, "{what}: open {path:?}"),
            }
        }
        4..6 => {
            if let Some(i) = some_file(random) {
                let (one, two) = open.swap_remove(i);
                assert_eq!(a.close(one), b.close(two), "{what}: close");
            }
        }
        6..9 => {
            if let Some(i) = some_file(random) {
                // Some in a node, some in a record, some in many.
                let limit = [200, 5000, 40_000, 100_000][random.below(4)];
                let (at, count) = (random.below(limit) as u64, random.below(limit));
                let bytes = bytes(random, count);
                if count > 0 {
                    assert_eq!(
                        a.write(open[i].0, at, &bytes),
                        b.write(open[i].1, at, &bytes),
                        "{what}: write {at} {count}"
                    );
                }
            }
        }
        9 => {
            if let Some(i) = some_file(random) {
                let limit = [10, 5000, 70_000, 150_000][random.below(4)];
                let length = random.below(limit) as u64;
                assert_eq!(a.set_length(open[i].0, length), b.set_length(open[i].1, length), "{what}: length {length}");
            }
        }
        10 => {
            if let Some(i) = some_file(random) {
                let (at, count) = (random.below(120_000) as u64, random.below(70_000));
                let (mut one, mut two) = (vec![1; count], vec![1; count]);
                assert_eq!(
                    a.read(open[i].0, at, &mut one),
                    b.read(open[i].1, at, &mut two),
                    "{what}: read {at} {count}"
                );
                assert!(one == two, "{what}: read {at} {count}");
                assert_eq!(a.sync(open[i].0), b.sync(open[i].1));
                let (one, two) = (a.attributes_of_open(open[i].0), b.attributes_of_open(open[i].1));
                assert_eq!(one.map(|one| one.length), two.map(|two| two.length), "{what}: length");
            }
        }
        11 => {
            let path = some_path(random);
            assert_eq!(a.create_directory(&path), b.create_directory(&path), "{what}: create directory {path:?}");
        }
        12 => {
            let path = some_path(random);
            assert_eq!(a.remove(&path), b.remove(&path), "{what}: remove {path:?}");
        }
        13 => {
            let (from, to) = (some_path(random), some_path(random));
            assert_eq!(a.rename(&from, &to), b.rename(&from, &to), "{what}: rename {from:?} {to:?}");
        }
        14 => {
            let (from, to) = (some_path(random), some_path(random));
            assert_eq!(a.link(&from, &to), b.link(&from, &to), "{what}: link {from:?} {to:?}");
        }
        _ => {
            let path = some_path(random);
            let change =
                Change { written: Some(random.below(1 << 30) as i64), mode: Some(0o600 + random.below(64) as u32) };
            assert_eq!(a.change(&path, change), b.change(&path, change), "{what}: change {path:?}");
        }
    }
}

#[test]
fn the_same_as_in_memory() {
    let start = platter(3000);
    let rounds = std::env::var("DISKFS_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    let mut operations = 0;
    for seed in 0..rounds {
        let mut random = Random::new(seed);
        let mut model = MemoryVolume::new(|| 1_700_000_000);
        let mut disk = start.clone();
        for life in 0..3 {
            let what = format!("seed {seed}, life {life}");
            let shared = store_of(disk);
            let mut volume = DiskVolume::open(shared, options()).unwrap();
            let mut open = Vec::new();
            for number in 0..120 {
                operations += 1;
                step(&mut random, &mut model, &mut volume, &mut open, &format!("{what}, operation {number}"));
            }
            for (one, two) in open {
                assert_eq!(model.close(one), volume.close(two), "{what}");
            }
            same(&mut model, &mut volume, &what);
            clean(&mut volume).unwrap_or_else(|findings| panic!("{what}: {findings}"));
            disk = volume.into_device().platter().to_vec();
        }
        let mut volume = DiskVolume::open(store_of(disk), options()).unwrap();
        same(&mut model, &mut volume, &format!("seed {seed}, at the end"));
    }
    println!("files against a model: {operations} operations, {rounds} disks");
}

fn store_of(platter: Vec<u8>) -> FakeDisk {
    let seed = platter.len() as u64;
    FakeDisk::with(platter, seed).with_depth(4)
}

#[test]
fn a_directory_is_not_pushed_aside() {
    let mut volume = DiskVolume::open(store_of(platter(700)), options()).unwrap();
    volume.create_directory(&path("dir")).unwrap();
    common::write(&mut volume, "dir/x", b"one").unwrap();
    let mut files = LispFiles::new(volume, PathBuf::new(), None, "user");
    for access in [FileAccess::Output, FileAccess::Both, FileAccess::Append] {
        let opened = files.open(FileDevice::Disk, b"DIR", Recognition::New, access);
        assert_eq!(opened.unwrap_err(), VolumeError::IsDirectory.into());
        assert!(files.open(FileDevice::Disk, b"dir", Recognition::OldOrNew, access).is_err());
        assert!(files.open(FileDevice::Unix, b"dir", Recognition::New, access).is_err());
    }
    let refused = Err(VolumeError::IsDirectory.into());
    assert_eq!(files.rename(FileDevice::Disk, b"dir>x", b"dir"), refused);
    assert_eq!(files.rename(FileDevice::Disk, b"dir", b"y"), refused);
    assert_eq!(files.delete(FileDevice::Disk, b"dir"), refused);
    assert_eq!(files.volume().entries(&[]).unwrap().len(), 1);
    assert_eq!(read(files.volume(), &path("dir/x")).unwrap(), b"one");
}

#[test]
fn a_full_disk_loses_nothing() {
    let mut volume = DiskVolume::open(store_of(platter(700)), options()).unwrap();
    let mut kept = Vec::new();
    let mut random = Random::new(5);
    for number in 0.. {
        let (name, bytes) = (format!("f{number}"), bytes(&mut random, 9000));
        match common::write(&mut volume, &name, &bytes) {
            Ok(()) => kept.push((name, bytes)),
            Err(error) => {
                assert_eq!(error, VolumeError::NoSpace);
                break;
            }
        }
    }
    assert!(kept.len() > 60, "only {} files fit", kept.len());
    clean(&mut volume).unwrap();
    // A file that is there cannot grow, and stays as it is.
    let file = volume.open(&path("f0"), true).unwrap();
    let mut failed = false;
    for at in 0..100 {
        let piece = bytes(&mut random, 32 << 10);
        failed |= volume.write(file, at << 15, &piece).is_err();
        if failed {
            break;
        }
    }
    assert!(failed);
    let _ = volume.set_length(file, 0);
    volume.write(file, 0, &kept[0].1).unwrap();
    volume.close(file).unwrap();
    for (name, bytes) in &kept {
        assert!(read(&mut volume, &path(name)).unwrap() == *bytes, "{name}");
    }
    // There is always room to remove something, and then for something else.
    let free = volume.space(&[]).unwrap().free;
    for (name, _) in &kept {
        volume.remove(&path(name)).unwrap();
    }
    if volume.attributes(&path("f0")).is_ok() || volume.entries(&[]).unwrap().len() > 1 {
        panic!("not all are gone");
    }
    let _ = volume.remove(&path(&format!("f{}", kept.len())));
    assert_eq!(clean(&mut volume).unwrap().files, 0);
    assert!(volume.space(&[]).unwrap().free > free + 300);
    common::write(&mut volume, "again", &[7; 500_000]).unwrap();
    clean(&mut volume).unwrap();
}

#[test]
fn many_files_in_a_directory() {
    let mut disk = store_of(platter(60_000));
    disk = disk.with_depth(1);
    let mut volume = DiskVolume::open(disk, diskfs::Options::new(|| 1)).unwrap();
    let start = std::time::Instant::now();
    for number in 0..10_000 {
        common::write(&mut volume, &format!("A-RATHER-LONG-NAME-{number}.LISP;1"), b"(print 1)").unwrap();
    }
    let made = start.elapsed();
    let mut volume = DiskVolume::open(volume.into_device(), diskfs::Options::new(|| 1)).unwrap();
    let start = std::time::Instant::now();
    assert_eq!(volume.entries(&[]).unwrap().len(), 10_000);
    let listed = start.elapsed();
    let (requests, start) = (volume.counts().reads, std::time::Instant::now());
    assert_eq!(volume.entries(&[]).unwrap().len(), 10_000);
    println!("listed again in {:?}; {requests} reads for opening and the first list", start.elapsed());
    let start = std::time::Instant::now();
    for number in 0..10_000 {
        let name = path(&format!("A-RATHER-LONG-NAME-{number}.LISP;1"));
        assert_eq!(volume.attributes(&name).unwrap().length, 9);
    }
    let looked = start.elapsed();
    clean(&mut volume).unwrap();
    let start = std::time::Instant::now();
    for number in 0..10_000 {
        volume.remove(&path(&format!("A-RATHER-LONG-NAME-{number}.LISP;1"))).unwrap();
    }
    println!(
        "10,000 files: made in {made:?}, listed in {listed:?}, looked up in {looked:?}, removed in {:?}",
        start.elapsed()
    );
    assert_eq!(clean(&mut volume).unwrap().files, 0);
    assert!(listed.as_secs() < 5);
}

#[test]
fn fifty_megabytes() {
    let mut volume = DiskVolume::open(store_of(platter(30_000)).with_depth(1), diskfs::Options::new(|| 1)).unwrap();
    let mut random = Random::new(3);
    let chunk: Vec<u8> = (0..1 << 20).map(|_| random.number() as u8).collect();
    let start = std::time::Instant::now();
    let file = volume.create(&path("big")).unwrap();
    for at in 0..50u64 << 11 {
        let page = &chunk[(at as usize % 2048) * 512..][..512];
        volume.write(file, at * 512, page).unwrap();
    }
    volume.close(file).unwrap();
    let written = start.elapsed();
    let start = std::time::Instant::now();
    let file = volume.open(&path("big"), false).unwrap();
    let mut page = [0; 512];
    for at in 0..50u64 << 11 {
        assert_eq!(volume.read(file, at * 512, &mut page), Ok(512));
        assert!(page == chunk[(at as usize % 2048) * 512..][..512]);
    }
    volume.close(file).unwrap();
    println!("50 MB in half kilobytes: written in {written:?}, read in {:?}; {:?}", start.elapsed(), volume.counts());
    clean(&mut volume).unwrap();
}
