//! The book's chapters: whatever a chapter asks one to try is typed, and answered as the chapter says.
//!
//! ````text
//!   ```try
//!   > (car '(1 2))          typed into the exec
//!   1                       what must be answered; a line of ... stands for any answer
//!   ```
//! ````

use book::{answers, play, typing};
use scenarios::{Suite, run};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

/// For a chapter, on a busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Something to type, and the answer.
struct Trial<'a> {
    input: &'a str,
    answer: String,
}

fn main() -> ExitCode {
    let folder = qemu::root().join("docs");
    let entries = std::fs::read_dir(&folder).expect("there is a book");
    let mut chapters: Vec<_> = entries.map(|entry| entry.expect("a folder that can be read").path()).collect();
    chapters.retain(|path| path.extension().is_some_and(|kind| kind == "md"));
    chapters.sort();
    let mut suite = Suite::default();
    for chapter in chapters {
        let text = std::fs::read_to_string(&chapter).expect("a chapter that can be read");
        if text.contains("```try\n") {
            let name = chapter.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            suite.test(name, move || try_out(&chapter, &text));
        }
    }
    run(suite, 2)
}

fn trials(chapter: &str) -> Vec<Trial<'_>> {
    let mut trials: Vec<Trial<'_>> = Vec::new();
    let mut inside = false;
    for line in chapter.lines() {
        match (line, inside) {
            ("```try", _) => inside = true,
            ("```", true) => inside = false,
            (line, true) => match (line.strip_prefix("> "), trials.last_mut()) {
                (Some(input), _) => trials.push(Trial { input, answer: String::new() }),
                (None, Some(trial)) => trial.answer = format!("{}{line}\n", trial.answer),
                (None, None) => panic!("a chapter begins with an answer: {line}"),
            },
            _ => {}
        }
    }
    trials
}

fn try_out(chapter: &Path, text: &str) -> Result<(), String> {
    let trials = trials(text);
    let console = play(&typing(trials.iter().map(|trial| trial.input)), LIMIT)?;
    let answers = answers(&console);
    let mut wrong = Vec::new();
    for (number, trial) in trials.iter().enumerate() {
        let answer = answers.get(number).map_or("(no answer)", String::as_str);
        if trial.answer.trim() != "..." && trial.answer != *answer {
            wrong.push(format!("> {}\nshould be\n{}and is\n{answer}", trial.input, trial.answer));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("{}:\n{}\nthe console:\n{console}", chapter.display(), wrong.join("\n")))
}
