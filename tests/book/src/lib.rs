//! The starter world in tests: built, started on the host runner, and typed at.
//!
//! ```text
//!   lisp build --> target/starter.sysout --> runner, with a script that types --> what the exec prints, on standard output
//! ```
//! The first exec of the world prints on the console as well as in its window. An input and its answer look so there:
//!
//! ```text
//!   3> (floor 17 5)
//!   3
//!   2
//!   4>
//! ```
#![forbid(unsafe_code)]

use fixtures::{RUNNER, starter};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Plays a script on the host runner with the starter world, whose files are in a new folder; what it printed on the
/// console. `limit` is for all of it.
pub fn play(steps: &str, limit: Duration) -> Result<String, String> {
    let (script, files) = (scratch("script"), scratch("files"));
    std::fs::write(&script, steps).and_then(|()| std::fs::create_dir(&files)).map_err(|error| error.to_string())?;
    let mut runner = Command::new(RUNNER.path()?);
    let printed = run(runner.arg(starter()?).arg("--script").arg(&script).arg("--files").arg(&files), "", limit);
    let _ = std::fs::remove_file(script);
    let _ = std::fs::remove_dir_all(files);
    printed
}

/// Gives commands to the monitor, with the starter world at its first instruction; what it said.
pub fn monitor<'a>(commands: impl IntoIterator<Item = &'a str>, limit: Duration) -> Result<String, String> {
    let mut input: String = commands.into_iter().fold(String::new(), |input, command| input + command + "\n");
    input.push_str("off now\n");
    run(Command::new(RUNNER.path()?).arg(starter()?).arg("--monitor"), &input, limit)
}

/// A name for a file of this thread.
fn scratch(what: &str) -> PathBuf {
    let thread = std::thread::current().id();
    std::env::temp_dir().join(format!("duralumin-book-{}-{thread:?}.{what}", std::process::id()))
}

/// Runs a process with an input to its end; its output.
fn run(command: &mut Command, input: &str, limit: Duration) -> Result<String, String> {
    let text = |error: std::io::Error| error.to_string();
    let console = scratch("console");
    let output = std::fs::File::create(&console).map_err(text)?;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(output)
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| format!("the runner: {error}"))?;
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).map_err(text)?;
    let end = Instant::now() + limit;
    let ended = loop {
        match child.try_wait().map_err(text)? {
            Some(status) if status.success() => break Ok(()),
            Some(status) => break Err(format!("the runner ended with {status}")),
            None if Instant::now() < end => std::thread::sleep(Duration::from_millis(20)),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                break Err(format!("the runner did not end within {limit:?}"));
            }
        }
    };
    let printed = String::from_utf8_lossy(&std::fs::read(&console).map_err(text)?).replace('\r', "");
    let _ = std::fs::remove_file(console);
    ended.map(|()| printed.clone()).map_err(|error| format!("{error}; the console:\n{printed}"))
}

/// The steps that type lines into the exec, each when the one before has been answered.
pub fn typing<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut steps = String::from("limit 60s\nwait idle\n");
    for line in lines {
        let quoted = line.replace('\\', "\\\\").replace('"', "\\\"");
        let _ = write!(steps, "type \"{quoted}\\n\"\nwait idle\n");
    }
    steps + "quit\n"
}

/// The answers on a console, one for each input.
pub fn answers(console: &str) -> Vec<String> {
    let mut answers: Vec<String> = Vec::new();
    for line in console.lines() {
        let prompt = line.split_once("> ").filter(|(number, _)| number.parse::<u32>().is_ok());
        match (prompt, answers.last_mut()) {
            (Some(_), _) => answers.push(String::new()),
            (None, Some(answer)) => {
                answer.push_str(line.trim_end());
                answer.push('\n');
            }
            (None, None) => {}
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    #[test]
    fn answers_are_between_prompts() {
        let console = "Welcome\n1> (floor 17 5)\n3\n2\n2> (values)\n3> ";
        assert_eq!(super::answers(console), ["3\n2\n", "", ""]);
    }
}
