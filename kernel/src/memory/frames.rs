//! Physical frames of 4 KiB: handed out from the memory map, single ones taken back.
//!
//! ```text
//!   region 0           region 1
//!   |xxxxx.........|   |..............................|
//!         ^ next                 everything below `next` of the current region is given away
//! ```
//! Returned frames are kept in a list whose links are in the frames themselves. RAM under 1 MiB is left alone: firmware
//! keeps things there that memory maps forget.

use super::{PhysicalAddress, direct};
use kernel_logic::handoff::{MemoryMap, RegionKind};

/// Bytes of a frame.
pub const FRAME: u64 = 4096;
/// Most usable regions; smaller ones beyond it stay unused.
const REGIONS: usize = 64;

/// The allocator.
pub struct Frames {
    free: [(u64, u64); REGIONS],
    regions: usize,
    returned: Option<PhysicalAddress>,
    used: u64,
    total: u64,
}

impl Frames {
    /// An allocator without memory.
    pub const fn empty() -> Self {
        Self { free: [(0, 0); REGIONS], regions: 0, returned: None, used: 0, total: 0 }
    }

    /// Takes over all usable RAM above 1 MiB.
    pub fn take_over(&mut self, map: &MemoryMap) {
        for region in map.regions().iter().filter(|region| region.kind == RegionKind::Usable) {
            let start = region.start.max(0x10_0000).next_multiple_of(FRAME);
            let end = region.end & !(FRAME - 1);
            if start < end && self.regions < REGIONS {
                self.free[self.regions] = (start, end);
                self.regions += 1;
                self.total += (end - start) / FRAME;
            }
        }
        // Low addresses first: until the kernel has its own page tables, only the first 4 GiB are surely mapped.
        self.free[..self.regions].sort_unstable();
    }

    /// A frame with whatever is in it.
    pub fn allocate(&mut self) -> Option<PhysicalAddress> {
        let Some(frame) = self.returned else { return self.allocate_run(1, FRAME) };
        // SAFETY: a returned frame belongs to this list, which wrote its first word in `release`.
        let next = unsafe { direct::<u64>(frame).read() };
        self.returned = (next != 0).then_some(PhysicalAddress(next));
        self.used += 1;
        Some(frame)
    }

    /// `count` neighbouring frames, the first at a multiple of `alignment` (a power of two). What alignment skips is
    /// returned to the list as single frames.
    pub fn allocate_run(&mut self, count: u64, alignment: u64) -> Option<PhysicalAddress> {
        for index in 0..self.regions {
            let (next, end) = self.free[index];
            let start = next.next_multiple_of(alignment.max(FRAME));
            if start + count * FRAME > end {
                continue;
            }
            self.free[index].0 = start + count * FRAME;
            self.used += count + (start - next) / FRAME;
            let mut skipped = next;
            while skipped < start {
                // SAFETY: the skipped frames were never handed out.
                unsafe { self.release(PhysicalAddress(skipped)) };
                skipped += FRAME;
            }
            return Some(PhysicalAddress(start));
        }
        None
    }

    /// Takes a frame back.
    ///
    /// # Safety
    /// The frame came from this allocator and nothing refers to it any more.
    pub unsafe fn release(&mut self, frame: PhysicalAddress) {
        // SAFETY: the caller gave the frame up, so its first word is ours.
        unsafe { direct::<u64>(frame).write(self.returned.map_or(0, |next| next.0)) };
        self.returned = Some(frame);
        self.used -= 1;
    }

    /// Frames handed out, and all frames.
    pub fn counts(&self) -> (u64, u64) {
        (self.used, self.total)
    }
}
