//! The kernel without Lisp: each test is a boot with one of the kernel's self-tests (kernel/src/selftest/).

use qemu::{Boot, Button, End, Machine, Picture, Qemu};
use std::time::Duration;

fn selftest(name: &str) -> Machine {
    Machine::new().word(format!("test={name}"))
}

/// Runs a self-test to its end.
fn ends(machine: Machine, end: End, says: &[&str]) -> Qemu {
    let mut qemu = machine.start().unwrap();
    let actual = qemu.wait().unwrap();
    let log = qemu.log();
    assert_eq!(actual, end, "{log}");
    for text in says {
        assert!(log.contains(text), "the log lacks {text:?}:\n{log}");
    }
    qemu
}

#[test]
fn interrupts_clocks_and_memory() {
    ends(selftest("machine"), End::Success, &["machine: 0 failures"]);
}

#[test]
fn with_much_memory_and_on_q35() {
    let machine = selftest("machine").memory(5000).arguments(&["-machine", "q35"]);
    ends(machine, End::Success, &["machine: 0 failures", "INFO  kernel: 499"]);
}

#[test]
fn powers_off_by_acpi() {
    // Without the exit device's word the kernel must find its way through the tables.
    let mut qemu = selftest("off").arguments(&["-machine", "q35"]).without_exit_device().start().unwrap();
    assert_eq!(qemu.wait().unwrap(), End::PowerOff, "{}", qemu.log());
    let mut qemu = selftest("off").without_exit_device().start().unwrap();
    assert_eq!(qemu.wait().unwrap(), End::PowerOff, "{}", qemu.log());
}

#[test]
fn reports_a_panic() {
    ends(selftest("panic"), End::Panic, &["Duralumin has stopped", "the test asked for it"]);
}

#[test]
fn reports_a_stack_overflow() {
    ends(selftest("overflow"), End::Panic, &["the Main stack of 1024 KiB overflowed", "rsp"]);
}

#[test]
fn the_null_page_is_empty() {
    ends(selftest("null"), End::Panic, &["page fault reading 0x8", "nothing is mapped there"]);
}

#[test]
fn code_cannot_be_written() {
    ends(selftest("write-code"), End::Panic, &["page fault writing", "that is not allowed there"]);
}

#[test]
fn a_page_that_is_nowhere() {
    let says = ["Lisp touched address 0x12345, where there is no page", "in a self-test, touching word 0x12345"];
    ends(selftest("no-page"), End::Panic, &says);
}

/// A file of `pages` pages with no two alike.
fn numbered_file(pages: u32) -> std::path::PathBuf {
    let file = std::env::temp_dir().join(format!("duralumin-numbered-{}-{pages}", std::process::id()));
    let bytes: Vec<u8> = (0..pages * 128).flat_map(|cell| cell.wrapping_mul(0x9e37_79b9).to_be_bytes()).collect();
    std::fs::write(&file, bytes).unwrap();
    file
}

#[test]
fn pages_lisp_space_from_the_disk() {
    let file = numbered_file(5000);
    ends(selftest("pager").disk(&file), End::Success, &["pager: 0 failures"]);
    let machine = selftest("pager").disk(&file).arguments(&["-machine", "q35"]);
    ends(machine, End::Success, &["pager: 0 failures"]);
    std::fs::remove_file(file).unwrap();
}

#[test]
fn keeps_what_lisp_space_held_while_it_changes() {
    ends(selftest("snapshot"), End::Success, &["snapshot: 0 failures"]);
}

#[test]
fn writes_to_the_disk() {
    let file = numbered_file(8 * 1500);
    for machine in ["pc", "q35"] {
        let machine = selftest("disk-write").writable_disk(&file).arguments(&["-machine", machine]);
        let qemu = ends(machine, End::Success, &["disk-write: 0 failures"]);
        assert!(qemu.log().contains("up to 32 at once"), "the queue is not filled:\n{}", qemu.log());
    }
    let bytes = std::fs::read(&file).unwrap();
    let number = |block: usize, at: usize| ((block << 32 | at) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for (index, found) in bytes.as_chunks::<8>().0.iter().enumerate() {
        assert_eq!(u64::from_le_bytes(*found), number(index / 512, index % 512), "the file at {}", 8 * index);
    }
    std::fs::remove_file(file).unwrap();
}

#[test]
fn says_what_is_wrong_with_the_disk() {
    ends(Machine::new(), End::Panic, &["there is no disk"]);
    let file = numbered_file(16);
    ends(Machine::new().disk(&file), End::Panic, &["no usable Medley image", "this is no Medley image"]);
    std::fs::remove_file(file).unwrap();
    let empty = numbered_file(1);
    ends(Machine::new().disk(&empty), End::Panic, &["no usable Medley image", "too short"]);
    std::fs::remove_file(empty).unwrap();
}

#[test]
fn sleeps_when_idle() {
    let mut qemu = selftest("idle").start().unwrap();
    qemu.wait_for("self-test idle").unwrap();
    let before = qemu.processor_seconds().unwrap();
    qemu.pause(Duration::from_secs(4));
    let used = (qemu.processor_seconds().unwrap() - before) / 4.0;
    assert!(used < 0.1, "idling takes {:.0} % of a core", used * 100.0);
}

/// The pattern of `test=screen`, see there.
fn check_pattern(picture: &Picture, width: usize, height: usize, left: usize, top: usize) {
    for y in (0..height).step_by(3) {
        for x in 0..width {
            let frame = y < 4 || y >= height - 4 || x < 4 || x >= width - 4;
            let stripe = 0x0000_ffffu32.rotate_left(y as u32 & 31) << (x % 32) >> 31 == 1;
            // The cursor: a triangle of 16 by 16 at (100, 100).
            let cursor = (100..116).contains(&x) && (100..116).contains(&y) && x - 100 <= y - 100;
            let black = picture.is_black(left + x, top + y);
            assert_eq!(black, frame || stripe || cursor, "pixel ({x}, {y}) is wrong");
        }
    }
}

fn shows_the_pattern(machine: Machine, width: u32, height: u32) -> Qemu {
    let mut qemu = machine.size(width, height).start().unwrap();
    qemu.wait_for("pattern shown").unwrap();
    let picture = qemu.screenshot().unwrap();
    let (left, top) = ((picture.width - width as usize) / 2, (picture.height - height as usize) / 2);
    check_pattern(&picture, width as usize, height as usize, left, top);
    qemu
}

#[test]
fn screens_of_any_size() {
    for (width, height) in [(1024, 768), (1920, 1080), (2048, 1024), (640, 480), (1152, 900)] {
        shows_the_pattern(selftest("screen"), width, height);
    }
}

#[test]
fn keys_and_mouse() {
    let mut qemu = shows_the_pattern(selftest("screen"), 1024, 768);
    let key = |number: u8, down: bool| format!("Key(Transition {{ key: {number}, down: {down} }})");
    qemu.type_text("aZ").unwrap();
    for (number, down) in [(21, true), (21, false), (41, true), (40, true), (40, false), (41, false)] {
        qemu.wait_for(&key(number, down)).unwrap();
    }
    for (name, number) in [
        ("ctrl", 36),
        ("alt", 31),
        ("ctrl_r", 47),
        ("caps_lock", 56),
        ("f1", 97),
        ("insert", 89),
        ("home", 62),
        ("pgup", 63),
        ("delete", 46),
        ("end", 90),
        ("pgdn", 91),
        ("up", 130),
        ("left", 129),
        ("pause", 61),
        ("kp_5", 85),
        ("kp_enter", 76),
        ("print", 92),
        ("compose", 30),
    ] {
        qemu.press(&[name]).unwrap();
        qemu.wait_for(&key(number, true)).unwrap();
        qemu.wait_for(&key(number, false)).unwrap();
    }
    // From the middle of the screen.
    qemu.move_mouse(-30, 20).unwrap();
    qemu.wait_for("Move { x: 482, y: 404 }").unwrap();
    qemu.move_mouse(-2000, 0).unwrap();
    qemu.wait_for("Move { x: 0, y: 404 }").unwrap();
    let buttons = |left, middle, right| format!("Buttons {{ left: {left}, middle: {middle}, right: {right} }}");
    qemu.button(Button::Left, true).unwrap();
    qemu.button(Button::Right, true).unwrap();
    qemu.wait_for(&buttons(false, true, false)).unwrap();
    qemu.button(Button::Left, false).unwrap();
    qemu.button(Button::Right, false).unwrap();
    qemu.wait_for(&buttons(false, false, false)).unwrap();
    assert!(!qemu.log().contains("left: true"), "a chord shows no left button:\n{}", qemu.log());
    qemu.button(Button::Right, true).unwrap();
    qemu.wait_for(&buttons(false, false, true)).unwrap();
    qemu.button(Button::Right, false).unwrap();
    qemu.wait_for(&buttons(false, false, false)).unwrap();
    qemu.wheel(2).unwrap();
    qemu.wait_for("Wheel(1)").unwrap();
    qemu.wait_for("Wheel(1)").unwrap();
    qemu.key("esc", true).unwrap();
    assert_eq!(qemu.wait().unwrap(), End::Success);
}

#[test]
fn a_german_board() {
    let mut qemu = selftest("screen").word("keyboard=de").start().unwrap();
    qemu.wait_for("pattern shown").unwrap();
    qemu.press(&["y"]).unwrap();
    qemu.wait_for("key: 40, down: true").unwrap();
    qemu.press(&["shift", "7"]).unwrap();
    for transition in ["41, down: true", "41, down: false", "12, down: true", "41, down: true"] {
        qemu.wait_for(transition).unwrap();
    }
    qemu.key("esc", true).unwrap();
    assert_eq!(qemu.wait().unwrap(), End::Success);
}

#[test]
fn disk_images_of_bios_and_uefi() {
    for boot in [Boot::Bios, Boot::Uefi] {
        if !boot.is_ready() {
            eprintln!("SKIPPED: {boot:?}: there is no maker of disk images; ./run-qemu.sh --boot bios builds it");
            continue;
        }
        let machine = |test| selftest(test).boot(boot).limit(Duration::from_secs(90));
        ends(machine("machine"), End::Success, &["machine: 0 failures", "booted through the bootloader crate"]);
        let file = numbered_file(3000);
        ends(machine("pager").disk(&file), End::Success, &["pager: 0 failures"]);
        std::fs::remove_file(file).unwrap();
        ends(machine("overflow"), End::Panic, &["the Main stack of 1024 KiB overflowed"]);
        // The mode that the BIOS stage takes by itself has 24 bits a pixel; the other the kernel must set.
        let small = shows_the_pattern(machine("screen"), 1280, 720);
        let bits = if boot == Boot::Bios { "24 bits" } else { "32 bits" };
        assert!(small.log().contains(bits), "{}", small.log());
        drop(small);
        shows_the_pattern(machine("screen"), 1024, 768);
    }
}
