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
use crate::memory::paging::{self, Stack};
use crate::{clock, log as serial_log, power};
use core::fmt::{Arguments, Write};
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicU8, Ordering};

/// Writes where Lisp was: frame, function, PC, opcode, last calls. May touch Lisp pages: they are
/// brought in as ever, unless it was the disk that failed. After a fault the second argument has the processor's registers.
pub type LispReport = fn(&mut dyn Write, Option<&TrapFrame>);

static LISP_REPORT: Exclusive<Option<LispReport>> = Exclusive::new(None);
/// Lets somebody look at the machine, for ever; returns if there is none yet.
pub type Look = fn();

static MONITOR: Exclusive<Option<Look>> = Exclusive::new(None);

/// Sets the function that lets somebody look at a stopped machine.
pub fn set_monitor(look: Look) {
    MONITOR.with(|place| *place = Some(look));
}

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

/// What is kept of the interrupted code for the report, away from the stack it was on.
struct Ending {
    sentence: Sentence,
    frame: Option<TrapFrame>,
    now: u64,
}

/// A text of limited length; what does not fit is cut.
struct Sentence {
    bytes: [u8; 600],
    length: usize,
}

impl Write for Sentence {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        let room = self.bytes.len() - self.length;
        let cut = (0..=room.min(text.len())).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        self.bytes[self.length..self.length + cut].copy_from_slice(&text.as_bytes()[..cut]);
        self.length += cut;
        Ok(())
    }
}

static ENDING: Exclusive<Ending> =
    Exclusive::new(Ending { sentence: Sentence { bytes: [0; 600], length: 0 }, frame: None, now: 0 });

fn stop(what: Arguments, frame: Option<&TrapFrame>) -> ! {
    x86_64::instructions::interrupts::disable();
    match DEPTH.fetch_add(1, Ordering::Relaxed) {
        0 => {
            ENDING.force(|ending| {
                ending.now = clock::microseconds();
                ending.frame = frame.copied();
                let _ = ending.sentence.write_fmt(what);
            });
            if paging::is_ours() {
                // On a stack of its own: the Lisp section may bring in pages, and that runs on the page fault stack,
                // where we perhaps are.
                // SAFETY: the stack is mapped and nobody else's; nothing returns to the old one.
                unsafe {
                    core::arch::asm!(
                        "mov rsp, {top}", "xor ebp, ebp", "call {show}", "ud2",
                        top = in(reg) Stack::Report.top(), show = sym show, options(noreturn)
                    )
                }
            }
            show()
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

/// Shows [`ENDING`] on the serial line and on the screen.
extern "C" fn show() -> ! {
    // What went wrong first, everywhere: where Lisp was may be on pages that cannot be read either, and then the report
    // ends there.
    serial_log::with_serial_by_force(|serial| ENDING.force(|ending| sentence(serial, ending)));
    let mut screen = TextScreen::by_force();
    if let Some(screen) = &mut screen {
        ENDING.force(|ending| sentence(screen, ending));
    }
    serial_log::with_serial_by_force(|serial| ENDING.force(|ending| lisp(serial, ending)));
    if let Some(screen) = &mut screen {
        ENDING.force(|ending| lisp(screen, ending));
    }
    if !crate::monitor::is_offered() {
        power::exit_device(power::ExitCode::Panic);
    }
    // On the serial line and on the screen it has been said how.
    if let Some(look) = MONITOR.force(|look| *look) {
        look();
    }
    power::exit_device(power::ExitCode::Panic);
    halt()
}

/// What went wrong, and the registers.
fn sentence(out: &mut dyn Write, ending: &Ending) {
    let sentence = core::str::from_utf8(&ending.sentence.bytes[..ending.sentence.length]).unwrap_or("?");
    let (milliseconds, rest) = (ending.now / 1000, ending.now % 1000);
    let _ = writeln!(out, "\nDuralumin has stopped after {milliseconds}.{rest:03} ms.\n\n{sentence}\n");
    if let Some(frame) = &ending.frame {
        let _ = writeln!(out, "{frame}\n");
    }
}

/// Where Lisp was.
fn lisp(out: &mut dyn Write, ending: &Ending) {
    let lisp = LISP_REPORT.force(|report| *report);
    if let Some(lisp) = lisp {
        let _ = writeln!(out, "Lisp");
        lisp(out, ending.frame.as_ref());
        let _ = writeln!(out);
        if crate::monitor::is_offered() {
            let _ =
                writeln!(out, "F12, or Ctrl-] on the serial line, shows the monitor: what is left can be looked at.");
        }
    }
}
