//! The monitor on the bare machine: F12 and the serial line, a watched word, steps, and Lisp as it was afterwards.
//!
//! Wants a Medley image: see tests/fixtures.

use fixtures::medley;
use qemu::{Machine, Picture, Qemu};
use std::path::PathBuf;
use std::time::Duration;

/// A machine on which Lisp waits for somebody to type.
fn resting(image: PathBuf, words: &[&str]) -> Qemu {
    let machine = words.iter().fold(Machine::new().disk(image), |machine, word| machine.word(*word));
    let mut qemu = machine.limit(Duration::from_secs(150)).start().unwrap();
    qemu.wait_for("Lisp rests for the first time").unwrap();
    qemu
}

/// The screen with the whole of the image's first question on it, which comes a moment after Lisp's first rest.
fn question(qemu: &mut Qemu) -> Picture {
    let letters = |picture: &Picture| {
        let dots = |x| (204..217).filter(|&y| picture.is_black(x, y)).count();
        (5..290).map(dots).sum::<usize>() > 300 && (286..290).any(|x| dots(x) > 0)
    };
    qemu.wait_for_picture("the first question", letters).unwrap()
}

/// Are they the same, but for the caret behind the question?
fn same(one: &Picture, other: &Picture) -> bool {
    let caret = |x, y| (292..312).contains(&x) && (202..222).contains(&y);
    let mut places = (0..one.height).flat_map(|y| (0..one.width).map(move |x| (x, y)));
    (one.width, one.height) == (other.width, other.height)
        && places.all(|(x, y)| caret(x, y) || one.pixel(x, y) == other.pixel(x, y))
}

/// Are there letters behind the image's first question, beyond where the caret blinks while there are none?
fn shows_letters(picture: &Picture) -> bool {
    (318..400).any(|x| (204..217).any(|y| picture.is_black(x, y)))
}

/// Gives a command and waits for each text in what follows.
fn command(qemu: &mut Qemu, line: &str, texts: &[&str]) -> String {
    qemu.write_serial(&format!("{line}\r")).unwrap();
    let mut last = String::new();
    for text in texts {
        last = qemu.wait_for(text).unwrap_or_else(|error| panic!("{line}: {error}"));
    }
    last
}

#[test]
fn a_session_leaves_lisp_as_it_was() {
    let Some(image) = medley() else { return };
    let mut qemu = resting(image, &[]);
    let before = question(&mut qemu);
    qemu.press(&["f12"]).unwrap();
    qemu.wait_for("Duralumin monitor").unwrap();
    qemu.wait_for("go continues").unwrap();
    let black = |picture: &Picture| (0..picture.width).filter(|&x| picture.is_black(x, 4)).count();
    qemu.wait_for_picture("the monitor's screen", |picture| black(picture) == picture.width).unwrap();

    command(&mut qemu, "M", &["tos", "pvar", "at  "]);
    // Whichever process it is, it is an evaluated form, and \EVALFORM has arguments.
    let line = command(&mut qemu, "stack", &["   0  ", "\\EVALFORM"]);
    let number = line.split_whitespace().next().unwrap();
    command(&mut qemu, &format!("f {number}"), &["frame ", "\\EVALFORM+", "ivar"]);
    command(&mut qemu, "code", &["argument", "> "]);
    command(&mut qemu, "check", &["the stack is sound"]);
    command(&mut qemu, "pages", &["arrays and objects", "faults", "writes to watched pages"]);
    command(&mut qemu, "map", &["0000000 "]);
    command(&mut qemu, "storage", &["collector: after", "arrays: "]);
    command(&mut qemu, "devices", &["clock:", "disk:", "memory:", "mouse"]);
    command(&mut qemu, "words 999999", &["Lisp has no page"]);
    // Looking where nothing is reads zeroes.
    command(&mut qemu, "show 999999", &["of no type"]);

    command(&mut qemu, "watch \\RUNNING.PROCESS", &["watch 0: "]);
    command(&mut qemu, "go", &["Lisp goes on", "stopped: watch 0", "old ", "new "]);
    let by = qemu.wait_for("by  ").unwrap();
    assert!(by.contains("GVAR_ \\RUNNING.PROCESS"), "{by}");
    command(&mut qemu, "pages", &["  watched", "faults", "writes to watched pages"]);
    command(&mut qemu, "unwatch", &["0 watches left"]);
    command(&mut qemu, "stop BLOCK", &["place 0: BLOCK"]);
    command(&mut qemu, "go", &["stopped: place 0", "at  BLOCK+"]);
    command(&mut qemu, "clear", &["0 places left"]);
    command(&mut qemu, "step", &["at  "]);
    command(&mut qemu, "step 3", &["at  ", "at  ", "at  "]);
    command(&mut qemu, "next", &["at  "]);
    command(&mut qemu, "finish", &["at  "]);
    // The keyboard types into the same line.
    qemu.type_text("whexre").unwrap();
    for _ in 0..3 {
        qemu.press(&["backspace"]).unwrap();
    }
    qemu.type_text("re\n").unwrap();
    qemu.wait_for("at  ").unwrap();
    qemu.type_text("go\n").unwrap();
    qemu.wait_for("Lisp goes on").unwrap();

    qemu.wait_for_picture("the screen as it was", |picture| same(picture, &before)).unwrap();
    // Nothing that was typed to the monitor reached Lisp, and Lisp still listens.
    qemu.type_text("abc").unwrap();
    qemu.wait_for_picture("what was typed", shows_letters).unwrap();
    for _ in 0..3 {
        qemu.press(&["backspace"]).unwrap();
    }
    qemu.wait_for_picture("what was typed taken back", |picture| same(picture, &before)).unwrap();

    // Once more, from the serial line, and away by F12.
    qemu.write_serial("m").unwrap();
    qemu.wait_for("go continues").unwrap();
    qemu.press(&["f12"]).unwrap();
    qemu.wait_for("Lisp goes on").unwrap();
    qemu.wait_for_picture("the screen as it was", |picture| same(picture, &before)).unwrap();
    // An idle machine stays idle.
    let used = qemu.processor_seconds().unwrap();
    qemu.pause(Duration::from_secs(3));
    let share = (qemu.processor_seconds().unwrap() - used) / 3.0;
    assert!(share < 0.5, "after the monitor Lisp takes {:.0} % of a core", share * 100.0);
    eprintln!("after the monitor Lisp at rest takes {:.0} % of a core", share * 100.0);
    command(&mut qemu, "\u{1d}", &["go continues"]);
    command(&mut qemu, "off now", &["power off"]);
    assert_eq!(qemu.wait().unwrap(), qemu::End::Success);
}

#[test]
fn the_serial_line_types_for_lisp() {
    let Some(image) = medley() else { return };
    let mut qemu = resting(image, &["serial=lisp"]);
    let before = question(&mut qemu);
    assert!(!shows_letters(&before));
    qemu.write_serial("Hello").unwrap();
    qemu.wait_for_picture("what was typed", shows_letters).unwrap();
    qemu.write_serial(&"\u{7f}".repeat(5)).unwrap();
    qemu.wait_for_picture("what was typed taken back", |picture| same(picture, &before)).unwrap();
    qemu.write_serial("\u{1d}").unwrap();
    qemu.wait_for("go continues").unwrap();
    command(&mut qemu, "where", &["at  "]);
    command(&mut qemu, "go", &["Lisp goes on"]);
    qemu.wait_for_picture("the screen as it was", |picture| same(picture, &before)).unwrap();
}

#[test]
fn errors_offer_the_monitor() {
    let Some(image) = medley() else { return };
    let mut qemu = resting(image.clone(), &["monitor"]);
    qemu.write_serial("m").unwrap();
    qemu.wait_for("go continues").unwrap();
    // RAID in the place of BLOCK: Lisp asks for help, and can be let go on.
    command(&mut qemu, "m RAID BLOCK", &["BLOCK has the definition of RAID"]);
    command(&mut qemu, "go", &["stopped: Lisp asked for help"]);
    command(&mut qemu, "stack", &["RAID"]);
    command(&mut qemu, "go", &["stopped: Lisp asked for help"]);
    drop(qemu);

    // A function that is nowhere.
    let mut qemu = resting(image, &["monitor"]);
    qemu.write_serial("m").unwrap();
    qemu.wait_for("go continues").unwrap();
    let line = command(&mut qemu, "symbol BLOCK", &["definition  at "]);
    let at = line.split_whitespace().nth(2).unwrap().to_owned();
    command(&mut qemu, &format!("< {at} 80ff"), &["and is 80ff"]);
    command(&mut qemu, "go", &["Duralumin has stopped", "Lisp touched address", "F12, or Ctrl-]"]);
    qemu.press(&["f12"]).unwrap();
    qemu.wait_for("the monitor looks at a stopped machine").unwrap();
    command(&mut qemu, "stack", &["   1  "]);
    command(&mut qemu, "go", &["cannot go on"]);
    command(&mut qemu, "off now", &["power off"]);
}

#[test]
fn the_starter_worlds_exec_on_the_serial_line() {
    let machine = Machine::new().disk(fixtures::starter().unwrap()).word("serial=lisp").limit(Duration::from_secs(150));
    let mut qemu = machine.start().unwrap();
    // Its first words come before it listens; what is typed meanwhile waits.
    qemu.wait_for("Duralumin: a Lisp machine").unwrap();
    command(&mut qemu, "(* 6 (+ 3 4))", &["42"]);
    command(&mut qemu, "(defun twice (x) (* 2 x))", &["TWICE"]);
    qemu.write_serial("\u{1d}").unwrap();
    qemu.wait_for("go continues").unwrap();
    command(&mut qemu, "stack", &["   0  "]);
    command(&mut qemu, "symbol twice", &["TWICE: symbol", "definition"]);
    command(&mut qemu, "check", &["the stack is sound"]);
    command(&mut qemu, "stop twice", &["place 0"]);
    command(&mut qemu, "go", &["Lisp goes on"]);
    command(&mut qemu, "(twice 21)", &["stopped: place 0", "at  TWICE+"]);
    command(&mut qemu, "frame", &["ivar 0", "21"]);
    command(&mut qemu, "clear", &["0 places left"]);
    command(&mut qemu, "go", &["Lisp goes on", "42"]);
}

#[test]
fn watches_in_the_starter_world() {
    let machine = Machine::new().disk(fixtures::starter().unwrap()).word("serial=lisp").limit(Duration::from_secs(150));
    let mut qemu = machine.start().unwrap();
    qemu.wait_for("Duralumin: a Lisp machine").unwrap();
    command(&mut qemu, "(defvar *seen* 1)", &["*SEEN*"]);
    command(&mut qemu, "(defun see (x) (setq *seen* x))", &["SEE"]);
    let monitor = |qemu: &mut Qemu| {
        qemu.write_serial("\u{1d}").unwrap();
        qemu.wait_for("go continues").unwrap();
    };
    // A symbol's value.
    monitor(&mut qemu);
    command(&mut qemu, "watch *seen*", &["watch 0: "]);
    command(&mut qemu, "go", &["Lisp goes on"]);
    command(&mut qemu, "(see 2)", &["stopped: watch 0", "old 000e0001", "new 000e0002", "by  SEE+"]);
    // Only if it becomes this, which it does on the second occasion.
    command(&mut qemu, "unwatch", &["0 watches left"]);
    command(&mut qemu, "watch *seen* e0007", &["until it is 000e0007  7"]);
    command(&mut qemu, "go", &["Lisp goes on"]);
    command(&mut qemu, "(list (see 3) (see 7))", &["old 000e0003", "new 000e0007"]);
    command(&mut qemu, "go", &["(3 7)"]);
    // The mouse's place is written by the machine, while it looks whether there is more to do.
    monitor(&mut qemu);
    command(&mut qemu, "unwatch", &["0 watches left"]);
    command(&mut qemu, "watch ff3a", &["watch 0: "]);
    command(&mut qemu, "go", &["Lisp goes on"]);
    qemu.move_mouse(30, 20).unwrap();
    qemu.wait_for("stopped: watch 0").unwrap();
    command(&mut qemu, "unwatch", &["0 watches left"]);
    command(&mut qemu, "go", &["Lisp goes on"]);
    command(&mut qemu, "(+ 40 2)", &["42"]);
    // Lisp has no such page.
    monitor(&mut qemu);
    command(&mut qemu, "watch 5c0000", &["Lisp has no page"]);
}
