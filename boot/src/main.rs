//! Makes a disk image that a BIOS or UEFI boots into Duralumin's kernel.
//!
//! ```text
//!   boot-image bios|uefi KERNEL IMAGE [WxH] [COMMAND LINE]
//!
//!   kernel ELF  --+
//!   command line  +-- bootloader crate --> IMAGE, to be written to a disk or given to QEMU
//!   WxH         --+
//! ```
//! The command line travels as the loader's "ramdisk" file, which the kernel reads as text. WxH is the least size of the
//! framebuffer that the loader should ask the firmware for.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What the command line of this tool asks for.
struct Order {
    uefi: bool,
    kernel: PathBuf,
    image: PathBuf,
    size: Option<(u64, u64)>,
    command_line: String,
}

fn order(mut arguments: impl Iterator<Item = String>) -> Result<Order, String> {
    let uefi = match arguments.next().as_deref() {
        Some("bios") => false,
        Some("uefi") => true,
        _ => return Err("usage: boot-image bios|uefi KERNEL IMAGE [WxH] [COMMAND LINE]".into()),
    };
    let mut path = |what| arguments.next().map(PathBuf::from).ok_or(format!("boot-image: {what} is missing"));
    let (kernel, image) = (path("the kernel")?, path("the name of the image")?);
    let size = match arguments.next() {
        Some(text) => Some(
            text.split_once('x')
                .and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)))
                .ok_or(format!("boot-image: {text} is no size, which looks like 1024x768"))?,
        ),
        None => None,
    };
    let mut command_line = arguments.collect::<Vec<_>>().join(" ");
    if let Some((width, height)) = size {
        command_line = format!("size={width}x{height} {command_line}");
    }
    Ok(Order { uefi, kernel, image, size, command_line })
}

fn make(order: &Order) -> Result<(), String> {
    if !order.kernel.is_file() {
        return Err(format!("boot-image: there is no kernel at {}", order.kernel.display()));
    }
    let words = order.image.with_extension("command-line");
    std::fs::write(&words, &order.command_line).map_err(|error| format!("boot-image: {}: {error}", words.display()))?;
    let mut config = bootloader::BootConfig::default();
    // The serial line is the kernel's.
    config.serial_logging = false;
    config.frame_buffer_logging = false;
    if let Some((width, height)) = order.size {
        config.frame_buffer.minimum_framebuffer_width = Some(width);
        config.frame_buffer.minimum_framebuffer_height = Some(height);
    }
    let mut builder = bootloader::DiskImageBuilder::new(order.kernel.clone());
    builder.set_ramdisk(words).set_boot_config(&config);
    let image: &Path = &order.image;
    let made = if order.uefi { builder.create_uefi_image(image) } else { builder.create_bios_image(image) };
    made.map_err(|error| format!("boot-image: {}: {error:#}", image.display()))
}

fn main() -> ExitCode {
    match order(std::env::args().skip(1)).and_then(|order| make(&order)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(sentence) => {
            eprintln!("{sentence}");
            ExitCode::FAILURE
        }
    }
}
