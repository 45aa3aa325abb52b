//! The end: ACPI power-off, or QEMU's exit device in tests.

use crate::acpi;
use crate::cpu::halt;
use crate::cpu::ports::{inw, outb, outl, outw};
use crate::{clock, saving};
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU16, Ordering};
use log::{debug, info, warn};
use vm::platform::InputEvent;

/// The button's bit in both registers.
const BUTTON: u16 = 1 << 8;
/// Lisp has so long to log out, microseconds; then it is saved wherever it is, which may take as long again.
const PATIENCE: u64 = 10_000_000;

/// Port of the register with the button's state; 0 while nobody watches it.
static BUTTON_STATUS: AtomicU16 = AtomicU16::new(0);

/// Watches the power button from now on, if the machine has one that ACPI tells of.
pub fn watch_button() {
    match acpi::find_button() {
        Ok((status, enable)) => {
            // SAFETY: the ports of the fixed events by the firmware's tables. Their interrupt line stays closed.
            unsafe {
                outw(status, BUTTON);
                outw(enable, inw(enable) | BUTTON);
            }
            BUTTON_STATUS.store(status, Ordering::Relaxed);
        }
        Err(error) => debug!("no power button: {error}"),
    }
}

/// Was the button pressed since the last call?
fn button_was_pressed() -> bool {
    let status = BUTTON_STATUS.load(Ordering::Relaxed);
    if status == 0 {
        return false;
    }
    // SAFETY: the status port that the firmware's tables gave `watch_button`; writing the bit clears it.
    unsafe {
        let pressed = inw(status) & BUTTON != 0;
        if pressed {
            outw(status, BUTTON);
        }
        pressed
    }
}

/// What has become of the user's wish to switch off.
#[derive(Debug, Clone, Copy, Default)]
pub enum Wish {
    /// There is none.
    #[default]
    None,
    /// Lisp was asked to log out, and has until then.
    Asked(u64),
    /// It did not, so the world is to be saved wherever it is, until then.
    Saving(u64),
}

impl Wish {
    /// Looks after the button; what Lisp has to be told, if anything. Switches off where nothing can be saved.
    pub fn look(&mut self) -> Option<InputEvent> {
        let now = clock::microseconds();
        let pressed = button_was_pressed();
        match *self {
            Self::None if pressed && !saving::has_store() => {
                info!("power button; there is no disk to save the world to");
                off(ExitCode::Success)
            }
            Self::None if pressed => {
                info!("power button: Lisp is asked to log out");
                *self = Self::Asked(now + PATIENCE);
                Some(InputEvent::PowerButton)
            }
            // Whoever presses it again does not want to wait.
            Self::Asked(until) if now >= until || pressed => {
                warn!("Lisp did not log out");
                *self = Self::Saving(now + PATIENCE);
                Some(InputEvent::PowerDeadline)
            }
            Self::Saving(until) if now >= until => {
                saving::tell(format_args!("Lisp cannot be saved now. The machine stays on; try again later."));
                *self = Self::None;
                None
            }
            _ => None,
        }
    }

    /// Lisp has taken the log out back.
    pub fn forget(&mut self) {
        if !matches!(self, Self::None) {
            info!("Lisp took the log out back; the machine stays on");
            *self = Self::None;
        }
    }
}

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

/// Is the exit device there?
pub fn has_exit_device() -> bool {
    EXIT_DEVICE.load(Ordering::Relaxed)
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
