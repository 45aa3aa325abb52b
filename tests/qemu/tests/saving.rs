//! Worlds that survive, on the bare machine: saved, gone on with, saved by the power button and by themselves, on disks that
//! fail. Whole machines, so each test takes half a minute or more.
//!
//! Wants a Medley image: see tests/fixtures.

use fixtures::{Folder, medley, root};
use qemu::{End, Machine, Picture, Qemu, quoted};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A new disk with the image's world.
fn new_disk(folder: &Folder, image: &Path) -> PathBuf {
    let disk = folder.file("machine.disk");
    boot(&["import".as_ref(), image, &disk]);
    disk
}

fn boot(arguments: &[&Path]) -> String {
    fixtures::boot(arguments).unwrap_or_else(|error| panic!("boot {arguments:?}: {error}"))
}

/// A machine on a disk.
fn machine(disk: &Path) -> Machine {
    Machine::new().size(1024, 768).writable_disk(disk).limit(Duration::from_secs(300))
}

/// Starts it and waits until Lisp has nothing to do.
fn up(machine: Machine) -> Qemu {
    let mut qemu = machine.start().unwrap();
    qemu.wait_for("Lisp rests for the first time").unwrap();
    qemu
}

/// How often Lisp has rested.
fn rests(qemu: &mut Qemu) -> u64 {
    let line = qemu.ask(b's', "status: mouse ").unwrap();
    line.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("no rests in {line:?}"))
}

/// Waits until Lisp has nothing to do, again and again.
fn idle(qemu: &mut Qemu) {
    let mut before = rests(qemu);
    let mut quiet = 0;
    while quiet < 3 {
        qemu.pause(Duration::from_millis(150));
        let now = rests(qemu);
        quiet = if now > before { quiet + 1 } else { 0 };
        before = now;
    }
}

/// Answers the question for an init file, which Lisp asks in an image that is new.
fn to_the_exec(qemu: &mut Qemu) {
    idle(qemu);
    qemu.type_text("\n").unwrap();
    idle(qemu);
}

/// Types forms, each of which must be done before the next.
fn enter(qemu: &mut Qemu, forms: &[&str]) {
    for form in forms {
        qemu.type_text(&format!("{form}\n")).unwrap();
        idle(qemu);
    }
}

/// Types a form; what its value prints as. Each answer of a machine wants its own number.
fn value(qemu: &mut Qemu, number: u32, form: &str) -> String {
    let (open, mark) = ("(il:openstream \"{unix}/machine/serial\" 'il:output 'il:old)", format!("answer {number}: "));
    let text = format!("(let ((s {open})) (format s \"{mark}~S~%\" {form}) (close s))\n");
    qemu.type_text(&text).unwrap();
    let line = qemu.wait_for(&mark).unwrap();
    idle(qemu);
    line.trim_start_matches(&mark).trim_end().to_owned()
}

/// The newest generation of a disk and its kind, as `boot list` has them.
fn newest(disk: &Path) -> (u64, String) {
    let list = boot(&["list".as_ref(), disk]);
    let words: Vec<&str> = list.lines().nth(1).unwrap_or_default().split_whitespace().collect();
    (words[0].parse().unwrap_or_else(|_| panic!("{list}")), words[3].to_owned())
}

/// Where the window is that [`all_is_there_again`] opens: left, top, width, height in pixels.
const WINDOW: [usize; 4] = [600, 400, 300, 200];

fn window(picture: &Picture) -> Vec<bool> {
    let [left, top, width, height] = WINDOW;
    (top..top + height)
        .flat_map(|y| (left..left + width).map(move |x| (x, y)))
        .map(|(x, y)| picture.is_black(x, y))
        .collect()
}

#[test]
fn all_is_there_again() {
    let Some(image) = medley() else { return };
    let folder = Folder::new("saving-again");
    let disk = new_disk(&folder, &image);
    let before = std::fs::read(&image).unwrap();

    let mut qemu = up(machine(&disk));
    to_the_exec(&mut qemu);
    let forms = [
        "(setq my-list '(a \"b\" 2.5))",
        "(defun my-function (x) (* x 1001))",
        "(compile 'my-function)",
        "(setq my-window (il:createw '(600 168 300 200) \"Still here\"))",
        "(il:drawline 0 0 280 150 3 'il:replace my-window)",
    ];
    enter(&mut qemu, &forms);
    let shown = window(&qemu.screenshot().unwrap());
    assert!(shown.contains(&true) && shown.contains(&false), "there is no window");
    // The machine may be gone before the key is up again.
    let _ = qemu.type_text("(il:logout)\n");
    assert_eq!(qemu.wait().unwrap(), End::Success, "{}", qemu.log());
    assert_eq!(newest(&disk), (2, "save".into()));
    boot(&["check".as_ref(), &disk]);

    let mut qemu = up(machine(&disk));
    assert!(window(&qemu.screenshot().unwrap()) == shown, "the window looks different");
    let form = "(list my-list (my-function 7) (compiled-function-p #'my-function) (il:openwp my-window))";
    let values = value(&mut qemu, 1, form);
    assert!(values.starts_with("((A \"b\" 2.5) 7007 T ") && values.contains("WINDOW"), "{values}");
    let lisp_seconds: u64 = value(&mut qemu, 2, "(- (get-universal-time) 2208988800)").trim().parse().unwrap();
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(seconds.abs_diff(lisp_seconds) < 60, "Lisp's clock says {lisp_seconds}, and it is {seconds}");

    // SAVEVM: the same, and Lisp goes on. Then the power goes.
    enter(&mut qemu, &["(setq my-list 'other)", "(il:savevm)"]);
    qemu.wait_for("generation 3 saved").unwrap();
    assert_eq!(value(&mut qemu, 3, "my-list"), "OTHER");
    qemu.cut();
    assert_eq!(newest(&disk), (3, "save".into()));

    // As a sysout, there and back.
    let (sysout, again, other) = (folder.file("world.sysout"), folder.file("again.sysout"), folder.file("other.disk"));
    boot(&["export".as_ref(), &disk, &sysout]);
    boot(&["import".as_ref(), &sysout, &other]);
    boot(&["export".as_ref(), &other, &again]);
    assert!(std::fs::read(&sysout).unwrap() == std::fs::read(&again).unwrap(), "the sysout changes on the way");
    let mut qemu = up(machine(&other));
    assert_eq!(value(&mut qemu, 1, "(list my-list (my-function 7))"), "(OTHER 7007)");
    assert!(std::fs::read(&image).unwrap() == before, "the image has changed");
}

#[test]
fn the_power_button() {
    let Some(image) = medley() else { return };
    let folder = Folder::new("saving-power");
    let disk = new_disk(&folder, &image);

    // Lisp logs out.
    let mut qemu = up(machine(&disk));
    to_the_exec(&mut qemu);
    enter(&mut qemu, &["(setq here 'before)"]);
    qemu.power_button().unwrap();
    assert_eq!(qemu.wait().unwrap(), End::Success, "{}", qemu.log());
    assert!(qemu.log().contains("Lisp has logged out"), "{}", qemu.log());
    assert_eq!(newest(&disk), (2, "save".into()));

    // Lisp takes it back: the machine stays on. Pressing again is for people who do not want to wait.
    let mut qemu = up(machine(&disk));
    enter(&mut qemu, &["(push #'(lambda (event) (if (eq event 'il:beforelogout) (il:reset))) il:aroundexitfns)"]);
    qemu.power_button().unwrap();
    qemu.wait_for("Lisp is asked to log out").unwrap();
    idle(&mut qemu);
    qemu.power_button().unwrap();
    qemu.wait_for("the machine stays on").unwrap();
    assert_eq!(value(&mut qemu, 1, "here"), "BEFORE");

    // Lisp does not answer, and does not want to be interrupted: it is saved where it is, after ten seconds.
    enter(&mut qemu, &["(setq here 'after)"]);
    let print = "(il:openstream \"{unix}/machine/serial\" 'il:output 'il:old)";
    qemu.type_text(&format!("(let ((s {print})) (format s \"it begins~%\") (close s) (il:uninterruptably (loop)))\n"))
        .unwrap();
    qemu.wait_for("it begins").unwrap();
    qemu.power_button().unwrap();
    qemu.wait_for("Lisp is asked to log out").unwrap();
    let asked = Instant::now();
    assert_eq!(qemu.wait().unwrap(), End::Success, "{}", qemu.log());
    assert!(asked.elapsed() > Duration::from_secs(9), "Lisp got no ten seconds");
    assert_eq!(newest(&disk), (3, "autosave".into()));
    boot(&["check".as_ref(), &disk]);
}

/// Prints what a log says of how long checkpoints stopped Lisp; the longest, microseconds.
fn print_stops(how: &str, log: &str) -> u64 {
    let stops = log.split("its longest stop ").skip(1);
    let mut stops: Vec<u64> =
        stops.map(|rest| rest.split(' ').next().and_then(|number| number.parse().ok()).unwrap()).collect();
    stops.sort_unstable();
    let (middle, longest) = (stops[stops.len() / 2], stops[stops.len() - 1]);
    println!("{} checkpoints {how}: longest stop of Lisp {longest} us, half of them at most {middle} us", stops.len());
    longest
}

#[test]
fn stops_lisp_for_less_than_five_milliseconds() {
    let Some(image) = medley() else { return };
    let folder = Folder::new("saving-stops");
    let disk = new_disk(&folder, &image);
    // A slow processor, eight nanoseconds for each instruction, whatever the host does meanwhile.
    let machine = machine(&disk).word("autosave=2").arguments(&["-icount", "shift=3,sleep=off"]);
    let mut qemu = machine.start().unwrap();
    for _ in 0..4 {
        qemu.wait_for("while Lisp ran").unwrap();
    }
    let longest = print_stops("at eight nanoseconds an instruction", &qemu.log());
    assert!(longest < 5000, "Lisp stood still for {longest} us");
}

#[test]
fn checkpoints_that_fail() {
    let Some(image) = medley() else { return };
    let folder = Folder::new("saving-fail");
    let disk = new_disk(&folder, &image);
    let drive = format!(
        "driver=raw,file.driver=blkdebug,file.inject-error.0.event=none,file.inject-error.0.iotype=write,\
         file.inject-error.0.errno=5,file.image.driver=file,file.image.filename={},werror=report,rerror=report",
        quoted(&disk)
    );
    // Lisp does not hear of it, its user does, once.
    let mut qemu = machine(&disk).word("autosave=1").drive(drive).start().unwrap();
    qemu.wait_for("No checkpoint could be made").unwrap();
    qemu.wait_for("no checkpoint: ").unwrap();
    qemu.wait_for("Lisp rests for the first time").unwrap();
    to_the_exec(&mut qemu);
    assert_eq!(value(&mut qemu, 1, "(+ 1 2)"), "3");
    assert_eq!(qemu.log().matches("No checkpoint could be made").count(), 1, "{}", qemu.log());
    assert!(!qemu.log().contains("error break"), "{}", qemu.log());
    qemu.cut();
    assert_eq!(newest(&disk), (1, "import".into()));
}

#[test]
fn saves_itself() {
    let Some(image) = medley() else { return };
    let folder = Folder::new("saving-itself");
    let disk = new_disk(&folder, &image);
    let mut qemu = up(machine(&disk).word("autosave=1"));
    to_the_exec(&mut qemu);
    enter(&mut qemu, &["(setq here 'saved)"]);
    // Lisp makes and changes much while it is saved, and notices nothing.
    let busy = "(let ((sum 0)) (dotimes (i 50) (let ((l nil)) (dotimes (j 40) (push j l)) (setq sum (+ sum (length l))))) sum)";
    assert_eq!(value(&mut qemu, 1, busy), "2000");
    for _ in 0..2 {
        qemu.wait_for("while Lisp ran").unwrap();
    }
    // By the host's clock, and so with whatever else the host does.
    print_stops("on this host", &qemu.log());
    qemu.cut();
    assert_eq!(newest(&disk).1, "autosave");
    boot(&["check".as_ref(), &disk]);

    // It goes on where it was, and knows that it is later; as does a copy of it that was a sysout meanwhile.
    let (sysout, other) = (folder.file("world.sysout"), folder.file("other.disk"));
    boot(&["export".as_ref(), &disk, &sysout]);
    boot(&["import".as_ref(), &sysout, &other]);
    for disk in [&disk, &other] {
        let mut qemu = up(machine(disk).word("autosave=0"));
        assert_eq!(value(&mut qemu, 1, "(list here (+ 1 1))"), "(SAVED 2)");
        let lisp_seconds: u64 = value(&mut qemu, 2, "(- (get-universal-time) 2208988800)").trim().parse().unwrap();
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        assert!(seconds.abs_diff(lisp_seconds) < 60, "Lisp's clock says {lisp_seconds}, and it is {seconds}");
    }
}

#[test]
fn a_disk_that_fails_to_write() {
    let Some(image) = medley() else { return };
    let folder = Folder::new("saving-write");
    let disk = new_disk(&folder, &image);
    // The first write fails as on a full disk; the others are slow.
    let drive = format!(
        "driver=raw,file.driver=blkdebug,file.inject-error.0.event=none,file.inject-error.0.iotype=write,\
         file.inject-error.0.errno=28,file.inject-error.0.once=on,file.image.driver=file,file.image.filename={},\
         werror=report,rerror=report,throttling.bps-write=400000",
        quoted(&disk)
    );
    let mut qemu = up(machine(&disk).word("autosave=0").drive(drive));
    to_the_exec(&mut qemu);
    enter(&mut qemu, &["(setq here 'still)"]);
    qemu.type_text("(il:savevm)\n").unwrap();
    let said = qemu.wait_for("The world was not saved: the disk failed to write sector").unwrap();
    assert!(said.contains("WARN"), "{said}");
    idle(&mut qemu);
    // The user reads it on the screen, Lisp has an error, and goes on.
    let covered = |picture: &Picture| (0..1024).all(|x| !picture.is_black(x, 3));
    assert!(covered(&qemu.screenshot().unwrap()), "no sentence on the screen");
    assert_eq!(value(&mut qemu, 1, "here"), "STILL");
    assert_eq!(newest(&disk).0, 1);
    // It goes away, and a save that takes long shows how far it is.
    while covered(&qemu.screenshot().unwrap()) {
        qemu.pause(Duration::from_millis(100));
    }
    qemu.type_text("(il:savevm)\n").unwrap();
    while !covered(&qemu.screenshot().unwrap()) {
        qemu.pause(Duration::from_millis(100));
        assert!(!qemu.log().contains("generation 2 saved"), "it was not slow, or showed nothing:\n{}", qemu.log());
    }
    qemu.wait_for("generation 2 saved").unwrap();
    idle(&mut qemu);
    assert!(!covered(&qemu.screenshot().unwrap()), "the line stays");
    assert_eq!(value(&mut qemu, 2, "here"), "STILL");
    qemu.cut();
    assert_eq!(newest(&disk), (2, "save".into()));
}

/// The block of the disk, the last if there are several, that holds the interface page.
fn interface_block(disk: &[u8]) -> usize {
    // The key of a sysout, and around it what does not change.
    let is_it = |block: &&[u8]| block.chunks(512).any(|page| page[30..32] == [0x15, 0xE3] && page[..2] != [0, 0]);
    let blocks: Vec<&[u8]> = disk.chunks_exact(4096).collect();
    blocks.iter().rposition(is_it).expect("there is an interface page")
}

#[test]
fn a_disk_that_cannot_be_read() {
    let Some(image) = medley() else { return };
    let folder = Folder::new("saving-read");
    let disk = new_disk(&folder, &image);
    let mut qemu = up(machine(&disk));
    qemu.power_button().unwrap();
    assert_eq!(qemu.wait().unwrap(), End::Success, "{}", qemu.log());

    // A sector that gives nothing: tried again, then a report with page and sector, and the way back.
    let whole = std::fs::read(&disk).unwrap();
    let block = interface_block(&whole);
    let drive = format!(
        "driver=raw,file.driver=blkdebug,file.inject-error.0.event=none,file.inject-error.0.iotype=read,\
         file.inject-error.0.sector={},file.inject-error.0.errno=5,file.image.driver=file,file.image.filename={}",
        block * 8 + 3,
        quoted(&disk)
    );
    let mut qemu = machine(&disk).drive(drive).start().unwrap();
    assert_eq!(qemu.wait().unwrap(), End::Panic);
    let said = qemu.log();
    for part in ["could not be read", &format!("sector {}", block * 8), "--generation 1"] {
        assert!(said.contains(part), "the report lacks {part:?}:\n{said}");
    }

    // A flipped bit: the same.
    let mut flipped = whole.clone();
    flipped[block * 4096 + 100] ^= 4;
    std::fs::write(&disk, &flipped).unwrap();
    let mut qemu = machine(&disk).start().unwrap();
    assert_eq!(qemu.wait().unwrap(), End::Panic);
    let said = qemu.log();
    for part in ["is not what was saved", &format!("sector {}", block * 8), "--generation 1"] {
        assert!(said.contains(part), "the report lacks {part:?}:\n{said}");
    }

    // The generation before; on a disk that cannot flush, of which the user is told once.
    let machine = machine(&disk).word("generation=1").controller("config-wce=off,write-cache=off");
    let mut qemu = machine.start().unwrap();
    qemu.wait_for("first bytecode").unwrap();
    assert_eq!(qemu.log().matches("cannot be told to make writes durable").count(), 1, "{}", qemu.log());
}

#[test]
fn a_disk_that_gives_nothing_any_more() {
    let Some(image) = medley() else { return };
    let folder = Folder::new("nothing");
    let disk = new_disk(&folder, &image);
    let file = quoted(&disk);
    // From the first write on everything fails: not even the report finds the pages that it would show.
    let drive = format!(
        "driver=raw,file.driver=blkdebug,file.inject-error.0.event=pwritev,file.inject-error.0.errno=5,\
         file.image.driver=file,file.image.filename={file},werror=report,rerror=report"
    );
    let mut qemu = up(machine(&disk).word("autosave=0").stays_on().drive(drive));
    to_the_exec(&mut qemu);
    qemu.type_text("(il:savevm)\n").unwrap();
    qemu.wait_for("could not be read: the disk failed to read sector").unwrap();
    // The report on the screen: nothing of Lisp's screen is left, whose lower half is grey.
    let is_report = |picture: &Picture| {
        let black = |lines: std::ops::Range<usize>| {
            lines.flat_map(|y| (0..1024).map(move |x| (x, y))).filter(|&(x, y)| picture.is_black(x, y)).count()
        };
        black(0..384) > 500 && black(384..768) < 5_000
    };
    qemu.wait_for_picture("the report", is_report).unwrap();
    qemu.cut();

    // Requests that are never finished: a sentence, and all goes on when they are after all.
    let drive = format!("driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename={file}");
    let mut qemu = up(machine(&disk).word("autosave=0").drive(drive));
    to_the_exec(&mut qemu);
    qemu.command("qemu-io world \"break pwritev A\"").unwrap();
    qemu.type_text("(il:savevm)\n").unwrap();
    qemu.wait_for("The disk has not answered for 10 seconds").unwrap();
    qemu.command("qemu-io world \"resume A\"").unwrap();
    qemu.wait_for("generation 2 saved").unwrap();
}

#[test]
fn a_hundredth_costs_little() {
    let folder = Folder::new("saving-speed");
    let disk = folder.file("speed.disk");
    std::fs::File::create(&disk).unwrap().set_len(150 << 20).unwrap();
    let run = |cache: &str| {
        let drive = format!("format=raw,cache={cache},file={}", quoted(&disk));
        let mut qemu =
            Machine::new().word("test=save-speed").drive(drive).limit(Duration::from_secs(120)).start().unwrap();
        let line = qemu.wait_for("a save of all takes").unwrap();
        assert_eq!(qemu.wait().unwrap(), End::Success, "{}", qemu.log());
        println!("cache={cache}: {line}");
        let percent = line.rsplit(": ").next().and_then(|percent| percent.trim_end_matches(" %").parse::<f64>().ok());
        percent.unwrap_or_else(|| panic!("no figure in {line:?}"))
    };
    // With the host's disk flushing each save pays twice what that takes, however little it saves.
    run("writeback");
    let percent = run("unsafe");
    assert!(percent <= 5.0, "a save of 1 % takes {percent} % of one of all");
}

/// `run-qemu.sh` with a QEMU that only notes what it was called with, and a home of the test's own.
fn run_script(folder: &Folder, arguments: &[&str]) -> (bool, String, String) {
    let fake = folder.file("bin");
    std::fs::create_dir_all(&fake).unwrap();
    let qemu = fake.join("qemu-system-x86_64");
    if !qemu.exists() {
        std::fs::write(&qemu, "#!/bin/sh\nprintf '%s\\n' \"$*\" >>\"$QEMU_CALLS\"\nexit 33\n").unwrap();
        assert!(Command::new("chmod").arg("+x").arg(&qemu).status().unwrap().success());
    }
    let calls = folder.file("calls");
    let _ = std::fs::remove_file(&calls);
    let path = format!("{}:{}", fake.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new(root().join("run-qemu.sh"))
        .arg("--headless")
        .args(arguments)
        .current_dir(folder.path())
        .env("PATH", path)
        .env("QEMU_CALLS", &calls)
        .env("XDG_DATA_HOME", folder.file("data"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said, std::fs::read_to_string(calls).unwrap_or_default())
}

#[test]
fn which_disk() {
    let Some(image) = medley() else { return };
    let folder = Folder::new("saving-which");
    let bytes = std::fs::read(&image).unwrap();
    let mut changed = bytes.clone();
    *changed.last_mut().unwrap() ^= 1;
    let (mine, other) = (folder.file("mine.sys"), folder.file("other.sys"));
    std::fs::write(&mine, &bytes).unwrap();
    std::fs::write(&other, &changed).unwrap();
    let (mine, other) = (mine.to_str().unwrap(), other.to_str().unwrap());
    let disk = folder.file("data/duralumin/machine.disk");

    // A new disk in the place that never changes; later without the sysout, or with the same.
    for arguments in [&[mine][..], &[], &[mine]] {
        let (well, said, calls) = run_script(&folder, arguments);
        assert!(well && calls.contains(disk.to_str().unwrap()) && !calls.contains("readonly"), "{said}\n{calls}");
    }
    // Another world is refused, and says what would be lost.
    let before = std::fs::read(&disk).unwrap();
    let (well, said, calls) = run_script(&folder, &[other]);
    let sentence = said.lines().last().unwrap_or_default();
    for part in ["already holds the world that came from \"mine.sys\"", "generation 1", "--fresh"] {
        assert!(sentence.contains(part), "{part:?} is not in {sentence:?}");
    }
    assert!(!well && calls.is_empty(), "{said}");
    assert!(std::fs::read(&disk).unwrap() == before, "a refused disk has changed");
    // --fresh replaces it; --disk is another place; --no-disk writes nothing.
    let (well, said, _) = run_script(&folder, &["--fresh", other]);
    assert!(well && said.contains("\"mine.sys\"") && said.contains("is replaced"), "{said}");
    assert!(boot(&["list".as_ref(), &disk]).contains("other.sys"));
    let (well, said, calls) = run_script(&folder, &["--disk", "here.disk", mine]);
    assert!(well && calls.contains("here.disk") && folder.file("here.disk").exists(), "{said}\n{calls}");
    let (well, said, calls) = run_script(&folder, &["--no-disk", mine]);
    assert!(well && calls.contains(&format!("readonly=on,file={mine}")), "{said}\n{calls}");
    // Garbage is not taken for a disk, nor replaced, nor what is no file.
    std::fs::write(folder.file("letter"), "Dear Sir,").unwrap();
    for arguments in [&["--disk", "letter", mine][..], &["--disk", "letter", "--fresh", mine]] {
        let (well, said, calls) = run_script(&folder, arguments);
        assert!(!well && calls.is_empty() && said.contains("no machine's disk"), "{said}");
    }
    for (disk, part) in [("letter", "holds no machine"), (".", "is no file"), ("/proc/none/disk", "cannot be made")] {
        let (well, said, calls) = run_script(&folder, &["--disk", disk]);
        assert!(!well && calls.is_empty() && said.contains(part), "{disk}: {said}");
    }
    assert_eq!(std::fs::read_to_string(folder.file("letter")).unwrap(), "Dear Sir,");
    assert!(
        std::fs::read(mine).unwrap() == bytes && std::fs::read(other).unwrap() == changed,
        "a sysout was written to"
    );
}
