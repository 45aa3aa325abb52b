//! Lisp's files over a volume in memory.

use super::*;
use crate::memory::MemoryVolume;
use alloc::{format, vec};
use core::result::Result;

type Memory = LispFiles<MemoryVolume>;
const DISK: FileDevice = FileDevice::Disk;

fn files() -> Memory {
    LispFiles::new(MemoryVolume::new(|| 1000), PathBuf::new(), None, "user")
}

fn error(error: VolumeError) -> FileError {
    error.into()
}

fn write(files: &mut Memory, name: &str, bytes: &[u8]) -> Result<(), FileError> {
    let (handle, _) = files.open(DISK, name.as_bytes(), Recognition::New, FileAccess::Output)?;
    let done = files.write(handle, 0, bytes).and_then(|()| files.set_length(handle, bytes.len() as u64));
    files.close(handle, Some(718_502_400)).and(done)
}

fn read(files: &mut Memory, name: &str) -> Result<Vec<u8>, FileError> {
    let (handle, info) = files.open(DISK, name.as_bytes(), Recognition::Old, FileAccess::Input)?;
    let mut bytes = vec![0; info.length as usize + 9];
    let count = files.read(handle, 0, &mut bytes)?;
    files.close(handle, None)?;
    bytes.truncate(count);
    Ok(bytes)
}

fn list(files: &mut Memory, device: FileDevice, pattern: &str) -> Vec<String> {
    let (list, count) = files.list(device, pattern.as_bytes()).unwrap();
    let mut names = Vec::new();
    let mut name = [0; 300];
    while let Some((length, info)) = files.next_listed(list, &mut name, true).unwrap() {
        assert!(info.inode != 0);
        names.push(String::from_utf8_lossy(&name[..length]).into_owned());
    }
    assert_eq!(names.len() as u32, count);
    assert!(files.end_list(list) && !files.end_list(list));
    names
}

fn full(files: &mut Memory, name: &str, recognition: Recognition) -> Result<String, FileError> {
    let mut buffer = [0; 300];
    let length = files.full_name(DISK, name.as_bytes(), recognition, &mut buffer)?;
    Ok(String::from_utf8_lossy(&buffer[..length]).into_owned())
}

#[test]
fn a_life_of_a_file() {
    let mut files = files();
    for text in [&b"one"[..], b"two", b"three"] {
        write(&mut files, "Top>Deep>Foo.Lisp", text).unwrap();
    }
    assert_eq!(read(&mut files, "top>DEEP>FOO.LISP").unwrap(), b"three");
    assert_eq!(read(&mut files, "top>deep>foo.lisp;1").unwrap(), b"one");
    assert_eq!(list(&mut files, DISK, "top>deep>*.*;*"), ["Foo.Lisp;3", "Foo.Lisp;2", "Foo.Lisp;1"]);
    assert_eq!(list(&mut files, DISK, "top>deep>*.*;"), ["Foo.Lisp;3"]);
    assert_eq!(list(&mut files, DISK, "top>deep>*.*;2"), ["Foo.Lisp;2"]);
    assert_eq!(list(&mut files, DISK, "top>*.*;*"), ["Deep>"]);
    assert_eq!(full(&mut files, "top>deep>foo.lisp", Recognition::Old).unwrap(), "<Top>Deep>Foo.Lisp;3");
    assert_eq!(full(&mut files, "top>deep>foo.lisp", Recognition::Oldest).unwrap(), "<Top>Deep>Foo.Lisp;1");
    assert_eq!(full(&mut files, "top>deep>foo.lisp", Recognition::New).unwrap(), "<Top>Deep>Foo.Lisp;4");
    assert_eq!(full(&mut files, "top>deep>foo.lisp;2", Recognition::OldOrNew).unwrap(), "<Top>Deep>Foo.Lisp;2");
    assert_eq!(full(&mut files, "Top>Deep>bar", Recognition::Old), Err(error(VolumeError::Unknown)));
    assert_eq!(full(&mut files, "nowhere>bar", Recognition::Old), Err(error(VolumeError::NotFound)));
    assert_eq!(full(&mut files, "top>deep>bar", Recognition::New).unwrap(), "<Top>Deep>bar.;1");
    files.rename(DISK, b"top>deep>foo.lisp", b"top>deep>bar").unwrap();
    assert_eq!(read(&mut files, "top>deep>bar.").unwrap(), b"three");
    assert_eq!(read(&mut files, "top>deep>foo.lisp").unwrap(), b"two");
    files.delete(DISK, b"top>deep>foo.lisp").unwrap();
    assert_eq!(list(&mut files, DISK, "top>deep>*.*;*"), ["bar.;1", "Foo.Lisp;2"]);
    let info = files.info(DISK, b"top>deep>bar").unwrap();
    assert_eq!((info.length, info.written, info.protection), (5, 718_502_400, 0o100_644));
    files.set_written(DISK, b"top>deep>bar", 5).unwrap();
    files.set_protection(DISK, b"top>deep>bar", 0o100_600).unwrap();
    let info = files.info(DISK, b"top>deep>bar").unwrap();
    assert_eq!((info.written, info.protection), (5, 0o100_600));
    let mut name = [0; 20];
    assert_eq!(files.author(DISK, b"top>deep>bar", &mut name), Ok(4));
}

#[test]
fn unix_names_are_what_they_are() {
    let mut files = files();
    write(&mut files, "d>Foo.l", b"one").unwrap();
    write(&mut files, "d>Foo.l", b"two").unwrap();
    let unix = FileDevice::Unix;
    assert_eq!(list(&mut files, unix, "d>*.*"), ["Foo.l", "Foo.l.~1~", "Foo.l.~2~"]);
    assert!(files.info(unix, b"d>foo.l").is_err());
    let (handle, _) = files.open(unix, b"d>Foo.l.~1~", Recognition::Old, FileAccess::Both).unwrap();
    files.write(handle, 0, b"ONE").unwrap();
    files.close(handle, None).unwrap();
    assert_eq!(read(&mut files, "d>foo.l;1").unwrap(), b"ONE");
    files.rename(unix, b"d>Foo.l.~1~", b"d>bar").unwrap();
    files.delete(unix, b"d>bar").unwrap();
    assert_eq!(list(&mut files, DISK, "d>*.*;*"), ["Foo.l;2"]);
}

#[test]
fn directories() {
    let mut files = files();
    write(&mut files, "Home>x", b"1").unwrap();
    let mut name = [0; 50];
    let length = files.directory_name(DISK, b"HOME", &mut name).unwrap();
    assert_eq!(&name[..length], b"<Home>");
    assert_eq!(files.directory_name(DISK, b"<", &mut name), Ok(1));
    assert!(files.directory_name(DISK, b"home>x", &mut name).is_err());
    files.change_directory(DISK, b"home").unwrap();
    assert_eq!(files.change_directory(DISK, b"nowhere"), Err(error(VolumeError::Unknown)));
    assert_eq!(read(&mut files, ".>x").unwrap(), b"1");
    assert_eq!(read(&mut files, "..>home>x").unwrap(), b"1");
    assert_eq!(files.free_blocks(DISK, b"home>x"), Ok(i32::MAX as u32));
    assert_eq!(
        files.open(DISK, b"home", Recognition::Old, FileAccess::Input).unwrap_err(),
        error(VolumeError::NotPlain)
    );
}

/// Tries whatever could push a directory aside; none of it may work.
#[test]
fn a_directory_is_not_pushed_aside() {
    let mut files = files();
    write(&mut files, "Dir>inside", b"1").unwrap();
    write(&mut files, "x", b"one").unwrap();
    for links in [true, false] {
        files.volume().faults.no_links = !links;
        for name in [&b"Dir"[..], b"DIR.", b"dir;1", b"dir;2"] {
            for recognition in [Recognition::New, Recognition::OldOrNew, Recognition::Old] {
                for access in [FileAccess::Output, FileAccess::Both, FileAccess::Append] {
                    let refused = files.open(DISK, name, recognition, access).unwrap_err();
                    let wanted = [VolumeError::IsDirectory, VolumeError::NotPlain, VolumeError::Unknown];
                    assert!(wanted.map(error).contains(&refused), "{refused:?}");
                }
            }
            assert!(files.delete(DISK, name).is_err());
            assert!(files.rename(DISK, name, b"y").is_err());
        }
        let is_directory = Err(error(VolumeError::IsDirectory));
        assert_eq!(files.rename(DISK, b"x", b"dir"), is_directory);
        assert_eq!(files.rename(DISK, b"x", b"dir;7"), is_directory);
        assert_eq!(files.rename(DISK, b"dir", b"x"), is_directory);
        assert_eq!(files.rename(DISK, b"dir", b"dir"), is_directory);
        assert_eq!(
            files.open(FileDevice::Unix, b"Dir", Recognition::New, FileAccess::Output).map(drop),
            Err(error(VolumeError::NotPlain))
        );
        assert_eq!(list(&mut files, DISK, "*.*;*"), ["Dir>", "x.;1"]);
        assert_eq!(read(&mut files, "dir>inside").unwrap(), b"1");
    }
    for name in [&b"new>"[..], b"new>er>", b"<"] {
        assert!(files.open(DISK, name, Recognition::New, FileAccess::Output).is_err());
        assert!(files.open(FileDevice::Unix, name, Recognition::New, FileAccess::Output).is_err());
    }
    assert_eq!(list(&mut files, DISK, "*.*;*"), ["Dir>", "x.;1"]);
    // Whoever made such names without Lisp finds them as he left them.
    files.volume().faults.no_links = false;
    for name in ["Dir.~3~", "x.~2~"] {
        files.volume().provide(&[name.to_string()], (&b"given"[..]).into()).unwrap();
    }
    assert!(write(&mut files, "dir", b"new").is_err());
    assert_eq!(read(&mut files, "dir;3").unwrap(), b"given");
    write(&mut files, "dir;3", b"again").unwrap();
    files.rename(DISK, b"dir;3", b"y").unwrap();
    assert_eq!(list(&mut files, DISK, "d*.*;*"), ["Dir>"]);
    files.volume().create_directory(&["x.~9~".to_string()]).unwrap();
    write(&mut files, "x", b"ten").unwrap();
    assert_eq!(
        (read(&mut files, "x").unwrap(), full(&mut files, "x", Recognition::Old).unwrap()),
        (b"ten".to_vec(), "<x.;11".into())
    );
}

#[test]
fn a_file_that_cannot_be_renamed_leaves_the_other_alone() {
    let mut files = files();
    write(&mut files, "x", b"one").unwrap();
    write(&mut files, "x", b"two").unwrap();
    for to in [&b"x;2"[..], b"x", b"new>y"] {
        assert!(files.rename(DISK, b"nothing", to).is_err());
    }
    assert_eq!(list(&mut files, FileDevice::Unix, "*.*"), ["x.", "x.~1~", "x.~2~"]);
}

#[test]
fn what_cannot_be_opened_takes_no_handle() {
    for after in 0..30 {
        let mut files = files();
        write(&mut files, "x", b"one").unwrap();
        files.volume().faults.after = Some((after, VolumeError::Device));
        let opened = files.open(DISK, b"x", Recognition::New, FileAccess::Output);
        files.volume().faults.after = None;
        assert_eq!(files.open.iter().flatten().count(), usize::from(opened.is_ok()), "after {after}");
    }
}

#[test]
fn hostile_names_are_errors() {
    let mut files = files();
    write(&mut files, "x", b"1").unwrap();
    let before = files.volume().operations;
    let long = "x".repeat(300);
    for name in [&b"..>x"[..], b"a>..>..>x", b"'.'.>x", b"x'/y", b"x\0", b"\xff\xfe", long.as_bytes(), b"x;1'/2"] {
        for recognition in [Recognition::Old, Recognition::New, Recognition::OldOrNew, Recognition::AsNamed] {
            assert!(files.open(DISK, name, recognition, FileAccess::Output).is_err());
            assert!(files.full_name(DISK, name, recognition, &mut [0; 400]).is_err());
        }
        assert!(files.delete(DISK, name).is_err() && files.info(DISK, name).is_err());
        assert!(files.rename(DISK, b"x", name).is_err() && files.rename(DISK, name, b"y").is_err());
        assert!(files.directory_name(DISK, name, &mut [0; 400]).is_err());
        assert!(files.change_directory(DISK, name).is_err() && files.free_blocks(DISK, name).is_err());
    }
    assert!(files.list(DISK, b"..>*").is_err());
    assert_eq!(files.volume().operations, before, "the volume was touched");
    assert_eq!(read(&mut files, "x").unwrap(), b"1");
}

#[test]
fn a_full_and_a_read_only_volume() {
    let mut files = files();
    write(&mut files, "x", &[1; 400]).unwrap();
    files.volume().faults.capacity = Some(600);
    assert_eq!(write(&mut files, "x", &[2; 400]), Err(error(VolumeError::NoSpace)));
    assert_eq!(read(&mut files, "x;1").unwrap(), [1; 400], "the old version is whole");
    files.delete(DISK, b"x;2").unwrap();
    files.volume().faults.read_only = true;
    let refused = Err(error(VolumeError::ReadOnly));
    assert_eq!(write(&mut files, "x", b"2"), refused);
    assert_eq!(write(&mut files, "new>y", b"2"), refused);
    assert_eq!(files.delete(DISK, b"x"), refused);
    assert_eq!(files.rename(DISK, b"x", b"y"), refused);
    assert_eq!(read(&mut files, "x").unwrap(), [1; 400]);
}

#[test]
fn a_volume_that_vanishes() {
    let mut files = files();
    write(&mut files, "x", b"1").unwrap();
    let (handle, _) = files.open(DISK, b"x", Recognition::Old, FileAccess::Both).unwrap();
    files.volume().faults.gone = true;
    let gone = error(VolumeError::Gone);
    assert_eq!(files.write(handle, 0, b"2"), Err(gone));
    assert_eq!(files.read(handle, 0, &mut [0]), Err(gone));
    assert_eq!(files.close(handle, Some(0)), Err(gone));
    assert_eq!(files.close(handle, None), Err(error(VolumeError::NotOpen)));
    assert_eq!(read(&mut files, "x"), Err(gone));
    assert_eq!(files.list(DISK, b"*.*"), Err(gone));
    assert_eq!(full(&mut files, "x", Recognition::Old), Err(gone));
    files.volume().faults.gone = false;
    assert_eq!(read(&mut files, "x").unwrap(), b"1");
}

#[test]
fn every_failure_is_told() {
    // Whatever single operation fails: either the call fails, or all is as if nothing had failed.
    for after in 0..40 {
        let mut files = files();
        for text in [b"one", b"two"] {
            write(&mut files, "d>x", text).unwrap();
        }
        files.volume().faults.after = Some((after, VolumeError::Device));
        let written = write(&mut files, "d>x", b"new");
        let failed = files.volume().faults.after.is_none();
        files.volume().faults.after = None;
        assert!(failed || written.is_ok());
        if written.is_ok() {
            assert_eq!(read(&mut files, "d>x").unwrap(), b"new", "after {after}");
        }
        assert_eq!(read(&mut files, "d>x;1").unwrap(), b"one", "after {after}");
        assert_eq!(read(&mut files, "d>x;2").unwrap(), b"two", "after {after}");
    }
}

#[test]
fn written_files_are_told_of() {
    use std::sync::Mutex;
    static TOLD: Mutex<Vec<(String, u64)>> = Mutex::new(Vec::new());
    let mut files = files();
    files.watch(|name, volume, file| {
        let length = volume.attributes_of_open(file).unwrap().length;
        TOLD.lock().unwrap().push((name.to_string(), length));
    });
    write(&mut files, "d>x", b"abc").unwrap();
    read(&mut files, "d>x").unwrap();
    write(&mut files, "d>x", b"").unwrap();
    assert_eq!(*TOLD.lock().unwrap(), [("<d>x.;1".to_string(), 3), ("<d>x.;2".to_string(), 0)]);
}

#[test]
fn ten_thousand_files() {
    let mut files = files();
    for number in 0..10_000 {
        files.volume().provide(&["d".to_string(), format!("f{number:05}.l")], (&b"x"[..]).into()).unwrap();
    }
    let before = files.volume().operations;
    let (list, count) = files.list(DISK, b"D>*.*;").unwrap();
    assert_eq!(count, 10_000);
    let mut name = [0; 20];
    for number in 0..10_000 {
        let (length, _) = files.next_listed(list, &mut name, false).unwrap().unwrap();
        assert_eq!(&name[..length], format!("f{number:05}.l;1").as_bytes());
    }
    assert!(files.volume().operations - before < 10, "without attributes a list takes one look at the directory");
}
