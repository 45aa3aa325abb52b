//! Duralumin's kernel: a computer without an operating system, brought to the point where Lisp is the computer.
//!
//! ```text
//!   boot.s -> entry    two ways in, one Handoff
//!          -> start    frames, own page tables, own stacks            (on the loader's tables)
//!          -> run      gates, clocks, disk, pager, screen, input      (on our own)
//!          -> vm       the Lisp machine
//! ```
//! Unsafe code is where the lint below is lifted: what is hardware, memory, or the one machine that interrupts reach.
#![no_std]
#![no_main]
#![deny(unsafe_code)]

extern crate alloc;

#[expect(unsafe_code, reason = "reads the firmware's tables where they lie")]
mod acpi;
#[expect(unsafe_code, reason = "ports of the timers, and the processor's own counter")]
mod clock;
#[expect(unsafe_code, reason = "descriptor tables, traps and ports")]
mod cpu;
#[expect(unsafe_code, reason = "drivers: ports, registers and memory that devices see")]
mod devices;
mod disk_files;
#[expect(unsafe_code, reason = "the loader's hand-over")]
mod entry;
#[expect(unsafe_code, reason = "the boot module lies in physical memory")]
mod files;
#[expect(unsafe_code, reason = "COM1 is a port")]
mod log;
#[expect(unsafe_code, reason = "interrupts reach the machine that runs through pointers")]
mod machine;
#[expect(unsafe_code, reason = "frames and page tables")]
mod memory;
mod monitor;
#[expect(unsafe_code, reason = "Lisp's pages and page tables")]
mod pager;
#[expect(unsafe_code, reason = "changes the stack for the report")]
mod panic;
#[expect(unsafe_code, reason = "ports of ACPI and of QEMU's exit device")]
mod power;
mod saving;
#[expect(unsafe_code, reason = "touches what must fault, and Lisp's memory without Lisp")]
mod selftest;
#[expect(unsafe_code, reason = "makes the one machine, and finds it again from traps")]
mod world;

use ::log::{info, warn};
use devices::{display, ps2};
use kernel_logic::handoff::{BootPath, Framebuffer, Handoff};
use kernel_logic::layouts::{LAYOUT_NAMES, Translator};
use spin::Once;

/// What the boot loader said, for the life of the kernel.
static HANDOFF: Once<Handoff> = Once::new();

/// The very first: clock and log.
fn begin() {
    clock::mark_entry();
    clock::calibrate();
    log::start();
    info!("Duralumin {}: kernel entry", env!("CARGO_PKG_VERSION"));
}

/// What the boot loader said.
fn handoff() -> &'static Handoff {
    HANDOFF.get().expect("start made it")
}

/// Goes from the loader's page tables to our own.
#[expect(unsafe_code, reason = "memory and page tables are handed over")]
fn start(handoff: Handoff) -> ! {
    let handoff = HANDOFF.call_once(|| handoff);
    let line = &handoff.command_line;
    if line.has("exit-device") {
        power::enable_exit_device();
    }
    if let Some(level) = line.value("log")
        && !log::set_level(level)
    {
        warn!("log={level} is no level; there are error, warn, info, debug, trace");
    }
    info!(
        "booted through {}, command line \"{}\"",
        match handoff.boot_path {
            BootPath::Pvh => "PVH",
            BootPath::Bootloader => "the bootloader crate",
        },
        line.as_str()
    );
    for region in handoff.memory.regions() {
        ::log::debug!("memory {:#012x}..{:#012x} {:?}", region.start, region.end, region.kind);
    }
    if handoff.memory.dropped() > 0 {
        warn!("{} regions of the memory map were too many and are not used", handoff.memory.dropped());
    }
    info!("{} MiB of memory, TSC at {} MHz", handoff.memory.usable_bytes() >> 20, clock::tsc_hertz() / 1_000_000);
    // SAFETY: by the handoff, RAM is reachable at that offset; interrupts are off since the entry; called once.
    unsafe {
        memory::set_direct_offset(handoff.physical_offset);
        memory::FRAMES.with(|frames| frames.take_over(&handoff.memory));
        memory::paging::take_over(handoff, run)
    }
}

/// The kernel proper, on its own page tables and stack.
extern "C" fn run() -> ! {
    let handoff = handoff();
    cpu::descriptors::load();
    memory::start_heap(handoff.memory.usable_bytes());
    acpi::set_root(handoff.rsdp);
    let screen = handoff.framebuffer.filter(display::is_supported).map(|framebuffer| {
        info!(
            "framebuffer {}x{}, {} bits a pixel, at {:#x}",
            framebuffer.width,
            framebuffer.height,
            framebuffer.bytes_per_pixel * 8,
            framebuffer.physical
        );
        (framebuffer, display::map_framebuffer(framebuffer))
    });
    if screen.is_none() {
        warn!("there is no framebuffer: Lisp's screen cannot be seen");
    }
    clock::start();
    let (width, height) = lisp_screen(handoff, screen.map(|(framebuffer, _)| framebuffer));
    ps2::start(keyboard(handoff), width, height);
    cpu::traps::start_interrupts();
    info!("interrupts on, date {} s since 1970", clock::unix_seconds());

    match handoff.command_line.value("test") {
        Some(test) => selftest::run(test, screen, width, height),
        None => world::run(screen, width, height),
    }
}

/// The size of Lisp's screen: what the command line wants, as far as the framebuffer goes.
fn lisp_screen(handoff: &Handoff, framebuffer: Option<Framebuffer>) -> (u32, u32) {
    use kernel_logic::command_line::MAXIMUM_PIXELS;
    let wanted = match handoff.command_line.size() {
        Some(Ok(size)) => Some(size),
        Some(Err(error)) => {
            warn!("{error}");
            None
        }
        None => None,
    };
    let (mut width, mut height) = wanted.unwrap_or(framebuffer.map_or((1024, 768), |fb| (fb.width, fb.height)));
    if let Some(fb) = framebuffer {
        (width, height) = (width.min(fb.width), height.min(fb.height));
    }
    width &= !31;
    if width * height > MAXIMUM_PIXELS {
        height = MAXIMUM_PIXELS / width;
    }
    if wanted.is_some_and(|wanted| wanted != (width, height)) {
        warn!("Lisp's screen is {width}x{height}: the framebuffer has no more");
    }
    (width, height)
}

/// The keyboard layout the command line asks for.
fn keyboard(handoff: &Handoff) -> Translator {
    let name = handoff.command_line.value("keyboard").unwrap_or("us");
    Translator::new(name).unwrap_or_else(|| {
        warn!("keyboard={name} is no layout; there are {LAYOUT_NAMES}");
        Translator::new("us").expect("us is a layout")
    })
}
