//! The kernel's memory: physical frames, page tables, the address map, the heap.
//!
//! ```text
//!   0x0000_0000_4000_0000   Lisp space (vm::memory::BASE); the rest of the lower half is empty for ever
//!   ------------------------------------------------------------------------------ the hole of the architecture
//!   0xffff_8000_0000_0000   DIRECT_MAP   all RAM, at physical + DIRECT_MAP, never executable
//!   0xffff_a000_0000_0000   DEVICES      registers and framebuffer, uncached or write-combining
//!   0xffff_b000_0000_0000   HEAP         the kernel's own small objects
//!   0xffff_c000_0000_0000   STACKS       each at the top of a 4 MiB slot of its own, unmapped below: the guard
//!   0xffff_ffff_8020_0000   kernel image .text r-x, .rodata r--, .data and .bss rw-
//! ```
//! Until the kernel's own page tables are loaded, RAM is reached at physical + whatever the boot loader arranged;
//! [`direct`] hides the difference.

pub mod exclusive;
pub mod frames;
pub mod paging;
pub mod routines;

use core::sync::atomic::{AtomicU64, Ordering};
use exclusive::Exclusive;
use frames::{FRAME, Frames};

/// Start of the direct map.
pub const DIRECT_MAP: u64 = 0xffff_8000_0000_0000;
/// Start of the windows on devices.
pub const DEVICES: u64 = 0xffff_a000_0000_0000;
/// Start of the heap.
pub const HEAP: u64 = 0xffff_b000_0000_0000;
/// Start of the stacks.
pub const STACKS: u64 = 0xffff_c000_0000_0000;
/// Distance between two stacks.
pub const STACK_SLOT: u64 = 0x40_0000;
/// Bytes of the heap: drivers, tables and files in memory; Lisp's memory never comes from here.
const HEAP_BYTES: core::ops::RangeInclusive<u64> = 16 << 20..=616 << 20;
/// It is this part of the memory, within these bounds.
const HEAP_PART: u64 = 8;

/// An address as it goes out on the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PhysicalAddress(pub u64);

/// All frames of the machine.
pub static FRAMES: Exclusive<Frames> = Exclusive::new(Frames::empty());

/// What to add to a physical address to reach RAM now.
static OFFSET: AtomicU64 = AtomicU64::new(0);

/// Sets how RAM is reached.
///
/// # Safety
/// All usable RAM is mapped writable at physical + `offset`, now and until the next call.
pub unsafe fn set_direct_offset(offset: u64) {
    OFFSET.store(offset, Ordering::Relaxed);
}

/// Where RAM of that physical address can be reached.
pub fn direct<T>(address: PhysicalAddress) -> *mut T {
    (address.0 + OFFSET.load(Ordering::Relaxed)) as *mut T
}

/// `count` neighbouring zeroed frames, for ever.
///
/// # Panics
/// When memory is short: this is for what the kernel cannot do without.
pub fn permanent_frames(count: u64) -> PhysicalAddress {
    let Some(run) = FRAMES.with(|frames| frames.allocate_run(count, FRAME)) else {
        panic!("out of memory: no {count} neighbouring frames left. Give the machine more memory.");
    };
    // SAFETY: the frames were just allocated, and the direct map reaches them.
    unsafe { direct::<u8>(run).write_bytes(0, (count * FRAME) as usize) };
    run
}

#[global_allocator]
static ALLOCATOR: KernelHeap = KernelHeap(Exclusive::new(linked_list_allocator::Heap::empty()));

/// The heap behind `alloc`: rarely used, never from an interrupt or a page fault.
struct KernelHeap(Exclusive<linked_list_allocator::Heap>);

// SAFETY: a `Heap` is a correct allocator, and `Exclusive` lets one user in at a time.
unsafe impl core::alloc::GlobalAlloc for KernelHeap {
    unsafe fn alloc(&self, layout: core::alloc::Layout) -> *mut u8 {
        self.0.with(|heap| heap.allocate_first_fit(layout).map_or(core::ptr::null_mut(), |block| block.as_ptr()))
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: core::alloc::Layout) {
        // SAFETY: the caller promises that `block` came from `alloc` with this layout; it is not null.
        self.0.with(|heap| unsafe { heap.deallocate(core::ptr::NonNull::new_unchecked(block), layout) });
    }
}

/// Maps the heap and gives it to the allocator; the machine has `memory` bytes. Call once, after [`paging::take_over`].
pub fn start_heap(memory: u64) {
    let bytes = (memory / HEAP_PART).clamp(*HEAP_BYTES.start(), *HEAP_BYTES.end()) / FRAME * FRAME;
    let run = permanent_frames(bytes / FRAME);
    paging::map_run(HEAP, run, bytes / FRAME, paging::DATA);
    // SAFETY: the range was just mapped writable and nothing else uses it.
    ALLOCATOR.0.with(|heap| unsafe { heap.init(HEAP as *mut u8, bytes as usize) });
}
