//! The machine's disk as Lisp's memory comes from it and goes back to it: the store, with the virtio driver below and the
//! pager's snapshots above.
//!
//! ```text
//!   VMEMSAVE (LOGOUT, SAVEVM)   snapshot, written and flushed while Lisp waits
//!   checkpoint (the timer's)    snapshot; then a few blocks at every chance, while Lisp runs
//!
//!   page fault --> store.read_page --> disk          store.step --> snapshot::take --> disk
//! ```

use crate::devices::block::{self, DiskError};
use crate::devices::{display, text};
use crate::disk_files::DiskOf;
use crate::memory::exclusive::Exclusive;
use crate::pager::snapshot;
use crate::{clock, pager, power};
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use diskfs::Who;
use log::{error, info, warn};
use store::{
    Block, Date, Device, DeviceError, Health, Name, NewWorld, Origin, PageSource, Progress, Record, SaveInfo, SaveKind,
    Store, StoreError,
};
use vm::address::{BYTES_PER_PAGE, FilePage};
use vm::platform::{FileAccess, FileDevice, FileError, Files, Recognition, SaveError, SavePlace, World};

/// Sectors in a block of the store.
const SECTORS: u64 = (store::BLOCK / block::SECTOR) as u64;
/// A turn of a checkpoint takes at most so long, microseconds.
const TURN: u64 = 1_000;
/// Blocks between two looks at the clock.
const BLOCKS_A_STEP: usize = 2;
/// A save that takes longer shows how far it is, microseconds.
const SHOW_AFTER: u64 = 500_000;
/// A checkpoint that failed is tried again after so long, microseconds.
const TRY_AGAIN: u64 = 60_000_000;
/// Unix numbers of errors.
const NO_MEMORY: u32 = 12;
/// As above.
const NO_SPACE: u32 = 28;
/// A sentence for the user stays on the screen so long, microseconds.
const READING_TIME: u64 = 10_000_000;

/// The virtio disk, as the store wants it.
pub struct VirtioDisk;

fn device_error(error: DiskError, sector: u64) -> DeviceError {
    match error {
        DiskError::NoDisk | DiskError::Unusable(_) | DiskError::Silent => DeviceError::Gone,
        DiskError::PastEnd { sector, capacity, .. } => DeviceError::PastEnd { sector, sectors: capacity },
        DiskError::Failed { sector } => DeviceError::Read { sector },
        DiskError::Unwritten { sector } => DeviceError::Write { sector },
        DiskError::Unflushed => DeviceError::Flush,
        DiskError::ReadOnly | DiskError::Busy => DeviceError::Write { sector },
    }
}

impl Device for VirtioDisk {
    fn blocks(&self) -> u64 {
        block::capacity() / SECTORS
    }

    fn has_flush(&self) -> bool {
        block::has_flush()
    }

    fn read(&mut self, first: u32, buffer: &mut [u8]) -> Result<(), DeviceError> {
        let sector = u64::from(first) * SECTORS;
        block::read(sector, buffer).map_err(|error| device_error(error, sector))
    }

    fn room(&mut self) -> usize {
        block::room()
    }

    fn submit_write(&mut self, block: u32, data: &Block) -> Result<(), DeviceError> {
        let sector = u64::from(block) * SECTORS;
        block::submit_write(sector, data).map_err(|error| device_error(error, sector))
    }

    fn submit_flush(&mut self) -> Result<(), DeviceError> {
        block::submit_flush().map_err(|_| DeviceError::Flush)
    }

    fn poll(&mut self) -> Result<usize, DeviceError> {
        block::poll().map_err(|error| device_error(error, 0))
    }
}

/// The pager's snapshot, as the store wants it.
struct Snapshot;

impl PageSource for Snapshot {
    fn page(&mut self, page: u32, into: &mut Block) -> Option<u8> {
        snapshot::take(page, into)
    }
}

static STORE: Exclusive<Option<Store>> = Exclusive::new(None);
/// When the save under way began, in microseconds; 0 while there is none.
static STARTED: AtomicU64 = AtomicU64::new(0);
/// Microseconds between checkpoints; 0 for none.
static PERIOD: AtomicU64 = AtomicU64::new(0);
/// When the next checkpoint is due, in microseconds.
static DUE: AtomicU64 = AtomicU64::new(u64::MAX);
/// The longest time Lisp stood still for the save under way, microseconds, but for the copies that snapshots count.
static LONGEST_STOP: AtomicU64 = AtomicU64::new(0);
/// When the sentence on the screen goes away, microseconds; 0 if there is none.
static TOLD_UNTIL: AtomicU64 = AtomicU64::new(0);
/// Has the user been told that checkpoints fail?
static FAILURE_TOLD: AtomicBool = AtomicBool::new(false);

/// Opens the store on the disk, at a generation or at the newest one that is complete. `None` if there is no store.
pub fn open(generation: Option<u64>) -> Result<Option<Record>, StoreError> {
    let opened = match generation {
        Some(generation) => Store::open_generation(&mut VirtioDisk, generation),
        None => Store::open(&mut VirtioDisk),
    };
    let store = match opened {
        Ok(store) => store,
        Err(StoreError::NotAStore | StoreError::Blank) => return Ok(None),
        Err(error) => return Err(error),
    };
    for found in store.generations() {
        let record = &found.record;
        info!(target: "disk", "generation {}: {}, {} Lisp pages, {:?}", record.generation, record.kind, record.lisp_pages, found.health);
    }
    if !block::has_flush() {
        warn!(target: "disk", "the disk cannot be told to make writes durable: a power cut may cost more than the last save");
    }
    let record = store.current().copied();
    STORE.with(|place| *place = Some(store));
    Ok(record)
}

/// Tells the user when the machine did not come up from what was saved last, because that is damaged.
pub fn tell_of_damage() {
    let found = with(|store| {
        let current = store.current().copied();
        let newer = store.generations().iter().find(|found| {
            matches!(found.health, Health::Damaged(_))
                && current.is_some_and(|current| found.record.generation > current.generation)
        });
        Ok(current.zip(newer.map(|newer| newer.record.generation)))
    });
    if let Ok(Some((current, damaged))) = found {
        tell(format_args!(
            "Generation {damaged} on the disk is damaged. This is generation {}, saved {} UTC.",
            current.generation,
            Date(current.date)
        ));
    }
}

/// Is there a place for worlds?
pub fn has_store() -> bool {
    STORE.try_with(|store| store.is_some()).unwrap_or(false)
}

/// What a user whose world cannot be read any more can do about it.
pub struct WayBack;

impl fmt::Display for WayBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let older = with(|store| {
            let current = store.current().map_or(0, |record| record.generation);
            let older = store
                .generations()
                .iter()
                .find(|found| found.health == Health::Complete && found.record.generation < current);
            Ok(older.map(|older| older.record))
        });
        match older {
            Ok(Some(older)) => write!(
                f,
                "The generation before is number {}, saved {} UTC: `./run-qemu.sh --generation {}` starts it",
                older.generation,
                Date(older.date),
                older.generation
            ),
            _ => write!(f, "There is no older generation on the disk; start again, or import a sysout"),
        }
    }
}

/// Tells the user something, in the log and for a while on the screen.
pub fn tell(sentence: fmt::Arguments<'_>) {
    warn!(target: "disk", "{sentence}");
    text::show_line(sentence);
    TOLD_UNTIL.store(clock::microseconds() + READING_TIME, Ordering::Relaxed);
}

/// Uses the store.
fn with<R>(work: impl FnOnce(&mut Store) -> Result<R, StoreError>) -> Result<R, StoreError> {
    STORE
        .try_with(|store| store.as_mut().map_or(Err(StoreError::NoWorld), work))
        .unwrap_or(Err(StoreError::SaveUnderWay))
}

/// Which Lisp pages of a 4 KiB page the open generation has, a bit each.
pub fn present(page: u32) -> u8 {
    with(|store| Ok(store.entry(page).present)).unwrap_or(0)
}

/// Reads a page in the byte order of a sysout; for page faults.
pub fn read_page(page: u32, into: &mut Block) -> Result<(), StoreError> {
    with(|store| store.read_page(&mut VirtioDisk, page, into).map(|_| ()))
}

/// Sets how many seconds there are between checkpoints; 0 for none.
pub fn set_period(seconds: u64) {
    PERIOD.store(seconds * 1_000_000, Ordering::Relaxed);
    next_checkpoint(clock::microseconds());
}

fn next_checkpoint(now: u64) {
    let period = PERIOD.load(Ordering::Relaxed);
    DUE.store(if period == 0 { u64::MAX } else { now + period }, Ordering::Relaxed);
}

/// Is it time for a checkpoint? Says so once for each.
pub fn checkpoint_is_due() -> bool {
    let now = clock::microseconds();
    if now < DUE.load(Ordering::Relaxed) || is_saving() {
        return false;
    }
    next_checkpoint(now);
    true
}

/// Is a save under way?
pub fn is_saving() -> bool {
    STARTED.load(Ordering::Relaxed) != 0
}

/// Begins to save what has changed.
fn begin(kind: SaveKind) -> Result<(), StoreError> {
    let now = clock::microseconds();
    let mut changed = alloc::vec::Vec::new();
    let pages = pager::counters().dirty as usize;
    changed.try_reserve(pages).map_err(|_| StoreError::NoMemory { bytes: pages * size_of::<u32>() })?;
    snapshot::begin(|page| changed.push(page));
    info!(target: "disk", "saving {} pages of 4 KiB ({kind})", changed.len());
    let info = SaveInfo { date: clock::unix_seconds() as i64, kind };
    let begun = with(|store| store.begin_save(changed.into_iter(), &info));
    match begun {
        Ok(()) => STARTED.store(now.max(1), Ordering::Relaxed),
        Err(_) => snapshot::end(false),
    }
    LONGEST_STOP.store(clock::microseconds() - now, Ordering::Relaxed);
    begun
}

/// Goes on with the save; says how far it is.
fn step(budget: usize) -> Result<Progress, StoreError> {
    let progress = with(|store| store.step(&mut DiskOf(Who::Worlds), &mut Snapshot, budget));
    match progress {
        Ok(Progress::Done { .. }) | Err(_) => snapshot::end(progress.is_ok()),
        Ok(_) => {}
    }
    progress
}

/// Says what has become of the save.
fn report(outcome: Result<u64, StoreError>, waited: bool) {
    let now = clock::microseconds();
    let milliseconds = (now - STARTED.swap(0, Ordering::Relaxed)) / 1000;
    match outcome {
        Ok(generation) => {
            FAILURE_TOLD.store(false, Ordering::Relaxed);
            let written = with(|store| Ok(store.current().map_or(0, |record| record.written))).unwrap_or(0);
            let size = written * 4;
            if waited {
                info!(target: "disk", "generation {generation} saved: {size} KiB in {milliseconds} ms");
            } else {
                let stop = LONGEST_STOP.load(Ordering::Relaxed).max(snapshot::longest_copy());
                info!(
                    target: "disk",
                    "generation {generation} saved: {size} KiB in {milliseconds} ms while Lisp ran; its longest stop {stop} us"
                );
            }
        }
        Err(error) if waited => tell(format_args!("The world was not saved: {error}.")),
        Err(error) => checkpoint_failed(&error),
    }
}

/// Tells the user that checkpoints fail, once until one does not, and has the next one made soon.
fn checkpoint_failed(error: &StoreError) {
    DUE.fetch_min(clock::microseconds() + TRY_AGAIN, Ordering::Relaxed);
    if FAILURE_TOLD.swap(true, Ordering::Relaxed) {
        error!(target: "disk", "no checkpoint: {error}");
    } else {
        tell(format_args!("No checkpoint could be made; what was saved before is still there: {error}."));
    }
}

/// Saves while Lisp waits.
fn save_now(kind: SaveKind) -> Result<(), StoreError> {
    if is_saving() {
        // A checkpoint is of an older moment; its failure is not that of this save.
        let _ = finish();
    }
    begin(kind).inspect_err(|error| tell(format_args!("The world was not saved: {error}.")))?;
    finish()?;
    next_checkpoint(clock::microseconds());
    Ok(())
}

/// Goes on with the save until it is done.
fn finish() -> Result<(), StoreError> {
    let mut shown = 0;
    let outcome = loop {
        match step(64) {
            Ok(Progress::Done { generation }) => break Ok(generation),
            Ok(Progress::Going { done, pages } | Progress::Waiting { done, pages }) => {
                let passed = clock::microseconds() - STARTED.load(Ordering::Relaxed);
                if passed > SHOW_AFTER * (shown + 1) {
                    shown = passed / SHOW_AFTER;
                    text::show_line(format_args!("Saving: {} of {} KiB", done * 4, pages * 4));
                }
            }
            Err(error) => break Err(error),
        }
    };
    if shown > 0 {
        display::uncover();
    }
    report(outcome, true);
    outcome.map(drop)
}

/// Makes a store on the disk that holds the world in memory, for self-tests; how long the save took, microseconds.
pub fn start_anew(pages: u32) -> Result<u64, StoreError> {
    let mut store = Store::format(&mut VirtioDisk, clock::cycles())?;
    let started = clock::microseconds();
    let mut changed = alloc::vec::Vec::new();
    snapshot::begin(|page| changed.push(page));
    let new = NewWorld { layout: 2, pages, origin: Origin { bytes: 0, crc: 0, name: Name::new("self-test") } };
    let info = SaveInfo { date: clock::unix_seconds() as i64, kind: SaveKind::Save };
    store.begin_world(&new, changed.into_iter(), &info)?;
    let finished = store.finish(&mut VirtioDisk, &mut Snapshot);
    snapshot::end(finished.is_ok());
    STORE.with(|place| *place = Some(store));
    finished.map(|_| clock::microseconds() - started)
}

/// Saves, for self-tests; pages written, and how long it took, microseconds.
pub fn save() -> Result<(u32, u64), StoreError> {
    let started = clock::microseconds();
    save_now(SaveKind::Save)?;
    let passed = clock::microseconds() - started;
    with(|store| Ok((store.current().map_or(0, |record| record.written), passed)))
}

/// Lets a checkpoint have its turn, and takes a sentence off the screen that was there long enough; called often.
pub fn turn() {
    let started = clock::microseconds();
    let until = TOLD_UNTIL.load(Ordering::Relaxed);
    if until != 0 && started >= until {
        TOLD_UNTIL.store(0, Ordering::Relaxed);
        display::uncover();
    }
    if !is_saving() {
        return;
    }
    let outcome = loop {
        match step(BLOCKS_A_STEP) {
            Ok(Progress::Going { .. }) if clock::microseconds() < started + TURN => {}
            Ok(Progress::Done { generation }) => break Some(Ok(generation)),
            Err(error) => break Some(Err(error)),
            Ok(_) => break None,
        }
    };
    LONGEST_STOP.fetch_max(clock::microseconds() - started, Ordering::Relaxed);
    if let Some(outcome) = outcome {
        report(outcome, false);
    }
}

/// Lisp's number for an error, of which there are few.
fn lisp_error(error: &StoreError) -> SaveError {
    match error {
        StoreError::Full { .. } | StoreError::Device(DeviceError::NoSpace { .. }) => SaveError::NoSpace,
        StoreError::NoWorld => SaveError::CannotOpen,
        StoreError::Device(DeviceError::Gone) => SaveError::TimedOut,
        _ => SaveError::CannotWrite,
    }
}

/// What Lisp has to know when it cannot save at all, and the user, too.
fn refuse(why: &str) -> Result<(), SaveError> {
    tell(format_args!("The world was not saved: {why}."));
    Err(SaveError::CannotOpen)
}

/// Saves a world to the machine's disk, or as a sysout to one of its files.
pub fn save_world(files: &mut dyn Files, place: SavePlace<'_>, world: &dyn World) -> Result<(), SaveError> {
    if let SavePlace::File(device, name) = place {
        return write_sysout(files, device, name, world);
    }
    if !has_store() {
        return refuse("the machine came up from a plain sysout, which is only read");
    }
    if block::is_read_only() {
        return refuse("the disk can only be read");
    }
    match place {
        SavePlace::Checkpoint if is_saving() => Ok(()),
        SavePlace::Checkpoint => begin(SaveKind::Autosave).inspect_err(checkpoint_failed),
        SavePlace::Farewell => {
            let saved = save_now(SaveKind::Autosave);
            if saved.is_ok() {
                power::off(power::ExitCode::Success);
            }
            saved
        }
        _ => save_now(SaveKind::Save),
    }
    .map_err(|error| lisp_error(&error))
}

/// Pages of a sysout that are written at once.
const AT_ONCE: usize = 128;

/// Writes a world as a sysout; what was written of it is deleted if that does not work.
fn write_sysout(files: &mut dyn Files, device: FileDevice, name: &[u8], world: &dyn World) -> Result<(), SaveError> {
    let shown = core::str::from_utf8(name).unwrap_or("?");
    let complain = |error: FileError, number| {
        tell(format_args!("The sysout {shown} was not written: error {} of its device.", error.0));
        number
    };
    let opened = files.open(device, name, Recognition::New, FileAccess::Output);
    let (handle, _) = opened.map_err(|error| complain(error, SaveError::CannotOpen))?;
    let mut buffer = alloc::vec::Vec::new();
    let written = (|| {
        buffer.try_reserve_exact(AT_ONCE * BYTES_PER_PAGE).map_err(|_| FileError(NO_MEMORY))?;
        let (mut at, mut shown) = (0, 0);
        let started = clock::microseconds();
        for first in (0..world.pages()).step_by(AT_ONCE) {
            buffer.clear();
            for page in first..world.pages().min(first + AT_ONCE as u32) {
                let mut bytes = [0; BYTES_PER_PAGE];
                world.copy(FilePage(page), &mut bytes);
                buffer.extend_from_slice(&bytes);
            }
            files.write(handle, at, &buffer)?;
            at += buffer.len() as u64;
            let passed = clock::microseconds() - started;
            if passed > SHOW_AFTER * (shown + 1) {
                shown = passed / SHOW_AFTER;
                text::show_line(format_args!("Saving: {} of {} KiB", at / 1024, world.pages() / 2));
            }
        }
        if shown > 0 {
            display::uncover();
        }
        Ok(())
    })();
    let closed = files.close(handle, None);
    let outcome = written.and(closed).map_err(|error: FileError| {
        complain(error, if error.0 == NO_SPACE { SaveError::NoSpace } else { SaveError::CannotWrite })
    });
    match outcome {
        Ok(()) => info!(target: "disk", "sysout {shown} of {} pages written", world.pages()),
        // Half a world is of no use; if it cannot be deleted, the sentence above has to do.
        Err(_) => drop(files.delete(device, name)),
    }
    outcome
}
