//! The starter world's files in the host runner: the battery of files, in a folder of its own.

use std::path::PathBuf;
use std::process::{Command, Output};

/// A folder, gone with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("duralumin-starter-files-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir(&path).expect("a folder can be made");
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_battery_of_files() {
    let folder = Folder::new("battery");
    let sysout = battery::files_world().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_runner"))
        .arg(&sysout)
        .args(["--seconds", "120"])
        .env("FOLDERS", format!("{{DSK}}{}/", folder.0.display()))
        .output()
        .expect("the runner can be started");
    let _ = std::fs::remove_file(sysout);
    let text = said(&output);
    let expected = format!("{} expressions, 0 failures", battery::files_battery().len());
    assert!(text.contains(&expected), "{text}");
    assert!(output.status.success(), "{text}");
}
