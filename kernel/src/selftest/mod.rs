//! Self-tests of the bare machine, one a boot: `test=NAME` on the command line. `tests/qemu` runs them.
//!
//! | name | what |
//! |---|---|
//! | `machine` | red zone and SSE state under interrupts, breakpoints, clocks, W^X, an empty lower half |
//! | `pager` | Lisp space over the disk: contents, new pages, dirty bits, counters; the disk holds any file |
//! | `snapshot` | snapshots of Lisp space while it changes |
//! | `disk-write` | writes the whole disk, and reads it back |
//! | `save-speed` | saves all pages, and a hundredth of them, and compares the times; overwrites the disk |
//! | `no-page` | touches a Lisp address without a page: must end in a report |
//! | `panic`, `overflow`, `null`, `write-code` | must end in a report |
//! | `screen` | draws a pattern on Lisp's screen and waits for the exit key (Escape), echoing input |
//! | `off` | powers off |
//! | `idle` | sleeps five seconds |

use crate::cpu::traps;
use crate::devices::ps2::Input;
use crate::devices::{block, display, ps2};
use crate::memory::paging;
use crate::power::{ExitCode, off};
use crate::{clock, cpu, pager, panic};
use core::arch::asm;
use kernel_logic::handoff::Framebuffer;
use kernel_logic::page_plan::{LISP_PAGE, SLOTS};
use kernel_logic::pixels::Cursor;
use log::{error, info};

/// Checks one thing; a failure is logged and counted.
macro_rules! check {
    ($failures:ident, $condition:expr, $($what:tt)*) => {
        let holds: bool = $condition;
        if !holds {
            error!("FAILED: {}", format_args!($($what)*));
            $failures += 1;
        }
    };
}

mod saving;

/// Runs a test and ends the machine.
pub fn run(name: &str, screen: Option<(Framebuffer, u64)>, width: u32, height: u32) -> ! {
    info!("self-test {name}");
    let failures = match name {
        "machine" => machine(),
        "pager" => lisp_space(),
        "snapshot" => saving::snapshots(),
        "disk-write" => saving::disk(),
        "save-speed" => saving::speed(),
        "no-page" => no_page(),
        "panic" => panic!("the test asked for it"),
        "overflow" => recurse(core::hint::black_box(1)) as u32,
        "null" => touch(8),
        "write-code" => write_code(),
        "screen" => show(screen, width, height),
        "idle" => idle(),
        "off" => 0,
        _ => panic::fatal(format_args!("there is no self-test called {name}.")),
    };
    info!("self-test {name}: {failures} failures");
    off(if failures == 0 { ExitCode::Success } else { ExitCode::Failure })
}

fn machine() -> u32 {
    let mut failures = 0;
    x86_64::instructions::interrupts::int3();
    check!(failures, traps::breakpoints() == 1, "a breakpoint comes back");

    // Below the stack pointer, where leaf functions of prebuilt `core` keep things.
    for offset in 1..=16u64 {
        let before = clock::ticks();
        let mut kept: u64 = 0x5a5a_0000 + offset;
        while clock::ticks() < before + 2 {
            // SAFETY: writes and reads inside the red zone of this very piece of code.
            unsafe {
                asm!(
                    "lea {p}, [rsp + {o}]", "mov [{p}], {v}", "mov ecx, 20000", "2: pause", "dec ecx", "jnz 2b", "mov {v}, [{p}]",
                    p = out(reg) _, o = in(reg) 0u64.wrapping_sub(offset * 8), v = inout(reg) kept, out("ecx") _,
                );
            }
        }
        check!(failures, kept == 0x5a5a_0000 + offset, "red zone slot {offset} holds {kept:#x}");
    }

    let start = clock::ticks();
    let mut sum = 0.0f64;
    let mut rounds = 0u32;
    while clock::ticks() < start + 20 {
        let third = core::hint::black_box(1.0f64) / 3.0;
        sum += third;
        rounds += 1;
    }
    check!(failures, (sum - f64::from(rounds) / 3.0).abs() < 1e-3 * f64::from(rounds), "SSE state survives interrupts");

    let (ticks, milliseconds) = (clock::ticks(), clock::milliseconds());
    while clock::ticks() < ticks + 50 {
        core::hint::spin_loop();
    }
    let passed = clock::milliseconds() - milliseconds;
    check!(failures, (350..1500).contains(&passed), "fifty ticks took {passed} ms by the TSC");
    check!(failures, clock::unix_seconds() > 1_600_000_000, "the date is {} s", clock::unix_seconds());

    let mut memory = [0u8; 64];
    memory.copy_within(0..32, 8);
    (0..64).for_each(|at| memory[at] = at as u8);
    memory.copy_within(3..40, 11);
    check!(failures, (0..37).all(|at| memory[11 + at] == 3 + at as u8), "memmove upwards");
    (0..64).for_each(|at| memory[at] = at as u8);
    memory.copy_within(11..48, 3);
    check!(failures, (0..37).all(|at| memory[3 + at] == 11 + at as u8), "memmove downwards");

    let boxed = alloc::boxed::Box::new([7u64; 100]);
    check!(failures, boxed.iter().sum::<u64>() == 700, "the heap");
    check!(
        failures,
        (0..0x8000_0000_0000u64).step_by(1 << 30).all(|at| paging::translate(at).is_none()),
        "the lower half is empty"
    );
    failures
}

/// Lisp page `n` is disk sector `n`, but the pages of every eighth 4 KiB page are shuffled and some are left out.
fn lisp_space() -> u32 {
    let mut failures = 0;
    let sectors = block::start().unwrap_or_else(|error| panic::fatal(format_args!("{error}.")));
    let pages = (sectors as usize).min(20_000);
    let file_page = |page: usize| match page % (8 * SLOTS) {
        inside @ 0..8 => page - inside + (inside * 5 + 3) % 8,
        _ => page,
    };
    let _ = pager::start::<()>(pager::Source::Sysout, 65_536, |table| {
        for (page, entry) in table[..pages / 64 * 64].iter_mut().enumerate().filter(|(page, _)| page % 13 != 0) {
            *entry = file_page(page) as u32;
        }
        Ok(())
    });
    // SAFETY: Lisp space was just made, and only pages that exist are touched.
    let byte = |at: usize| unsafe { ((pager::BASE as usize + (at ^ 3)) as *mut u8).read_volatile() };
    let mut sector = [0u8; LISP_PAGE];
    for page in (0..pages / 64 * 64).step_by(7) {
        if page % 13 == 0 {
            check!(
                failures,
                (0..LISP_PAGE).all(|at| byte(page * LISP_PAGE + at) == 0),
                "absent page {page} beside others is not zero"
            );
            continue;
        }
        block::read(file_page(page) as u64, &mut sector).unwrap_or_else(|error| panic::fatal(format_args!("{error}.")));
        check!(
            failures,
            (0..LISP_PAGE).all(|at| byte(page * LISP_PAGE + at) == sector[at]),
            "page {page} differs from the disk"
        );
    }
    let read = pager::counters();
    check!(failures, read.dirty == 0, "{} pages dirty after reading", read.dirty);

    let added = pager::add_pages(40_000, 16);
    check!(failures, added.is_ok(), "no new pages: {added:?}");
    let word = 40_000 * 256;
    let new = (pager::BASE + 2 * word as u64) as *mut u32;
    // SAFETY: a page that the line above made.
    let before = unsafe { new.read_volatile() };
    check!(failures, before == 0, "a new page holds {before:#x}");
    let mut dirty = 0;
    pager::take_dirty(word, 4096, |_| dirty += 1);
    check!(failures, dirty == 2, "{dirty} pages changed by making new ones");
    // SAFETY: the new page, which only this test knows of.
    unsafe { new.write_volatile(0x1234_5678) };
    for expected in [1, 0] {
        let mut dirty = 0;
        pager::take_dirty(word, 4096, |page| dirty += 1 + page);
        check!(failures, dirty == expected, "{dirty} dirty, {expected} expected");
    }
    // SAFETY: the new page, which only this test knows of.
    unsafe { new.write_volatile(0x1234_5679) };
    let mut dirty = 0;
    pager::take_dirty(word, 4096, |_| dirty += 1);
    check!(failures, dirty == 1, "a second write is not seen");
    check!(failures, pager::counters().dirty == 2, "{} pages count as written", pager::counters().dirty);
    check!(failures, pager::exists(40_000) && !pager::exists(39_999), "which pages exist");
    info!("{}", pager::counters());
    failures
}

fn no_page() -> u32 {
    let _ = pager::start::<()>(pager::Source::Sysout, 65_536, |_| Ok(()));
    panic::set_lisp_report(|out, _| {
        let _ = writeln!(out, "in a self-test, touching word 0x12345");
    });
    touch(pager::BASE + 2 * 0x1_2345)
}

/// Reads an address that must not be readable.
fn touch(address: u64) -> u32 {
    // SAFETY: a fault is what is wanted.
    let value: u32 = unsafe {
        let value;
        asm!("mov {:e}, [{}]", out(reg) value, in(reg) address);
        value
    };
    error!("{address:#x} can be read: {value:#x}");
    1
}

#[expect(unconditional_recursion, reason = "the guard page is to end it")]
fn recurse(depth: u64) -> u64 {
    let kept = core::hint::black_box([depth; 32]);
    recurse(depth + 1) + core::hint::black_box(kept)[5]
}

fn write_code() -> u32 {
    let code = write_code as *const () as u64;
    // SAFETY: a fault is what is wanted.
    unsafe { asm!("mov byte ptr [{}], 0xcc", in(reg) code) };
    error!("the kernel's code can be written");
    1
}

fn show(screen: Option<(Framebuffer, u64)>, width: u32, height: u32) -> u32 {
    let Some((framebuffer, address)) = screen else { panic::fatal(format_args!("there is no framebuffer.")) };
    let words = width / 16 * height;
    let _ = pager::start::<()>(pager::Source::Sysout, 65_536, |_| Ok(()));
    if let Err(error) = pager::add_pages(display::DISPLAY_WORDS / 256, words.div_ceil(256)) {
        panic::fatal(format_args!("{error}."));
    }
    display::start(framebuffer, address, width, height);
    let cells = pager::BASE + 2 * u64::from(display::DISPLAY_WORDS);
    let per_line = width / 32;
    for line in 0..height {
        for column in 0..per_line {
            // A frame of four lines, slanted stripes inside.
            let edge = line < 4 || line >= height - 4;
            let mut cell = if edge { u32::MAX } else { 0x0000_ffffu32.rotate_left(line & 31) };
            cell |= if column == 0 { 0xf000_0000 } else { 0 } | if column == per_line - 1 { 0xf } else { 0 };
            // SAFETY: inside the pages just made.
            unsafe { ((cells + u64::from(line * per_line + column) * 4) as *mut u32).write_volatile(cell) };
        }
    }
    let mut cursor = Cursor { x: 100, y: 100, bits: core::array::from_fn(|row| !(0x7fff >> row)) };
    display::set_cursor(cursor);
    display::refresh();
    info!("pattern shown");
    let mut done = false;
    while !done {
        ps2::poll(|input| {
            info!("input {input:?}");
            match input {
                Input::Key(key) if key.key == 33 => done = true,
                Input::Move { x, y } => (cursor.x, cursor.y) = (x.into(), y.into()),
                _ => {}
            }
        });
        display::set_cursor(cursor);
        display::refresh();
        traps::take_events();
        cpu::sleep_if(|| !traps::events_waiting());
    }
    let (frames, cells) = display::counters();
    info!("{frames} frames, {cells} cells");
    0
}

fn idle() -> u32 {
    let end = clock::milliseconds() + 5000;
    let mut naps = 0;
    while clock::milliseconds() < end {
        traps::take_events();
        cpu::sleep_if(|| !traps::events_waiting());
        naps += 1;
    }
    info!("{naps} naps in five seconds");
    0
}
