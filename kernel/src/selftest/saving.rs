//! Self-tests of what saving needs: snapshots of Lisp space, and writes to the disk.

use crate::clock;
use crate::devices::block::{self, BLOCK};
use crate::memory::frames::FRAME;
use crate::pager::{self, snapshot};
use crate::{panic, saving};
use alloc::boxed::Box;
use alloc::vec::Vec;
use log::{error, info};

/// 4 KiB pages of the snapshot.
const PAGES: u32 = 600;
/// Where they begin, in 4 KiB pages.
const FIRST: u32 = 1000;

/// A cell of one of the pages.
fn cell(page: u32, index: u64) -> *mut u32 {
    (pager::BASE + u64::from(FIRST + page) * FRAME + 4 * index) as *mut u32
}

/// What that cell holds in a generation.
fn value(page: u32, index: u64, generation: u32) -> u32 {
    (page * 1024 + index as u32).wrapping_mul(0x9e37_79b9) ^ generation
}

/// Writes a generation's values into every `step`th page.
fn fill(generation: u32, step: usize) {
    for page in (0..PAGES).step_by(step) {
        for index in 0..1024 {
            // SAFETY: inside the pages that `snapshots` made.
            unsafe { cell(page, index).write_volatile(value(page, index, generation)) };
        }
    }
}

/// Takes a page and counts what is wrong with it; `expected` gives a cell's value.
fn take(page: u32, buffer: &mut [u8; BLOCK], expected: impl Fn(u64) -> u32) -> u32 {
    let Some(present) = snapshot::take(FIRST + page, buffer) else {
        error!("FAILED: page {page} is not in the snapshot");
        return 1;
    };
    let cells = buffer.as_chunks::<4>().0.iter().enumerate();
    let wrong = cells.filter(|(index, bytes)| u32::from_be_bytes(**bytes) != expected(*index as u64)).count();
    if wrong > 0 || present != 0xFF {
        error!("FAILED: page {page}: {wrong} cells wrong, Lisp pages {present:#010b}");
    }
    u32::from(wrong > 0 || present != 0xFF)
}

/// Snapshots while Lisp writes: contents, counters, failure, pages made meanwhile.
pub(super) fn snapshots() -> u32 {
    let mut failures = 0;
    let _ = pager::start::<()>(pager::Source::Sysout, 65_536, |_| Ok(()));
    if let Err(error) = pager::add_pages(FIRST * 8, PAGES * 8) {
        panic::fatal(format_args!("{error}."));
    }
    fill(1, 1);
    let mut buffer = Box::new([0; BLOCK]);
    let mut pages = Vec::with_capacity(PAGES as usize);
    snapshot::begin(|page| pages.push(page - FIRST));
    check!(failures, pages.len() == PAGES as usize, "{} pages in the first snapshot", pages.len());
    let frames = crate::memory::paging::free_bytes();

    // Lisp goes on: some pages change before they are taken, some after, some twice.
    fill(2, 3);
    for &page in &pages {
        failures += take(page, &mut buffer, |index| value(page, index, 1));
        if page % 4 == 0 {
            // SAFETY: inside the pages made above.
            unsafe { cell(page, 7).write_volatile(0) };
        }
    }
    check!(failures, snapshot::take(FIRST, &mut buffer).is_none(), "a page can be taken twice");
    check!(failures, snapshot::counters().copies == 200, "{} copies", snapshot::counters().copies);
    check!(failures, crate::memory::paging::free_bytes() == frames, "copies are given back");
    let mut shown = 0;
    pager::take_dirty(FIRST * 2048, PAGES * 2048, |_| shown += 1);
    check!(failures, shown == PAGES, "the display sees {shown} changed pages");
    snapshot::end(true);
    let changed = (0..PAGES).filter(|page| page % 3 == 0 || page % 4 == 0).count() as u64;
    check!(failures, pager::counters().dirty == changed, "{} changed, not {changed}", pager::counters().dirty);

    // Now one that cannot be saved: its pages, and what Lisp changed meanwhile, belong to the next.
    pages.clear();
    snapshot::begin(|page| pages.push(page - FIRST));
    check!(failures, pages.len() as u64 == changed, "{} pages in the second snapshot", pages.len());
    fill(3, 6);
    failures += take(0, &mut buffer, |index| if index == 7 { 0 } else { value(0, index, 2) });
    snapshot::end(false);
    check!(failures, crate::memory::paging::free_bytes() == frames, "a failed snapshot gives its copies back");
    pages.clear();
    snapshot::begin(|page| pages.push(page - FIRST));
    check!(failures, pages.len() as u64 == changed, "{} pages after a failed snapshot", pages.len());
    failures += take(6, &mut buffer, |index| value(6, index, 3));
    snapshot::end(true);

    // A Lisp page that comes to be while its neighbours wait.
    check!(failures, pager::add_pages((FIRST + PAGES) * 8, 1).is_ok(), "no new page");
    snapshot::begin(|_| {});
    check!(failures, pager::add_pages((FIRST + PAGES) * 8 + 1, 1).is_ok(), "no second new page");
    let present = snapshot::take(FIRST + PAGES, &mut buffer);
    check!(failures, present == Some(1), "the snapshot has Lisp pages {present:?} of a page that grew");
    snapshot::end(true);
    check!(failures, pager::counters().dirty == 1, "the page that grew has changed");

    // How long a snapshot stops Lisp.
    fill(4, 1);
    snapshot::begin(|_| {});
    fill(5, 1);
    snapshot::end(true);
    info!("{}", snapshot::counters());
    failures
}

/// Writes to the disk: many at once, read back while others are under way, then a flush.
pub(super) fn disk() -> u32 {
    let mut failures = 0;
    let sectors = block::start().unwrap_or_else(|error| panic::fatal(format_args!("{error}.")));
    check!(failures, block::has_flush(), "the disk has no FLUSH");
    let blocks = sectors * 512 / BLOCK as u64;
    let mut data = Box::new([0u8; BLOCK]);
    let mut back = Box::new([0u8; BLOCK]);
    let fill = |data: &mut [u8; BLOCK], block: u64| {
        data.as_chunks_mut::<8>().0.iter_mut().enumerate().for_each(|(at, bytes)| {
            *bytes = (block << 32 | at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        });
    };
    let started = clock::microseconds();
    let mut most = 0;
    // As many as there is room for before any answer is looked for: how full the queue gets does not hang on how fast
    // the device is.
    let mut room = 0;
    for block in 0..blocks {
        if room == 0 {
            let under_way = block::poll();
            check!(failures, under_way.is_ok(), "writing fails: {under_way:?}");
            while room == 0 {
                core::hint::spin_loop();
                room = block::room();
            }
            most = most.max(room);
        }
        room -= 1;
        fill(&mut data, block);
        let submitted = block::submit_write(block * 8, &data);
        check!(failures, submitted.is_ok(), "block {block}: {submitted:?}");
        if block % 100 == 50 {
            // Far enough behind to be done.
            fill(&mut data, block - 50);
            let read = block::read((block - 50) * 8, &mut back[..]);
            check!(failures, read.is_ok() && back == data, "block {} reads back", block - 50);
        }
    }
    while block::poll().unwrap_or(0) > 0 {}
    check!(failures, block::submit_flush().is_ok(), "no flush");
    while block::poll().unwrap_or(0) > 0 {}
    let passed = clock::microseconds() - started;
    for block in 0..blocks {
        fill(&mut data, block);
        let read = block::read(block * 8, &mut back[..]);
        check!(failures, read.is_ok() && back == data, "block {block} reads back");
    }
    let past = block::submit_write(sectors, &data);
    check!(failures, matches!(past, Err(block::DiskError::PastEnd { .. })), "writing past the end: {past:?}");
    info!("{blocks} blocks written in {passed} us, up to {most} at once");
    failures
}

/// 4 KiB pages of the world in [`speed`].
const WORLD: u32 = 8_000;

/// Touches every `step`th page of that world.
fn touch(step: usize) {
    for page in (0..WORLD).step_by(step) {
        let cell = (pager::BASE + u64::from(page) * FRAME + 8) as *mut u32;
        // SAFETY: inside the pages that `speed` made.
        unsafe { cell.write_volatile(cell.read_volatile() + 1) };
    }
}

/// The middle one of five saves after touching every `step`th page, microseconds.
fn middle_of_five(step: usize) -> (u32, u64) {
    let (mut failures, mut times) = (0, [0; 5]);
    for time in &mut times {
        touch(step);
        match saving::save() {
            Ok((pages, microseconds)) => {
                let expected = WORLD.div_ceil(step as u32);
                check!(failures, pages == expected, "{pages} pages saved, not {expected}");
                *time = microseconds;
            }
            Err(error) => panic::fatal(format_args!("{error}.")),
        }
    }
    times.sort_unstable();
    (failures, times[2])
}

/// What a save of a hundredth of the pages takes, compared with one of all.
pub(super) fn speed() -> u32 {
    let mut failures = 0;
    block::start().unwrap_or_else(|error| panic::fatal(format_args!("{error}.")));
    let _ = pager::start::<()>(pager::Source::Sysout, 65_536, |_| Ok(()));
    if let Err(error) = pager::add_pages(0, WORLD * 8) {
        panic::fatal(format_args!("{error}."));
    }
    for page in 0..WORLD {
        let cells = (pager::BASE + u64::from(page) * FRAME) as *mut u32;
        for index in 0..1024 {
            // SAFETY: inside the pages that were just made.
            unsafe { cells.add(index).write_volatile(value(page, index as u64, 0)) };
        }
    }
    let first = saving::start_anew(8192).unwrap_or_else(|error| panic::fatal(format_args!("{error}.")));
    let (wrong, all) = middle_of_five(1);
    failures += wrong;
    let (wrong, few) = middle_of_five(100);
    failures += wrong;
    info!(
        "the first save of {} KiB took {first} us; a save of all takes {all} us, of 1 % {few} us: {}.{:02} %",
        WORLD * 4,
        few * 100 / all,
        few * 10_000 / all % 100
    );
    failures
}
