//! Worlds that test themselves: the starter world with a program behind it, in place of its `MAIN`.
//!
//! ```text
//!   battery.txt, files.txt --> definitions ----+
//!   lisp/world, battery.lisp or soak.lisp -----+--compiler, linker--> sysout --host runner or QEMU--> console
//! ```
//!
//! The program says on the console what it found, and ends the machine.
#![forbid(unsafe_code)]

use lisp::build::{Source, build};
use lisp::compiler::Compiler;
use lisp::host::with_room;
use std::path::{Path, PathBuf};

/// A line of the battery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Test {
    /// What is evaluated.
    pub expression: String,
    /// What `PRIN1` writes for its values, or `!` and the type of a condition.
    pub expected: String,
}

/// The folder of this crate.
fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The tests in a text in the format that battery.txt explains.
pub fn tests(text: &str) -> Vec<Test> {
    let mut tests = Vec::new();
    let mut expression = String::new();
    for line in text.lines() {
        if expression.is_empty() && (line.is_empty() || line.starts_with(';')) {
            continue;
        }
        if !expression.is_empty() {
            expression.push('\n');
        }
        expression.push_str(line);
        if let Some((before, expected)) = expression.rsplit_once(" ==> ") {
            tests.push(Test { expression: before.to_string(), expected: expected.to_string() });
            expression.clear();
        }
    }
    tests
}

/// The tests of the battery.
pub fn battery() -> Vec<Test> {
    tests(include_str!("../battery.txt"))
}

/// The tests of the battery of files.
pub fn files_battery() -> Vec<Test> {
    tests(include_str!("../files.txt"))
}

/// A text as Lisp reads it.
fn string(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A battery as a Lisp file: `*BATTERY*`, a list of pairs. A few tests a form, so that none of its functions is large.
fn data(tests: &[Test]) -> String {
    let mut lisp = String::from("(defglobal *battery* nil)\n");
    for part in tests.chunks(50) {
        let pairs: Vec<String> =
            part.iter().map(|test| format!("({} . {})", string(&test.expression), string(&test.expected))).collect();
        lisp.push_str(&format!("(setq *battery* (append *battery* '({})))\n", pairs.join("\n")));
    }
    lisp
}

/// The starter world with these files behind it, as the bytes of a sysout.
fn compile(behind: Vec<Source>) -> Result<Vec<u8>, String> {
    with_room(|| {
        let mut compiler = Compiler::new()?;
        build(&here().join("../../lisp/world"), behind, |source: &Source| compiler.file(&source.name, &source.text()?))
    })
}

/// The starter world as it is, in a temporary file with `name` in its name.
pub fn starter_world(name: &str) -> Result<PathBuf, String> {
    let sysout = std::env::temp_dir().join(format!("duralumin-starter-{name}-{}.sysout", std::process::id()));
    std::fs::write(&sysout, compile(Vec::new())?)
        .map_err(|error| format!("cannot write {}: {error}", sysout.display()))?;
    Ok(sysout)
}

/// The world that runs the battery.
pub fn battery_world() -> Result<PathBuf, String> {
    world("battery.lisp", &data(&battery()))
}

/// The world that runs the battery of files in the folders that its environment names (`FOLDERS`).
pub fn files_world() -> Result<PathBuf, String> {
    let sysout = world("battery.lisp", &data(&files_battery()))?;
    let own = sysout.with_extension("files.sysout");
    std::fs::rename(&sysout, &own).map_err(|error| format!("cannot rename {}: {error}", sysout.display()))?;
    Ok(own)
}

/// The world that evaluates random expressions and moves windows for so many seconds.
pub fn soak_world(seconds: u32) -> Result<PathBuf, String> {
    world("soak.lisp", &format!("(defglobal *soak-seconds* {seconds})\n"))
}

/// What the soak says of storage: after a tenth of its time, and at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Pages of arrays.
    pub array_pages: u32,
    /// Pages of objects.
    pub object_pages: u32,
    /// References counted.
    pub counts: u32,
}

impl Storage {
    /// The numbers in a line such as `storage after (:ARRAY-PAGES 1344 :OBJECT-PAGES 674 .. :COUNTS 13)`, the last one in a
    /// log that begins with `line`.
    pub fn read(log: &str, line: &str) -> Option<Storage> {
        let text = &log[log.rfind(line)?..];
        let number = |name: &str| {
            let rest = text.split_once(name)?.1.trim_start();
            rest[..rest.find(|c: char| !c.is_ascii_digit())?].parse().ok()
        };
        Some(Storage {
            array_pages: number(":ARRAY-PAGES ")?,
            object_pages: number(":OBJECT-PAGES ")?,
            counts: number(":COUNTS ")?,
        })
    }

    /// Whether storage that was like this and is like `later` now has not grown, but for a tenth that chance may have
    /// spread differently. Pages of objects may be half as many more: they stay at the most that was ever in use between
    /// two collections, and a longer time has larger expressions in it.
    pub fn is_steady(&self, later: &Storage) -> bool {
        let within = |before: u32, after: u32, room: u32| after <= before + before / 10 + room;
        within(self.array_pages, later.array_pages, 64)
            && within(self.object_pages, later.object_pages, 64 + self.object_pages * 2 / 5)
            && within(self.counts, later.counts, 200)
    }
}

/// Builds the starter world with definitions and `program` (a file of this folder) behind it; its sysout, in the folder
/// for temporary files.
fn world(program: &str, definitions: &str) -> Result<PathBuf, String> {
    let stem = format!("duralumin-{}-{}", program.trim_end_matches(".lisp"), std::process::id());
    let folder = std::env::temp_dir();
    let file = |end: &str| folder.join(format!("{stem}{end}"));
    let write = |path: &Path, bytes: &[u8]| {
        std::fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
    };
    let data_file = file("-data.lisp");
    write(&data_file, definitions.as_bytes())?;
    let sources = vec![
        Source { name: "definitions.lisp".to_string(), path: data_file.clone() },
        Source { name: program.to_string(), path: here().join(program) },
    ];
    let bytes = compile(sources)?;
    let sysout = file(".sysout");
    write(&sysout, &bytes)?;
    let _ = std::fs::remove_file(data_file);
    Ok(sysout)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_go_over_lines_and_comments_do_not_count() {
        let text = "; a comment\n\n(+ 1 2) ==> 3\n(a\n; within\n b) ==> !error\n";
        let test = |expression: &str, expected: &str| Test {
            expression: expression.to_string(),
            expected: expected.to_string(),
        };
        assert_eq!(tests(text), [test("(+ 1 2)", "3"), test("(a\n; within\n b)", "!error")]);
    }

    #[test]
    fn storage_is_read_and_compared() {
        let log = "x\nstorage before (:ARRAY-PAGES 1296 :OBJECT-PAGES 668 :FREE-BLOCKS 1 :FREE-CELLS 2 :COUNTS 17)\n\
                   storage after  (:ARRAY-PAGES 1344 :OBJECT-PAGES 4086 :FREE-BLOCKS 1 :FREE-CELLS 2 :COUNTS 13)\n";
        let before = Storage::read(log, "storage before").unwrap();
        let after = Storage::read(log, "storage after").unwrap();
        assert_eq!(before, Storage { array_pages: 1296, object_pages: 668, counts: 17 });
        assert!(!before.is_steady(&after));
        assert!(before.is_steady(&Storage { object_pages: 700, ..after }));
        assert_eq!(Storage::read(log, "storage never"), None);
    }

    #[test]
    fn the_battery_is_large_and_without_doubles() {
        let battery = battery();
        assert!(battery.len() >= 500, "{} expressions", battery.len());
        for (number, test) in battery.iter().enumerate() {
            let double = battery[..number].iter().find(|other| other.expression == test.expression);
            assert_eq!(double, None, "twice in the battery");
        }
        assert!(files_battery().len() >= 150, "{} expressions", files_battery().len());
    }
}
