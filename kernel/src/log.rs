//! The serial log: one line a message, with the milliseconds since kernel entry.
//!
//! ```text
//!   [     3.141] INFO  memory: 255 MiB usable
//! ```
//! Behind the `log` crate's macros, so drivers that use them are heard too. Lines go to COM1 at 115200 baud.

use crate::clock;
use crate::memory::exclusive::Exclusive;
use core::fmt::Write;
use log::{LevelFilter, Log, Metadata, Record};
use uart_16550::SerialPort;

/// COM1.
// SAFETY: 0x3f8 is COM1 on every PC; where there is none, reads give ones and nothing is harmed.
static SERIAL: Exclusive<SerialPort> = Exclusive::new(unsafe { SerialPort::new(0x3f8) });

struct SerialLog;

impl Log for SerialLog {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &Record) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let now = clock::microseconds();
        let target = record.target();
        let target = target.strip_prefix("duralumin::").unwrap_or(target);
        let target = if target == "duralumin" { "kernel" } else { target };
        // A page fault while a line is being written (its text was in Lisp space) may log too: that line is lost.
        let _ = SERIAL.try_with(|serial| {
            writeln!(serial, "[{:6}.{:03}] {:5} {target}: {}", now / 1000, now % 1000, record.level(), record.args())
        });
    }

    fn flush(&self) {}
}

/// Makes the port ready; everything at `info` and above is shown until [`set_level`].
pub fn start() {
    SERIAL.with(SerialPort::init);
    log::set_max_level(LevelFilter::Info);
    log::set_logger(&SerialLog).expect("the log starts once");
}

/// Sets the level from its name; says whether there is such a level.
pub fn set_level(name: &str) -> bool {
    name.parse().map(log::set_max_level).is_ok()
}

/// The port, for something longer than a line.
pub fn with_serial(work: impl FnOnce(&mut dyn Write)) {
    SERIAL.with(|serial| work(serial));
}

/// The port, taken by force: for the panic screen.
pub fn with_serial_by_force(work: impl FnOnce(&mut dyn Write)) {
    SERIAL.force(|serial| work(serial));
}
