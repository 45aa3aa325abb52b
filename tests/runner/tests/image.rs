//! A Medley image in the host runner: its desktop, its answers, the conformance battery, and that runs can be repeated.
//!
//! Without an image (see tests/fixtures) these tests skip, loudly.
//! Pictures and battery are looked for where that image is.

use fixtures::{Folder, medley};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A file beside the image's folder.
fn beside(image: &Path, file: &str) -> Option<PathBuf> {
    let path = image.parent()?.join(file);
    if !path.exists() {
        eprintln!("SKIPPED: there is no {}", path.display());
        return None;
    }
    Some(path)
}

fn runner(image: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.arg(image).args(arguments).output().expect("the runner starts")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths in tests are UTF-8")
}

/// Plays a script that is written into the folder.
fn play(image: &Path, folder: &Folder, script: &str) {
    let path = folder.file("test.script");
    fs::write(&path, script).expect("the folder can be written");
    let output = runner(image, &["--script", text(&path)]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_desktop_is_the_references() {
    let Some(image) = medley() else { return };
    let Some(prompt) = beside(&image, "prompt.png") else { return };
    let folder = Folder::new("image-desktop");
    fs::copy(prompt, folder.file("prompt.png")).expect("the folder can be written");
    // The caret blinks behind the question.
    play(&image, &folder, "limit 60s\nexpect \"prompt.png\" mask 300 210 12 10\n");
}

#[test]
fn the_conformance_battery() {
    let Some(image) = medley() else { return };
    let Some(battery) = beside(&image, "../conformance/visible.lisp") else { return };
    let Some(expected) = beside(&image, "../conformance/visible.expected") else { return };
    let folder = Folder::new("image-conformance");
    let source = fs::read(battery).expect("the battery can be read");
    let source = String::from_utf8_lossy(&source).replace("{DSK}/out/", &format!("{{DSK}}{}/", text(folder.path())));
    fs::write(folder.file("visible.lisp"), source).expect("the folder can be written");
    let load = format!("(load \\\"{{DSK}}{}\\\")\\n", text(&folder.file("visible.lisp")));
    let script =
        format!("wait until 10s\ntype \"\\n\"\nwait 3s\ntype \"{load}\"\nlimit 10m\nwait file \"visible.done\"\n");
    play(&image, &folder, &script);
    let got = fs::read(folder.file("visible.out")).expect("the battery wrote its answers");
    let expected = fs::read(expected).expect("the expected answers can be read");
    let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_string).collect::<Vec<_>>();
    for (got, expected) in lines(&got).iter().zip(&lines(&expected)) {
        assert_eq!(got, expected);
    }
    assert_eq!(got.len(), expected.len());
}

#[test]
fn deterministic_runs_are_equal() {
    let Some(image) = medley() else { return };
    let folder = Folder::new("image-deterministic");
    let run = |file: &Path| {
        let arguments =
            ["--deterministic", "--steps", "1000000", "--trace-hash-every", "100000", "--trace-file", text(file)];
        assert!(runner(&image, &arguments).status.success());
        fs::read_to_string(file).expect("the trace was written")
    };
    let first = run(&folder.file("a"));
    assert_eq!(first.lines().count(), 10);
    assert_eq!(first, run(&folder.file("b")));
}

#[test]
fn a_page_that_lisp_does_not_have_is_named() {
    let Some(image) = medley() else { return };
    let folder = Folder::new("image-fault");
    let path = folder.file("test.script");
    let script = r#"
        wait until 10s
        type "\n"
        wait 3s
        type "(il:\\\\getbase (il:\\\\vag2 200 0) 0)\n"
        wait 20s
    "#;
    fs::write(&path, script).expect("the folder can be written");
    let output = runner(&image, &["--script", text(&path)]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("page 0xc800") && said.contains("\\GETBASE"), "{said}");
}

#[test]
fn what_is_no_image_is_refused() {
    let folder = Folder::new("image-refused");
    for (name, bytes) in [("empty", &[][..]), ("zeros", &[0; 10_000][..]), ("text", &[b'x'; 1024][..])] {
        let path = folder.file(name);
        fs::write(&path, bytes).expect("the folder can be written");
        let output = runner(&path, &[]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    assert_eq!(runner(&folder.file("nowhere"), &[]).status.code(), Some(2));
}

/// Conses, processes and stack overflows by the thousand: nothing is lost, and each overflow reaches its catch.
#[test]
fn storage_comes_back_and_overflows_are_caught() {
    let Some(image) = medley() else { return };
    let folder = Folder::new("image-storage");
    let source = r#";;; -*- Mode: LISP; Package: XCL-USER; -*-
(defvar *o* (open "{DSK}FOLDER/storage.out" :direction :output))
(defun say (x) (prin1 x *o*) (terpri *o*) (force-output *o*))
(defun conses (n) (let ((l nil)) (dotimes (i n) (setq l (cons i l))) (length l)))
(compile 'conses)
(defun round-of-work ()
  (conses 100000)
  (dotimes (i 500)
    (let ((p (il:add.process '(il:dismiss 100000)))) (il:block) (il:del.process p) (il:block)))
  (dotimes (i 20) (il:reclaim))
  (car (il:storage.left)))
(defun runaway (n) (1+ (runaway (1+ n))))
(defun caught () (xcl:condition-case (runaway 0) (xcl:stack-overflow (c) (type-of c) :caught)))
(round-of-work)
(let ((before (round-of-work))) (say (if (eql before (round-of-work)) :steady :lost)))
(say (list (caught) (caught) (caught)))
(with-open-file (f "{DSK}FOLDER/storage.done" :direction :output) (princ "done" f))
"#;
    fs::write(folder.file("storage.lisp"), source.replace("FOLDER", text(folder.path())))
        .expect("the folder can be written");
    let load = format!("(load \\\"{{DSK}}{}\\\")\\n", text(&folder.file("storage.lisp")));
    let script =
        format!("wait until 10s\ntype \"\\n\"\nwait 3s\ntype \"{load}\"\nlimit 3m\nwait file \"storage.done\"\n");
    play(&image, &folder, &script);
    let said = fs::read_to_string(folder.file("storage.out")).expect("the file wrote its answers");
    assert_eq!(said.lines().collect::<Vec<_>>(), [":STEADY", "(:CAUGHT :CAUGHT :CAUGHT)"]);
}

/// Commands for the monitor, and what it says.
fn monitor(image: &Path, arguments: &[&str], commands: &str) -> String {
    use std::io::Write;
    let mut command = Command::new(env!("CARGO_BIN_EXE_runner"));
    command.arg(image).arg("--monitor").args(["--seconds", "60"]).args(arguments);
    command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    let mut child = command.stderr(std::process::Stdio::inherit()).spawn().expect("the runner starts");
    child.stdin.take().expect("it is piped").write_all(commands.as_bytes()).expect("the monitor listens");
    let output = child.wait_with_output().expect("the runner ends");
    assert!(output.status.success(), "the monitor ended with {:?}", output.status);
    String::from_utf8(output.stdout).expect("the monitor writes text")
}

#[test]
fn the_monitor() {
    let Some(image) = medley() else { return };
    let commands = "stack\n\
        until \\BACKGROUND\n\
        code\n\
        words 30000 8\n\
        show 7fffff\n\
        watch \\RUNNING.PROCESS\n\
        go\n\
        unwatch\n\
        stop BLOCK\n\
        go\n\
        frame\n\
        clear\n\
        finish\n\
        check\n\
        storage\n\
        pages\n\
        off now\n";
    let said = monitor(&image, &[], commands);
    let mut rest = said.as_str();
    for text in [
        "frame ",
        "at  \\BACKGROUND+",
        ">",
        "Lisp has no page at {3,0}",
        "of no type",
        "watch 0: ",
        "stopped: watch 0",
        "old ",
        "new ",
        "by  ",
        "0 watches left",
        "place 0: BLOCK",
        "stopped: place 0",
        "frame ",
        "0 places left",
        "at  ",
        "the stack is sound",
        "collector: after",
        "arrays and objects",
    ] {
        let at = rest.find(text).unwrap_or_else(|| panic!("no {text:?} in the rest of what the monitor says:\n{said}"));
        rest = &rest[at + text.len()..];
    }
}
