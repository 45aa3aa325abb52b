//! The starter world on the bare machine, as somebody meets it who has just got it: arrow keys on the keyboard and on the
//! serial line, and what the memory map says of pages.

use fixtures::Folder;
use qemu::{Machine, Qemu};
use std::time::Duration;

/// What a test may take; most of it is spent when all run at once.
const LIMIT: Duration = Duration::from_secs(150);

/// The starter world with its exec on the serial line; and the file, which is deleted with this.
struct Exec {
    qemu: Qemu,
    sysout: std::path::PathBuf,
}

impl Exec {
    fn new(name: &str) -> Self {
        let sysout = battery::starter_world(name).unwrap();
        let machine = Machine::new().disk(&sysout).word("serial=lisp").limit(LIMIT);
        let mut qemu = machine.start().unwrap();
        qemu.wait_for("1> ").unwrap();
        Self { qemu, sysout }
    }

    /// Types something and waits for what comes of it.
    fn type_for(&mut self, keys: &str, answer: &str) {
        self.qemu.write_serial(keys).unwrap();
        self.qemu.wait_for(answer).unwrap();
    }
}

impl Drop for Exec {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.sysout);
    }
}

#[test]
fn arrow_keys() {
    let mut exec = Exec::new("arrows");
    // From a terminal: left, left, a digit, Home, right, Delete four times.
    exec.type_for("(list 13)\u{1b}[D\u{1b}OD2\u{1b}[H\u{1b}[C\u{1b}[3~\u{1b}[3~\u{1b}[3~\u{1b}[3~vector\r", "\n#(123)");
    // What no key has is dropped: F5, and a key with Control.
    exec.type_for("\u{1b}[15~(list 7)\u{1b}[1;5D8\r", "\n(78)");
    // From the keyboard: up twice, left.
    for key in ["up", "up", "left", "spc", "4", "ret"] {
        exec.qemu.press(&[key]).unwrap();
    }
    exec.qemu.wait_for("\n#(123 4)").unwrap();
}

#[test]
fn the_memory_map_knows_what_happens_to_pages() {
    let mut exec = Exec::new("map");
    // Bits: 1 there, 2 in memory, 4 touched, 8 changed, 16 not saved. The I/O page is at FF00: keys have been typed.
    exec.type_for("(length (setq s (new-states)))\r", "\n16384");
    exec.type_for("(defun state (address) (ask-for-states s) (char-code (char s (ash address -11))))\r", "\nSTATE");
    exec.type_for("(state #xFF00)\r", "\n31");
    // Nobody needs the collector's chains: on the disk. Nothing is at 1000000.
    exec.type_for("(state #x1F0000)\r", "\n1");
    exec.type_for("(state #x1000000)\r", "\n0");
    // Read, not written; then neither. Whether it has to be saved is not forgotten.
    exec.type_for("(progn (word-at #x1F0000) (state #x1F0000))\r", "\n7");
    exec.type_for("(state #x1F0000)\r", "\n3");
    exec.type_for("(progn (%set-word (%pointer #x1F 0) 0 0) (state #x1F0000))\r", "\n31");
    exec.type_for("(state #x1F0000)\r", "\n19");
}

/// Types something and waits until the serial line ends with that: a line that is not ended, too.
fn type_until(exec: &mut Exec, keys: &str, end: &str) {
    exec.qemu.write_serial(keys).unwrap();
    wait_until(exec, end);
}

fn wait_until(exec: &mut Exec, end: &str) {
    while !exec.qemu.log().ends_with(end) {
        assert!(exec.qemu.age() < LIMIT, "the serial line does not end with {end:?}: {:?}", exec.qemu.log());
        exec.qemu.pause(Duration::from_millis(50));
    }
}

#[test]
fn the_log_does_not_cut_into_what_is_typed() {
    let folder = Folder::new("log");
    let (sysout, disk) = (battery::starter_world("log").unwrap(), folder.file("machine.disk"));
    fixtures::boot(&[std::ffi::OsStr::new("import"), sysout.as_os_str(), disk.as_os_str()]).unwrap();
    // Each checkpoint says so in the log. What was typed comes again behind it, with the cursor where it was.
    let machine = Machine::new().writable_disk(&disk).word("autosave=1").word("serial=lisp").limit(LIMIT);
    let mut exec = Exec { qemu: machine.start().unwrap(), sysout };
    exec.qemu.wait_for("1> ").unwrap();
    type_until(&mut exec, "(list 14)\u{1b}[D\u{1b}[D", " us\n1> (list 14)\u{1b}[2D");
    exec.type_for("23\r", "\n(1234)");
    // A form of two lines, with the cursor in the first.
    type_until(&mut exec, "(list\r15)\u{1b}[D\u{1b}[A", " us\n2> (list\n  15)\u{1b}[1A\u{1b}[2C");
    exec.type_for("\u{1b}[F 6\u{1b}[B\u{1b}[F\r", "\n(6 15)");
    // The monitor comes and goes.
    type_until(&mut exec, "(list 17", " us\n3> (list 17");
    type_until(&mut exec, "\u{1d}", "\n* ");
    type_until(&mut exec, "go\r", "Lisp goes on\n3> (list 17");
    exec.type_for(")\r", "\n(17)");
}
