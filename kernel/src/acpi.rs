//! As much of ACPI as switching off needs.
//!
//! ```text
//!   RSDP --> RSDT or XSDT --> FADT: ports of the power management registers
//!                              |
//!                              +--> DSDT: byte code; the package named _S5_ holds the values that mean "off"
//! ```
//! Evaluating that byte code would take an interpreter; `_S5_` is a package of constants on every machine, so its bytes
//! are looked for:  `08 5F 53 35 5F 12 length count  [0A] type_a  [0A] type_b`.

use crate::memory::paging::firmware_memory;
use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

/// Physical address of the RSDP as the boot loader gave it, or 0.
static RSDP: AtomicU64 = AtomicU64::new(0);

/// What to write where for power-off.
#[derive(Debug, Clone, Copy)]
pub struct SoftOff {
    /// PM1a control register.
    pub control_a: u16,
    /// PM1b control register, or 0.
    pub control_b: u16,
    /// SLP_TYP for the first, in place.
    pub type_a: u16,
    /// SLP_TYP for the second, in place.
    pub type_b: u16,
    /// Port that turns ACPI mode on, or 0.
    pub smi_command: u16,
    /// Value for it.
    pub acpi_enable: u8,
}

/// Why power-off is not possible.
#[derive(Debug, Clone, Copy)]
pub enum AcpiError {
    /// No root pointer in the places where it may be.
    Rootless,
    /// That table is missing or its checksum is wrong.
    BadTable(&'static str),
    /// The DSDT has no `_S5_` of the usual form.
    NoSoftOff,
    /// The fixed events' registers are nowhere.
    NoButton,
}

impl fmt::Display for AcpiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rootless => write!(f, "the firmware has no ACPI tables"),
            Self::BadTable(name) => write!(f, "the ACPI table {name} is missing or damaged"),
            Self::NoButton => write!(f, "the ACPI tables do not say where the power button is"),
            Self::NoSoftOff => write!(f, "the ACPI tables do not say how to switch off"),
        }
    }
}

/// Remembers the loader's root pointer.
pub fn set_root(rsdp: Option<u64>) {
    RSDP.store(rsdp.unwrap_or(0), Ordering::Relaxed);
}

fn bytes(physical: u64, length: usize) -> &'static [u8] {
    let memory = firmware_memory(physical, length as u64);
    // SAFETY: `firmware_memory` maps the whole range; firmware tables do not change.
    unsafe { core::slice::from_raw_parts(memory, length) }
}

fn sum_is_zero(table: &[u8]) -> bool {
    table.iter().fold(0u8, |sum, &byte| sum.wrapping_add(byte)) == 0
}

fn number(table: &[u8], offset: usize, length: usize) -> u64 {
    table
        .get(offset..offset + length)
        .map_or(0, |bytes| bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
}

/// A whole table, if it is what it should be.
fn table(physical: u64, name: &'static str) -> Result<&'static [u8], AcpiError> {
    let header = bytes(physical, 36);
    let length = number(header, 4, 4) as usize;
    if physical == 0 || &header[..4] != name.as_bytes() || !(36..1 << 24).contains(&length) {
        return Err(AcpiError::BadTable(name));
    }
    let table = bytes(physical, length);
    if sum_is_zero(table) { Ok(table) } else { Err(AcpiError::BadTable(name)) }
}

fn root_pointer() -> Result<&'static [u8], AcpiError> {
    let is_root = |physical: u64| {
        let root = bytes(physical, 36);
        (&root[..8] == b"RSD PTR " && sum_is_zero(&root[..20])).then_some(root)
    };
    let given = RSDP.load(Ordering::Relaxed);
    let found = if given != 0 { is_root(given) } else { None };
    // The BIOS's places: the first kilobyte of its extended data area, and the ROM below 1 MiB.
    let extended = number(bytes(0x40e, 2), 0, 2) << 4;
    let in_extended = || {
        (0x8_0000..0xa_0000)
            .contains(&extended)
            .then(|| (extended..extended + 1024).step_by(16).find_map(is_root))
            .flatten()
    };
    let in_rom = || (0xe_0000..0xf_ffe0).step_by(16).find_map(is_root);
    found.or_else(in_extended).or_else(in_rom).ok_or(AcpiError::Rootless)
}

/// The table with the ports of power management.
fn fadt() -> Result<&'static [u8], AcpiError> {
    let root = root_pointer()?;
    let extended = number(root, 24, 8);
    let (list, width) = if root[15] >= 2 && extended != 0 {
        (table(extended, "XSDT")?, 8)
    } else {
        (table(number(root, 16, 4), "RSDT")?, 4)
    };
    (36..list.len() + 1 - width)
        .step_by(width)
        .find_map(|offset| table(number(list, offset, width), "FACP").ok())
        .ok_or(AcpiError::BadTable("FACP"))
}

/// Finds out how to switch off.
pub fn find_soft_off() -> Result<SoftOff, AcpiError> {
    let fadt = fadt()?;
    let dsdt = match (number(fadt, 140, 8), number(fadt, 40, 4)) {
        (0, short) => table(short, "DSDT")?,
        (long, short) => table(long, "DSDT").or_else(|_| table(short, "DSDT"))?,
    };
    let (type_a, type_b) = soft_off_types(dsdt).ok_or(AcpiError::NoSoftOff)?;
    Ok(SoftOff {
        control_a: number(fadt, 64, 4) as u16,
        control_b: number(fadt, 68, 4) as u16,
        type_a: type_a << 10,
        type_b: type_b << 10,
        smi_command: number(fadt, 48, 4) as u16,
        acpi_enable: fadt.get(52).copied().unwrap_or(0),
    })
}

/// Where the power button is seen: the ports of the fixed events' status and enable registers. Bit 8 is the button's.
pub fn find_button() -> Result<(u16, u16), AcpiError> {
    let fadt = fadt()?;
    let (status, length) = (number(fadt, 56, 4) as u16, number(fadt, 88, 1) as u16);
    if status == 0 || length < 4 { Err(AcpiError::NoButton) } else { Ok((status, status + length / 2)) }
}

/// The first two constants of the package `_S5_`.
fn soft_off_types(dsdt: &[u8]) -> Option<(u16, u16)> {
    let name = dsdt.windows(5).position(|window| &window[..4] == b"_S5_" && window[4] == 0x12)?;
    let package = dsdt.get(name + 5..)?;
    // The length takes 1 to 4 bytes: the top two bits of the first say how many follow. Then the count of elements.
    let mut rest = package.get(2 + usize::from(package.first()? >> 6)..)?;
    let mut constant = || -> Option<u16> {
        let (value, used) = match rest.first()? {
            0x0a => (u16::from(*rest.get(1)?), 2),
            &value @ 0..=1 => (u16::from(value), 1),
            _ => return None,
        };
        rest = &rest[used..];
        Some(value & 7)
    };
    let first = constant()?;
    Some((first, constant().unwrap_or(first)))
}
