//! The serial log: one line a message, with the milliseconds since kernel entry.
//!
//! ```text
//!   [     3.141] INFO  memory: 255 MiB usable
//! ```
//! Behind the `log` crate's macros, so drivers that use them are heard too. Lines go to COM1 at 115200 baud. Lisp may write
//! there as well; a line that it has begun moves behind those of the log.

use crate::clock;
use crate::memory::exclusive::Exclusive;
use core::fmt::{self, Write};
use kernel_logic::open_text::OpenText;
use log::{LevelFilter, Log, Metadata, Record};
use uart_16550::SerialPort;

/// COM1, and what Lisp has begun there.
struct Line {
    port: SerialPort,
    lisp: OpenText,
    /// Somebody else has the terminal, so Lisp's text is not on it.
    borrowed: bool,
}

static SERIAL: Exclusive<Line> = Exclusive::new(Line {
    // SAFETY: 0x3f8 is COM1 on every PC; where there is none, reads give ones and nothing is harmed.
    port: unsafe { SerialPort::new(0x3f8) },
    lisp: OpenText::new(),
    borrowed: false,
});

impl Line {
    /// Writes whole lines, before what Lisp has begun.
    fn between(&mut self, work: impl FnOnce(&mut SerialPort) -> fmt::Result) -> fmt::Result {
        let open = !self.borrowed && self.lisp.is_open();
        if open {
            self.lisp.withdraw(&mut self.port)?;
        }
        work(&mut self.port)?;
        if open { self.lisp.restore(&mut self.port) } else { Ok(()) }
    }
}

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
            serial.between(|port| {
                writeln!(port, "[{:6}.{:03}] {:5} {target}: {}", now / 1000, now % 1000, record.level(), record.args())
            })
        });
    }

    fn flush(&self) {}
}

/// Makes the port ready; everything at `info` and above is shown until [`set_level`].
pub fn start() {
    SERIAL.with(|serial| serial.port.init());
    log::set_max_level(LevelFilter::Info);
    log::set_logger(&SerialLog).expect("the log starts once");
}

/// Sets the level from its name; says whether there is such a level.
pub fn set_level(name: &str) -> bool {
    name.parse().map(log::set_max_level).is_ok()
}

/// The port, for whole lines that are no log.
pub fn with_serial(work: impl FnOnce(&mut dyn Write)) {
    SERIAL.with(|serial| {
        // A port that does not take it is none.
        let _ = serial.between(|port| {
            work(port);
            Ok(())
        });
    });
}

/// Writes what Lisp prints there.
pub fn lisp_writes(bytes: &[u8]) {
    SERIAL.with(|serial| {
        for &byte in bytes {
            let _ = match byte {
                b'\n' => serial.port.write_str("\r\n"),
                7..=b'~' => serial.port.write_char(char::from(byte)),
                _ => Ok(()),
            };
            serial.lisp.feed(byte);
        }
    });
}

/// Somebody else uses the terminal from now on, or gives it back to Lisp, whose text comes again.
pub fn borrow(borrowed: bool) {
    SERIAL.with(|serial| {
        let was = core::mem::replace(&mut serial.borrowed, borrowed);
        if was != borrowed && serial.lisp.is_open() {
            let Line { port, lisp, .. } = serial;
            let _ = if borrowed { port.write_str("\r\n") } else { lisp.restore(port) };
        }
    });
}

/// The port, taken by force: for the panic screen.
pub fn with_serial_by_force(work: impl FnOnce(&mut dyn Write)) {
    SERIAL.force(|serial| work(&mut serial.port));
}
