//! PCI configuration space through ports 0xCF8 and 0xCFC, which every PC chipset still has.

use crate::cpu::ports::{inl, outl};
use virtio_drivers::transport::pci::bus::{ConfigurationAccess, DeviceFunction};
use x86_64::instructions::interrupts::without_interrupts;

const ADDRESS: u16 = 0xcf8;
const DATA: u16 = 0xcfc;

/// The pair of ports.
#[derive(Debug, Clone, Copy)]
pub struct PortAccess;

fn select(function: DeviceFunction, register: u8) -> u32 {
    0x8000_0000
        | u32::from(function.bus) << 16
        | u32::from(function.device) << 11
        | u32::from(function.function) << 8
        | u32::from(register & 0xfc)
}

impl ConfigurationAccess for PortAccess {
    fn read_word(&self, function: DeviceFunction, register: u8) -> u32 {
        // SAFETY: configuration reads have no effect; interrupts are off so that nobody selects in between.
        without_interrupts(|| unsafe {
            outl(ADDRESS, select(function, register));
            inl(DATA)
        })
    }

    fn write_word(&mut self, function: DeviceFunction, register: u8, data: u32) {
        // SAFETY: drivers write only what configures their own device; as above for interrupts.
        without_interrupts(|| unsafe {
            outl(ADDRESS, select(function, register));
            outl(DATA, data);
        });
    }

    unsafe fn unsafe_clone(&self) -> Self {
        *self
    }
}

/// The first device of which `wanted(vendor | device << 16)` holds: bus 0 first, where QEMU puts everything, then the
/// others.
pub fn find(wanted: impl Fn(u32) -> bool) -> Option<DeviceFunction> {
    let on_bus = |bus: u8| {
        (0..32u8).find_map(|device| {
            let single = DeviceFunction { bus, device, function: 0 };
            if PortAccess.read_word(single, 0) == u32::MAX {
                return None;
            }
            let many = PortAccess.read_word(single, 12) & 0x80_0000 != 0;
            (0..if many { 8 } else { 1 })
                .map(|function| DeviceFunction { bus, device, function })
                .find(|&function| wanted(PortAccess.read_word(function, 0)))
        })
    };
    on_bus(0).or_else(|| (1..=255).find_map(on_bus))
}
