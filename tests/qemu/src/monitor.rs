//! QEMU's machine protocol (QMP): a line of JSON each way. Only what is needed is understood.

use crate::{QemuError, Result};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// An open monitor.
pub(crate) struct Monitor {
    stream: UnixStream,
    lines: BufReader<UnixStream>,
}

fn wrong(error: impl std::fmt::Display) -> QemuError {
    QemuError::Monitor(error.to_string())
}

impl Monitor {
    /// Opens the socket, as soon as QEMU has made it.
    pub fn open(socket: &Path) -> Result<Self> {
        let end = Instant::now() + Duration::from_secs(10);
        let stream = loop {
            match UnixStream::connect(socket) {
                Ok(stream) => break stream,
                Err(error) if Instant::now() > end => return Err(wrong(error)),
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        stream.set_read_timeout(Some(Duration::from_secs(20))).map_err(wrong)?;
        let lines = BufReader::new(stream.try_clone().map_err(wrong)?);
        let mut monitor = Self { stream, lines };
        monitor.line()?; // the greeting
        monitor.execute("qmp_capabilities", "{}")?;
        Ok(monitor)
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        match self.lines.read_line(&mut line) {
            Ok(0) => Err(QemuError::Monitor("QEMU closed the connection".into())),
            Ok(_) => Ok(line),
            Err(error) => Err(wrong(error)),
        }
    }

    /// Executes a command with its arguments, a JSON object. Gives the line of the answer.
    pub fn execute(&mut self, command: &str, arguments: &str) -> Result<String> {
        writeln!(self.stream, "{{\"execute\":\"{command}\",\"arguments\":{arguments}}}").map_err(wrong)?;
        loop {
            // Events come in between.
            let line = self.line()?;
            if line.starts_with("{\"return\"") {
                return Ok(line);
            }
            if line.starts_with("{\"error\"") {
                return Err(QemuError::Monitor(format!("{command} {arguments}: {}", line.trim())));
            }
        }
    }
}

/// A string as JSON writes it.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", control as u32)),
            other => quoted.push(other),
        }
    }
    quoted + "\""
}
