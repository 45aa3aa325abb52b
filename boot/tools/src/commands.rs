//! What each command does. Each gives the lines to print, or one sentence that says what is wrong.

use crate::disk::{FileDisk, SysoutFile};
use crate::tree;
use crate::{Order, USAGE};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use store::format::BLOCK;
use store::layout::Part;
use store::sysout::{Image, disk_blocks, export, layout_of};
use store::{Checked, Date, Record, Store, StoreError, Summary, check};

/// The least size of a new disk, in blocks.
const LEAST_BLOCKS: u64 = 64 << 8;

/// Does what was asked for.
pub fn run(order: &Order) -> Result<String, String> {
    match order {
        Order::Help => Ok(format!("{USAGE}\n")),
        Order::Import { sysout, disk, fresh, megabytes, files } => import(sysout, disk, *fresh, *megabytes, *files),
        Order::Export { disk, sysout, generation, force } => export_to(disk, sysout, *generation, *force),
        Order::List(disk) => list(disk),
        Order::Check(disk) => check_all(disk),
        Order::Names(place) => tree::names(place),
        Order::Copy(places) => tree::copy(places),
        Order::MakeDirectories(places) => tree::make_directories(places),
        Order::Remove { places, recursive } => tree::remove(places, *recursive),
        Order::Files { disk, megabytes } => tree::add_place(disk, *megabytes),
    }
}

pub fn now() -> (i64, u64) {
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (time.as_secs() as i64, time.as_nanos() as u64 ^ u64::from(std::process::id()) << 48)
}

fn about(path: &Path) -> impl Fn(StoreError) -> String {
    let path = path.display().to_string();
    move |error| format!("{path}: {error}")
}

/// A file under another name, which goes away unless it gets its real one.
pub struct Unfinished {
    /// The other name.
    pub path: PathBuf,
}

impl Unfinished {
    /// A name beside the real one.
    pub fn beside(path: &Path) -> Unfinished {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".new-{}", std::process::id()));
        Unfinished { path: path.with_file_name(name) }
    }

    /// Gives it its real name.
    pub fn finish(self, path: &Path) -> Result<(), String> {
        let renamed = std::fs::rename(&self.path, path).and_then(|()| {
            // The name must be as durable as the contents.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            File::open(folder)?.sync_all()
        });
        renamed.map_err(|error| format!("{} cannot be written: {error}", path.display()))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After `finish` there is nothing under that name.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn import(
    sysout: &Path,
    disk: &Path,
    fresh: bool,
    megabytes: Option<u64>,
    files: Option<u64>,
) -> Result<String, String> {
    let file =
        File::open(sysout).map_err(|error| format!("the sysout {} cannot be read: {error}", sysout.display()))?;
    let metadata = file.metadata().map_err(|error| format!("{}: {error}", sysout.display()))?;
    if !metadata.is_file() {
        return Err(format!("{} is no file; give the path of a sysout", sysout.display()));
    }
    let mut file = SysoutFile(file);
    let mut image = Image::open(&mut file, metadata.len()).map_err(about(sysout))?;
    let name = sysout.file_name().unwrap_or_default().to_string_lossy().into_owned();

    let mut lost = String::new();
    if let Ok(there) = std::fs::metadata(disk) {
        if !there.is_file() {
            return Err(format!("{} is no file, and a machine's disk must be one; give another name", disk.display()));
        }
        if there.len() > 0 && (there.len() < BLOCK as u64 || is_foreign(disk)?) {
            return Err(format!(
                "{} is there already and is no machine's disk; give another name, or remove that file yourself",
                disk.display()
            ));
        }
        if !fresh {
            return Err(refusal(disk, &mut image, &name));
        }
        if let Ok(record) = held(disk) {
            lost = format!("{}: {} is replaced\n", disk.display(), described(&record));
        }
    }

    // Twice what the world needs now would do; a world that grows to its limit should fit, too.
    let limit = u64::from(image.sysout().layout().max_pages()) / u64::from(store::LISP_PAGES);
    let largest = match image.sysout().megabytes() {
        0 => limit.min(64 << 8),
        megabytes => limit.min(u64::from(megabytes) << 8),
    };
    let needed = disk_blocks(image.pages().len() as u32);
    let blocks = match megabytes {
        Some(megabytes) => megabytes << 8,
        None => (3 * largest + 1024).max(needed).max(LEAST_BLOCKS),
    };
    let unfinished = Unfinished::beside(disk);
    // Files of the disk that is replaced stay: it is another world that is wanted, not other files.
    let mut kept = tree::files_of(disk)?;
    let files = match (&kept, files) {
        (Some(_), Some(_)) => {
            return Err(format!(
                "{} has files, which stay, and so does the size of their place; leave --files away",
                disk.display()
            ));
        }
        (Some((_, place)), None) => place.len() as u64,
        (None, files) => files.unwrap_or(tree::MEGABYTES) << 8,
    };
    let worlds = blocks.min(store::format::MAX_BLOCKS.into()) as u32;
    let mut device = FileDisk::create(&unfinished.path, u64::from(worlds) + files)?;
    let (date, id) = now();
    let mut store = Store::format(&mut Part::new(&mut device, 0..worlds), id).map_err(about(disk))?;
    match &mut kept {
        Some((from, place)) => tree::copy_blocks(from, place.clone(), &mut device, worlds)?,
        None => tree::make(&mut device, disk)?,
    }
    image.import(&mut store, &mut device, &name, date).map_err(about(disk))?;
    unfinished.finish(disk)?;
    let record = store.current().expect("a world was imported");
    Ok(format!(
        "{lost}{}: {} world of {} Lisp pages from {name}, on a disk of {} MiB\n",
        disk.display(),
        layout_of(record.layout).map_or("unknown", |layout| layout.name()),
        record.lisp_pages,
        (u64::from(worlds) + files) >> 8
    ))
}

/// Does a file hold something that no machine put there? Nothing ever replaces such a file.
fn is_foreign(path: &Path) -> Result<bool, String> {
    let mut device = FileDisk::open(path, false)?;
    Ok(matches!(Store::open(&mut device), Err(StoreError::NotAStore)))
}

/// The world on a disk.
fn held(disk: &Path) -> Result<Record, String> {
    let mut device = FileDisk::open(disk, false)?;
    let store = Store::open(&mut device).map_err(about(disk))?;
    Ok(*store.current().expect("an open store has a world"))
}

/// A world, as its owner knows it.
fn described(record: &Record) -> String {
    format!(
        "the world that came from {:?} and was last saved {} UTC (generation {})",
        record.origin.name,
        Date(record.date),
        record.generation
    )
}

/// Why a disk that is there is not replaced, and what would be lost.
fn refusal(disk: &Path, image: &mut Image<SysoutFile>, name: &str) -> String {
    let path = disk.display();
    match (held(disk), image.origin(name)) {
        (Ok(record), Ok(origin)) if (record.origin.bytes, record.origin.crc) == (origin.bytes, origin.crc) => format!(
            "{path} already holds a machine that began as this very sysout, at generation {}; go on with it, or replace \
             it with --fresh",
            record.generation
        ),
        (Ok(record), _) => {
            format!("{path} already holds {}; give another disk, or lose that world with --fresh", described(&record))
        }
        (Err(_), _) => {
            format!("{path} is there already and no world on it can be read; replace it with --fresh")
        }
    }
}

fn export_to(disk: &Path, sysout: &Path, generation: Option<u64>, force: bool) -> Result<String, String> {
    let shown = sysout.display();
    if sysout.is_dir() {
        return Err(format!("{shown} is a folder; give the name of a file in it"));
    }
    if sysout.exists() && !force {
        return Err(format!("{shown} is there already; give another name, or replace it with --force"));
    }
    let same = |a: &Path, b: &Path| Some(a.canonicalize().ok()? == b.canonicalize().ok()?);
    if same(disk, sysout) == Some(true) {
        return Err(format!("{shown} is the disk itself; give another name for the sysout"));
    }
    if sysout.is_file() && held(sysout).is_ok() {
        return Err(format!("{shown} is another machine's disk, with its world; give another name for the sysout"));
    }
    let mut device = FileDisk::open(disk, false)?;
    let store = match generation {
        Some(number) => Store::open_generation(&mut device, number),
        None => Store::open(&mut device),
    };
    let store = store.map_err(about(disk))?;
    let unfinished = Unfinished::beside(sysout);
    let cannot = |error: std::io::Error| format!("{} cannot be written: {error}", sysout.display());
    let mut file = BufWriter::new(File::create_new(&unfinished.path).map_err(cannot)?);
    let mut failure = None;
    let mut write = |page: &[u8; 512]| match file.write_all(page) {
        Ok(()) => true,
        Err(error) => {
            failure = Some(error);
            false
        }
    };
    let pages = export(&store, &mut device, &mut write);
    if let Some(error) = failure {
        return Err(cannot(error));
    }
    let pages = pages.map_err(about(disk))?;
    file.into_inner().map_err(|error| cannot(error.into_error()))?.sync_all().map_err(cannot)?;
    unfinished.finish(sysout)?;
    let record = store.current().expect("an open store has a world");
    Ok(format!("{}: {pages} pages, generation {} of {}\n", sysout.display(), record.generation, Date(record.date)))
}

/// The lines about a generation.
fn describe(lines: &mut String, checked: &Checked) {
    let Record { generation, date: when, lisp_pages, written, kind, .. } = checked.record;
    let state = match checked {
        Checked { given_up: true, .. } => "given up".into(),
        Checked { map: false, .. } => "damaged: its map".into(),
        Checked { bad_pages: 0, .. } => "good".into(),
        Checked { bad_pages, .. } => format!("damaged: {bad_pages} pages"),
    };
    let size = lisp_pages / 2;
    let _ = writeln!(
        lines,
        "{generation:>10}  {}  {:<8}  {size:>7} KiB  {:>7} KiB  {state}",
        Date(when),
        kind.to_string(),
        written * 4
    );
}

fn look(disk: &Path) -> Result<(FileDisk, Summary, Vec<String>), String> {
    let mut device = FileDisk::open(disk, false)?;
    let mut findings = Vec::new();
    let summary = check(&mut device, &mut |finding| findings.push(finding.to_string())).map_err(about(disk))?;
    Ok((device, summary, findings))
}

fn list(disk: &Path) -> Result<String, String> {
    let (mut device, summary, findings) = look(disk)?;
    let mut lines = String::from("generation  date (UTC)           kind             size     changed  state\n");
    summary.generations.iter().for_each(|checked| describe(&mut lines, checked));
    if let Some(checked) = summary.generations.first() {
        let Record { origin, layout, .. } = checked.record;
        let layout = layout_of(layout).map_or("unknown", |layout| layout.name());
        let _ =
            writeln!(lines, "a {layout} world from {:?}, {} bytes, CRC {:08x}", origin.name, origin.bytes, origin.crc);
    }
    let (used, all) = Store::scan(&mut device).map_err(about(disk))?.usage();
    let _ = writeln!(lines, "{} of {} MiB for worlds are in use", used.div_ceil(1 << 20), all >> 20);
    let _ = writeln!(lines, "{}", tree::space(disk));
    if !findings.is_empty() {
        let _ = writeln!(lines, "something is damaged; `boot check` says what");
    }
    Ok(lines)
}

fn check_all(disk: &Path) -> Result<String, String> {
    let (_, summary, mut findings) = look(disk)?;
    let (wrong, files) = tree::check(disk)?;
    findings.extend(wrong);
    let mut lines: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    let good = |checked: &&Checked| checked.map && checked.bad_pages == 0;
    let numbers: Vec<String> =
        summary.generations.iter().filter(good).map(|checked| checked.record.generation.to_string()).collect();
    let (blocks, kib) = (summary.blocks, u64::from(summary.blocks) * (BLOCK as u64 >> 10));
    if findings.is_empty() {
        return Ok(format!(
            "{}: all {blocks} blocks in use ({kib} KiB) are good, generations {}; {files}\n",
            disk.display(),
            numbers.join(", ")
        ));
    }
    let left = match numbers.is_empty() {
        true => "no generation is whole; use another copy of the disk".into(),
        false => format!("whole: generation {}", numbers.join(", ")),
    };
    let _ = write!(lines, "{}: {} things are wrong; {left}", disk.display(), findings.len());
    Err(lines)
}
