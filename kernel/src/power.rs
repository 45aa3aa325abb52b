//! The end: ACPI power-off, or QEMU's exit device in tests.

use crate::acpi;
use crate::cpu::halt;
use crate::cpu::ports::{inw, outb, outl, outw};
use core::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use log::{info, warn};

/// What a test run ended with; QEMU's status is `code * 2 + 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// Status 33.
    Success = 0x10,
    /// Status 35: a self-test failed, or Lisp said that its run did.
    Failure = 0x11,
    /// Status 37: the kernel stopped with a report.
    Panic = 0x12,
}

/// What the run ends with, 0 if all went well.
static STATUS: AtomicU8 = AtomicU8::new(0);

/// Says what the run ends with.
pub fn set_status(status: u8) {
    info!("the run's status is {status}");
    STATUS.store(status, Ordering::Relaxed);
}

/// Ends a run that came to its end by itself.
pub fn end_run() -> ! {
    off(if STATUS.load(Ordering::Relaxed) == 0 { ExitCode::Success } else { ExitCode::Failure })
}

/// Is QEMU's isa-debug-exit there? Only the command line can say: its port is silent where it is not.
static EXIT_DEVICE: AtomicBool = AtomicBool::new(false);

/// Says that the exit device is there.
pub fn enable_exit_device() {
    EXIT_DEVICE.store(true, Ordering::Relaxed);
}

/// Ends QEMU, if the exit device is there; otherwise returns.
pub fn exit_device(code: ExitCode) {
    if EXIT_DEVICE.load(Ordering::Relaxed) {
        // SAFETY: the command line promised the device; writing ends the machine.
        unsafe { outl(0xf4, code as u32) };
    }
}

/// Switches the machine off.
pub fn off(code: ExitCode) -> ! {
    info!("power off");
    exit_device(code);
    x86_64::instructions::interrupts::disable();
    match acpi::find_soft_off() {
        Ok(soft_off) => {
            // SAFETY: the ports and values that the firmware's tables give for entering S5.
            unsafe {
                if soft_off.smi_command != 0 && inw(soft_off.control_a) & 1 == 0 {
                    outb(soft_off.smi_command, soft_off.acpi_enable);
                    for _ in 0..300 {
                        if inw(soft_off.control_a) & 1 != 0 {
                            break;
                        }
                        crate::clock::spin_microseconds(10_000);
                    }
                }
                outw(soft_off.control_a, soft_off.type_a | 1 << 13);
                if soft_off.control_b != 0 {
                    outw(soft_off.control_b, soft_off.type_b | 1 << 13);
                }
            }
            crate::clock::spin_microseconds(2_000_000);
            warn!("the machine ignored the ACPI power-off; switch it off by hand");
        }
        Err(error) => warn!("no ACPI power-off: {error}; switch the machine off by hand"),
    }
    halt()
}
