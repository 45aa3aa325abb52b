//! From a disk with a sysout to a running Lisp.

use crate::devices::{block, display};
use crate::{panic, power};
use kernel_logic::handoff::Framebuffer;
use log::info;

/// Brings Lisp up.
pub fn run(screen: Option<(Framebuffer, u64)>, width: u32, height: u32) -> ! {
    match block::start() {
        Ok(sectors) => info!("disk of {} KiB", sectors / 2),
        Err(error) => panic::fatal(format_args!("{error}.")),
    }
    if let Some((framebuffer, address)) = screen {
        display::start(framebuffer, address, width, height);
    }
    power::off(power::ExitCode::Success)
}
