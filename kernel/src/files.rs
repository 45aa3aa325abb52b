//! Files for Lisp from a boot module (QEMU's `-initrd`, a tar archive), in memory only; and out again, over the serial
//! line, for tests.
//!
//! ```text
//!   ---- file <out>visible.out;1
//!   printing characters as they are, \\ for a backslash, \xx for other bytes; every end of line is one
//!   ---- end of file
//! ```

use crate::memory::{PhysicalAddress, direct};
use crate::{clock, handoff, log as serial_log, panic};
use kernel_logic::memory_files::{MemoryFiles, Written};
use log::info;

/// The files of the boot module, if there is one.
pub fn from_boot_module() -> Option<MemoryFiles> {
    let module = handoff().module.clone()?;
    let bytes = (module.end - module.start) as usize;
    // SAFETY: the loader put the module there, the memory map keeps it, the direct map reaches it, nobody writes to it.
    let archive = unsafe { core::slice::from_raw_parts(direct::<u8>(PhysicalAddress(module.start)), bytes) };
    let mut files = MemoryFiles::new(|| clock::unix_seconds() as i64, export);
    match files.add_archive(archive) {
        Ok(count) => info!("{count} files in memory from a boot module of {bytes} bytes"),
        Err(error) => panic::fatal(format_args!("The boot module is no tar archive: {error}.")),
    }
    Some(files)
}

/// Is a file of that full name one to print?
fn is_wanted(full_name: &str) -> bool {
    let own = full_name.rsplit(['<', '>']).next().unwrap_or(full_name);
    let own = own.split(';').next().unwrap_or(own);
    let wanted = handoff().command_line.value("export-files").unwrap_or_default();
    wanted.split(',').any(|wanted| wanted.eq_ignore_ascii_case(own))
}

/// Prints a file on the serial line, if the command line asks for it.
fn export(file: Written<'_>) {
    if !is_wanted(&file.name) {
        return;
    }
    serial_log::with_serial(|serial| {
        let _ = writeln!(serial, "---- file {}", file.name);
        for &byte in file.bytes {
            let _ = match byte {
                b'\n' | b'\r' => serial.write_char('\n'),
                b'\\' => serial.write_str("\\\\"),
                b' '..=b'~' => serial.write_char(char::from(byte)),
                _ => write!(serial, "\\{byte:02x}"),
            };
        }
        let _ = writeln!(serial, "\n---- end of file");
    });
}
