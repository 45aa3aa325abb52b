//! Files that QEMU hands over (`-fw_cfg name=opt/duralumin/NAME,file=FILE`), by ports 0x510 and 0x511.
//!
//! ```text
//!   selector 0x19: the directory    count (4 bytes), then for each file
//!                                   size (4)   selector (2)   unused (2)   name (56, ends with a zero)
//! ```
//! Numbers are big-endian. Only a machine whose command line says that it is QEMU's (`fw-cfg`) is asked: elsewhere the
//! ports may belong to anything.

use crate::cpu::ports::{inb, outw};
use alloc::string::{String, ToString};
use alloc::vec::Vec;

const SELECTOR: u16 = 0x510;
const DATA: u16 = 0x511;
const SIGNATURE: u16 = 0;
const DIRECTORY: u16 = 0x19;
/// Where ours are.
const PREFIX: &str = "opt/duralumin/";
/// Most files in the directory that are looked at.
const MOST: u32 = 1024;
/// Largest file that is taken, bytes.
const LARGEST: u32 = 16 << 20;

fn select(item: u16) {
    // SAFETY: the command line promised the device; selecting has no other effect.
    unsafe { outw(SELECTOR, item) };
}

fn bytes<const N: usize>() -> [u8; N] {
    // SAFETY: the command line promised the device; reading goes on in the selected item and has no other effect.
    core::array::from_fn(|_| unsafe { inb(DATA) })
}

/// The files under our name: what is behind it, and their bytes.
pub fn files() -> Vec<(String, Vec<u8>)> {
    select(SIGNATURE);
    if &bytes::<4>() != b"QEMU" {
        log::warn!("there is no fw_cfg here, although the command line says so");
        return Vec::new();
    }
    select(DIRECTORY);
    let count = u32::from_be_bytes(bytes()).min(MOST);
    let mut found = Vec::new();
    for _ in 0..count {
        let size = u32::from_be_bytes(bytes());
        let item = u16::from_be_bytes(bytes());
        bytes::<2>();
        let name = bytes::<56>();
        let name = name.split(|&byte| byte == 0).next().unwrap_or_default();
        if let Some(name) = core::str::from_utf8(name).ok().and_then(|name| name.strip_prefix(PREFIX)) {
            found.push((name.to_string(), item, size));
        }
    }
    let read = |(name, item, size): (String, u16, u32)| {
        let mut content = Vec::new();
        if size > LARGEST || content.try_reserve_exact(size as usize).is_err() {
            log::warn!("{name} of {size} bytes is too large to be handed over");
            return None;
        }
        select(item);
        content.extend((0..size).map(|_| bytes::<1>()[0]));
        Some((name, content))
    };
    found.into_iter().filter_map(read).collect()
}
