//! Flipped bits, failing reads, writes and flushes: an error each, never a wrong byte, a panic or an endless loop.

mod common;

use common::{WORLDS, clean, options, path, platter, read, write};
use diskfs::{DiskVolume, FilesError, Made, Options, check, is_blank, make};
use files::{Volume, VolumeError};
use store::fake::{FakeDisk, Fate, Random};
use store::layout::Part;
use store::{BLOCK, Device, DeviceError, Store};

fn quick(platter: Vec<u8>) -> FakeDisk {
    FakeDisk::with(platter, 3).with_depth(1)
}

fn content(number: usize) -> Vec<u8> {
    (0..1500 * number * number).map(|i| (i * i / 7 + number) as u8).collect()
}

/// A disk with files in nodes, in single records and in many, in two directories.
fn filled() -> Vec<u8> {
    let mut volume = DiskVolume::open(quick(platter(900)), options()).unwrap();
    volume.create_directory(&path("sub")).unwrap();
    for number in 0..9 {
        write(&mut volume, &format!("f{number}"), &content(number)).unwrap();
        write(&mut volume, &format!("sub/g{number}"), &content(number)[..number * 10]).unwrap();
    }
    clean(&mut volume).unwrap();
    volume.into_device().platter().to_vec()
}

#[test]
fn flipped_bits_are_found_or_do_not_matter() {
    let good = filled();
    let used: Vec<usize> = (WORLDS as usize..good.len() / BLOCK)
        .filter(|block| good[block * BLOCK..][..BLOCK].iter().any(|&byte| byte != 0))
        .collect();
    let mut random = Random::new(17);
    let (mut found, mut harmless, mut closed) = (0, 0, 0);
    for round in 0..3000 {
        let mut bytes = good.clone();
        // Every used block in turn, and sometimes many bits.
        for _ in 0..if round % 5 == 0 { 30 } else { 1 } {
            let block = if round % 5 == 0 { used[random.below(used.len())] } else { used[round % used.len()] };
            bytes[block * BLOCK + random.below(BLOCK)] ^= 1 << random.below(8);
        }
        let Ok(mut volume) = DiskVolume::open(quick(bytes), options()) else {
            closed += 1;
            continue;
        };
        let mut findings = 0;
        check(&mut volume, &mut |finding| {
            findings += 1;
            assert!(!finding.to_string().is_empty());
        })
        .unwrap();
        for number in 0..9 {
            // The bytes that were written, or an error. The last state may be gone, and the one before is there.
            for (name, expected) in [
                (format!("f{number}"), content(number)),
                (format!("sub/g{number}"), content(number)[..number * 10].to_vec()),
            ] {
                match read(&mut volume, &path(&name)) {
                    Ok(bytes) if name == "sub/g8" => assert!(bytes == expected || bytes.is_empty()),
                    Ok(bytes) => assert!(bytes == expected, "round {round}: {name}"),
                    Err(_) => assert!(findings > 0 || name == "sub/g8", "round {round}: check did not find {name}"),
                }
            }
        }
        // Whatever it is like, it can be worked with, or says that it cannot.
        let _ = write(&mut volume, "new", &content(5));
        let _ = volume.remove(&path("f7"));
        let _ = volume.rename(&path("f3"), &path("sub/f3"));
        if findings > 0 { found += 1 } else { harmless += 1 }
    }
    println!("files, flipped bits: found {found}, not opened {closed}, in what is not used any more {harmless}");
    assert!(found > 300 && closed > 30);
}

#[test]
fn disks_without_files_say_so() {
    let mut disk = FakeDisk::new(50).with_depth(1);
    Store::format(&mut disk, 7).unwrap();
    let platter = disk.platter().to_vec();
    let open = |platter: Vec<u8>| DiskVolume::open(quick(platter), options()).err().unwrap();
    assert_eq!(open(platter.clone()), FilesError::NoPlace { has: 0 });
    let mut grown = platter;
    grown.resize(700 * BLOCK, 0);
    assert_eq!(open(grown.clone()), FilesError::Blank);
    let mut disk = quick(grown.clone());
    assert_eq!(is_blank(&mut disk), Ok(true));
    make(&mut disk, &Made { id: 1, date: 0 }).unwrap();
    assert_eq!(is_blank(&mut disk), Ok(false));
    clean(&mut DiskVolume::open(disk, options()).unwrap()).unwrap();
    grown[60 * BLOCK] = 1;
    assert_eq!(open(grown), FilesError::NotFiles);
    let mut short = filled();
    short.truncate(600 * BLOCK);
    assert!(matches!(open(short), FilesError::Shrunk { .. }));
    assert!(matches!(open(vec![0; 600 * BLOCK]), FilesError::Store(_)));
    for error in [FilesError::NotFiles, FilesError::Blank, FilesError::Damaged, FilesError::NoPlace { has: 0 }] {
        assert!(error.to_string().len() > 20);
    }
}

#[test]
fn failed_writes_and_flushes_leave_everything_as_it_was() {
    let good = filled();
    let mut failures = 0;
    for number in 0..60 {
        for flush in [false, true] {
            let mut disk = FakeDisk::with(good.clone(), number).with_depth(4);
            if flush {
                disk.faults.flush = Some(number / 10)
            } else {
                disk.faults.write = Some((number, 3))
            }
            let mut volume = DiskVolume::open(disk, options()).unwrap();
            let mut done = Vec::new();
            for name in ["n1", "n2", "n3"] {
                match write(&mut volume, name, &content(6)) {
                    Ok(()) => done.push(name),
                    Err(error) => {
                        assert_eq!(error, VolumeError::Device);
                        assert!(volume.failure().is_some());
                        failures += 1;
                    }
                }
            }
            clean(&mut volume).unwrap();
            // It goes on in memory, and after a cut right now everything that was done is there.
            for random in 0..3 {
                let mut random = Random::new(random);
                let mut fates = random.clone();
                random.number();
                let again = volume_after(&mut volume, |_| Fate::random(&mut fates));
                let mut again = DiskVolume::open(quick(again), options()).unwrap();
                clean(&mut again).unwrap();
                for name in &done {
                    assert!(read(&mut again, &path(name)).unwrap() == content(6), "{name}");
                }
                assert!(read(&mut again, &path("f8")).unwrap() == content(8));
            }
        }
    }
    assert!(failures > 60, "{failures}");
}

fn volume_after(volume: &mut DiskVolume<FakeDisk>, fate: impl FnMut(usize) -> Fate) -> Vec<u8> {
    volume.device().after_cut(fate)
}

#[test]
fn a_header_that_failed_never_comes_back() {
    // The header's write fails on the way to the disk, but some of it, or all, is there all the same.
    let good = filled();
    let mut seen = 0;
    for number in 0..40 {
        for sectors in [0, 4, 8] {
            let mut disk = FakeDisk::with(good.clone(), 1).with_depth(1);
            disk.faults.write = Some((number, sectors));
            let mut volume = DiskVolume::open(disk, options()).unwrap();
            if volume.rename(&path("f1"), &path("f1-renamed")).is_ok() {
                continue;
            }
            seen += 1;
            // Other changes use the blocks of the one that failed.
            for change in 0..3 {
                write(&mut volume, &format!("other{change}"), &content(4)).unwrap();
            }
            let mut volume = DiskVolume::open(volume.into_device(), options()).unwrap();
            clean(&mut volume).unwrap();
            assert_eq!(volume.attributes(&path("f1-renamed")).unwrap_err(), VolumeError::NotFound);
            for change in 0..3 {
                assert!(read(&mut volume, &path(&format!("other{change}"))).unwrap() == content(4));
            }
        }
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn reads_that_fail() {
    let good = filled();
    for block in WORLDS..good.len() as u32 / BLOCK as u32 {
        for times in [2, u32::MAX] {
            let mut disk = quick(good.clone());
            disk.faults.read = Some((block, times));
            let Ok(mut volume) = DiskVolume::open(disk, Options { cache: BLOCK, ..options() }) else {
                assert_eq!(times, u32::MAX);
                continue;
            };
            for number in 0..9 {
                match read(&mut volume, &path(&format!("f{number}"))) {
                    Ok(bytes) => assert!(bytes == content(number)),
                    Err(error) => assert_eq!((error, times), (VolumeError::Device, u32::MAX)),
                }
            }
        }
    }
}

#[test]
fn a_disk_with_no_space_behind_it() {
    let mut disk = quick(filled());
    disk.faults.full_from = Some(WORLDS + 256);
    let mut volume = DiskVolume::open(disk, options()).unwrap();
    assert_eq!(write(&mut volume, "new", &content(5)), Err(VolumeError::NoSpace));
    assert!(matches!(volume.failure(), Some(DeviceError::NoSpace { .. })));
    assert!(read(&mut volume, &path("f8")).unwrap() == content(8));
    clean(&mut volume).unwrap();
}

#[test]
fn nothing_is_written_to_a_disk_that_is_only_read() {
    let good = filled();
    let mut volume = DiskVolume::open(quick(good.clone()), Options { read_only: true, ..options() }).unwrap();
    assert_eq!(write(&mut volume, "x", b"x"), Err(VolumeError::ReadOnly));
    assert_eq!(volume.remove(&path("f1")), Err(VolumeError::ReadOnly));
    assert_eq!(volume.open(&path("f1"), true), Err(VolumeError::ReadOnly));
    assert!(read(&mut volume, &path("f5")).unwrap() == content(5));
    assert!(volume.into_device().platter() == good);
}

#[test]
fn worlds_and_files_share_a_disk() {
    let disk = quick(filled());
    let (mut worlds, files) = diskfs::share(disk);
    let mut volume = DiskVolume::open(files, options()).unwrap();
    assert!(Store::scan(&mut worlds).is_ok());
    assert!(Part::new(&mut worlds, 0..WORLDS).blocks() == u64::from(WORLDS));
    write(&mut volume, "shared", b"yes").unwrap();
    assert_eq!(read(&mut volume, &path("shared")).unwrap(), b"yes");
    assert!(Store::scan(&mut worlds).is_ok());
}
