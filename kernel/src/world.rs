//! From a disk with a sysout to a running Lisp.
//!
//! Two things are read before the first instruction: the interface page, and the map of pages (FPtoVP). All other pages
//! come in when they are touched.

use crate::cpu::TrapFrame;
use crate::devices::{block, display};
use crate::machine::{KernelPlatform, log_counters, set_attention, set_stopper};
use crate::memory::exclusive::Exclusive;
use crate::memory::frames::FRAME;
use crate::memory::{FRAMES, PhysicalAddress, direct};
use crate::{files, handoff, monitor, pager, panic, power, saving};
use alloc::boxed::Box;
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicPtr, Ordering};
use kernel_logic::environment::Environment;
use kernel_logic::handoff::Framebuffer;
use kernel_logic::page_plan;
use log::info;
use store::StoreError;
use vm::address::{BYTES_PER_PAGE, ByteAddr, LispPtr};
use vm::inspect::Instruction;
use vm::layout::{Layout, Medley2, Medley35};
use vm::machine::{Exit, Machine};
use vm::memory::Space;
use vm::startup::Session;
use vm::symbols;
use vm::sysout::{self, LayoutKind, Sysout, SysoutError};

/// Seconds between checkpoints when the command line does not say.
const DEFAULT_AUTOSAVE: u64 = 300;

/// Why Lisp cannot be brought up.
enum WorldError {
    /// The disk.
    Disk(block::DiskError),
    /// The image on it.
    Image(SysoutError),
    /// The store on it.
    Store(StoreError),
    /// Memory for the map of that many bytes.
    NoMemory(usize),
}

impl fmt::Display for WorldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disk(error) => write!(f, "{error}."),
            Self::Store(error) => write!(f, "The machine's disk cannot be used: {error}."),
            Self::Image(error) => write!(f, "The disk holds no usable Medley image: {error}."),
            Self::NoMemory(bytes) => {
                write!(
                    f,
                    "There is no memory for the {} KiB of the image's map of pages; give the machine more.",
                    bytes >> 10
                )
            }
        }
    }
}

impl From<block::DiskError> for WorldError {
    fn from(error: block::DiskError) -> Self {
        Self::Disk(error)
    }
}

impl From<StoreError> for WorldError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<SysoutError> for WorldError {
    fn from(error: SysoutError) -> Self {
        Self::Image(error)
    }
}

/// Brings Lisp up, and the power down when it is done.
pub fn run(screen: Option<(Framebuffer, u64)>, width: u32, height: u32) -> ! {
    let layout = load().unwrap_or_else(|error| panic::fatal(format_args!("{error}")));
    info!("screen {width}x{height}");
    if let Some((framebuffer, address)) = screen {
        display::start(framebuffer, address, width, height);
        // Lisp draws only what changes: the screen as it was saved has to be there.
        if let Err(error) = pager::prefetch(display::DISPLAY_WORDS, width / 16 * height) {
            panic::fatal(format_args!("{error}."));
        }
        display::refresh();
        saving::tell_of_damage();
    }
    let environment = Environment::new(&handoff().command_line);
    let platform =
        Box::leak(Box::new(KernelPlatform::new(width as u16, height as u16, files::start(&environment), environment)));
    match layout {
        LayoutKind::Medley2 => start::<Medley2>(platform),
        LayoutKind::Medley35 => start::<Medley35>(platform),
    }
}

/// Finds the world and makes Lisp space; gives its layout.
fn load() -> Result<LayoutKind, WorldError> {
    let sectors = block::start()?;
    let line = &handoff().command_line;
    if let Some(record) = saving::open(line.value("generation").and_then(|number| number.parse().ok()))? {
        let layout = store::sysout::layout_of(record.layout)?;
        let lisp_pages = layout.max_pages() as usize;
        info!(
            "{} world \"{}\", generation {} of {} Lisp pages",
            layout.name(),
            record.origin.name.as_str(),
            record.generation,
            record.lisp_pages
        );
        pager::start(pager::Source::Store, lisp_pages, |table| {
            for (page, slots) in table.chunks_mut(page_plan::SLOTS).enumerate() {
                let present = saving::present(page as u32);
                slots
                    .iter_mut()
                    .enumerate()
                    .filter(|(slot, _)| present & 1 << slot != 0)
                    .for_each(|(_, entry)| *entry = 0);
            }
            Ok::<(), WorldError>(())
        })?;
        saving::set_period(line.value("autosave").and_then(|seconds| seconds.parse().ok()).unwrap_or(DEFAULT_AUTOSAVE));
        return Ok(layout);
    }
    load_sysout(sectors)
}

/// Makes Lisp space of a plain sysout, which is only read.
fn load_sysout(sectors: u64) -> Result<LayoutKind, WorldError> {
    let mut page = [0; BYTES_PER_PAGE];
    if sectors >= 2 {
        block::read(1, &mut page)?;
    }
    let image = Sysout::parse(&page, sectors * BYTES_PER_PAGE as u64)?;

    // The map, by whole sectors; it starts and ends inside one.
    let (offset, bytes) = image.map_bytes();
    let first = offset / BYTES_PER_PAGE as u64;
    let skip = (offset % BYTES_PER_PAGE as u64) as usize;
    let length = (skip + bytes).next_multiple_of(BYTES_PER_PAGE);
    let frames = (length as u64).div_ceil(FRAME);
    let run = FRAMES.with(|free| free.allocate_run(frames, FRAME)).ok_or(WorldError::NoMemory(length))?;
    // SAFETY: frames just allocated, used until they are released below.
    let buffer = unsafe { core::slice::from_raw_parts_mut(direct::<u8>(run), length) };
    // The whole sectors of the map are inside the file, but a damaged image may say otherwise: the disk would refuse.
    let length = length.min(((sectors - first) as usize) * BYTES_PER_PAGE);
    block::read(first, &mut buffer[..length])?;
    let map = image.page_map(&buffer[skip..length])?;

    const { assert!(sysout::ABSENT == page_plan::ABSENT) };
    let lisp_pages = image.layout().max_pages() as usize;
    info!("{} image of {} pages", image.layout().name(), image.pages());
    pager::start(pager::Source::Sysout, lisp_pages, |table| map.invert(table))?;
    FRAMES.with(|free| {
        for index in 0..frames {
            // SAFETY: the map was the only user, and it is not used any more.
            unsafe { free.release(PhysicalAddress(run.0 + index * FRAME)) };
        }
    });
    Ok(image.layout())
}

/// The machine for the report of a stopped kernel; null while there is none.
static MACHINE: AtomicPtr<()> = AtomicPtr::new(core::ptr::null_mut());

/// Runs Lisp until it ends.
fn start<L: Layout>(platform: &'static mut KernelPlatform) -> ! {
    // SAFETY: the lower half of the address space is Lisp's alone since the kernel has its own page tables; the pager
    // serves every fault there or stops the machine.
    let space = unsafe { Space::claim() };
    let machine = match Machine::<L>::new(space, platform) {
        Ok(machine) => Box::into_raw(Box::new(machine)),
        Err(error) => panic::fatal(format_args!("Lisp cannot start: {error}.")),
    };
    MACHINE.store(machine.cast(), Ordering::Release);
    panic::set_lisp_report(report::<L>);
    panic::set_monitor(look::<L>);
    set_stopper(stop::<L>);
    // SAFETY: the machine was leaked, so it lives for ever; interrupts touch nothing of it but `attention`, which is
    // made of atomics.
    let machine = unsafe {
        set_attention(&raw const (*machine).attention);
        &mut *machine
    };
    if let Err(error) = machine.start(&Session::default()) {
        panic::fatal(format_args!("Lisp cannot start: {error}."));
    }
    power::watch_button();
    info!("first bytecode");
    let exit = monitor::run(machine);
    log_counters();
    match exit {
        Exit::Logout | Exit::Steps | Exit::Stopped => {
            info!("Lisp has logged out");
            machine.platform.power_off();
            power::end_run()
        }
        Exit::Fatal(error) => panic::fatal(format_args!("{error}.")),
    }
}

/// Stops the machine from an exception that interrupted it.
fn stop<L: Layout>() {
    let machine = MACHINE.load(Ordering::Acquire).cast::<Machine<L>>();
    if machine.is_null() {
        return;
    }
    // SAFETY: the machine that `start` of this very layout leaked; the exception interrupted what runs it. Its registers
    // are plain numbers, whatever state they are in.
    unsafe {
        let function = (&raw const (*machine).func).read_volatile();
        let regs = (&raw const (*machine).regs).read_volatile();
        AT_CHANGE.force(|place| *place = Some((function, regs.pc)));
        Machine::stop_soon(machine);
    }
}

/// The function that ran, and the pc as far as the machine knew it, when [`stop`] was called last.
static AT_CHANGE: Exclusive<Option<(LispPtr, u32)>> = Exclusive::new(None);

/// Where Lisp was when a watched word changed.
pub fn at_change() -> Option<(LispPtr, u32)> {
    AT_CHANGE.with(Option::take)
}

/// The monitor, for a kernel that has stopped.
fn look<L: Layout>() {
    // SAFETY: null, or the machine that `start` of this very layout leaked; whoever ran it has been stopped for good.
    if let Some(machine) = unsafe { MACHINE.load(Ordering::Acquire).cast::<Machine<L>>().as_mut() } {
        monitor::dead(machine)
    }
}

/// Where Lisp is: the running instruction and the innermost calls.
fn report<L: Layout>(out: &mut dyn Write, frame: Option<&TrapFrame>) {
    // SAFETY: null, or the machine that `start` of this very layout leaked; whoever ran it has been stopped for good.
    let Some(machine) = (unsafe { MACHINE.load(Ordering::Acquire).cast::<Machine<L>>().as_mut() }) else { return };
    if let Some(frame) = frame {
        // Opcodes get their registers as arguments: PC in rsi, PVARs in r8. Past the start of an opcode they may be
        // anywhere.
        let TrapFrame { rsi, r8, rdi, rdx, rcx, r9, rax, rbx, rbp, r10, r11, r12, r13, r14, r15, .. } = *frame;
        machine.recover_registers(&[rsi, r8, rdi, rdx, rcx, r9, rax, rbx, rbp, r10, r11, r12, r13, r14, r15]);
    }
    let pc = ByteAddr(machine.regs.pc);
    let _ = writeln!(out, "pc {:#x}: {}", pc.0, Instruction::<L>::at(machine.space, pc));
    for frame in machine.frames().take(12) {
        let _ = writeln!(
            out,
            "  {} + {:#o}  frame {:#x}",
            symbols::name::<L>(machine.space, frame.name),
            frame.pc,
            frame.at.0
        );
    }
}
