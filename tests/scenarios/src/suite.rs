//! A small test harness: tests made at run time, side by side, each with its time.

use std::collections::VecDeque;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

type Test<'a> = Box<dyn FnOnce() -> Result<(), String> + Send + 'a>;

/// Tests to run.
#[derive(Default)]
pub struct Suite<'a> {
    tests: VecDeque<(String, Test<'a>)>,
}

impl<'a> Suite<'a> {
    /// Adds a test.
    pub fn test(&mut self, name: impl Into<String>, test: impl FnOnce() -> Result<(), String> + Send + 'a) {
        self.tests.push_back((name.into(), Box::new(test)));
    }

    /// Adds a test for every script, with its name.
    pub fn scripts(&mut self, play: impl Fn(&Path) -> Result<(), String> + Send + Sync + Copy + 'a) {
        for script in crate::scripts() {
            let name = script.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            self.test(name, move || play(&script));
        }
    }
}

/// Runs the tests whose names hold one of the words on the command line, or all; `--test-threads=N` of them at once.
pub fn run(suite: Suite<'_>, threads: usize) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let threads = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("--test-threads="))
        .and_then(|number| number.parse().ok())
        .unwrap_or(threads);
    let mut tests = suite.tests;
    tests.retain(|(name, _)| words.is_empty() || words.iter().any(|word| name.contains(*word)));
    let (count, started) = (tests.len(), Instant::now());
    println!("\nrunning {count} tests, {threads} at once");
    let (tests, failures) = (Mutex::new(tests), Mutex::new(Vec::new()));
    let next = || tests.lock().expect("no test is run under the lock").pop_front();
    std::thread::scope(|scope| {
        for _ in 0..threads.clamp(1, count.max(1)) {
            scope.spawn(|| {
                while let Some((name, test)) = next() {
                    let started = Instant::now();
                    let outcome = test();
                    let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
                    println!("test {name} ... {verdict} ({:.1} s)", started.elapsed().as_secs_f32());
                    if let Err(what) = outcome {
                        failures.lock().expect("nothing panics under the lock").push((name, what));
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("nothing panics under the lock");
    for (name, what) in &failures {
        println!("\n---- {name}\n{what}");
    }
    let (passed, seconds) = (count - failures.len(), started.elapsed().as_secs_f32());
    println!("\ntest result: {passed} passed; {} failed; {seconds:.1} s\n", failures.len());
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
