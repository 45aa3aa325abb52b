//! Ten thousand damaged sysouts in the host runner. Each must end in one of these ways:
//!
//! | | status | on standard error |
//! |---|---|---|
//! | refused | 2 | a sentence that says what is wrong with the image |
//! | stopped | 1 | a sentence that says what is wrong, and the Lisp function where |
//! | wild pointer | 3 | the Lisp address that does not exist, and the Lisp function that touched it |
//! | ran | 0 | all its instructions, or until its time was over, taking interrupts |
//!
//! A signal, a panic, an end without a word, or no end are failures; they print the seed that makes the same damage
//! again. The image: see tests/fixtures.
//!
//! | environment | |
//! |---|---|
//! | `DAMAGED_RUNS` | how many; 10,000 if not given |
//! | `DAMAGED_FIRST` | the first seed; 0 if not given |
//! | `DAMAGED_STEPS` | instructions that each may run; 600,000 if not given, and some ten times as many |
//! | `DAMAGED_KEEP` | a folder for the damaged images that failed; with one run, for that one |
//! | `DAMAGED_RUNNER` | another runner, for instance one with overflow checks |

use damage::{Damage, Image};
use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::io::{self, Read, Seek};
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Seconds after which a run ends by itself, if Lisp takes interrupts.
const SECONDS: &str = "3";
/// Time after which a run that has not ended is a hang.
const HANG: Duration = Duration::from_secs(30);
/// Instructions between two requests for attention.
const TIMER: &str = "20000";
/// Instructions between two collections of garbage, in every other run.
const COLLECT: &str = "50000";
/// So many failures are enough.
const ENOUGH: usize = 20;

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum End {
    Refused,
    Stopped,
    WildPointer,
    Ran,
    TimeOver,
    Failed,
}

fn number(variable: &str, default: u64) -> u64 {
    match env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text}")),
        Err(_) => default,
    }
}

fn main() -> ExitCode {
    let Some(path) = fixtures::medley() else { return ExitCode::SUCCESS };
    let bytes = fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let image = Image::new(bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let (first, runs) = (number("DAMAGED_FIRST", 0), number("DAMAGED_RUNS", 10_000));
    let begin = Instant::now();
    let next = AtomicU64::new(first);
    let results = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, |n| n.get()) {
            scope.spawn(|| work(&image, &next, first + runs, &results).expect("a place for damaged images"));
        }
    });
    let results = results.into_inner().expect("no worker panicked");
    print(&results, begin.elapsed());
    let failures = results.iter().filter(|result| result.2 == End::Failed).count();
    if failures == 0 && results.len() as u64 == runs { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Seed, kind and end of each run.
type Results = Vec<(u64, &'static str, End)>;

fn print(results: &Results, time: Duration) {
    let mut table: BTreeMap<&str, BTreeMap<End, u32>> = BTreeMap::new();
    for &(_, kind, end) in results {
        for row in [kind, "~ all"] {
            *table.entry(row).or_default().entry(end).or_default() += 1;
        }
    }
    println!("{} damaged sysouts in {:.0} s", results.len(), time.as_secs_f64());
    println!(
        "{:<28}{:>9}{:>9}{:>14}{:>7}{:>11}{:>8}",
        "", "refused", "stopped", "wild pointer", "ran", "time over", "failed"
    );
    for (kind, ends) in table {
        let count = |end| ends.get(&end).copied().unwrap_or(0);
        println!(
            "{:<28}{:>9}{:>9}{:>14}{:>7}{:>11}{:>8}",
            kind.trim_start_matches("~ "),
            count(End::Refused),
            count(End::Stopped),
            count(End::WildPointer),
            count(End::Ran),
            count(End::TimeOver),
            count(End::Failed)
        );
    }
}

/// Takes seeds and runs them, until there are no more or enough have failed.
fn work(image: &Image, next: &AtomicU64, end: u64, results: &Mutex<Results>) -> io::Result<()> {
    let mut place = Place::new(image)?;
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let failed = |results: &Results| results.iter().filter(|result| result.2 == End::Failed).count();
        if seed >= end || failed(&results.lock().expect("no worker panicked")) >= ENOUGH {
            return Ok(());
        }
        let damage = image.damage(seed);
        place.apply(&damage)?;
        let (status, text) = place.run(seed)?;
        let (end_of_run, why) = judge(status, &text);
        if end_of_run == End::Failed || number("DAMAGED_RUNS", 0) == 1 {
            println!("seed {seed}, {}:{}: {end_of_run:?} {why}\n{text}", damage.kind, damage.what);
            if let Some(folder) = env::var_os("DAMAGED_KEEP") {
                fs::copy(&place.file, Path::new(&folder).join(format!("damaged-{seed}.sys")))?;
            }
        }
        place.undo(image, &damage)?;
        results.lock().expect("no worker panicked").push((seed, damage.kind, end_of_run));
    }
}

/// A copy of the image that is damaged and mended again and again.
struct Place {
    file: PathBuf,
    open: File,
    errors: PathBuf,
}

impl Place {
    fn new(image: &Image) -> io::Result<Place> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { memory.to_path_buf() } else { env::temp_dir() };
        let name = format!("duralumin-damaged-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let file = folder.join(format!("{name}.sys"));
        fs::write(&file, image.bytes())?;
        let open = File::options().read(true).write(true).open(&file)?;
        Ok(Place { file, open, errors: folder.join(format!("{name}.txt")) })
    }

    fn apply(&mut self, damage: &Damage) -> io::Result<()> {
        for &(at, byte) in &damage.edits {
            self.open.write_all_at(&[byte], at as u64)?;
        }
        match damage.length {
            Some(length) => self.open.set_len(length as u64),
            None => Ok(()),
        }
    }

    fn undo(&mut self, image: &Image, damage: &Damage) -> io::Result<()> {
        for &(at, _) in &damage.edits {
            self.open.write_all_at(&image.bytes()[at..=at], at as u64)?;
        }
        if let Some(length) = damage.length {
            self.open.set_len(image.bytes().len() as u64)?;
            if let Some(lost) = image.bytes().get(length..) {
                self.open.write_all_at(lost, length as u64)?;
            }
        }
        Ok(())
    }

    /// Runs the image; `None` for a status if it does not end.
    fn run(&self, seed: u64) -> io::Result<(Option<ExitStatus>, String)> {
        let mut errors = File::options().create(true).truncate(true).read(true).write(true).open(&self.errors)?;
        let runner = env::var_os("DAMAGED_RUNNER").unwrap_or(env!("CARGO_BIN_EXE_runner").into());
        let mut command = Command::new(runner);
        // A damaged Lisp must not get its hands on the files of whoever tests it.
        command.arg(&self.file).args(["--no-files", "--seconds", SECONDS]);
        let steps = number("DAMAGED_STEPS", 600_000) * if seed.is_multiple_of(50) { 10 } else { 1 };
        if seed % 100 == 99 {
            // As users run it: threaded code, real time.
            command.args(["--seconds", "0.3"]);
        } else {
            command.args(["--deterministic", "--timer", TIMER, "--steps", &steps.to_string()]);
            if seed % 2 == 1 {
                command.args(["--collect", COLLECT]);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(errors.try_clone()?);
        let begin = Instant::now();
        let mut child = command.spawn()?;
        let mut nap = Duration::from_micros(500);
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if begin.elapsed() > HANG {
                child.kill()?;
                child.wait()?;
                break None;
            }
            std::thread::sleep(nap);
            nap = (2 * nap).min(Duration::from_millis(4));
        };
        let mut text = String::new();
        errors.rewind()?;
        errors.take(100_000).read_to_string(&mut text)?;
        Ok((status, text))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.file);
        let _ = fs::remove_file(&self.errors);
    }
}

/// What an end is worth, and why.
fn judge(status: Option<ExitStatus>, text: &str) -> (End, String) {
    let Some(status) = status else { return (End::Failed, "it hung".into()) };
    let Some(code) = status.code() else {
        return (End::Failed, format!("it died of signal {}", status.signal().unwrap_or_default()));
    };
    let says = |what: &str| text.lines().any(|line| line.starts_with(what));
    let last = text.lines().last().unwrap_or_default();
    if text.contains("panicked") {
        return (End::Failed, "it panicked".into());
    }
    match code {
        0 if last == "runner: the time is over" => (End::TimeOver, String::new()),
        0 => (End::Ran, String::new()),
        1 if says("runner: in ") => (End::Stopped, String::new()),
        2 if last.starts_with("runner: ") && last.len() > 60 => (End::Refused, String::new()),
        3 if says("runner: Lisp touched {") && says("runner: in ") => (End::WildPointer, String::new()),
        _ => (End::Failed, format!("it ended with status {code}, but did not say enough")),
    }
}
