//! The starter world's files on the bare machine: the battery of files on its own disk and on a share, init files, jobs
//! that end with a status, and disks with no room left.

use fixtures::root;
use qemu::{End, Machine, Qemu, SmallDisk};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// For one run; most take a few seconds.
const LIMIT: Duration = Duration::from_secs(180);

/// A folder with a share in it, gone with the test.
struct Folder(fixtures::Folder);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = fixtures::Folder::new(&format!("starter-{name}"));
        fs::create_dir(folder.file("share")).expect("a folder can be made");
        Folder(folder)
    }

    fn share(&self) -> PathBuf {
        self.0.file("share")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.file(name)
    }

    /// Puts a job into the share.
    fn job(&self, text: &str) {
        fs::write(self.share().join("job.lisp"), text).expect("a file can be written");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.share().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

/// The starter world.
fn starter() -> &'static Path {
    fixtures::starter().unwrap()
}

/// Runs `boot`.
fn boot(arguments: &[&str]) {
    fixtures::boot(arguments).unwrap_or_else(|error| panic!("boot {arguments:?}: {error}"));
}

/// A disk with the world of a sysout, and so many megabytes for files.
fn new_disk(folder: &Folder, sysout: &Path, megabytes: &str) -> String {
    let disk = folder.file("machine.disk").display().to_string();
    boot(&["import", &sysout.display().to_string(), &disk, "--files", megabytes]);
    disk
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Runs a machine to its end, which must be that one; its log.
fn run(machine: Machine, expected: End) -> String {
    let mut qemu: Qemu = machine.limit(LIMIT).start().unwrap();
    let end = qemu.wait();
    let log = qemu.log();
    assert!(matches!(&end, Ok(end) if *end == expected), "the run ended with {end:?}:\n{log}");
    log
}

#[test]
fn the_battery_of_files() {
    let folder = Folder::new("battery");
    let sysout = battery::files_world().unwrap();
    let disk = new_disk(&folder, &sysout, "64");
    let _ = fs::remove_file(sysout);
    let machine = Machine::new().writable_disk(&disk).share(folder.share(), false).word("autosave=0");
    let log = run(machine.word("FOLDERS={DSK}/try/%20{DSK}/share/try/"), End::Success);
    for place in ["{DSK}/try/", "{DSK}/share/try/"] {
        let expected = format!("battery in {place}: {} expressions, 0 failures", battery::files_battery().len());
        assert!(log.contains(&expected), "{log}");
    }
    boot(&["check", &disk]);
    assert_eq!(folder.read("try/w.txt"), "written");
}

/// Whoever has started before, and is saved, does not load the init file again.
#[test]
fn an_init_file_is_loaded_once() {
    let folder = Folder::new("init");
    folder.job("(format t \"this is the ~A file~%\" 'init)\n(setq *from-init* 'from-init)\n");
    let disk = new_disk(&folder, starter(), "16");
    let machine = Machine::new().writable_disk(&disk).share(folder.share(), false).limit(LIMIT);
    let machine = machine.word("autosave=0").word("serial=lisp").word("LDEINIT={DSK}/share/job.lisp");
    let mut qemu = machine.clone().start().unwrap();
    qemu.wait_for("; Loading {DSK}<share>job.lisp;1").unwrap();
    qemu.wait_for("this is the INIT file").unwrap();
    qemu.wait_for("1> ").unwrap();
    qemu.write_serial("(logout)\n").unwrap();
    assert_eq!(qemu.wait().unwrap(), End::Success, "{}", qemu.log());
    let mut qemu = machine.start().unwrap();
    qemu.wait_for("2> ").unwrap();
    qemu.write_serial("(list 'the-value *from-init*)\n").unwrap();
    qemu.wait_for("(THE-VALUE FROM-INIT)").unwrap();
    assert!(!qemu.log().contains("this is the INIT file"), "{}", qemu.log());
}

/// Runs `run-qemu.sh` without a person; its status, and what it said.
fn script(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(root().join("run-qemu.sh"));
    let output = command.arg("--headless").args(arguments).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).replace('\r', "");
    (output.status.code(), said)
}

#[test]
fn jobs_end_with_a_status() {
    let folder = Folder::new("job");
    let share = text(&folder.share());
    // A job of the host is handed over; it finds the share, the environment and an end. What it did not close is there.
    let job = "(with-open-file (s \"{DSK}/share/said.txt\" :direction :output)
  (format s \"~A, ~A\" (getenv \"GREETING\") (file-author s)))
(defvar *s* (open \"{DSK}/share/open.txt\" :direction :output))
(princ \"not closed\" *s*)
(format t \"the job is done~%\")
(logout)\n";
    let file = folder.file("a job.lisp");
    fs::write(&file, job).unwrap();
    let words = ["--env", "GREETING=good day, 50%", "--env", "LOGNAME=larry", "--timeout", "170"];
    let (status, said) = script(&[&["--share", &share, "--init", &text(&file)][..], &words].concat());
    assert!(status == Some(0) && said.contains("the job is done"), "status {status:?}:\n{said}");
    assert_eq!(
        (folder.read("said.txt"), folder.read("open.txt")),
        ("good day, 50%, larry".into(), "not closed".into())
    );
    // One that is in the share, and goes wrong.
    folder.job(
        "(defvar *s* (open \"{DSK}/share/begun.txt\" :direction :output))
(princ \"begun\" *s*)
(defun pull (n) (if (zerop n) (error \"The ~A is at an end.\" \"rope\") (list (pull (1- n)))))
(pull 3)
(logout)\n",
    );
    let (status, said) = script(&["--share", &share, "--init", "{DSK}/share/job.lisp", "--timeout", "170"]);
    assert_eq!(status, Some(1), "{said}");
    let lines = ["job.lisp;1, form 4: (PULL 3)", "error break: The rope is at an end.", "(PULL 0)", "(PULL 3)"];
    let mut rest = &*said;
    for line in lines {
        let at = rest.find(line).unwrap_or_else(|| panic!("no {line} in its place:\n{said}"));
        rest = &rest[at..];
    }
    assert_eq!(folder.read("begun.txt"), "begun");
}

/// Writes files until there is no room, and again when there is some; every step must say what it should.
const FILL: &str = "(defun fill-file (name count)
  (let ((n 1))
    ;; A disk packs bytes that repeat: these do not.
    (with-open-file (s name :direction :output)
      (dotimes (i count) (setq n (logand (+ (* n 109) 89) 65535)) (write-byte (ash n -8) s)))))
(defun copy-name (n) (format nil \"FOLDER/c~D.dat\" n))
(defun fill-folder ()
  (let ((copies 0))
    (handler-case (loop (copy-file \"FOLDER/noise.dat\" (copy-name copies)) (setq copies (1+ copies)))
      (file-error (condition) (format t \"after ~D copies: ~A~%\" copies condition)))
    copies))
(with-open-file (s \"FOLDER/kept.txt\" :direction :output) (write-string \"kept\" s))
(fill-file \"FOLDER/noise.dat\" 60000)
(defvar *copies* (fill-folder))
(format t \"more than one ~S, left ~S~%\" (> *copies* 1) (probe-file (copy-name *copies*)))
(format t \"open files ~D~%\" (length (open-files)))
(with-open-file (s \"FOLDER/kept.txt\") (format t \"read ~A~%\" (read-line s)))
(delete-file (copy-name 0))
(fill-file \"FOLDER/small.dat\" 20000)
(format t \"written again~%\")
(logout nil)\n";

/// Runs it in a folder of Lisp's.
fn fill(machine: Machine, files: &Folder, folder: &str) {
    files.job(&FILL.replace("FOLDER", folder));
    let log = run(machine.word("JOB={DSK}/share/job.lisp"), End::Success);
    // The one file that is open is the job itself.
    let lines =
        ["cannot be ", "the disk is full.", "more than one T, left NIL", "open files 1", "read kept", "written again"];
    for line in lines {
        assert!(log.contains(line), "no \"{line}\":\n{log}");
    }
}

#[test]
fn a_full_disk() {
    let folder = Folder::new("full-disk");
    let disk = new_disk(&folder, starter(), "4");
    fill(Machine::new().writable_disk(&disk).share(folder.share(), false).word("autosave=0"), &folder, "{DSK}/full");
    boot(&["check", &disk]);
}

#[test]
fn a_full_disk_of_the_host() {
    let folder = Folder::new("full-host");
    let Some(small) = SmallDisk::mount(&folder.share(), "256k") else { return };
    fill(Machine::new().disk(starter()).share(folder.share(), false), &folder, "{DSK}/share");
    assert_eq!(folder.read("kept.txt"), "kept");
    assert_eq!(fs::metadata(folder.share().join("small.dat")).unwrap().len(), 20_000);
    drop(small);
}
