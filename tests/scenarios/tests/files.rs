//! Lisp's files: the same job with the host's files on the host runner, and with the host's folder in QEMU.

use fixtures::{boot, medley};
use qemu::{End, Machine, Qemu, SmallDisk};
use scenarios::{Suite, run, run_on_host, shared, text};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

/// A job takes half a minute; QEMU without KVM on a busy machine longer.
const LIMIT: Duration = Duration::from_secs(240);
/// The head of a job: a Common Lisp file.
const HEAD: &str = ";;; -*- Mode: LISP; Package: XCL-USER; -*-\n(setq il:dwimflg nil)\n";
/// Files in the large folder.
const MANY: usize = 10_000;

/// How often QEMU is killed while Lisp writes files.
const KILLS: usize = 3;
/// What Lisp writes.
const LINE: &str = "A line that is long enough to make many of them a large file. ";

type Outcome = Result<(), String>;

fn main() -> ExitCode {
    let Some(medley) = medley() else { return ExitCode::SUCCESS };
    let mut suite = Suite::default();
    suite.test("battery-on-host", || battery_on_host(&medley));
    suite.test("battery-on-share", || battery_on_share(&medley));
    suite.test("battery-on-disk", || battery_on_disk(&medley));
    suite.test("files-last", || files_last(&medley));
    suite.test("conformance-on-disk", || conformance_on_disk(&medley));
    suite.test("full-disk", || full_disk(&medley));
    suite.test("full-host-disk", || full_host_disk(&medley));
    suite.test("directories", || directories(&medley));
    suite.test("files-killed", || files_killed(&medley));
    suite.test("conformance-on-share", || conformance(&medley));
    suite.test("many-files", || many_files(&medley));
    suite.test("hostile-names", || hostile_names(&medley));
    suite.test("read-only-share", || read_only(&medley));
    suite.test("vanishing-share", || vanishing(&medley));
    suite.test("error-break", || error_break(&medley));
    suite.test("run-qemu-sh", || run_qemu_sh(&medley));
    run(suite, 2)
}

/// A folder of its own, gone with the test, with a share in it.
struct Folder(fixtures::Folder);

impl Folder {
    fn new(name: &str) -> Folder {
        let folder = fixtures::Folder::new(&format!("files-{name}"));
        fs::create_dir(folder.file("share")).expect("a folder can be made");
        Folder(folder)
    }

    fn share(&self) -> PathBuf {
        self.0.file("share")
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.share().join(name), content).expect("a file can be written");
    }

    fn read(&self, name: &str) -> Result<String, String> {
        let bytes = fs::read(self.share().join(name)).map_err(|error| format!("{name}: {error}"))?;
        // Lisp's ends of lines are carriage returns.
        Ok(String::from_utf8_lossy(&bytes).replace('\r', "\n"))
    }
}

/// A machine that runs a job which is in its share.
fn machine(medley: &Path, folder: &Folder, read_only: bool) -> Machine {
    Machine::new().limit(LIMIT).disk(medley).share(folder.share(), read_only).job("{DSK}/share/job.lisp")
}

/// Runs such a job to its end.
fn run_job(machine: Machine, expected: End) -> Result<Qemu, String> {
    let mut qemu = machine.start().map_err(text)?;
    let end = qemu.wait().map_err(text)?;
    if end == expected { Ok(qemu) } else { Err(format!("the run ended with {end:?}:\n{}", qemu.log())) }
}

fn same(expected: &str, got: &str) -> Outcome {
    let (expected, got): (Vec<&str>, Vec<&str>) = (expected.lines().collect(), got.lines().collect());
    let pairs = (0..expected.len().max(got.len())).map(|n| (expected.get(n), got.get(n)));
    let different = pairs.filter(|(expected, got)| expected != got);
    let different: Vec<String> =
        different.map(|(expected, got)| format!("expected {}\n     got {}", line(expected), line(got))).collect();
    if different.is_empty() { Ok(()) } else { Err(different.join("\n")) }
}

fn line<'a>(line: Option<&&'a str>) -> &'a str {
    line.copied().unwrap_or("nothing")
}

fn battery_folder() -> PathBuf {
    fixtures::root().join("tests/scenarios/files")
}

/// The battery for a folder that Lisp knows under that name.
fn battery(folder: &str) -> String {
    let file = battery_folder().join("battery.lisp");
    fs::read_to_string(file).expect("the battery is there").replace("{DSK}/ROOT/", folder)
}

/// What the reference emulator answers, with a Unix {DSK}.
fn battery_expected() -> String {
    fs::read_to_string(battery_folder().join("battery.expected")).expect("the answers are there")
}

fn battery_on_host(medley: &Path) -> Outcome {
    let folder = Folder::new("battery-host");
    folder
        .write("job.lisp", &battery(&format!("{{DSK}}{}/", folder.share().display())).replace("STOP", "(il:logout t)"));
    run_on_host(medley, &folder.share().join("job.lisp"), LIMIT)?;
    same(&battery_expected(), &folder.read("battery.out")?)
}

fn battery_on_share(medley: &Path) -> Outcome {
    let folder = Folder::new("battery-share");
    folder.write("job.lisp", &battery("{DSK}/share/").replace("STOP", "(il:logout t)"));
    run_job(machine(medley, &folder, false), End::Success)?;
    same(&battery_expected(), &folder.read("battery.out")?)
}

/// A machine's disk with files of the test's folder on it.
struct Disk(String);

impl Disk {
    fn new(folder: &Folder, medley: &Path, files: &[(&str, &str)]) -> Result<Disk, String> {
        Self::sized(folder, medley, "128", files)
    }

    /// One with so many megabytes for files.
    fn sized(folder: &Folder, medley: &Path, size: &str, files: &[(&str, &str)]) -> Result<Disk, String> {
        let disk = Disk(folder.0.file("machine.disk").display().to_string());
        boot(&["import", &medley.display().to_string(), &disk.0, "--files", size])?;
        for (name, content) in files {
            disk.put(folder, name, content)?;
        }
        Ok(disk)
    }

    fn put(&self, folder: &Folder, name: &str, content: &str) -> Outcome {
        let file = folder.0.file("in");
        fs::write(&file, content).map_err(text)?;
        boot(&["cp", &file.display().to_string(), &format!("{}:{name}", self.0)]).map(drop)
    }

    fn get(&self, folder: &Folder, name: &str) -> Result<Vec<u8>, String> {
        let file = folder.0.file("out");
        boot(&["cp", &format!("{}:{name}", self.0), &file.display().to_string()])?;
        fs::read(file).map_err(text)
    }

    /// Runs its job and checks it.
    fn run(&self) -> Result<Qemu, String> {
        let machine = Machine::new().limit(LIMIT).memory(384).writable_disk(&self.0).word("autosave=0");
        let qemu = run_job(machine.job("{DSK}/job.lisp"), End::Success)?;
        boot(&["check", &self.0])?;
        Ok(qemu)
    }
}

fn lines(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace('\r', "\n")
}

fn battery_on_disk(medley: &Path) -> Outcome {
    let folder = Folder::new("battery-disk");
    let disk = Disk::new(&folder, medley, &[("job.lisp", &battery("{DSK}/").replace("STOP", "(il:logout t)"))])?;
    disk.run()?;
    same(&battery_expected(), &lines(&disk.get(&folder, "battery.out")?))
}

/// What one run writes the next one reads; a file that is open when Lisp stops is there, too.
fn files_last(medley: &Path) -> Outcome {
    let folder = Folder::new("last");
    let job = "(il:closef (let ((s (il:openstream \"{DSK}/first.txt\" 'il:output 'il:new))) (princ \"one\" s) s))
(defvar *open* (il:openstream \"{DSK}/open.txt\" 'il:output 'il:new))
(princ \"not closed\" *open*)
(il:forceoutput *open*)
(il:logout t)\n";
    let disk = Disk::new(&folder, medley, &[("job.lisp", &format!("{HEAD}{job}"))])?;
    disk.run()?;
    same("one", &lines(&disk.get(&folder, "first.txt")?))?;
    same("not closed", &lines(&disk.get(&folder, "open.txt")?))?;
    let job = "(with-open-file (s \"{DSK}/first.txt\" :direction :input)
  (with-open-file (o \"{DSK}/second.txt\" :direction :output) (format o \"~a and two\" (read-line s nil))))
(let ((start (get-internal-real-time)) (n 0))
  (dotimes (i 200)
    (il:closef (il:openstream (format nil \"{DSK}/many/f~d.lisp\" i) 'il:output 'il:new)))
  (format *error-output* \"200 files made in ~d ms~%\" (floor (* 1000 (- (get-internal-real-time) start)) internal-time-units-per-second))
  (setq start (get-internal-real-time))
  (setq n (length (il:directory \"{DSK}/many/*.*;*\")))
  (format *error-output* \"~d files listed in ~d ms~%\" n (floor (* 1000 (- (get-internal-real-time) start)) internal-time-units-per-second)))
(il:logout t)\n";
    disk.put(&folder, "job.lisp", &format!("{HEAD}{job}"))?;
    let qemu = disk.run()?;
    let log = qemu.log();
    log.lines().filter(|line| line.contains("files ")).for_each(|line| println!("     on the disk: {line}"));
    if !log.contains("200 files listed") {
        return Err(log);
    }
    same("one and two", &lines(&disk.get(&folder, "second.txt")?))
}

fn conformance_on_disk(medley: &Path) -> Outcome {
    let Some(given) = shared(medley, "conformance") else { return Ok(()) };
    let folder = Folder::new("conformance-disk");
    let visible = fs::read_to_string(given.join("visible.lisp")).map_err(text)?.replace("{DSK}/out/", "{DSK}/");
    let job = format!("{HEAD}(load \"{{DSK}}/visible.lisp\")\n(il:logout t)\n");
    let disk = Disk::new(&folder, medley, &[("visible.lisp", &visible), ("job.lisp", &job)])?;
    disk.run()?;
    let expected = fs::read_to_string(given.join("visible.expected")).map_err(text)?;
    same(&expected, &lines(&disk.get(&folder, "visible.out")?))
}

/// A disk with next to no room for files: writing ends in an error, and what was there before stays.
fn full_disk(medley: &Path) -> Outcome {
    let folder = Folder::new("full");
    let write =
        |name, what| format!("(let ((s (il:openstream \"{{DSK}}/{name}\" 'il:output 'il:new))) {what} (il:closef s))");
    let forms = [
        format!("(progn {} (error \"written\"))", write("kept", "(princ \"kept\" s)")),
        write("large", "(funcall *fill* s)"),
        "(let ((s (il:openstream \"{DSK}/kept\" 'il:input 'il:old))) (error (read-line s nil)))".to_string(),
    ];
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    // The disk packs bytes that repeat: these do not.
    let fill = "(defvar *fill* (compile nil '(lambda (s) (let ((n 1)) (dotimes (i 3000000)
  (setq n (logand (+ (* n 109) 89) 65535)) (il:bout s (ash n -8)))))))\n(defvar *o*";
    let job = trials("{UNIX}/machine/serial", &forms);
    let job = job.replace("(error (c)", "(xcl:serious-condition (c)").replace("(defvar *o*", fill);
    let disk = Disk::sized(&folder, medley, "4", &[("job.lisp", &job)])?;
    let mut qemu =
        Machine::new().limit(LIMIT).memory(384).writable_disk(&disk.0).job("{DSK}/job.lisp").start().map_err(text)?;
    // The stream that could not be written is still open, so the end may be a loud one.
    qemu.wait().map_err(text)?;
    let log = qemu.log();
    boot(&["check", &disk.0])?;
    if log.contains("wrong success") || !log.contains("FS-RESOURCES-EXCEEDED") {
        return Err(log);
    }
    same("kept", &lines(&disk.get(&folder, "kept")?))
}

/// The same with a share on a disk of the host that is full, and again with room.
fn full_host_disk(medley: &Path) -> Outcome {
    let folder = Folder::new("full-host");
    let Some(_small) = SmallDisk::mount(&folder.share(), "128k") else { return Ok(()) };
    let write = |name, what| {
        format!("(let ((s (il:openstream \"{{DSK}}/share/{name}\" 'il:output 'il:new))) {what} (il:closef s))")
    };
    let forms = [
        format!("(progn {} (error \"written\"))", write("kept", "(princ \"kept\" s)")),
        write("large", &format!("(dotimes (i 4000) (princ \"{LINE}\" s))")),
        "(progn (il:delfile \"{DSK}/share/room\") (error \"deleted\"))".to_string(),
        format!("(progn {} (error \"written\"))", write("small", "(princ \"small\" s)")),
    ];
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    let job = trials("{UNIX}/machine/serial", &forms).replace("(error (c)", "(xcl:serious-condition (c)");
    folder.write("job.lisp", &job);
    folder.write("room", &LINE.repeat(400));
    let mut qemu = machine(medley, &folder, false).start().map_err(text)?;
    // The stream that could not be written is still open, so the end may be a loud one.
    qemu.wait().map_err(text)?;
    let log = qemu.log();
    if log.contains("wrong success") || !log.contains("FS-RESOURCES-EXCEEDED") {
        return Err(log);
    }
    same("kept", &folder.read("kept")?)?;
    same("small", &folder.read("small")?)
}

/// Whatever is no file is not pushed aside by one, and Lisp hears why it cannot be opened.
fn directories(medley: &Path) -> Outcome {
    let folder = Folder::new("directories");
    fs::create_dir_all(folder.share().join("dir/deep")).map_err(text)?;
    std::os::unix::fs::symlink("dir", folder.share().join("linked")).map_err(text)?;
    std::os::unix::fs::symlink("nowhere", folder.share().join("dead")).map_err(text)?;
    let mut forms = Vec::new();
    for name in ["dir", "linked", "dead"] {
        for device in ["DSK", "UNIX"] {
            for access in ["output", "both", "append"] {
                for recognition in ["new", "old/new", "old"] {
                    forms.push(format!(
                        "(il:closef (il:openstream \"{{{device}}}/share/{name}\" 'il:{access} 'il:{recognition}))"
                    ));
                }
            }
        }
    }
    for name in ["dir", "linked"] {
        forms.push(format!("(or (il:renamefile \"{{DSK}}/share/{name}\" \"{{DSK}}/share/other\") (error \"none\"))"));
        forms.push(format!("(or (il:delfile \"{{DSK}}/share/{name}\") (error \"none\"))"));
    }
    let count = forms.len();
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    folder.write("job.lisp", &trials("{DSK}/share/out.txt", &forms));
    run_job(machine(medley, &folder, false), End::Success)?;
    let said = folder.read("out.txt")?;
    if said.lines().count() != count || said.contains("wrong success") {
        return Err(said);
    }
    let mut names: Vec<String> = fs::read_dir(folder.share())
        .map_err(text)?
        .map(|entry| entry.expect("a folder that can be read").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    same("dead dir job.lisp linked out.txt", &names.join(" "))
}

/// Kills QEMU while Lisp writes files; whatever Lisp had closed is whole.
fn files_killed(medley: &Path) -> Outcome {
    let folder = Folder::new("killed");
    let disk = Disk::new(&folder, medley, &[])?;
    let mut closed = 0;
    for kill in 0..KILLS {
        let job = format!(
            "(do ((i 1 (1+ i))) (nil)
  (let ((s (il:openstream (format nil \"{{DSK}}/k{kill}/f~d.txt\" i) 'il:output 'il:new)))
    (dotimes (n (* 40 i)) (princ \"{LINE}\" s))
    (il:closef s))
  (format *error-output* \"closed ~d.~%\" i))\n"
        );
        disk.put(&folder, "job.lisp", &format!("{HEAD}{job}"))?;
        let machine = Machine::new().limit(LIMIT).memory(384).writable_disk(&disk.0).word("autosave=0");
        let mut qemu = machine.job("{DSK}/job.lisp").start().map_err(text)?;
        qemu.wait_for("closed 3.").map_err(text)?;
        let moment = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_err(text)?;
        std::thread::sleep(Duration::from_millis(u64::from(moment.subsec_micros() % 3000)));
        let log = qemu.log();
        qemu.cut();
        boot(&["check", &disk.0])?;
        let numbers = log.split("closed ").skip(1).filter_map(|rest| rest.split('.').next()?.parse::<usize>().ok());
        let last = numbers.max().unwrap_or(0);
        for number in 1..=last {
            let found = disk.get(&folder, &format!("k{kill}/f{number}.txt"))?;
            if found != LINE.repeat(40 * number).as_bytes() {
                return Err(format!("kill {kill}: f{number}.txt has {} bytes\n{log}", found.len()));
            }
        }
        closed += last;
    }
    println!("     killed {KILLS} times while files were written: all {closed} that were closed are whole");
    Ok(())
}

fn conformance(medley: &Path) -> Outcome {
    let Some(given) = shared(medley, "conformance") else { return Ok(()) };
    let folder = Folder::new("conformance");
    let battery = fs::read_to_string(given.join("visible.lisp")).map_err(text)?;
    folder.write("visible.lisp", &battery.replace("{DSK}/out/", "{DSK}/share/"));
    folder.write("job.lisp", &format!("{HEAD}(load \"{{DSK}}/share/visible.lisp\")\n(il:logout t)\n"));
    run_job(machine(medley, &folder, false), End::Success)?;
    let expected = fs::read_to_string(given.join("visible.expected")).map_err(text)?;
    same(&expected, &folder.read("visible.out")?)
}

/// The value behind a name in a job's output: `NAME VALUE` on a line.
fn value(output: &str, name: &str) -> Result<String, String> {
    let found = output.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    found.map(str::to_string).ok_or_else(|| format!("no {name} in the job's output:\n{output}"))
}

fn many_files(medley: &Path) -> Outcome {
    let folder = Folder::new("many");
    fs::create_dir(folder.share().join("many")).map_err(text)?;
    for number in 0..MANY {
        folder.write(&format!("many/f{number:05}.lisp"), "x");
    }
    let job = "(let ((start (get-internal-real-time)) (names (il:directory \"{DSK}/share/many/*.*;*\")) (o nil))
  (setq o (open \"{DSK}/share/many.out\" :direction :output))
  (format o \"count ~d~%first ~a~%milliseconds ~d~%\" (length names) (first names)
    (floor (* 1000 (- (get-internal-real-time) start)) internal-time-units-per-second))
  (setq start (get-internal-real-time))
  (format o \"newest ~a~%\" (il:infilep \"{DSK}/share/many/F09999.LISP\"))
  (format o \"lookup ~d~%\" (floor (* 1000 (- (get-internal-real-time) start)) internal-time-units-per-second))
  (close o))
(il:logout t)\n";
    folder.write("job.lisp", &format!("{HEAD}{job}"));
    run_job(machine(medley, &folder, false), End::Success)?;
    let output = folder.read("many.out")?;
    let milliseconds: u32 = value(&output, "milliseconds")?.parse().map_err(text)?;
    println!("     {MANY} files listed in {milliseconds} ms, one found in {} ms", value(&output, "lookup")?);
    if value(&output, "count")? != MANY.to_string() || !value(&output, "first")?.ends_with("F00000.LISP;1") {
        return Err(output);
    }
    if milliseconds > 30_000 { Err(format!("listing {MANY} files took {milliseconds} ms")) } else { Ok(()) }
}

/// A job that tries things; each line of its output is what came out: a value, or the type of an error.
fn trials(output: &str, forms: &[&str]) -> String {
    let mut job = format!("{HEAD}(defvar *o* (il:openstream \"{output}\" 'il:output 'il:old/new))\n");
    for form in forms {
        job.push_str(&format!(
            "(format *o* \"~a~%\" (xcl:condition-case (progn {form} \"wrong success\") (error (c) (type-of c))))\n"
        ));
    }
    job.push_str("(il:closef *o*)\n(il:logout t)\n");
    job
}

fn hostile_names(medley: &Path) -> Outcome {
    let folder = Folder::new("hostile");
    fs::write(folder.0.file("secret"), "secret").map_err(text)?;
    std::os::unix::fs::symlink("../secret", folder.share().join("link")).map_err(text)?;
    std::os::unix::fs::symlink(folder.0.file("secret"), folder.share().join("absolute")).map_err(text)?;
    let write =
        |name: &str| format!("(let ((s (il:openstream {name} 'il:output 'il:new))) (princ \"x\" s) (il:closef s))");
    let read = |name: &str| format!("(il:closef (il:openstream {name} 'il:input 'il:old))");
    let names = [
        r#""{DSK}/share/../../../../etc/passwd""#,
        r#""{UNIX}/share/../../secret""#,
        r#""{DSK}/share/'.'./secret""#,
        r#""{DSK}/share/..'/secret""#,
        r#""{UNIX}/share/'.'.'/secret""#,
        r#""{DSK}/share/link""#,
        r#""{UNIX}/share/link""#,
        r#""{UNIX}/share/absolute""#,
        r#"(concatenate 'string "{DSK}/share/a" (string (code-char 0)) "b")"#,
        r#"(concatenate 'string "{DSK}/share/" (make-string 300 :initial-element #\x))"#,
        r#"(concatenate 'string "{DSK}/share/x" (string (code-char 233)))"#,
        r#"(concatenate 'string "{DSK}/share/x" (string (code-char 8550)))"#,
    ];
    let forms: Vec<String> = names.iter().flat_map(|name| [write(name), read(name)]).collect();
    let forms: Vec<&str> = forms.iter().map(String::as_str).collect();
    folder.write("job.lisp", &trials("{DSK}/share/trials.out", &forms));
    let before = listing(folder.0.path())?;
    run_job(machine(medley, &folder, false), End::Success)?;
    let output = folder.read("trials.out")?;
    if output.lines().count() != forms.len() || output.contains("wrong success") {
        let tried: Vec<String> =
            forms.iter().zip(output.lines()).map(|(form, came)| format!("{came}: {form}")).collect();
        return Err(tried.join("\n"));
    }
    if fs::read(folder.0.file("secret")).map_err(text)? != b"secret" {
        return Err("a file outside of the share was written to".into());
    }
    fs::remove_file(folder.share().join("trials.out")).map_err(text)?;
    same(&before.join("\n"), &listing(folder.0.path())?.join("\n"))
}

/// All names below a folder.
fn listing(folder: &Path) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(text)? {
        let entry = entry.map_err(text)?;
        names.push(entry.path().display().to_string());
        if entry.file_type().map_err(text)?.is_dir() {
            names.extend(listing(&entry.path())?);
        }
    }
    names.sort();
    Ok(names)
}

fn read_only(medley: &Path) -> Outcome {
    let folder = Folder::new("read-only");
    folder.write("kept.txt", "kept");
    let job = trials(
        "{UNIX}/machine/serial",
        &[
            "(il:closef (il:openstream \"{DSK}/share/new.txt\" 'il:output 'il:new))",
            "(il:closef (il:openstream \"{DSK}/share/kept.txt\" 'il:output 'il:old))",
            "(il:closef (il:openstream \"{DSK}/share/new/deep.txt\" 'il:output 'il:new))",
            "(or (il:delfile \"{DSK}/share/kept.txt\") (error \"not deleted\"))",
            "(or (il:renamefile \"{DSK}/share/kept.txt\" \"{DSK}/share/other.txt\") (error \"not renamed\"))",
        ],
    );
    folder.write("job.lisp", &job);
    let before = listing(folder.0.path())?;
    let qemu = run_job(machine(medley, &folder, true), End::Success)?;
    let log = qemu.log();
    if log.contains("wrong success") || log.matches("FS-PROTECTION-VIOLATION\n").count() != 5 {
        return Err(log);
    }
    same(&before.join("\n"), &listing(folder.0.path())?.join("\n"))?;
    same("kept", &folder.read("kept.txt")?)
}

fn vanishing(medley: &Path) -> Outcome {
    let folder = Folder::new("vanishing");
    let job = "(defvar *s* (il:openstream \"{UNIX}/machine/serial\" 'il:output 'il:old))
(defun say (text) (format *s* \"~a~%\" text) (il:forceoutput *s*))
(defmacro trial (form) `(say (xcl:condition-case (progn ,form \"wrong success\") (xcl:serious-condition (c) (type-of c)))))
(defvar *open* (il:openstream \"{DSK}/share/open.txt\" 'il:output 'il:new))
(princ \"begun\" *open*)
(say \"the share may vanish\")
(loop (il:block 200) (unless (il:infilep \"{DSK}/share/there\") (return)))
(trial (progn (dotimes (i 2000) (princ i *open*)) (il:closef *open*)))
(trial (il:openstream \"{DSK}/share/there\" 'il:input 'il:old))
(trial (il:closef (il:openstream \"{DSK}/share/new\" 'il:output 'il:new)))
(trial (or (il:directory \"{DSK}/share/*.*;*\") (error \"nothing\")))
(let ((s (il:openstream \"{DSK}/memory.txt\" 'il:output 'il:new))) (princ \"x\" s) (il:closef s))
(say \"Lisp lives\")
(il:logout t)\n";
    folder.write("job.lisp", &format!("{HEAD}{job}"));
    folder.write("there", "");
    let mut qemu = machine(medley, &folder, false).start().map_err(text)?;
    qemu.wait_for("the share may vanish").map_err(text)?;
    fs::remove_dir_all(folder.share()).map_err(text)?;
    let end = qemu.wait().map_err(text)?;
    let log = qemu.log();
    // The open file is the job's still, and lost: so the end is none that a job could be content with.
    let lives = log.contains("Lisp lives") && end == End::Failure && !log.contains("wrong success");
    if lives { Ok(()) } else { Err(format!("{end:?}\n{log}")) }
}

fn error_break(medley: &Path) -> Outcome {
    let folder = Folder::new("break");
    let job = "(format *error-output* \"a word on the error stream~%\")\n(error \"The ~a is at an end.\" \"rope\")\n";
    folder.write("job.lisp", &format!("{HEAD}{job}"));
    let qemu = run_job(machine(medley, &folder, false), End::Failure)?;
    let log = qemu.log();
    let told = log.contains("error break: The rope is at an end.") && log.contains("a word on the error stream");
    if told { Ok(()) } else { Err(log) }
}

/// Runs `run-qemu.sh` without a person; its status and what it said.
fn script(arguments: &[&str], medley: &Path) -> Result<(Option<i32>, String), String> {
    let mut command = Command::new(fixtures::root().join("run-qemu.sh"));
    let output = command.arg("--headless").args(arguments).arg(medley).output().map_err(text)?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Ok((output.status.code(), said))
}

fn run_qemu_sh(medley: &Path) -> Outcome {
    let folder = Folder::new("script");
    let share = folder.share().display().to_string();
    // A job of the host is handed over; it finds the share, the environment and an end.
    let job = "(with-open-file (s \"{DSK}/share/said.txt\" :direction :output)
  (format s \"~a ~a\" (il:unix-getenv \"GREETING\") (il:unix-username)))
(il:logout t)\n";
    let file = folder.0.file("a job.lisp");
    fs::write(&file, format!("{HEAD}{job}")).map_err(text)?;
    let file = file.display().to_string();
    let words = ["--env", "GREETING=good day, 50%", "--env", "LOGNAME=larry", "--timeout", "200"];
    let arguments = [&["--share", &share, "--init", &file][..], &words].concat();
    let (status, said) = script(&arguments, medley)?;
    if status != Some(0) {
        return Err(format!("status {status:?}:\n{said}"));
    }
    same("good day, 50% larry", &folder.read("said.txt")?)?;
    fs::write(folder.0.file("a job.lisp"), format!("{HEAD}(no-such-function 5)\n")).map_err(text)?;
    let (status, said) = script(&["--init", &file, "--timeout", "200"], medley)?;
    if status != Some(1) || !said.contains("error break: ") {
        return Err(format!("status {status:?}:\n{said}"));
    }
    let (status, said) = script(&["--timeout", "3"], medley)?;
    if status != Some(124) || !said.contains("the 3 seconds are over") {
        return Err(format!("status {status:?}:\n{said}"));
    }
    for (arguments, complaint) in [
        (&["--share", "/nowhere/at/all"][..], "there is no such folder"),
        (&["--init", "/nowhere.lisp"], "there is no such file"),
        (&["--timeout", "soon"], "no number of seconds"),
        (&["--env", "lower=case"], "no NAME=VALUE"),
    ] {
        let (status, said) = script(arguments, medley)?;
        if status != Some(2) || !said.contains(complaint) {
            return Err(format!("{arguments:?}: status {status:?}:\n{said}"));
        }
    }
    Ok(())
}
