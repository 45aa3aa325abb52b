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

/// The world that evaluates random expressions and does much else for so many seconds. The environment's `SOAK_SEED` chooses
/// others.
pub fn soak_world(seconds: u32) -> Result<PathBuf, String> {
    let seed = soak_number("SOAK_SEED").unwrap_or(1);
    world("soak.lisp", &format!("(defglobal *soak-seconds* {seconds})\n(defglobal *soak-seed* {seed})\n"))
}

/// A number in the environment.
fn soak_number(name: &str) -> Option<u32> {
    std::env::var(name).ok()?.parse().ok()
}

/// How long the soak is, seconds: the environment's `SOAK_SECONDS`, or `usual`.
pub fn soak_seconds(usual: u32) -> u32 {
    soak_number("SOAK_SECONDS").unwrap_or(usual)
}

/// Steps of scripts (tests/script) that play with the mouse: each drags, presses or chooses something at random, but always
/// the same, and takes a third of a second.
pub fn mouse_gestures() -> impl Iterator<Item = String> {
    // Of a linear congruential generator the high bits are the random ones.
    let mut seed = 20_261_128_u64;
    let mut random = move |limit: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % limit
    };
    std::iter::from_fn(move || {
        let (x, y) = (random(1000), random(740));
        let button = ["left", "left", "left", "middle", "right", "right"][random(6) as usize];
        let (right, down) = (random(200), random(150));
        let (to_x, to_y) = ((x + right).saturating_sub(100).min(1020), (y + down).saturating_sub(60).min(760));
        Some(format!(
            "move {x} {y}\nbutton {button} down\nwait 50ms\nmove {to_x} {to_y}\nwait 50ms\nbutton {button} up\nwait 200ms\n"
        ))
    })
}

/// What the soak says of storage: after a tenth of its time, and at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storage {
    /// Pages of arrays.
    pub array_pages: u32,
    /// Pages of objects.
    pub object_pages: u32,
    /// Cells of array blocks in use.
    pub array_cells: u32,
    /// CONS cells in use.
    pub conses: u32,
    /// Other objects in use.
    pub objects: u32,
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
            array_cells: number(":ARRAY-CELLS ")?,
            conses: number(":CONSES ")?,
            objects: number(":OBJECTS ")?,
            counts: number(":COUNTS ")?,
        })
    }

    /// Whether storage that was like this and is like `later` now is steady.
    ///
    /// What is in use must be the same, but for what was seen for the first time meanwhile and is kept on purpose: names of
    /// functions within functions, in the table of symbols, and the few things that the stack or a process that is just over
    /// still refers to; a memory map alone has
    /// some 30,000 cells. A soak does thousands of things a second, so whatever leaks
    /// at each of them is far beyond that. Pages stay at the most that was
    /// ever in use, and in a longer time there is a worse moment: they may be twice as many, not more.
    pub fn is_steady(&self, later: &Storage) -> bool {
        later.objects <= self.objects + 400
            && later.conses <= self.conses + 6000
            && later.array_cells <= self.array_cells + 60_000
            && later.counts <= self.counts + 400
            && later.array_pages <= 2 * self.array_pages + 2000
            && later.object_pages <= 2 * self.object_pages + 400
    }
}

/// Whether a soak's log says that all went well; what is wrong, if not.
pub fn judge_soak(log: &str) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what}:\n{log}"));
    if !log.contains(" expressions, 0 failures") || log.contains("Input: ") {
        return wrong("something failed");
    }
    if log.contains("hard reset") {
        return wrong("the stack was thrown away");
    }
    match (Storage::read(log, "storage before"), Storage::read(log, "storage after")) {
        (Some(before), Some(after)) if before.is_steady(&after) => Ok(()),
        (Some(_), Some(_)) => wrong("storage grows"),
        _ => wrong("nothing is said of storage"),
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
        let line = "(:ARRAY-PAGES 2624 :OBJECT-PAGES 614 :ARRAY-CELLS 234686 :CONSES 14028 :OBJECTS 52 :FREE-BLOCKS 27 \
                    :FREE-CELLS 101186 :COUNTS 12)";
        let later = line.replace("234686", "235307").replace(" 52 ", " 88 ");
        let log = format!("x\nstorage before {line}\nstorage after  {later}\nsoak: 9 expressions, 0 failures\n");
        let before = Storage::read(&log, "storage before").unwrap();
        let after = Storage::read(&log, "storage after").unwrap();
        let expected = Storage {
            array_pages: 2624,
            object_pages: 614,
            array_cells: 234686,
            conses: 14028,
            objects: 52,
            counts: 12,
        };
        assert_eq!(before, expected);
        assert_eq!(Storage::read(&log, "storage never"), None);
        assert_eq!(judge_soak(&log), Ok(()));
        assert!(judge_soak(&log.replace(" 0 failures", " 1 failures")).is_err());
        assert!(judge_soak(&format!("the stack is full: hard reset\n{log}")).is_err());
        // What a leak of one object in two hundred expressions is in half a minute.
        assert!(!before.is_steady(&Storage { objects: after.objects + 500, ..after }));
        assert!(!before.is_steady(&Storage { conses: after.conses + 9000, ..after }));
        assert!(!before.is_steady(&Storage { array_cells: after.array_cells + 100_000, ..after }));
        assert!(!before.is_steady(&Storage { object_pages: 4086, ..after }));
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
