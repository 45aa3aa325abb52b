//! Setting the display mode of QEMU's standard VGA (PCI 1234:1111, also `bochs-display`), for the PVH boot, where no
//! firmware has set one.
//!
//! BAR 0 is the linear framebuffer. In the register window of BAR 2, the dispi registers (16 bits each) are at 0x500
//! and the VGA ports at 0x400: writing 0x20 to the attribute controller's index unblanks the screen.

use super::pci::{PortAccess, find};
use kernel_logic::handoff::{Framebuffer, PixelFormat};
use virtio_drivers::transport::pci::bus::ConfigurationAccess;

/// Sets the mode, 32 bits a pixel. Runs on the boot page tables, where physical memory is at `offset`.
///
/// # Safety
/// The first 4 GiB of physical memory are mapped at `offset`.
pub unsafe fn set_mode(width: u16, height: u16, offset: u64) -> Option<Framebuffer> {
    let device = find(|id| id == 0x1111_1234)?;
    let bar = |index: u8| u64::from(PortAccess.read_word(device, 0x10 + 4 * index) & !15);
    let (memory, registers) = (bar(0), bar(2));
    let dispi = |index: u64| (offset + registers + 0x500 + index * 2) as *mut u16;
    // SAFETY: the registers are those of this device, below 4 GiB as all its BARs are 32 bits wide, and mapped.
    let (got_width, got_height) = unsafe {
        dispi(4).write_volatile(0); // off while it changes
        dispi(1).write_volatile(width);
        dispi(2).write_volatile(height);
        dispi(3).write_volatile(32);
        dispi(4).write_volatile(0x41); // on, linear framebuffer
        ((offset + registers + 0x400) as *mut u8).write_volatile(0x20);
        (dispi(1).read_volatile(), dispi(2).read_volatile())
    };
    if (got_width, got_height) != (width, height) {
        return None;
    }
    // The stride follows from the width that was set: bochs-display has no register for it.
    Some(Framebuffer {
        physical: memory,
        width: width.into(),
        height: height.into(),
        stride_bytes: u32::from(width) * 4,
        bytes_per_pixel: 4,
        format: PixelFormat::Bgr,
    })
}
