//! What every way of booting tells the kernel: one [`Handoff`], and the memory map in it.
//!
//! ```text
//!   PVH (QEMU -kernel)        bootloader crate (BIOS disk, UEFI disk)
//!   hvm_start_info            BootInfo
//!            \                   /
//!             +---- Handoff ----+
//!                      |
//!              kernel_main(&Handoff)
//! ```

use crate::command_line::CommandLine;

/// Which way the machine came up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BootPath {
    /// QEMU `-kernel`: 32-bit PVH entry, no firmware services left, display mode set by the kernel.
    Pvh,
    /// A disk image of the bootloader crate, started by a BIOS or by UEFI.
    Bootloader,
}

/// What a region of physical memory may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionKind {
    /// Free RAM.
    Usable,
    /// RAM that holds something to keep (the kernel, the boot loader, ACPI tables) and that must stay readable.
    Kept,
    /// Anything else: not RAM, or nobody knows.
    Reserved,
}

/// A half-open range of physical addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// Use.
    pub kind: RegionKind,
}

/// Most regions a memory map may have; firmware maps have a few dozen.
pub const MAXIMUM_REGIONS: usize = 192;

/// The memory map, in the order the firmware gave it.
#[derive(Clone)]
pub struct MemoryMap {
    regions: [Region; MAXIMUM_REGIONS],
    length: usize,
    dropped: usize,
}

impl MemoryMap {
    /// A map without regions.
    pub const fn empty() -> Self {
        let none = Region { start: 0, end: 0, kind: RegionKind::Reserved };
        Self { regions: [none; MAXIMUM_REGIONS], length: 0, dropped: 0 }
    }

    /// Adds a region; an empty one, or one too many, is dropped (and counted in [`Self::dropped`]).
    pub fn add(&mut self, start: u64, end: u64, kind: RegionKind) {
        if start >= end {
            return;
        }
        // Neighbours of one kind become one region: bootloader maps come in many small pieces.
        if let Some(last) = self.regions[..self.length].last_mut()
            && last.end == start
            && last.kind == kind
        {
            last.end = end;
            return;
        }
        if self.length == MAXIMUM_REGIONS {
            self.dropped += 1;
            return;
        }
        self.regions[self.length] = Region { start, end, kind };
        self.length += 1;
    }

    /// The regions.
    pub fn regions(&self) -> &[Region] {
        &self.regions[..self.length]
    }

    /// How many regions did not fit.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Bytes of usable RAM.
    pub fn usable_bytes(&self) -> u64 {
        self.regions()
            .iter()
            .filter(|region| region.kind == RegionKind::Usable)
            .map(|region| region.end - region.start)
            .sum()
    }

    /// Cuts `start..end` out of the usable regions; it becomes [`RegionKind::Kept`].
    pub fn keep(&mut self, start: u64, end: u64) {
        for index in 0..self.length {
            let region = self.regions[index];
            if region.kind != RegionKind::Usable || region.end <= start || region.start >= end {
                continue;
            }
            let (low, high) = (region.start.max(start), region.end.min(end));
            self.regions[index].end = low;
            self.add(low, high, RegionKind::Kept);
            self.add(high, region.end, RegionKind::Usable);
        }
    }
}

/// Where red, green and blue sit in a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelFormat {
    /// Red first in memory.
    Rgb,
    /// Blue first in memory.
    Bgr,
    /// One byte of grey.
    Grey,
}

/// A linear framebuffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framebuffer {
    /// Physical address of the first pixel.
    pub physical: u64,
    /// Pixels in a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
    /// Bytes from one line to the next.
    pub stride_bytes: u32,
    /// 1, 3 or 4.
    pub bytes_per_pixel: u32,
    /// Order of the colours.
    pub format: PixelFormat,
}

impl Framebuffer {
    /// Bytes from the first to the end of the last line.
    pub fn length(&self) -> u64 {
        u64::from(self.stride_bytes) * u64::from(self.height)
    }
}

/// Everything the kernel knows when it starts.
#[derive(Clone)]
pub struct Handoff {
    /// How it was started.
    pub boot_path: BootPath,
    /// Physical memory.
    pub memory: MemoryMap,
    /// The screen, if there is one.
    pub framebuffer: Option<Framebuffer>,
    /// Physical address of the ACPI root pointer, if the loader found it.
    pub rsdp: Option<u64>,
    /// The command line.
    pub command_line: CommandLine,
    /// Physical addresses of a boot module: files for Lisp in memory, as a tar archive.
    pub module: Option<core::ops::Range<u64>>,
    /// `physical + physical_offset` is readable through the page tables the loader left.
    pub physical_offset: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keep_splits_a_region() {
        let mut map = MemoryMap::empty();
        map.add(0, 0x9f000, RegionKind::Usable);
        map.add(0x10_0000, 0x1000_0000, RegionKind::Usable);
        map.keep(0x20_0000, 0x30_0000);
        assert_eq!(map.usable_bytes(), 0x9f000 + 0x10_0000 + 0xfd0_0000);
        assert!(map.regions().contains(&Region { start: 0x20_0000, end: 0x30_0000, kind: RegionKind::Kept }));
        assert!(map.regions().contains(&Region { start: 0x30_0000, end: 0x1000_0000, kind: RegionKind::Usable }));
    }

    #[test]
    fn neighbours_merge_and_empties_vanish() {
        let mut map = MemoryMap::empty();
        map.add(0, 0x1000, RegionKind::Usable);
        map.add(0x1000, 0x3000, RegionKind::Usable);
        map.add(0x3000, 0x3000, RegionKind::Kept);
        assert_eq!(map.regions().len(), 1);
        assert_eq!(map.usable_bytes(), 0x3000);
    }

    #[test]
    fn too_many_regions_are_counted() {
        let mut map = MemoryMap::empty();
        for index in 0..MAXIMUM_REGIONS as u64 + 5 {
            map.add(index * 0x2000, index * 0x2000 + 0x1000, RegionKind::Usable);
        }
        assert_eq!((map.regions().len(), map.dropped()), (MAXIMUM_REGIONS, 5));
    }
}
