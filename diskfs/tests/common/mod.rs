//! What the tests of files share: a disk with a place for files, and names.

#![allow(dead_code, missing_docs, reason = "each test uses a part, and says itself what for")]

use diskfs::{DiskVolume, Made, Options, Summary, check, make};
use files::{PathBuf, Volume};
use store::fake::FakeDisk;
use store::layout::Part;
use store::{Device, Store};

/// Blocks of the worlds on a test's disk.
pub const WORLDS: u32 = 8;

pub fn options() -> Options {
    Options { cache: 64 << 12, buffers: 1 << 19, ..Options::new(|| 1_700_000_000) }
}

/// A disk with an empty place of so many blocks for files, all of it durable.
pub fn platter(blocks: u32) -> Vec<u8> {
    let mut disk = FakeDisk::new(WORLDS + blocks).with_depth(1);
    Store::format(&mut Part::new(&mut disk, 0..WORLDS), 7).unwrap();
    make(&mut disk, &Made { id: 99, date: 1_600_000_000 }).unwrap();
    disk.platter().to_vec()
}

pub fn path(text: &str) -> PathBuf {
    text.split('/').filter(|name| !name.is_empty()).map(str::to_string).collect()
}

/// Checks that nothing is wrong.
pub fn clean<D: Device>(volume: &mut DiskVolume<D>) -> Result<Summary, String> {
    let mut findings = Vec::new();
    let summary =
        check(volume, &mut |finding| findings.push(finding.to_string())).map_err(|error| error.to_string())?;
    if findings.is_empty() { Ok(summary) } else { Err(findings.join("; ")) }
}

/// Makes a file with those bytes.
pub fn write(volume: &mut dyn Volume, name: &str, bytes: &[u8]) -> files::Result<()> {
    let file = volume.create(&path(name))?;
    let written = volume.write(file, 0, bytes);
    let closed = volume.close(file);
    written.and(closed)
}

/// All bytes of a file.
pub fn read(volume: &mut dyn Volume, name: &[String]) -> files::Result<Vec<u8>> {
    let file = volume.open(name, false)?;
    let length = volume.attributes_of_open(file)?.length as usize;
    let mut bytes = vec![0; length + 1];
    let count = volume.read(file, 0, &mut bytes);
    volume.close(file)?;
    bytes.truncate(count?);
    Ok(bytes)
}
