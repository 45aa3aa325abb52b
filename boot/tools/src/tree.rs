//! Files on a machine's disk: looking at them, and copying them in and out. No root, no mounting.
//!
//! ```text
//!   machine.disk:sub/x.lisp     x.lisp in the directory sub of the files on machine.disk, if there is such a file
//!   x:y.lisp                    a file of the host, if there is no file x
//! ```
//! A file gets its name when it is whole, here and there: whoever looks, or cuts the power, finds the old one or the new
//! one. Files are put on the disk many at a time, in transactions of a few megabytes.

use crate::commands::{Unfinished, now};
use crate::disk::FileDisk;
use diskfs::{DiskVolume, FilesError, Made, NewFile, Options};
use files::{Attributes, Change, Kind, PathBuf as Inside, Volume, VolumeError};
use std::fmt::{Display, Write as _};
use std::fs::File;
use std::io::{Read, Write};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};
use store::Date;
use store::Device;
use store::format::BLOCK;
use store::layout;

/// Megabytes for files on a new disk. A place for files is a hole in the disk's file until something is put there.
pub const MEGABYTES: u64 = 256;
/// Files up to this size are put on the disk together, up to this size and this many.
const TOGETHER: (u64, usize) = (4 << 20, 200);
/// Bytes that are copied at once.
const RUN: usize = 1 << 20;

type Disk = DiskVolume<FileDisk>;

/// A place on the host or on a disk.
#[derive(Clone)]
enum Place {
    Host(PathBuf),
    Disk { disk: PathBuf, path: Inside },
}

impl Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Place::Host(path) => write!(f, "{}", path.display()),
            Place::Disk { disk, path } => write!(f, "{}:{}", disk.display(), path.join("/")),
        }
    }
}

/// What a path inside of a disk says; `..` and the like are nobody's names.
fn inside(text: &str) -> Result<Inside, String> {
    let path: Inside = text.split('/').filter(|name| !matches!(*name, "" | ".")).map(String::from).collect();
    files::check_path(&path).map_err(|error| format!("{text:?}: {error}"))?;
    Ok(path)
}

/// What a word of the command line means.
fn place(word: &Path) -> Result<Place, String> {
    let Some(text) = word.to_str() else { return Ok(Place::Host(word.into())) };
    for (at, _) in text.match_indices(':') {
        let disk = Path::new(&text[..at]);
        if disk.is_file() {
            return Ok(Place::Disk { disk: disk.into(), path: inside(&text[at + 1..])? });
        }
    }
    Ok(Place::Host(word.into()))
}

/// A word that must mean a place on a disk.
fn place_on_disk(word: &Path) -> Result<(PathBuf, Inside), String> {
    match place(word)? {
        Place::Disk { disk, path } => Ok((disk, path)),
        Place::Host(path) => Err(format!("{} is no place on a disk; write DISK:PATH", path.display())),
    }
}

fn about<E: Display>(what: impl Display) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}

fn open(disk: &Path, writable: bool) -> Result<Disk, String> {
    let options = Options { read_only: !writable, cache: 64 << 20, buffers: 16 << 20, ..Options::new(|| now().0) };
    DiskVolume::open(FileDisk::open(disk, writable)?, options).map_err(about(disk.display()))
}

/// The attributes of something on a disk; nothing, if there is nothing.
fn look(disk: &mut Disk, path: &Inside, what: &impl Display) -> Result<Option<Attributes>, String> {
    match disk.attributes(path) {
        Ok(attributes) => Ok(Some(attributes)),
        Err(VolumeError::NotFound) => Ok(None),
        Err(error) => Err(about(what)(error)),
    }
}

/// The names in a directory, in order.
fn sorted(disk: &mut Disk, path: &Inside, what: &impl Display) -> Result<Vec<String>, String> {
    let entries = disk.entries(path).map_err(about(what))?;
    let mut names: Vec<String> = entries.iter().map(|entry| entry.name.into()).collect();
    names.sort();
    Ok(names)
}

fn below(path: &Inside, name: &str) -> Inside {
    let mut path = path.clone();
    path.push(name.into());
    path
}

fn line(lines: &mut String, name: &str, attributes: &Attributes) {
    let end = if attributes.kind == Kind::Directory { "/" } else { "" };
    let _ = writeln!(lines, "{:>12}  {}  {name}{end}", attributes.length, Date(attributes.written));
}

/// `boot ls`.
pub fn names(word: &Path) -> Result<String, String> {
    let (disk, path) = match place(word)? {
        Place::Disk { disk, path } => (disk, path),
        Place::Host(disk) => (disk, Inside::new()),
    };
    let mut volume = open(&disk, false)?;
    let what = word.display();
    let attributes = look(&mut volume, &path, &what)?.ok_or(format!("{what}: there is no such file or directory"))?;
    let mut lines = String::new();
    if attributes.kind != Kind::Directory {
        line(&mut lines, path.last().map_or("", String::as_str), &attributes);
        return Ok(lines);
    }
    for name in sorted(&mut volume, &path, &what)? {
        let attributes = volume.attributes(&below(&path, &name)).map_err(about(&name))?;
        line(&mut lines, &name, &attributes);
    }
    Ok(lines)
}

/// `boot mkdir`.
pub fn make_directories(words: &[PathBuf]) -> Result<String, String> {
    for word in words {
        let (disk, path) = place_on_disk(word)?;
        open(&disk, true)?.create_directory(&path).map_err(about(word.display()))?;
    }
    Ok(String::new())
}

/// `boot rm`.
pub fn remove(words: &[PathBuf], recursive: bool) -> Result<String, String> {
    fn all(volume: &mut Disk, path: &Inside, what: &impl Display) -> Result<(), String> {
        if look(volume, path, what)?.is_some_and(|there| there.kind == Kind::Directory) {
            for name in sorted(volume, path, what)? {
                all(volume, &below(path, &name), what)?;
            }
        }
        if path.is_empty() { Ok(()) } else { volume.remove(path).map_err(about(path.join("/"))) }
    }
    for word in words {
        let (disk, path) = place_on_disk(word)?;
        let mut volume = open(&disk, true)?;
        let what = word.display();
        match (recursive, volume.attributes(&path)) {
            (true, Ok(_)) => all(&mut volume, &path, &what)?,
            (false, Ok(_)) => volume.remove(&path).map_err(|error| match error {
                VolumeError::NotEmpty => format!("{what}: {error}; remove it and all that is in it with --recursive"),
                _ => format!("{what}: {error}"),
            })?,
            (_, Err(error)) => return Err(format!("{what}: {error}")),
        }
    }
    Ok(String::new())
}

/// What was copied.
#[derive(Default)]
struct Copied {
    files: u64,
    bytes: u64,
    /// What was left out, and why.
    left_out: Vec<String>,
}

/// `boot cp`.
pub fn copy(words: &[PathBuf]) -> Result<String, String> {
    let (to, from) = words.split_last().expect("main.rs counts the words");
    let mut copied = Copied::default();
    match place(to)? {
        Place::Disk { disk, path } => {
            let mut volume = open(&disk, true)?;
            let to = to.display();
            let into = look(&mut volume, &path, &to)?.is_some_and(|there| there.kind == Kind::Directory);
            if from.len() > 1 && !into {
                return Err(format!("{to} is no directory, and there is more than one file to copy to it"));
            }
            let mut inward = Inward { volume: &mut volume, copied: &mut copied, waiting: Vec::new(), bytes: 0 };
            for word in from {
                let Place::Host(source) = place(word)? else {
                    return Err(format!("{}: copy it to the host first, and then to the disk", word.display()));
                };
                let name = source.canonicalize().ok().and_then(|path| path.file_name().map(|name| name.to_owned()));
                let name = name.map(|name| name.to_string_lossy().into_owned());
                let target = match (into, name) {
                    (false, _) => path.clone(),
                    (true, Some(name)) => below(&path, &name),
                    (true, None) => return Err(format!("{}: there is no such file or folder", source.display())),
                };
                inward.bring(&source, &target)?;
            }
            inward.put_waiting()?;
        }
        Place::Host(to) => {
            let into = to.is_dir();
            if from.len() > 1 && !into {
                return Err(format!("{} is no folder, and there is more than one file to copy to it", to.display()));
            }
            for word in from {
                let (disk, path) = place_on_disk(word)
                    .map_err(|sentence| format!("{sentence}, either where to copy from or where to"))?;
                let mut volume = open(&disk, false)?;
                let target = match path.last() {
                    Some(name) if into => to.join(name),
                    _ => to.clone(),
                };
                take(&mut volume, &path, &target, &mut copied, &Place::Disk { disk, path: path.clone() })?;
            }
        }
    }
    let Copied { files, bytes, left_out } = copied;
    if left_out.is_empty() {
        return Ok(format!("{files} files, {bytes} bytes\n"));
    }
    Err(format!("{files} files were copied; left out: {}", left_out.join("; ")))
}

/// A small file that waits for others to be put on the disk with.
struct Waiting {
    directory: Inside,
    name: String,
    bytes: Vec<u8>,
    date: i64,
    mode: u32,
}

/// From the host to a disk.
struct Inward<'a> {
    volume: &'a mut Disk,
    copied: &'a mut Copied,
    waiting: Vec<Waiting>,
    bytes: u64,
}

impl Inward<'_> {
    fn bring(&mut self, from: &Path, to: &Inside) -> Result<(), String> {
        let what = from.display();
        let metadata = std::fs::metadata(from).map_err(about(&what))?;
        if metadata.is_dir() {
            return self.bring_folder(from, to);
        }
        if !metadata.is_file() {
            self.copied.left_out.push(format!("{what} is neither a file nor a folder"));
            return Ok(());
        }
        let (name, directory) = to.split_last().ok_or(format!("{what} is a file, and a disk's root is none"))?;
        let mut file = File::open(from).map_err(about(&what))?;
        if metadata.len() > TOGETHER.0 {
            self.put_waiting()?;
            return self.bring_large(&mut file, &metadata, to, &what);
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(about(&what))?;
        if self.bytes + bytes.len() as u64 > TOGETHER.0 || self.waiting.len() == TOGETHER.1 {
            self.put_waiting()?;
        }
        self.bytes += bytes.len() as u64;
        let (date, mode) = (metadata.mtime(), metadata.mode());
        self.waiting.push(Waiting { directory: directory.to_vec(), name: name.clone(), bytes, date, mode });
        Ok(())
    }

    fn bring_folder(&mut self, from: &Path, to: &Inside) -> Result<(), String> {
        let what = from.display();
        match self.volume.create_directory(to) {
            Ok(()) => {}
            Err(VolumeError::Exists | VolumeError::Busy) if look(self.volume, to, &what)?.is_some_and(is_directory) => {
            }
            Err(error) => return Err(format!("{what}: {error}")),
        }
        let mut found = Vec::new();
        for entry in std::fs::read_dir(from).map_err(about(&what))? {
            found.push(entry.map_err(about(&what))?.path());
        }
        found.sort();
        for path in found {
            let name = path.file_name().and_then(|name| name.to_str());
            // A link to a folder may lead round in circles.
            let is_link = path.is_symlink() && !path.is_file();
            match name {
                Some(name) if !is_link => self.bring(&path, &below(to, name))?,
                Some(_) => self.copied.left_out.push(format!("{} is a link to a folder or nowhere", path.display())),
                None => self.copied.left_out.push(format!("{} has a name that is no UTF-8", path.display())),
            }
        }
        Ok(())
    }

    /// A file that is put there by itself, under another name first.
    fn bring_large(
        &mut self,
        file: &mut File,
        metadata: &std::fs::Metadata,
        to: &Inside,
        what: &impl Display,
    ) -> Result<(), String> {
        let mut beside = to.clone();
        beside.pop();
        beside.push(format!("~boot-{}", now().1));
        let made = self.volume.create(&beside).map_err(about(what))?;
        let mut at = 0;
        let mut run = vec![0; RUN];
        let written = loop {
            match file.read(&mut run) {
                Ok(0) => break Ok(()),
                Ok(count) => match self.volume.write(made, at, &run[..count]) {
                    Ok(()) => at += count as u64,
                    Err(error) => break Err(format!("{what}: {error}")),
                },
                Err(error) => break Err(format!("{what}: {error}")),
            }
        };
        let change = Change { written: Some(metadata.mtime()), mode: Some(metadata.mode() & 0o777) };
        let changed = self.volume.change_open(made, change).map_err(about(what));
        let closed = self.volume.close(made).map_err(about(what));
        let named =
            written.and(changed).and(closed).and_then(|()| self.volume.rename(&beside, to).map_err(about(what)));
        if named.is_err() {
            let _ = self.volume.remove(&beside);
            return named;
        }
        self.copied.files += 1;
        self.copied.bytes += at;
        Ok(())
    }

    fn put_waiting(&mut self) -> Result<(), String> {
        let waiting = std::mem::take(&mut self.waiting);
        self.bytes = 0;
        // Those of one directory came one after another.
        for group in waiting.chunk_by(|a, b| a.directory == b.directory) {
            let files: Vec<NewFile<'_>> = group
                .iter()
                .map(|file| NewFile { name: &file.name, bytes: &file.bytes, date: file.date, mode: file.mode })
                .collect();
            if self.volume.put(&group[0].directory, &files).is_err() {
                // One by one, to say which it is.
                for file in &files {
                    let name = below(&group[0].directory, file.name).join("/");
                    self.volume.put(&group[0].directory, &[*file]).map_err(about(name))?;
                }
            }
            self.copied.files += files.len() as u64;
            self.copied.bytes += files.iter().map(|file| file.bytes.len() as u64).sum::<u64>();
        }
        Ok(())
    }
}

fn is_directory(attributes: Attributes) -> bool {
    attributes.kind == Kind::Directory
}

/// From a disk to the host.
fn take(volume: &mut Disk, from: &Inside, to: &Path, copied: &mut Copied, what: &Place) -> Result<(), String> {
    let attributes = volume.attributes(from).map_err(about(what))?;
    match attributes.kind {
        Kind::Directory => {
            if !to.is_dir() {
                std::fs::create_dir(to).map_err(about(to.display()))?;
            }
            let Place::Disk { disk, .. } = what else { return Ok(()) };
            for name in sorted(volume, from, what)? {
                let path = below(from, &name);
                let what = Place::Disk { disk: disk.clone(), path: path.clone() };
                take(volume, &path, &to.join(&name), copied, &what)?;
            }
            return Ok(());
        }
        Kind::File => {}
        Kind::Other => {
            copied.left_out.push(format!("{what} is neither a file nor a directory"));
            return Ok(());
        }
    }
    if to.is_dir() {
        return Err(format!("{} is a folder, and {what} is a file", to.display()));
    }
    let unfinished = Unfinished::beside(to);
    let cannot = about::<std::io::Error>(to.display());
    let mut file = File::create_new(&unfinished.path).map_err(&cannot)?;
    let open = volume.open(from, false).map_err(about(what))?;
    let mut run = vec![0; RUN];
    let mut at = 0;
    loop {
        let count = volume.read(open, at, &mut run).map_err(about(what))?;
        if count == 0 {
            break;
        }
        file.write_all(&run[..count]).map_err(&cannot)?;
        at += count as u64;
    }
    volume.close(open).map_err(about(what))?;
    let date = UNIX_EPOCH + Duration::from_secs(attributes.written.max(0).cast_unsigned());
    file.set_modified(date).map_err(&cannot)?;
    file.set_permissions(std::fs::Permissions::from_mode(attributes.mode & 0o777 | 0o600)).map_err(&cannot)?;
    file.sync_all().map_err(&cannot)?;
    drop(file);
    unfinished.finish(to)?;
    copied.files += 1;
    copied.bytes += at;
    Ok(())
}

/// Makes the place for files behind the worlds of a disk ready, if there is one.
pub fn make(device: &mut FileDisk, disk: &Path) -> Result<(), String> {
    let (date, id) = now();
    let id = u128::from(id) << 64 | u128::from(std::process::id());
    match diskfs::make(device, &Made { id, date }) {
        Ok(()) | Err(FilesError::NoPlace { .. }) => Ok(()),
        Err(error) => Err(about(disk.display())(error)),
    }
}

/// `boot files`.
pub fn add_place(disk: &Path, megabytes: Option<u64>) -> Result<String, String> {
    let what = disk.display();
    let mut device = FileDisk::open(disk, true)?;
    let worlds = layout::worlds(&mut device).map_err(about(&what))?;
    let wanted = u64::from(worlds.end) + (megabytes.unwrap_or(MEGABYTES) << 8);
    match DiskVolume::open(FileDisk::open(disk, false)?, Options { read_only: true, ..Options::new(|| 0) }) {
        Ok(_) => return Err(format!("{what} has a place for files already")),
        Err(FilesError::NoPlace { .. } | FilesError::Blank) => {}
        Err(error) => return Err(format!("{what}: {error}")),
    }
    if device.blocks() < wanted {
        device.grow(wanted).map_err(about(&what))?;
    }
    make(&mut device, disk)?;
    let blocks = open(disk, false)?.space(&[]).map_err(about(&what))?.free;
    Ok(format!("{what}: {} MiB for files\n", blocks >> 8))
}

/// A disk that is to be replaced, and where it has files; nothing if it has none.
pub fn files_of(disk: &Path) -> Result<Option<(FileDisk, Range<u32>)>, String> {
    if !disk.is_file() {
        return Ok(None);
    }
    let mut device = FileDisk::open(disk, false)?;
    match layout::files(&mut device) {
        Ok(place) if !place.is_empty() => Ok(Some((device, place))),
        _ => Ok(None),
    }
}

/// Copies blocks from one disk to another; holes stay holes.
pub fn copy_blocks(from: &mut FileDisk, blocks: Range<u32>, to: &mut FileDisk, first: u32) -> Result<(), String> {
    let mut run = vec![0; RUN];
    let mut at = blocks.start;
    while at < blocks.end {
        let count = ((blocks.end - at) as usize).min(RUN / BLOCK);
        let bytes = &mut run[..count * BLOCK];
        from.read(at, bytes).map_err(|error| format!("the files of the disk that is replaced: {error}"))?;
        for (block, bytes) in (first + at - blocks.start..).zip(bytes.as_chunks::<BLOCK>().0) {
            if bytes.iter().any(|&byte| byte != 0) {
                to.submit_write(block, bytes).map_err(|error| error.to_string())?;
            }
        }
        at += count as u32;
    }
    to.submit_flush().map_err(|error| error.to_string())
}

/// A line about the files of a disk.
pub fn space(disk: &Path) -> String {
    let volume = FileDisk::open(disk, false).and_then(|device| {
        let options = Options { read_only: true, ..Options::new(|| 0) };
        DiskVolume::open(device, options).map_err(|error| error.to_string())
    });
    match volume.and_then(|mut volume| volume.space(&[]).map_err(|error| error.to_string())) {
        Ok(space) => format!("{} MiB for files are free", space.free >> 8),
        Err(sentence) => format!("no files: {sentence}"),
    }
}

/// Reads all files of a disk: what is wrong, and a few words about what there is.
pub fn check(disk: &Path) -> Result<(Vec<String>, String), String> {
    let options = Options { read_only: true, cache: 64 << 20, ..Options::new(|| 0) };
    let mut volume = match DiskVolume::open(FileDisk::open(disk, false)?, options) {
        Ok(volume) => volume,
        Err(FilesError::NoPlace { .. } | FilesError::Blank) => return Ok((Vec::new(), "no place for files".into())),
        Err(error) => return Ok((vec![error.to_string()], String::new())),
    };
    let mut findings = Vec::new();
    let summary = diskfs::check(&mut volume, &mut |finding| findings.push(finding.to_string()));
    let summary = summary.map_err(about(disk.display()))?;
    let words = format!("{} files in {} directories, {} bytes", summary.files, summary.directories, summary.bytes);
    Ok((findings, words))
}
