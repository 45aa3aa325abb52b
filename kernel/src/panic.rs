//! When nothing more can be done: say what went wrong, on the serial line and on the screen, and stop.
//!
//! ```text
//!   Duralumin has stopped.
//!
//!   what went wrong, one sentence
//!
//!   registers, if a fault brought us here
//!
//!   Lisp
//!   where Lisp was: filled in by the function given to `set_lisp_report`
//! ```

use crate::cpu::{TrapFrame, halt};
use crate::devices::text::TextScreen;
use crate::memory::exclusive::Exclusive;
use crate::{clock, log as serial_log, power};
use core::fmt::{Arguments, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU8, Ordering};

/// Writes where Lisp was: frame, function, PC, opcode, last calls. Must not touch Lisp pages that are not resident.
pub type LispReport = fn(&mut dyn Write);

static LISP_REPORT: Exclusive<Option<LispReport>> = Exclusive::new(None);
/// How deep we are: a panic in the panic screen must end.
static DEPTH: AtomicU8 = AtomicU8::new(0);

/// Sets the function that fills the Lisp section.
pub fn set_lisp_report(report: LispReport) {
    LISP_REPORT.with(|place| *place = Some(report));
}

/// Ends the machine because of an exception.
pub fn trap(frame: &TrapFrame, what: Arguments) -> ! {
    stop(what, Some(frame))
}

/// Ends the machine with a sentence for the user; not a defect of the kernel.
pub fn fatal(what: Arguments) -> ! {
    stop(what, None)
}

#[panic_handler]
fn panicked(info: &PanicInfo) -> ! {
    match info.location() {
        Some(place) => stop(format_args!("{} ({}:{})", info.message(), place.file(), place.line()), None),
        None => stop(format_args!("{}", info.message()), None),
    }
}

fn stop(what: Arguments, frame: Option<&TrapFrame>) -> ! {
    x86_64::instructions::interrupts::disable();
    match DEPTH.fetch_add(1, Ordering::Relaxed) {
        0 => {
            serial_log::with_serial_by_force(|serial| report(serial, what, frame));
            if let Some(mut screen) = TextScreen::by_force() {
                report(&mut screen, what, frame);
            }
        }
        // The report itself failed: the rest of it is lost, the sentence about the second failure is not.
        1 => serial_log::with_serial_by_force(|serial| {
            let _ = writeln!(serial, "\nand while reporting that: {what}");
        }),
        _ => {}
    }
    power::exit_device(power::ExitCode::Panic);
    halt()
}

fn report(out: &mut dyn Write, what: Arguments, frame: Option<&TrapFrame>) {
    let now = clock::microseconds();
    let _ = writeln!(out, "\nDuralumin has stopped after {}.{:03} ms.\n\n{what}\n", now / 1000, now % 1000);
    if let Some(frame) = frame {
        let _ = writeln!(out, "{frame}\n");
    }
    let lisp = LISP_REPORT.force(|report| *report);
    if let Some(lisp) = lisp {
        let _ = writeln!(out, "Lisp");
        lisp(out);
        let _ = writeln!(out);
    }
}
