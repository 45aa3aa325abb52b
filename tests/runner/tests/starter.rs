//! The starter world in the host runner: the battery of expressions.

use std::path::Path;
use std::process::{Command, Output};

/// Runs a sysout for at most so many seconds, and deletes it.
fn run(sysout: &Path, seconds: u32) -> (Output, String) {
    let seconds = seconds.to_string();
    let output = Command::new(env!("CARGO_BIN_EXE_runner"))
        .arg(sysout)
        .args(["--no-files", "--seconds", &seconds])
        .output()
        .expect("the runner can be started");
    let _ = std::fs::remove_file(sysout);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output, text)
}

#[test]
fn the_battery_of_expressions() {
    let sysout = battery::world("battery.lisp").unwrap();
    let (output, text) = run(&sysout, 120);
    let expected = format!("battery: {} expressions, 0 failures", battery::battery().len());
    assert!(text.contains(&expected), "{text}");
    assert!(output.status.success(), "{text}");
}
