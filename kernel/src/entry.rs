//! The two ways into the kernel, and how each becomes a [`Handoff`].

use crate::devices::bochs;
use bootloader_api::config::Mapping;
use bootloader_api::info::{MemoryRegionKind, PixelFormat as LoaderFormat};
use bootloader_api::{BootInfo, BootloaderConfig};
use core::arch::global_asm;
use kernel_logic::command_line::CommandLine;
use kernel_logic::handoff::{BootPath, Framebuffer, Handoff, MemoryMap, PixelFormat, RegionKind};

global_asm!(include_str!("boot.s"), options(att_syntax));

/// Display mode under PVH when the command line asks for none.
const DEFAULT_SIZE: (u32, u32) = (1024, 768);

/// The bootloader crate reads this from the ELF.
static CONFIG: BootloaderConfig = {
    let mut config = BootloaderConfig::new_default();
    config.mappings.physical_memory = Some(Mapping::Dynamic);
    config.kernel_stack_size = 128 * 1024;
    config
};
bootloader_api::entry_point!(enter_from_bootloader, config = &CONFIG);

/// The start of day structure of the PVH protocol (Xen's `hvm_start_info`, version 1).
#[repr(C)]
struct StartInfo {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    module_list: u64,
    command_line: u64,
    rsdp: u64,
    memory_map: u64,
    memory_map_entries: u32,
    _reserved: u32,
}

/// An entry of its memory map; kinds are those of the BIOS (E820).
#[repr(C)]
struct MapEntry {
    start: u64,
    bytes: u64,
    kind: u32,
    _reserved: u32,
}

/// A boot module, of the same protocol.
#[repr(C)]
struct Module {
    start: u64,
    bytes: u64,
    command_line: u64,
    _reserved: u64,
}

const START_INFO_MAGIC: u32 = 0x336e_c578;

unsafe extern "C" {
    static __text_start: u8;
    static __kernel_end: u8;
}

/// What a region of BIOS kind `kind` is for us.
fn bios_kind(kind: u32) -> RegionKind {
    match kind {
        1 => RegionKind::Usable,
        3 | 4 => RegionKind::Kept, // ACPI tables, ACPI storage
        _ => RegionKind::Reserved,
    }
}

/// Called by `boot.s` on the boot stack, with the first 4 GiB mapped one to one.
#[unsafe(no_mangle)]
extern "C" fn enter_from_pvh(info: *const StartInfo) -> ! {
    crate::begin();
    // SAFETY: the PVH protocol: a StartInfo below 4 GiB, which is mapped; nothing has been overwritten since.
    let info = unsafe { &*info };
    assert_eq!(info.magic, START_INFO_MAGIC, "the loader is no PVH loader");
    let command_line = if info.command_line == 0 {
        CommandLine::empty()
    } else {
        // SAFETY: a NUL-terminated string below 4 GiB, by the protocol; reading stops at the NUL.
        CommandLine::from_bytes((info.command_line..).map(|at| unsafe { (at as *const u8).read() }))
    };
    let mut memory = MemoryMap::empty();
    if info.version >= 1 && info.memory_map != 0 {
        // SAFETY: the table of version 1 of the protocol.
        let map = unsafe {
            core::slice::from_raw_parts(info.memory_map as *const MapEntry, info.memory_map_entries as usize)
        };
        for entry in map {
            memory.add(entry.start, entry.start.saturating_add(entry.bytes), bios_kind(entry.kind));
        }
    }
    const KERNEL_BASE: u64 = 0xffff_ffff_8000_0000;
    memory.keep((&raw const __text_start) as u64 - KERNEL_BASE, (&raw const __kernel_end) as u64 - KERNEL_BASE);
    let module = if info.modules > 0 {
        // SAFETY: by the protocol, that many modules in a list below 4 GiB; the first is enough.
        let module = unsafe { &*(info.module_list as *const Module) };
        let module = module.start..module.start.saturating_add(module.bytes);
        memory.keep(module.start, module.end);
        Some(module)
    } else {
        None
    };
    let (width, height) = command_line.size().and_then(Result::ok).unwrap_or(DEFAULT_SIZE);
    // SAFETY: boot.s maps the first 4 GiB one to one.
    let framebuffer = unsafe { bochs::set_mode(width as u16, height as u16, 0) };
    crate::start(Handoff {
        boot_path: BootPath::Pvh,
        memory,
        framebuffer,
        rsdp: (info.rsdp != 0).then_some(info.rsdp),
        command_line,
        module,
        physical_offset: 0,
    })
}

/// Called by the bootloader crate, through `boot.s`, on its stack and page tables.
fn enter_from_bootloader(info: &'static mut BootInfo) -> ! {
    crate::begin();
    let physical_offset =
        info.physical_memory_offset.into_option().expect("the bootloader was asked to map physical memory");
    let mut memory = MemoryMap::empty();
    for region in info.memory_regions.iter() {
        let kind = match region.kind {
            MemoryRegionKind::Usable => RegionKind::Usable,
            MemoryRegionKind::Bootloader => RegionKind::Kept,
            MemoryRegionKind::UnknownBios(kind) => bios_kind(kind),
            // ACPI tables to reclaim, ACPI storage; boot services' memory is left alone.
            MemoryRegionKind::UnknownUefi(9 | 10) => RegionKind::Kept,
            _ => RegionKind::Reserved,
        };
        memory.add(region.start, region.end, kind);
    }
    let framebuffer = info.framebuffer.as_ref().and_then(|framebuffer| {
        let shape = framebuffer.info();
        let address = framebuffer.buffer().as_ptr() as u64;
        let format = match shape.pixel_format {
            LoaderFormat::Rgb => PixelFormat::Rgb,
            LoaderFormat::U8 => PixelFormat::Grey,
            // Black and white are the same in every order.
            _ => PixelFormat::Bgr,
        };
        Some(Framebuffer {
            physical: crate::memory::paging::translate_loader(address, physical_offset)?.0,
            width: shape.width as u32,
            height: shape.height as u32,
            stride_bytes: (shape.stride * shape.bytes_per_pixel) as u32,
            bytes_per_pixel: shape.bytes_per_pixel as u32,
            format,
        })
    });
    // The disk image carries the command line as its "ramdisk".
    let command_line = match info.ramdisk_addr.into_option() {
        Some(address) => {
            // SAFETY: the loader mapped the ramdisk, that many bytes of it, at that address.
            let bytes = unsafe { core::slice::from_raw_parts(address as *const u8, info.ramdisk_len as usize) };
            CommandLine::from_bytes(bytes.iter().copied())
        }
        None => CommandLine::empty(),
    };
    // The loader's BIOS stage knows no mode above 1280x720, and its UEFI stage takes the largest there is. Where the
    // display is QEMU's, the size that was asked for can be had.
    let framebuffer = match command_line.size() {
        Some(Ok((width, height))) if framebuffer.is_none_or(|fb| (fb.width, fb.height) != (width, height)) => {
            // SAFETY: the loader maps at least the first 4 GiB at that offset.
            unsafe { bochs::set_mode(width as u16, height as u16, physical_offset) }.or(framebuffer)
        }
        _ => framebuffer,
    };
    crate::start(Handoff {
        boot_path: BootPath::Bootloader,
        memory,
        framebuffer,
        rsdp: info.rsdp_addr.into_option(),
        command_line,
        // The only module the bootloader crate knows is the command line.
        module: None,
        physical_offset,
    })
}
