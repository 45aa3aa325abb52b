//! Lisp's files: those on the machine's disk, or a volume in memory with what a boot module brought (QEMU's `-initrd`, a tar
//! archive); the host's folder under a name in it; and files out again over the serial line, for tests.
//!
//! ```text
//!   {DSK}             on the disk; without a place for files on it, or with a boot module, in memory
//!   {DSK}<init>       what QEMU's command line handed over
//!   {DSK}<share>      the host's folder, if QEMU has one for us
//!   {DSK}<machine>    the serial line and the status that the run ends with
//!
//!   ---- file <out>visible.out;1
//!   printing characters as they are, \\ for a backslash, \xx for other bytes; every end of line is one
//!   ---- end of file
//! ```

use crate::devices::{fw_cfg, ninep};
use crate::memory::{PhysicalAddress, direct};
use crate::{clock, disk_files, handoff, log as serial_log, panic, power};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use files::{FileId, LispFiles, MachineFiles, MemoryVolume, Mounts, PathBuf, Volume};
use kernel_logic::archive;
use kernel_logic::environment::Environment;
use log::{info, warn};

/// The kernel's files.
pub type KernelFiles = LispFiles<Mounts>;

/// Unix seconds now.
fn now() -> i64 {
    clock::unix_seconds() as i64
}

/// The folder of what was handed over.
const INIT: &str = "init";
/// The folder of the machine's own files.
const MACHINE: &str = "machine";

/// All that this machine has.
pub fn start(environment: &Environment) -> KernelFiles {
    let mut volumes = Mounts::new(root());
    let mut mount = |name: &str, volume: Box<dyn Volume>| {
        if let Err(error) = volumes.mount(name, volume) {
            warn!("{{DSK}}<{name}> cannot be had: {error}");
        }
    };
    if handoff().command_line.has("fw-cfg") {
        mount(INIT, Box::new(handed_over()));
    }
    mount(MACHINE, Box::new(MachineFiles::new(print, power::set_status, || power::end_run())));
    if let Some((tag, share)) = ninep::start() {
        mount(&tag, Box::new(share));
    }
    // A home that nobody can be in is Lisp's to complain about.
    let home = environment.value("HOME").and_then(|home| files::unix_path(home.as_bytes(), &[], None).ok());
    let author = environment.value("LOGNAME").unwrap_or_default();
    let mut files = LispFiles::new(volumes, PathBuf::new(), home, author);
    files.watch(export);
    files
}

/// The files of the boot module, or else of the disk, or else none.
fn root() -> Box<dyn Volume> {
    let mut memory = MemoryVolume::new(now);
    match boot_module() {
        Some(archive) => match archive::add_archive(&mut memory, archive) {
            Ok(count) => info!("{count} files in memory from a boot module of {} bytes", archive.len()),
            Err(error) => panic::fatal(format_args!("The boot module cannot be used: {error}.")),
        },
        None => {
            if let Some(disk) = disk_files::open() {
                return disk;
            }
        }
    }
    Box::new(memory)
}

/// What QEMU's command line handed over.
fn handed_over() -> MemoryVolume {
    let mut volume = MemoryVolume::new(now);
    for (name, bytes) in fw_cfg::files() {
        let length = bytes.len();
        match volume.provide(core::slice::from_ref(&name), Cow::Owned(bytes)) {
            Ok(()) => info!("{{DSK}}<{INIT}>{name}: {length} bytes"),
            Err(error) => warn!("{{DSK}}<{INIT}>{name} cannot be had: {error}"),
        }
    }
    volume
}

/// Prints what Lisp wrote for the serial line; its ends of lines are carriage returns or line feeds.
fn print(bytes: &[u8]) {
    serial_log::with_serial(|serial| {
        for &byte in bytes {
            let _ = match byte {
                b'\n' | b'\r' => serial.write_char('\n'),
                b'\t' | b' '..=b'~' => serial.write_char(char::from(byte)),
                _ => serial.write_char('?'),
            };
        }
    });
}

/// The bytes of the boot module, if there is one.
fn boot_module() -> Option<&'static [u8]> {
    let module = handoff().module.clone()?;
    let bytes = (module.end - module.start) as usize;
    // SAFETY: the loader put the module there, the memory map keeps it, the direct map reaches it, nobody writes to it.
    Some(unsafe { core::slice::from_raw_parts(direct::<u8>(PhysicalAddress(module.start)), bytes) })
}

/// Is a file of that full name one to print?
fn is_wanted(full_name: &str) -> bool {
    let own = full_name.rsplit(['<', '>']).next().unwrap_or(full_name);
    let own = own.split(';').next().unwrap_or(own);
    let wanted = handoff().command_line.value("export-files").unwrap_or_default();
    wanted.split(',').any(|wanted| wanted.eq_ignore_ascii_case(own))
}

/// Prints a file on the serial line, if the command line asks for it.
fn export(name: &str, volumes: &mut Mounts, file: FileId) {
    if !is_wanted(name) {
        return;
    }
    serial_log::with_serial(|serial| {
        let _ = writeln!(serial, "---- file {name}");
        let (mut bytes, mut at) = ([0; 1024], 0);
        while let Ok(count @ 1..) = volumes.read(file, at, &mut bytes) {
            at += count as u64;
            for &byte in &bytes[..count] {
                let _ = match byte {
                    b'\n' | b'\r' => serial.write_char('\n'),
                    b'\\' => serial.write_str("\\\\"),
                    b' '..=b'~' => serial.write_char(char::from(byte)),
                    _ => write!(serial, "\\{byte:02x}"),
                };
            }
        }
        let _ = writeln!(serial, "\n---- end of file");
    });
}
