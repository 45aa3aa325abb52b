//! The book's chapters: whatever a chapter asks one to try is typed, and answered as the chapter says.
//!
//! ````text
//!   ```try
//!   > (car '(1 2))          typed into the exec
//!   1                       what must be answered; a line of ... stands for any answer
//!   ```
//!   ```monitor
//!   > pages                 typed into the monitor, at Lisp's first instruction
//!   stack                   what lines of the answer must hold, one after the other
//!   ```
//! ````

use book::{answers, monitor, play, typing};
use scenarios::{Suite, run};
use std::process::ExitCode;
use std::time::Duration;

/// For a chapter, on a busy machine.
const LIMIT: Duration = Duration::from_secs(300);

/// Something to type, and the answer.
struct Trial {
    input: String,
    answer: String,
}

fn main() -> ExitCode {
    let folder = fixtures::root().join("docs");
    let entries = std::fs::read_dir(&folder).expect("there is a book");
    let mut chapters: Vec<_> = entries.map(|entry| entry.expect("a folder that can be read").path()).collect();
    chapters.retain(|path| path.extension().is_some_and(|kind| kind == "md"));
    chapters.sort();
    let mut suite = Suite::default();
    for chapter in chapters {
        let text = std::fs::read_to_string(&chapter).expect("a chapter that can be read");
        let name = chapter.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let (exec, monitor) = (trials(&text, "```try"), trials(&text, "```monitor"));
        if !exec.is_empty() {
            suite.test(name.clone(), move || try_out(&exec));
        }
        if !monitor.is_empty() {
            suite.test(format!("{name}-in-the-monitor"), move || try_in_monitor(&monitor));
        }
    }
    // Each waits for the exec most of the time.
    run(suite, 5)
}

/// What stands in blocks of one kind.
fn trials(chapter: &str, block: &str) -> Vec<Trial> {
    let mut trials: Vec<Trial> = Vec::new();
    let mut inside = false;
    for line in chapter.lines() {
        match (line, inside) {
            (line, false) => inside = line == block,
            ("```", true) => inside = false,
            (line, true) => match (line.strip_prefix("> "), trials.last_mut()) {
                (Some(input), _) => trials.push(Trial { input: input.into(), answer: String::new() }),
                (None, Some(trial)) => trial.answer = format!("{}{line}\n", trial.answer),
                (None, None) => panic!("a chapter begins with an answer: {line}"),
            },
        }
    }
    trials
}

/// Types into the exec.
fn try_out(trials: &[Trial]) -> Result<(), String> {
    let console = play(&typing(trials.iter().map(|trial| &*trial.input)), LIMIT)?;
    let answers = answers(&console);
    let mut wrong = Vec::new();
    for (number, trial) in trials.iter().enumerate() {
        let answer = answers.get(number).map_or("(no answer)", String::as_str);
        if trial.answer.trim() != "..." && trial.answer != *answer {
            wrong.push(format!("> {}\nshould be\n{}and is\n{answer}", trial.input, trial.answer));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("{}\nthe console:\n{console}", wrong.join("\n"))) }
}

/// Types into the monitor.
fn try_in_monitor(trials: &[Trial]) -> Result<(), String> {
    let said = monitor(trials.iter().map(|trial| &*trial.input), LIMIT)?;
    let mut lines = said.lines().map(|line| line.strip_prefix("* ").unwrap_or(line));
    for trial in trials {
        for expected in trial.answer.lines() {
            if !lines.any(|line| line.contains(expected)) {
                return Err(format!("{}: no line with \"{expected}\"; the monitor said\n{said}", trial.input));
            }
        }
    }
    Ok(())
}
