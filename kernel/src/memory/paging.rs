//! The kernel's own page tables.
//!
//! [`take_over`] builds them beside the boot loader's and switches; after that the lower half is empty and belongs to
//! Lisp. Nothing is both writable and executable at the same address, and below every stack is nothing.

use super::frames::FRAME;
use super::{
    DEVICES, DIRECT_MAP, FRAMES, PhysicalAddress, STACK_SLOT, STACKS, direct, permanent_frames, set_direct_offset,
};
use core::sync::atomic::{AtomicU64, Ordering};
use kernel_logic::handoff::{Handoff, RegionKind};
use x86_64::VirtAddr;
use x86_64::registers::control::Cr3;
use x86_64::registers::model_specific::{Efer, EferFlags, Msr};
use x86_64::structures::paging::page_table::PageTableFlags;

/// Flags of memory that is read and written.
pub const DATA: PageTableFlags =
    PageTableFlags::PRESENT.union(PageTableFlags::WRITABLE).union(PageTableFlags::NO_EXECUTE);
/// Flags of memory that is only read.
const CONSTANT: PageTableFlags = PageTableFlags::PRESENT.union(PageTableFlags::NO_EXECUTE);
/// Flags of code.
const CODE: PageTableFlags = PageTableFlags::PRESENT;
/// Flags of device registers: no cache.
pub const UNCACHED: PageTableFlags = DATA.union(PageTableFlags::NO_CACHE).union(PageTableFlags::WRITE_THROUGH);
/// Flags of a framebuffer: writes are collected. Entry 1 of the page attribute table, see [`take_over`].
pub const WRITE_COMBINING: PageTableFlags = DATA.union(PageTableFlags::WRITE_THROUGH);
/// Bytes of a large page.
const LARGE: u64 = 2 << 20;

unsafe extern "C" {
    static __text_start: u8;
    static __rodata_start: u8;
    static __data_start: u8;
    static __kernel_end: u8;
}

/// The stacks of the machine; the order is that of their slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stack {
    /// The kernel's and Lisp's.
    Main,
    /// Page faults: the pager and the disk driver run here.
    PageFault,
    /// Double fault.
    DoubleFault,
    /// Non-maskable interrupt.
    NonMaskable,
    /// Machine check.
    MachineCheck,
    /// Device interrupts.
    Interrupt,
    /// All other exceptions.
    Exception,
    /// Debug exceptions and breakpoints.
    Debug,
    /// The report of a machine that has stopped; not in the interrupt stack table.
    Report,
}

impl Stack {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Main,
        Self::PageFault,
        Self::DoubleFault,
        Self::NonMaskable,
        Self::MachineCheck,
        Self::Interrupt,
        Self::Exception,
        Self::Debug,
        Self::Report,
    ];

    /// Bytes of it.
    pub const fn bytes(self) -> u64 {
        match self {
            Self::Main => 1 << 20,
            // The report may end in the monitor.
            Self::PageFault | Self::Report => 64 << 10,
            _ => 32 << 10,
        }
    }

    /// One past its highest byte.
    pub const fn top(self) -> u64 {
        STACKS + (self as u64 + 1) * STACK_SLOT
    }

    /// The stack whose guard an address hits.
    pub fn guarded_by(address: u64) -> Option<Self> {
        let slot = address.checked_sub(STACKS)? / STACK_SLOT;
        Self::ALL.get(slot as usize).copied().filter(|stack| address < stack.top() - stack.bytes())
    }
}

/// Physical address of the root table; zero before [`take_over`].
static ROOT: AtomicU64 = AtomicU64::new(0);
/// Where the next device window goes.
static NEXT_DEVICE: AtomicU64 = AtomicU64::new(DEVICES);

/// Builds the tables, loads them, and goes on in `next` on the main stack.
///
/// # Safety
/// Once, with interrupts off, on the tables that `handoff` describes; the frame allocator has its memory.
pub unsafe fn take_over(handoff: &Handoff, next: extern "C" fn() -> !) -> ! {
    // SAFETY: no-execute exists on every x86-64 processor; the loaders already enabled it or want nothing else.
    unsafe { Efer::update(|flags| flags.insert(EferFlags::NO_EXECUTE_ENABLE)) };
    // The page attribute table: entry 1 (WRITE_THROUGH) becomes write-combining, the others keep their reset values.
    // SAFETY: no mapping uses entry 1 yet.
    unsafe { Msr::new(0x277).write(0x0007_0406_0007_0106) };

    let (old, _) = Cr3::read();
    let root = permanent_frames(1);
    ROOT.store(root.0, Ordering::Relaxed);

    map_image(PhysicalAddress(old.start_address().as_u64()));
    map_ram(handoff);
    for stack in Stack::ALL {
        let run = permanent_frames(stack.bytes() / FRAME);
        map_run(stack.top() - stack.bytes(), run, stack.bytes() / FRAME, DATA);
    }

    let top = Stack::Main.top();
    // SAFETY: the new tables map the code that runs now at the same address, the stack whose top is given, and all RAM
    // at DIRECT_MAP. The old stack is not used again: `next` never returns.
    unsafe {
        set_direct_offset(DIRECT_MAP);
        core::arch::asm!(
            "mov cr3, {root}", "mov rsp, {top}", "xor ebp, ebp", "call {next}", "ud2",
            root = in(reg) root.0, top = in(reg) top, next = in(reg) next, options(noreturn)
        )
    }
}

/// Maps the kernel's sections, each with its own rights, to wherever the loader put them.
fn map_image(old_root: PhysicalAddress) {
    let [text, rodata, data, end] =
        [&raw const __text_start, &raw const __rodata_start, &raw const __data_start, &raw const __kernel_end]
            .map(|symbol| symbol as u64);
    for (start, end, flags) in [(text, rodata, CODE), (rodata, data, CONSTANT), (data, end, DATA)] {
        for page in (start..end).step_by(FRAME as usize) {
            let frame = walk(old_root, page).expect("the kernel runs, so it is mapped");
            map(page, frame, flags);
        }
    }
}

/// Maps all RAM at the direct map, in large pages.
fn map_ram(handoff: &Handoff) {
    let mut next = 0;
    let mut large = |start: u64, end: u64| {
        let mut page = (start & !(LARGE - 1)).max(next);
        while page < end {
            let entry = table_for(DIRECT_MAP + page, 2);
            // SAFETY: `table_for` gives a table of the new root, which is not loaded yet.
            unsafe { *entry = page | (DATA | PageTableFlags::HUGE_PAGE).bits() };
            page += LARGE;
            next = next.max(page);
        }
    };
    large(0, 0x10_0000);
    let mut regions = [(0, 0); kernel_logic::handoff::MAXIMUM_REGIONS];
    let mut count = 0;
    for region in handoff.memory.regions().iter().filter(|region| region.kind != RegionKind::Reserved) {
        regions[count] = (region.start, region.end);
        count += 1;
    }
    regions[..count].sort_unstable();
    for &(start, end) in &regions[..count] {
        large(start, end);
    }
}

/// The entry for `address` in the table of that level (1: 4 KiB pages, 2: 2 MiB pages), with the tables above it.
fn table_for(address: u64, level: u32) -> *mut u64 {
    let mut table = PhysicalAddress(ROOT.load(Ordering::Relaxed));
    for above in (level..4).rev() {
        let index = (address >> (12 + 9 * above)) & 511;
        let entry = direct::<u64>(PhysicalAddress(table.0 + index * 8));
        // SAFETY: `table` is a table of ours, reached through the direct map.
        let value = unsafe { entry.read() };
        table = if value & 1 != 0 {
            assert!(value & PageTableFlags::HUGE_PAGE.bits() == 0, "a large page is in the way at {address:#x}");
            PhysicalAddress(value & 0x000f_ffff_ffff_f000)
        } else {
            let fresh = permanent_frames(1);
            // SAFETY: an entry of a table of ours that was not in use; the fresh frame is zeroed, so it is an empty table.
            unsafe { entry.write(fresh.0 | (PageTableFlags::PRESENT | PageTableFlags::WRITABLE).bits()) };
            fresh
        };
    }
    let index = (address >> (12 + 9 * (level - 1))) & 511;
    direct::<u64>(PhysicalAddress(table.0 + index * 8))
}

/// Maps one page that is not mapped yet.
pub fn map(address: u64, frame: PhysicalAddress, flags: PageTableFlags) {
    let entry = table_for(address, 1);
    // SAFETY: the entry is one of our tables'; a new mapping changes nothing that exists.
    unsafe {
        assert!(entry.read() & 1 == 0, "{address:#x} is mapped twice");
        entry.write(frame.0 | flags.bits());
    }
}

/// Maps neighbouring frames at neighbouring pages.
pub fn map_run(address: u64, first: PhysicalAddress, count: u64, flags: PageTableFlags) {
    for index in 0..count {
        map(address + index * FRAME, PhysicalAddress(first.0 + index * FRAME), flags);
    }
}

/// Puts neighbouring, zeroed page tables under `address` (a multiple of 2 MiB) for `count` pages, so that their
/// entries are one array, and gives the array.
pub fn install_flat_tables(address: u64, count: usize) -> &'static mut [u64] {
    let tables = count.div_ceil(512) as u64;
    let run = permanent_frames(tables);
    for index in 0..tables {
        let entry = table_for(address + index * LARGE, 2);
        let flags = PageTableFlags::PRESENT | PageTableFlags::WRITABLE;
        // SAFETY: the entry is one of our tables' and nothing was mapped below it.
        unsafe {
            assert!(entry.read() == 0, "{address:#x} has a page table already");
            entry.write((run.0 + index * FRAME) | flags.bits());
        }
    }
    // SAFETY: permanent frames, zeroed, neighbouring, reached through the direct map, and known to nobody else but the
    // processor's page walker, which only sets accessed and dirty bits.
    unsafe { core::slice::from_raw_parts_mut(direct::<u64>(run), count) }
}

/// A window on device memory.
pub fn map_device(physical: u64, bytes: u64, flags: PageTableFlags) -> u64 {
    let first = physical & !(FRAME - 1);
    let pages = (physical + bytes).div_ceil(FRAME) - first / FRAME;
    // One page more than needed, so that running over the end of a window is a fault.
    let window = NEXT_DEVICE.fetch_add((pages + 1) * FRAME, Ordering::Relaxed);
    map_run(window, PhysicalAddress(first), pages, flags);
    window + (physical - first)
}

/// Are the kernel's own tables in force?
pub fn is_ours() -> bool {
    Cr3::read().0.start_address().as_u64() == ROOT.load(Ordering::Relaxed)
}

/// Where a virtual address is in physical memory, by the kernel's tables.
pub fn translate(address: u64) -> Option<PhysicalAddress> {
    if (DIRECT_MAP..DEVICES).contains(&address) {
        return Some(PhysicalAddress(address - DIRECT_MAP));
    }
    walk(PhysicalAddress(ROOT.load(Ordering::Relaxed)), address)
}

/// Where a virtual address is in physical memory by the boot loader's tables, when RAM is reached at physical + `offset`.
/// Only before [`take_over`].
pub fn translate_loader(address: u64, offset: u64) -> Option<PhysicalAddress> {
    // SAFETY: the loader mapped all physical memory at `offset`, and nothing else uses the direct map yet.
    unsafe { set_direct_offset(offset) };
    let (root, _) = Cr3::read();
    walk(PhysicalAddress(root.start_address().as_u64()), address)
}

/// Follows page tables.
fn walk(root: PhysicalAddress, address: u64) -> Option<PhysicalAddress> {
    VirtAddr::try_new(address).ok()?;
    let mut table = root;
    for level in (0..4).rev() {
        let index = (address >> (12 + 9 * level)) & 511;
        // SAFETY: `table` is a page table in RAM, reached through the direct map.
        let entry = unsafe { direct::<u64>(PhysicalAddress(table.0 + index * 8)).read_volatile() };
        if entry & PageTableFlags::PRESENT.bits() == 0 {
            return None;
        }
        let target = entry & 0x000f_ffff_ffff_f000;
        if level == 0 || entry & PageTableFlags::HUGE_PAGE.bits() != 0 {
            let inside = (1u64 << (12 + 9 * level)) - 1;
            return Some(PhysicalAddress((target & !inside) | (address & inside)));
        }
        table = PhysicalAddress(target);
    }
    None
}

/// Reads `bytes` of physical memory that may be RAM or not (firmware tables): through the direct map where it reaches,
/// else through a window made for it.
pub fn firmware_memory(physical: u64, bytes: u64) -> *const u8 {
    let covered = |address: u64| walk(PhysicalAddress(ROOT.load(Ordering::Relaxed)), DIRECT_MAP + address).is_some();
    if covered(physical) && covered(physical + bytes.max(1) - 1) {
        return direct::<u8>(PhysicalAddress(physical));
    }
    map_device(physical, bytes, DATA) as *const u8
}

/// Frames still free, in bytes.
pub fn free_bytes() -> u64 {
    FRAMES.with(|frames| {
        let (used, total) = frames.counts();
        (total - used) * FRAME
    })
}
