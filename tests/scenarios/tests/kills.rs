//! Power cuts, with real QEMU: the process is killed while the world is being saved, and started again.
//!
//! ```text
//!   start --> Lisp changes its heap --> a checkpoint each second --> SIGKILL while one is written --> boot check
//!     ^                                                                                                   |
//!     +---------------------------------------------------------------------------------------------------+
//! ```
//! Lisp's loop replaces the elements of a long vector by the next generation of them and looks at each before: elements
//! up to some place are one number further than those behind it. A world that is not of one moment makes it stop in a
//! break, which the test notices because Lisp then rests.
//!
//! The second test has QEMU write down every request to the disk (`blklogwrites`), and replays them: at every flush, and
//! with some of the writes since the last flush lost, the disk must hold exactly the old or the new generation.

use qemu::Machine;
use scenarios::{Disk, MachineWithLisp, Suite, run, text};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Kills in all; `KILLS=N` for another number.
const KILLS: u32 = 50;
/// Disks that are used side by side: Lisp spends most of a start waiting for a network.
const DISKS: u32 = 5;
/// For one start, on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);
/// Checkpoints while every request is written down.
const LOGGED_CHECKPOINTS: usize = 6;
/// Tries with lost writes for each flush.
const LOSSES: u64 = 3;

/// To Medley's exec, and there the loop. Where two windows meet, whose border is on top depends on when the first
/// checkpoint comes.
const CHURN: &str = r#"limit 200s
expect "$MEDLEY/prompt.png" mask 296 204 12 16 mask 0 160 560 10
press control-e
wait idle
type "(defun churn (v n) (loop (dotimes (i 20000) (let ((c (aref v i))) (unless (and (eql (car c) n) (eql (cdr c) i)) (error \"torn\")) (setf (aref v i) (cons (1+ n) i)))) (incf n)))\n"
wait idle
type "(compile 'churn)\n"
wait idle
type "(let ((v (make-array 20000))) (dotimes (i 20000) (setf (aref v i) (cons 0 i))) (churn v 0))\n"
"#;

fn main() -> ExitCode {
    let Some(medley) = fixtures::medley() else { return ExitCode::SUCCESS };
    let kills = std::env::var("KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(KILLS);
    let mut suite = Suite::default();
    for disk in 0..DISKS {
        let medley = medley.clone();
        suite.test(format!("killed-while-saving-{}", disk + 1), move || killed(&medley, kills.div_ceil(DISKS)));
    }
    suite.test("every-request-replayed", move || replayed(&medley));
    run(suite, DISKS as usize)
}

/// Random numbers: splitmix64.
struct Random(u64);

impl Random {
    fn from_clock() -> Random {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Random(now.as_nanos() as u64 ^ u64::from(std::process::id()) << 32)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end.max(1)
    }
}

fn machine(disk: &Disk) -> Machine {
    Machine::new().limit(LIMIT).writable_disk(&disk.path).word("autosave=1")
}

/// The number behind a word in a line of the log.
fn number_after(line: &str, word: &str) -> Option<u64> {
    let rest = line.split(word).nth(1)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Waits for the end of a save; its generation and how long it took.
fn saved(machine: &mut MachineWithLisp) -> Result<(u64, u64), String> {
    let line = machine.qemu().wait_for(" saved: ").map_err(text)?;
    let generation = number_after(&line, "generation ");
    let milliseconds = line.rsplit(" in ").next().and_then(|rest| rest.split(' ').next()?.parse().ok());
    generation.zip(milliseconds).ok_or_else(|| format!("a strange line in the log: {line}"))
}

/// How often Lisp has rested since it was started.
fn rests(machine: &mut MachineWithLisp) -> Result<u64, String> {
    let line = machine.qemu().ask(b's', "status: mouse ").map_err(text)?;
    line.rsplit(' ').next().and_then(|rests| rests.parse().ok()).ok_or_else(|| format!("a strange status: {line}"))
}

/// Kills a machine again and again while it saves.
fn killed(medley: &Path, kills: u32) -> Result<(), String> {
    let disk = Disk::import("killed", medley)?;
    kill_often(&disk, medley, kills).map_err(|error| {
        let path = disk.path.display().to_string();
        disk.keep();
        format!("{error}\nthe disk is kept: {path}")
    })
}

fn kill_often(disk: &Disk, medley: &Path, kills: u32) -> Result<(), String> {
    let mut random = Random::from_clock();
    let mut in_the_middle = 0;
    let mut new = 0;
    for kill in 0..kills {
        let mut machine = MachineWithLisp::start_from_its_disk(machine(disk), medley)?;
        if kill == 0 {
            machine.play_steps(CHURN)?;
            machine.qemu().pass_log();
            // The first whole vector is on the disk two checkpoints after the last key.
            saved(&mut machine)?;
            saved(&mut machine)?;
        }
        let (before, milliseconds) = saved(&mut machine)?;
        let rested = rests(&mut machine)?;
        machine.qemu().wait_for(" saving ").map_err(text)?;
        let wait = Duration::from_micros(random.below(1200 * milliseconds + 1000));
        std::thread::sleep(wait);
        // Lisp rests only if its loop has ended, and that it does only by an error.
        if kill > 0 && rested > 0 {
            return Err(format!("kill {kill}: Lisp has stopped working\nlog:\n{}", machine.qemu().log()));
        }
        machine.qemu().kill().map_err(text)?;
        let log = machine.qemu().log();
        let told = log.lines().filter(|line| line.contains(" saved: "));
        let told = told.filter_map(|line| number_after(line, "generation ")).max().unwrap_or(before);
        let state = disk.check().map_err(|error| format!("kill {kill}: {error}\nlog:\n{log}"))?;
        // What Lisp was told to be safe is there; the save that was cut off may have got through as well.
        if state.newest != told && state.newest != told + 1 {
            return Err(format!("kill {kill}: generation {} is on the disk and {told} was saved", state.newest));
        }
        in_the_middle += u32::from(told == before);
        new += u32::from(state.newest > before);
    }
    println!(
        "     {kills} kills, {in_the_middle} of them in the middle of a save; {new} times the new world was there"
    );
    // The last world goes on, too.
    let mut machine = MachineWithLisp::start_from_its_disk(machine(disk), medley)?;
    saved(&mut machine)?;
    if rests(&mut machine)? > 0 {
        return Err("Lisp has stopped working after the last kill".into());
    }
    Ok(())
}

/// A request to the disk as QEMU wrote it down.
struct Request {
    sector: u64,
    data: Vec<u8>,
    flush: bool,
}

impl Request {
    /// Does it again, to another file.
    fn apply(&self, file: &mut File) -> std::io::Result<()> {
        file.write_all_at(&self.data, self.sector * 512)
    }

    /// The request that undoes it.
    fn covered(&self, file: &mut File) -> std::io::Result<Request> {
        let mut data = vec![0; self.data.len()];
        file.read_exact_at(&mut data, self.sector * 512)?;
        Ok(Request { sector: self.sector, data, flush: false })
    }
}

/// Reads the log that `blklogwrites` makes, all numbers little-endian:
///
/// ```text
///   sector 0          magic 6a736677736872 (8 bytes), version (8), entries (8), bytes in a sector (4)
///   then each entry   sector (8), sectors (8), flags (8): 1 flush, 2 force unit access, 4 discard, 8 mark; data length (8),
///                     in a sector of its own; the data behind it
/// ```
fn requests(log: &[u8]) -> Result<Vec<Request>, String> {
    let number = |at: usize| log.get(at..at + 8).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight")));
    let short = || "the log of writes is cut off".to_owned();
    if number(0) != Some(0x006a_7366_7773_6872) {
        return Err("this is no log of writes".into());
    }
    let (entries, sector) = (number(16).ok_or_else(short)?, 512);
    let mut at = sector;
    let mut requests = Vec::new();
    for _ in 0..entries {
        let (first, count, flags) = (number(at), number(at + 8), number(at + 16));
        let (first, count, flags) = (first.ok_or_else(short)?, count.ok_or_else(short)?, flags.ok_or_else(short)?);
        at += sector;
        let length = if flags & 4 == 0 { count as usize * sector } else { 0 };
        let data = log.get(at..at + length).ok_or_else(short)?.to_vec();
        at += length;
        requests.push(Request { sector: first, data, flush: flags & 1 != 0 });
    }
    Ok(requests)
}

/// Lets QEMU write down every request of several checkpoints, and replays them with losses.
fn replayed(medley: &Path) -> Result<(), String> {
    let mut random = Random(1);
    let (disk, replay, log) = (Disk::import("logged", medley)?, Disk::unmade("replay"), Disk::unmade("requests"));
    std::fs::copy(&disk.path, &replay.path).map_err(text)?;
    std::fs::write(&log.path, []).map_err(text)?;
    let drive = format!(
        "driver=blklogwrites,node-name=world,log-super-update-interval=1,file.driver=file,file.filename={},log.driver=file,log.filename={}",
        disk.path.display(),
        log.path.display()
    );
    let machine = Machine::new().limit(LIMIT).word("autosave=1").arguments(&[
        "-blockdev",
        &drive,
        "-device",
        "virtio-blk-pci,drive=world",
    ]);
    let last = {
        let mut machine = MachineWithLisp::start_from_its_disk(machine, medley)?;
        machine.play_steps(CHURN)?;
        machine.qemu().pass_log();
        for _ in 1..LOGGED_CHECKPOINTS {
            saved(&mut machine)?;
        }
        let (last, _) = saved(&mut machine)?;
        machine.qemu().kill().map_err(text)?;
        last
    };
    let requests = requests(&std::fs::read(&log.path).map_err(text)?)?;
    let started = Instant::now();
    let mut file = File::options().read(true).write(true).open(&replay.path).map_err(text)?;
    let (mut flushes, mut losses, mut newest) = (0, 0, replay.check()?.newest);
    let mut pending: Vec<&Request> = Vec::new();
    for request in &requests {
        if !request.data.is_empty() {
            pending.push(request);
        }
        if !request.flush {
            continue;
        }
        flushes += 1;
        let look = |when: &str| match replay.check()?.newest {
            now if now == newest || now == newest + 1 => Ok(now),
            now => Err(format!("flush {flushes}, {when}: generation {now} after {newest}")),
        };
        // A cut before this flush: any of the writes since the last one may be lost.
        for _ in 0..LOSSES {
            let survivors: Vec<&Request> = pending.iter().copied().filter(|_| random.below(2) == 0).collect();
            let before: Vec<Request> =
                survivors.iter().map(|write| write.covered(&mut file)).collect::<Result<_, _>>().map_err(text)?;
            survivors.iter().try_for_each(|write| write.apply(&mut file)).map_err(text)?;
            look("writes lost")?;
            before.iter().rev().try_for_each(|write| write.apply(&mut file)).map_err(text)?;
            losses += 1;
        }
        pending.drain(..).try_for_each(|write| write.apply(&mut file)).map_err(text)?;
        newest = look("all written")?;
    }
    println!(
        "     {} requests replayed, {flushes} flushes, {losses} times with lost writes; generation {newest} of {last}; {:.1} s",
        requests.len(),
        started.elapsed().as_secs_f32()
    );
    if newest < last || flushes < 2 * LOGGED_CHECKPOINTS {
        return Err(format!("generation {last} was saved, and the log ends with {newest} after {flushes} flushes"));
    }
    Ok(())
}
