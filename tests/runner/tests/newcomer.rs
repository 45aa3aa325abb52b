//! What a newcomer does, by scripts of `tests/world/scripts`; and what the first exec writes on the console meanwhile, as a
//! terminal shows it: a line that is edited looks there as in its window.

use std::path::Path;
use std::process::Command;

/// The lines of an ANSI terminal that has no right margin, after it has got some text.
fn shown(text: &str) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut line, mut column) = (0, 0);
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\n' => {
                line += 1;
                column = 0;
                if line == lines.len() {
                    lines.push(Vec::new());
                }
            }
            '\u{8}' => column -= 1,
            '\u{1b}' => {
                assert_eq!(characters.next(), Some('['));
                let mut count = String::new();
                let last = loop {
                    match characters.next().expect("a sequence has an end") {
                        digit @ '0'..='9' => count.push(digit),
                        last => break last,
                    }
                };
                let count: usize = count.parse().unwrap_or(1);
                match last {
                    'A' => line -= count,
                    'B' => line += count,
                    'C' => column += count,
                    'D' => column -= count,
                    'J' => {
                        lines.truncate(line + 1);
                        lines[line].truncate(column);
                    }
                    other => panic!("Esc [ {other}"),
                }
            }
            _ => {
                let row = &mut lines[line];
                row.resize(row.len().max(column + 1), ' ');
                row[column] = character;
                column += 1;
            }
        }
    }
    lines.into_iter().map(|row| String::from_iter(row).trim_end().to_string()).collect()
}

/// Plays a script on the starter world: the lines that its console shows.
fn play(name: &str) -> Vec<String> {
    let sysout = battery::starter_world(&format!("newcomer-{name}")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../world/scripts").join(name).with_extension("script");
    let output = Command::new(env!("CARGO_BIN_EXE_runner"))
        .arg(&sysout)
        .args(["--no-files", "--seconds", "120", "--script"])
        .arg(&script)
        .output()
        .expect("the runner can be started");
    let _ = std::fs::remove_file(&sysout);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    shown(&text)
}

#[test]
fn the_console_shows_what_was_edited() {
    let lines = play("exec");
    let edited = [
        ["6> (mapcar #'cube '(1 2 3))", "(1 8 27)"],
        ["9> (vector 123)", "#(123)"],
        ["10> (vector 123 7)", "#(123 7)"],
        ["  24)", "(31 24)"],
    ];
    for expected in edited {
        assert!(lines.windows(2).any(|pair| pair == expected), "no {expected:?} in {lines:#?}");
    }
}

#[test]
fn a_break() {
    play("break");
}

#[test]
fn deep_recursion() {
    play("depth");
}

#[test]
fn source_and_names() {
    play("source");
}

#[test]
fn presses_that_wait_and_parentheses_too_many() {
    play("presses");
}

#[test]
fn an_interrupt() {
    play("interrupt");
}

#[test]
fn windows() {
    play("windows");
}

#[test]
fn the_tour() {
    play("tour");
}

#[test]
fn the_stepper() {
    play("stepper");
}

#[test]
fn tools_by_mouse() {
    play("tools");
}
