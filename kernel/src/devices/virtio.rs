//! What virtio drivers need of the kernel: memory that the device reaches, and windows on its registers.

use crate::memory::frames::FRAME;
use crate::memory::{FRAMES, PhysicalAddress, direct, paging};
use core::ptr::NonNull;
use virtio_drivers::{BufferDirection, Hal};

/// What the virtio drivers need of the kernel.
pub struct KernelHal;

// SAFETY: frames come zeroed from the allocator; device windows are fresh mappings; `share` gives the true physical
// address of memory that is physically contiguous (checked).
unsafe impl Hal for KernelHal {
    fn dma_alloc(pages: usize, _direction: BufferDirection) -> (u64, NonNull<u8>) {
        let Some(run) = FRAMES.with(|frames| frames.allocate_run(pages as u64, FRAME)) else {
            return (0, NonNull::dangling());
        };
        let memory = NonNull::new(direct::<u8>(run)).expect("the direct map is not at zero");
        // SAFETY: the frames were just allocated.
        unsafe { memory.as_ptr().write_bytes(0, pages * FRAME as usize) };
        (run.0, memory)
    }

    unsafe fn dma_dealloc(physical: u64, _memory: NonNull<u8>, pages: usize) -> i32 {
        FRAMES.with(|frames| {
            for page in 0..pages as u64 {
                // SAFETY: the caller gives up frames that `dma_alloc` gave.
                unsafe { frames.release(PhysicalAddress(physical + page * FRAME)) };
            }
        });
        0
    }

    unsafe fn mmio_phys_to_virt(physical: u64, size: usize) -> NonNull<u8> {
        let window = paging::map_device(physical, size as u64, paging::UNCACHED);
        NonNull::new(window as *mut u8).expect("device windows are not at zero")
    }

    unsafe fn share(buffer: NonNull<[u8]>, _direction: BufferDirection) -> u64 {
        let start = buffer.as_ptr() as *mut u8 as u64;
        let end = start + buffer.len() as u64 - 1;
        let physical = paging::translate(start).expect("a buffer for the disk is mapped").0;
        let last = paging::translate(end).expect("a buffer for the disk is mapped").0;
        assert_eq!(last - physical, end - start, "a buffer for the disk must be physically contiguous");
        physical
    }

    unsafe fn unshare(_physical: u64, _buffer: NonNull<[u8]>, _direction: BufferDirection) {}
}
