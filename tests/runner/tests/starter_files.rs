//! The starter world's files in the host runner: the battery of files, in a folder of its own.

use fixtures::Folder;
use std::process::{Command, Output};

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_battery_of_files() {
    let folder = Folder::new("starter-files");
    let sysout = battery::files_world().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_runner"))
        .arg(&sysout)
        .args(["--seconds", "120"])
        .env("FOLDERS", format!("{{DSK}}{}/", folder.path().display()))
        .output()
        .expect("the runner can be started");
    let _ = std::fs::remove_file(sysout);
    let text = said(&output);
    let expected = format!("{} expressions, 0 failures", battery::files_battery().len());
    assert!(text.contains(&expected), "{text}");
    assert!(output.status.success(), "{text}");
}
