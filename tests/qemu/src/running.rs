//! A machine that runs.

use crate::keys::key_for;
use crate::monitor::{Monitor, quote};
use crate::{Machine, Picture, QemuError, Result};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// Pause between two transitions of keys: as a quick typist, and the keyboard's queue never fills.
const KEY_PAUSE: Duration = Duration::from_millis(15);

/// How a machine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// It powered off by ACPI.
    PowerOff,
    /// The exit device said success.
    Success,
    /// The exit device said that a self-test failed.
    Failure,
    /// The exit device said that the kernel stopped with a report.
    Panic,
    /// QEMU ended otherwise, with that status.
    Other(Option<i32>),
}

/// A mouse button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are what they are called")]
pub enum Button {
    Left,
    Middle,
    Right,
}

/// What came over the serial line.
#[derive(Default)]
struct Log {
    text: String,
    closed: bool,
}

/// A running machine; ends when dropped.
pub struct Qemu {
    child: Child,
    serial_input: ChildStdin,
    monitor: Monitor,
    directory: PathBuf,
    log: Arc<(Mutex<Log>, Condvar)>,
    started: Instant,
    deadline: Instant,
    /// How much of the log `wait_for` has passed.
    seen: usize,
}

impl Qemu {
    pub(crate) fn start(machine: Machine, kernel: &Path) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("duralumin-{}-{number}", std::process::id()));
        let failed = |error: std::io::Error| QemuError::Start(error.to_string());
        std::fs::create_dir_all(&directory).map_err(failed)?;
        let socket = directory.join("monitor");
        let mut child = machine
            .command(kernel, &directory)?
            .args(["-serial", "stdio", "-qmp", &format!("unix:{},server=on,wait=off", socket.display())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| QemuError::Start(format!("qemu-system-x86_64: {error}")))?;
        let started = Instant::now();
        let serial_input = child.stdin.take().expect("it is piped");
        let log = Arc::<(Mutex<Log>, Condvar)>::default();
        let mut serial = child.stdout.take().expect("it is piped");
        let writer = log.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = serial.read(&mut bytes) {
                let text = String::from_utf8_lossy(&bytes[..count]).replace('\r', "");
                writer.0.lock().unwrap().text.push_str(&text);
                writer.1.notify_all();
            }
            writer.0.lock().unwrap().closed = true;
            writer.1.notify_all();
        });
        let monitor = match Monitor::open(&socket) {
            Ok(monitor) => monitor,
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(error);
            }
        };
        Ok(Self { child, serial_input, monitor, directory, log, started, deadline: started + machine.limit, seen: 0 })
    }

    /// How long it has run.
    pub fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// The serial log so far.
    pub fn log(&self) -> String {
        self.log.0.lock().unwrap().text.clone()
    }

    /// Waits until `text` comes over the serial line, after what the last call found; gives its whole line.
    pub fn wait_for(&mut self, text: &str) -> Result<String> {
        let (line, end) = self.find_after(self.seen, text)?;
        self.seen = end;
        Ok(line)
    }

    /// Lets `wait_for` look only at what comes from now on.
    pub fn pass_log(&mut self) {
        self.seen = self.log.0.lock().unwrap().text.len();
    }

    /// Sends a byte over the serial line and waits for an answer with `text` in it; gives its whole line.
    pub fn ask(&mut self, question: u8, text: &str) -> Result<String> {
        let now = self.log.0.lock().unwrap().text.len();
        let failed = |error: std::io::Error| QemuError::Monitor(format!("serial line: {error}"));
        self.serial_input.write_all(&[question]).and_then(|()| self.serial_input.flush()).map_err(failed)?;
        self.find_after(now, text).map(|(line, _)| line)
    }

    /// Sends text over the serial line.
    pub fn write_serial(&mut self, text: &str) -> Result<()> {
        let failed = |error: std::io::Error| QemuError::Monitor(format!("serial line: {error}"));
        self.serial_input.write_all(text.as_bytes()).and_then(|()| self.serial_input.flush()).map_err(failed)
    }

    /// Takes pictures until one is as it should be.
    pub fn wait_for_picture(&mut self, what: &str, is_right: impl Fn(&Picture) -> bool) -> Result<Picture> {
        loop {
            let picture = self.screenshot()?;
            if is_right(&picture) {
                return Ok(picture);
            }
            if Instant::now() > self.deadline {
                let file = std::env::temp_dir().join("duralumin-wrong-picture.png");
                let kept = picture.write_png(&file).is_ok();
                let place = if kept { format!(" (the last is {})", file.display()) } else { String::new() };
                return Err(QemuError::TimeLimit { waiting_for: format!("{what}{place}"), log: self.log() });
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Has Lisp written a file, and has the kernel exported it?
    pub fn has_exported(&self, name: &str) -> bool {
        let log = self.log.0.lock().unwrap();
        let mut files = log.text.split("---- file ").skip(1);
        files.any(|file| own_name(file).eq_ignore_ascii_case(name) && file.contains("\n---- end of file\n"))
    }

    /// Waits for a file that Lisp writes and the kernel exports (`export-files=NAME`); its text.
    pub fn exported(&mut self, name: &str) -> Result<String> {
        let mut from = 0;
        loop {
            let (line, end) = self.find_after(from, "---- file ")?;
            from = end;
            if !own_name(&line).eq_ignore_ascii_case(name) {
                continue;
            }
            let (_, end_of_file) = self.find_after(end, "\n---- end of file")?;
            let log = self.log.0.lock().unwrap();
            let text = &log.text[end..end_of_file - "\n---- end of file".len()];
            return Ok(unescape(text.split_once('\n').map_or("", |(_, text)| text)));
        }
    }

    /// Waits for a whole line with `text` in it behind a place in the log; the line, and where `text` ends.
    fn find_after(&self, from: usize, text: &str) -> Result<(String, usize)> {
        let mut log = self.log.0.lock().unwrap();
        loop {
            if let Some(at) = log.text[from..].find(text) {
                let (start, end) = (from + at, from + at + text.len());
                if let Some(length) = log.text[end..].find('\n') {
                    let line = log.text[..start].rfind('\n').map_or(0, |newline| newline + 1);
                    return Ok((log.text[line..end + length].to_owned(), end));
                }
            }
            let waiting_for = || format!("{text:?}");
            if log.closed {
                return Err(QemuError::Ended { waiting_for: waiting_for(), log: log.text.clone() });
            }
            let Some(left) = self.deadline.checked_duration_since(Instant::now()) else {
                return Err(QemuError::TimeLimit { waiting_for: waiting_for(), log: log.text.clone() });
            };
            log = self.log.1.wait_timeout(log, left).unwrap().0;
        }
    }

    /// Waits until the machine ends.
    pub fn wait(&mut self) -> Result<End> {
        while Instant::now() < self.deadline {
            match self.child.try_wait() {
                Ok(Some(status)) => {
                    // The last lines may still be on their way through the pipe.
                    let log = self.log.0.lock().unwrap();
                    drop(self.log.1.wait_timeout_while(log, Duration::from_secs(5), |log| !log.closed));
                    return Ok(match status.code() {
                        Some(0) => End::PowerOff,
                        Some(33) => End::Success,
                        Some(35) => End::Failure,
                        Some(37) => End::Panic,
                        code => End::Other(code),
                    });
                }
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                Err(error) => return Err(QemuError::Monitor(error.to_string())),
            }
        }
        Err(QemuError::TimeLimit { waiting_for: "the end".into(), log: self.log() })
    }

    /// Cuts the power: QEMU gets no chance to do anything more.
    pub fn kill(&mut self) -> Result<()> {
        let failed = |error: std::io::Error| QemuError::Monitor(format!("kill: {error}"));
        self.child.kill().and_then(|()| self.child.wait()).map_err(failed)?;
        // The last lines may still be on their way through the pipe.
        let log = self.log.0.lock().unwrap();
        drop(self.log.1.wait_timeout_while(log, Duration::from_secs(5), |log| !log.closed));
        Ok(())
    }

    /// Takes a picture of the screen.
    pub fn screenshot(&mut self) -> Result<Picture> {
        let file = self.directory.join("screen.ppm");
        let name = quote(&file.display().to_string());
        self.monitor.execute("screendump", &format!("{{\"filename\":{name}}}"))?;
        let bytes = std::fs::read(&file).map_err(|error| QemuError::Monitor(format!("screendump: {error}")))?;
        Picture::from_ppm(&bytes)
    }

    fn send(&mut self, events: &[String]) -> Result<()> {
        let arguments = format!("{{\"events\":[{}]}}", events.join(","));
        self.monitor.execute("input-send-event", &arguments).map(drop)
    }

    /// Presses or releases a key, by QEMU's name for it (`a`, `ret`, `ctrl`, `meta_l`, `f1`...).
    pub fn key(&mut self, name: &str, down: bool) -> Result<()> {
        let event = format!(
            "{{\"type\":\"key\",\"data\":{{\"down\":{down},\"key\":{{\"type\":\"qcode\",\"data\":{}}}}}}}",
            quote(name)
        );
        self.send(&[event])?;
        std::thread::sleep(KEY_PAUSE);
        Ok(())
    }

    /// Presses keys together and releases them: `press(&["ctrl", "e"])`.
    pub fn press(&mut self, names: &[&str]) -> Result<()> {
        for name in names {
            self.key(name, true)?;
        }
        for name in names.iter().rev() {
            self.key(name, false)?;
        }
        Ok(())
    }

    /// Types text on a US board; `\n` is Return.
    pub fn type_text(&mut self, text: &str) -> Result<()> {
        for character in text.chars() {
            let (name, shift) = key_for(character)?;
            if shift { self.press(&["shift", &name])? } else { self.press(&[&name])? }
        }
        Ok(())
    }

    /// Moves the mouse by that many pixels, right and down.
    pub fn move_mouse(&mut self, right: i32, down: i32) -> Result<()> {
        // A PS/2 packet holds movements up to 255; QEMU splits larger ones, smaller ones keep the order of events.
        let (mut right, mut down) = (right, down);
        while (right, down) != (0, 0) {
            let (x, y) = (right.clamp(-100, 100), down.clamp(-100, 100));
            let axis = |name, value| format!("{{\"type\":\"rel\",\"data\":{{\"axis\":\"{name}\",\"value\":{value}}}}}");
            self.send(&[axis("x", x), axis("y", y)])?;
            std::thread::sleep(KEY_PAUSE);
            (right, down) = (right - x, down - y);
        }
        Ok(())
    }

    /// Presses or releases a mouse button.
    pub fn button(&mut self, button: Button, down: bool) -> Result<()> {
        let name = match button {
            Button::Left => "left",
            Button::Middle => "middle",
            Button::Right => "right",
        };
        self.button_event(name, down)
    }

    /// Turns the wheel by steps, positive towards the user.
    pub fn wheel(&mut self, steps: i32) -> Result<()> {
        let name = if steps > 0 { "wheel-down" } else { "wheel-up" };
        for _ in 0..steps.unsigned_abs() {
            self.button_event(name, true)?;
            self.button_event(name, false)?;
        }
        Ok(())
    }

    fn button_event(&mut self, name: &str, down: bool) -> Result<()> {
        self.send(&[format!("{{\"type\":\"btn\",\"data\":{{\"down\":{down},\"button\":\"{name}\"}}}}")])?;
        std::thread::sleep(KEY_PAUSE);
        Ok(())
    }

    /// Presses the power button.
    pub fn power_button(&mut self) -> Result<()> {
        self.monitor.execute("system_powerdown", "{}").map(drop)
    }

    /// Has a command of QEMU's monitor for people executed.
    pub fn command(&mut self, line: &str) -> Result<()> {
        let arguments = format!("{{\"command-line\":{}}}", crate::monitor::quote(line));
        self.monitor.execute("human-monitor-command", &arguments).map(drop)
    }

    /// Ends the machine as a power cut does, and waits until it is gone.
    pub fn cut(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Processor time that QEMU has used so far, in seconds.
    pub fn processor_seconds(&self) -> Result<f64> {
        let file = format!("/proc/{}/stat", self.child.id());
        let text = std::fs::read_to_string(&file).map_err(|error| QemuError::Monitor(format!("{file}: {error}")))?;
        // Fields 14 and 15, in hundredths of a second; the name in field 2 may hold spaces.
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or("").split_ascii_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
        Ok((ticks(11) + ticks(12)) / 100.0)
    }

    /// Lets time pass.
    pub fn pause(&self, time: Duration) {
        std::thread::sleep(time.min(self.deadline.saturating_duration_since(Instant::now())));
    }
}

/// The name in `<out>name;1`, which ends a line.
fn own_name(text: &str) -> &str {
    let line = text.lines().next().unwrap_or_default();
    let own = line.rsplit(['<', '>']).next().unwrap_or(line);
    own.split(';').next().unwrap_or(own)
}

/// Text as it was before the kernel wrote backslashes and unusual bytes with backslashes.
fn unescape(text: &str) -> String {
    let mut parts = text.split('\\');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    while let Some(part) = parts.next() {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                plain.push(char::from(byte));
                plain.push_str(&part[2..]);
            }
            // Two backslashes: an empty part between them.
            None => {
                plain.push('\\');
                plain.push_str(if part.is_empty() { parts.next().unwrap_or_default() } else { part });
            }
        }
    }
    plain
}

impl Drop for Qemu {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn exported_text() {
        assert_eq!(super::unescape("a\\\\b\\07\\\\\\\\c\\ff"), "a\\b\u{7}\\\\c\u{ff}");
    }
}
