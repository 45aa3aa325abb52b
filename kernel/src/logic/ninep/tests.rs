//! The client against a server in memory: as a volume, under Lisp's files, and with replies that are spoiled.

use super::client::Client;
use super::server::Server;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::cell::Cell;
use files::{Faults, FileId, Kind, LispFiles, MemoryVolume, PathBuf, Volume, VolumeError};
use vm::platform::{FileAccess, FileDevice, Files, Recognition};

fn client() -> Client<Server> {
    Client::new(Server::new(MemoryVolume::new(|| 1000))).unwrap()
}

fn path(text: &str) -> PathBuf {
    text.split('/').filter(|part| !part.is_empty()).map(str::to_string).collect()
}

fn make(client: &mut Client<Server>, name: &str, bytes: &[u8]) -> Result<(), VolumeError> {
    let file = client.create(&path(name))?;
    let written = client.write(file, 0, bytes);
    client.close(file).and(written)
}

fn read(client: &mut Client<Server>, name: &str) -> Result<Vec<u8>, VolumeError> {
    let file = client.open(&path(name), false)?;
    let (mut bytes, mut page) = (Vec::new(), [0; 512]);
    let read = loop {
        match client.read(file, bytes.len() as u64, &mut page) {
            Ok(0) => break Ok(()),
            Ok(count) => bytes.extend(&page[..count]),
            Err(error) => break Err(error),
        }
    };
    client.close(file).and(read)?;
    Ok(bytes)
}

#[test]
fn files_and_directories() {
    let mut client = client();
    client.create_directory(&path("d")).unwrap();
    make(&mut client, "d/x", b"one").unwrap();
    assert_eq!(make(&mut client, "d/x", b""), Err(VolumeError::Exists));
    assert_eq!(make(&mut client, "nowhere/x", b""), Err(VolumeError::NotFound));
    assert_eq!(read(&mut client, "d/x").unwrap(), b"one");
    assert_eq!(read(&mut client, "d"), Err(VolumeError::IsDirectory));
    client.link(&path("d/x"), &path("y")).unwrap();
    let (x, y) = (client.attributes(&path("d/x")).unwrap(), client.attributes(&path("y")).unwrap());
    assert_eq!((x.node, x.kind, x.length, x.written), (y.node, Kind::File, 3, 1000));
    client.rename(&path("d/x"), &path("d/z")).unwrap();
    assert_eq!(client.remove(&path("d")), Err(VolumeError::NotEmpty));
    client.remove(&path("d/z")).unwrap();
    client.remove(&path("d")).unwrap();
    assert_eq!(client.entries(&[]).unwrap().iter().map(|entry| entry.name).collect::<Vec<_>>(), ["y"]);
    let change = files::Change { written: Some(-5), mode: Some(0o600) };
    client.change(&path("y"), change).unwrap();
    let y = client.attributes(&path("y")).unwrap();
    assert_eq!((y.written, y.mode), (-5, 0o100_600));
    assert_eq!(client.space(&[]).unwrap().block, 512);
    assert_eq!(client.attributes(&path("../x")), Err(VolumeError::Invalid));
    let deep = "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r";
    for (at, _) in deep.match_indices('/').chain([(deep.len(), "")]) {
        client.create_directory(&path(&deep[..at])).unwrap();
    }
    assert_eq!(client.attributes(&path(deep)).unwrap().kind, Kind::Directory);
    assert_eq!(client.attributes(&path(&format!("{deep}/x"))), Err(VolumeError::NotFound));
    assert_eq!(client.channel().fids(), 1, "every file's number was given back");
}

#[test]
fn pages_are_gathered_and_read_ahead() {
    let mut client = client();
    let bytes: Vec<u8> = (0..300_000u32).map(|n| (n >> 3) as u8).collect();
    let file = client.create(&path("x")).unwrap();
    let before = client.channel().messages;
    for (index, page) in bytes.chunks(512).enumerate() {
        client.write(file, index as u64 * 512, page).unwrap();
    }
    assert!(client.channel().messages - before < 300_000 / 3000 + 50);
    // Somebody else sees what is written.
    assert_eq!(client.attributes(&path("x")).unwrap().length, 300_000);
    client.write(file, 10, b"!").unwrap();
    let other = client.open(&path("x"), false).unwrap();
    let mut page = [0; 12];
    assert_eq!(client.read(other, 0, &mut page), Ok(12));
    assert_eq!(page[10], b'!');
    client.write(file, 0, b"?").unwrap();
    assert_eq!((client.read(other, 0, &mut page), page[0]), (Ok(12), b'?'));
    client.set_length(file, 5).unwrap();
    assert_eq!(client.read(other, 0, &mut page), Ok(5));
    client.write(file, 0, &bytes).unwrap();
    client.close(file).unwrap();
    client.close(other).unwrap();
    let before = client.channel().messages;
    assert!(read(&mut client, "x").unwrap() == bytes);
    assert!(client.channel().messages - before < 60);
    assert_eq!(client.write(FileId(0), 0, b""), Err(VolumeError::NotOpen));
}

#[test]
fn a_file_that_vanished_was_not_saved() {
    let mut client = client();
    let file = client.create(&path("x")).unwrap();
    client.write(file, 0, b"work").unwrap();
    client.channel().volume.remove(&path("x")).unwrap();
    assert_eq!(client.close(file), Err(VolumeError::Gone));
    assert_eq!(client.channel().fids(), 1);
}

#[test]
fn a_full_disk_is_noticed_when_the_file_is_closed() {
    let mut client = client();
    client.channel().volume.faults.capacity = Some(1000);
    make(&mut client, "small", &[1; 600]).unwrap();
    assert_eq!(make(&mut client, "large", &[1; 600]), Err(VolumeError::NoSpace));
    let file = client.create(&path("later")).unwrap();
    client.write(file, 0, &[1; 600]).unwrap();
    // Others are not bothered.
    assert_eq!(read(&mut client, "small").unwrap().len(), 600);
    client.attributes(&path("small")).unwrap();
    assert_eq!(client.sync(file), Err(VolumeError::NoSpace));
    client.close(file).unwrap();
    client.channel().volume.faults = Faults { read_only: true, ..Faults::default() };
    assert_eq!(make(&mut client, "new", b""), Err(VolumeError::ReadOnly));
    assert_eq!(client.open(&path("small"), true), Err(VolumeError::ReadOnly));
    assert_eq!(client.channel().fids(), 1);
}

#[test]
fn what_is_gathered_goes_off_before_the_power_does() {
    let mut client = client();
    let file = client.create(&path("x")).unwrap();
    client.write(file, 0, b"gathered").unwrap();
    assert_eq!(client.channel().volume.attributes(&path("x")).unwrap().length, 0);
    client.sync_all().unwrap();
    assert_eq!(client.channel().volume.attributes(&path("x")).unwrap().length, 8);
    client.write(file, 8, b"and more").unwrap();
    client.channel().volume.faults.capacity = Some(10);
    assert_eq!(client.sync_all(), Err(VolumeError::NoSpace));
    // Closing it is no success either.
    assert_eq!(client.close(file), Err(VolumeError::NoSpace));
    client.sync_all().unwrap();
}

#[test]
fn symbolic_links_stay_in_the_share() {
    let mut client = client();
    client.create_directory(&path("d")).unwrap();
    make(&mut client, "d/x", b"one").unwrap();
    let targets = [
        ("link", "d"),
        ("up", "d/../d/x"),
        ("d/back", "../d/x"),
        ("out", "../x"),
        ("etc", "/etc"),
        ("loop", "loop"),
        ("dead", "nowhere"),
    ];
    for (name, target) in targets {
        client.channel().links.insert(path(name), target.into());
    }
    for name in ["link/x", "up", "d/back", "link/back"] {
        assert_eq!(read(&mut client, name).as_deref(), Ok(&b"one"[..]), "{name}");
    }
    for (name, error) in [
        ("out", VolumeError::NotPermitted),
        ("etc/passwd", VolumeError::NotPermitted),
        ("loop", VolumeError::Loop),
        ("dead", VolumeError::NotFound),
    ] {
        assert_eq!(client.attributes(&path(name)), Err(error), "{name}");
    }
    assert_eq!(client.channel().fids(), 1);
}

#[test]
fn a_server_that_vanishes() {
    let mut client = client();
    make(&mut client, "x", b"one").unwrap();
    let file = client.open(&path("x"), true).unwrap();
    client.write(file, 0, b"two").unwrap();
    client.channel().volume.faults.gone = true;
    assert_eq!(client.attributes(&path("x")), Err(VolumeError::Gone));
    assert_eq!(client.entries(&[]).unwrap_err(), VolumeError::Gone);
    assert_eq!(client.close(file), Err(VolumeError::Gone));
    assert_eq!(client.close(file), Err(VolumeError::NotOpen));
}

/// What Lisp does with files, every outcome written down.
fn life(volume: impl Volume) -> Vec<String> {
    const DISK: FileDevice = FileDevice::Disk;
    let mut files = LispFiles::new(volume, PathBuf::new(), None, "user");
    let mut told = Vec::new();
    for (name, text) in [("d>foo.l", "one"), ("D>FOO.L", "two"), ("d>bar", ""), ("d>foo.l;2", "three"), ("..>x", "")] {
        let opened = files.open(DISK, name.as_bytes(), Recognition::New, FileAccess::Output);
        told.push(format!("{opened:?}"));
        if let Ok((handle, _)) = opened {
            told.push(format!("{:?}", files.write(handle, 0, text.as_bytes())));
            told.push(format!("{:?}", files.set_length(handle, text.len() as u64)));
            told.push(format!("{:?}", files.close(handle, Some(77))));
        }
    }
    for recognition in [Recognition::New, Recognition::OldOrNew, Recognition::Old] {
        told.push(format!("{:?}", files.open(DISK, b"d", recognition, FileAccess::Output)));
    }
    told.push(format!("{:?} {:?}", files.rename(DISK, b"d>bar", b"d"), files.delete(DISK, b"d")));
    told.push(format!("{:?}", files.rename(DISK, b"d>bar", b"d>Foo.l")));
    told.push(format!("{:?}", files.delete(DISK, b"d>foo.l;1")));
    for name in ["d>foo.l", "d>foo.l;1", "d>foo.l;3", "d", "nowhere>x"] {
        let mut full = [0; 100];
        told.push(format!("{:?} {full:?}", files.full_name(DISK, name.as_bytes(), Recognition::Old, &mut full)));
        told.push(format!("{:?}", files.info(DISK, name.as_bytes())));
    }
    let list = files.list(DISK, b"D>*.*;*");
    told.push(format!("{list:?}"));
    if let Ok((list, count)) = list {
        for _ in 0..count.min(100) {
            let mut name = [0; 50];
            told.push(format!("{:?} {name:?}", files.next_listed(list, &mut name, true)));
        }
    }
    told
}

#[test]
fn lisp_cannot_tell_it_from_another_volume() {
    assert_eq!(life(client()), life(MemoryVolume::new(|| 1000)));
}

/// A generator of numbers, by a fixed rule.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

std::thread_local! {
    static STATE: Cell<u64> = const { Cell::new(0) };
}

/// Spoils about one reply in eight: bits, length, or all of it.
fn spoil(_message: u64, reply: &mut Vec<u8>) {
    let mut state = STATE.get();
    let random = next(&mut state);
    if random.is_multiple_of(8) {
        let at = next(&mut state) as usize % reply.len();
        match random >> 8 & 3 {
            0 => reply[at] ^= 1 << (random >> 16 & 7),
            1 => reply.truncate(at),
            2 => reply.extend(vec![0xff; at + 1]),
            _ => reply[4..].fill_with(|| next(&mut state) as u8),
        }
        if random >> 32 & 1 == 0 {
            // With a length that fits, the body is believed for longer.
            let length = (reply.len() as u32).to_le_bytes();
            let count = reply.len().min(4);
            reply[..count].copy_from_slice(&length[..count]);
        }
    }
    STATE.set(state);
}

#[test]
fn spoiled_replies_are_errors() {
    let mut failures = 0;
    for seed in 0..3000 {
        STATE.set(seed);
        let mut server = Server::new(MemoryVolume::new(|| 1000));
        server.spoil = Some(spoil);
        match Client::new(server) {
            Ok(client) => failures += life(client).iter().filter(|told| told.contains("Err")).count(),
            Err(_) => failures += 1,
        }
    }
    assert!(failures > 3000, "{failures}");
}
