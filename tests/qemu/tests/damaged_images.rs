//! Damaged sysouts on the bare machine: each ends in one clear sentence, or Lisp runs; never a hang in the loader, a
//! reset, or an end without a word. The host runner tries thousands; here are a few of each kind.
//!
//! Wants a Medley image: see tests/fixtures.

use damage::Image;
use qemu::{End, Machine, QemuError};
use std::time::Duration;

/// The image, if there is one.
fn image() -> Option<Vec<u8>> {
    let file = fixtures::medley()?;
    Some(std::fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display())))
}

/// Runs a damaged image. `says`: the sentence it must end in; without one, running on is as good as any report.
fn run(name: &str, bytes: &[u8], says: Option<&str>) {
    let file = std::env::temp_dir().join(format!("duralumin-damaged-{}-{name}", std::process::id()));
    std::fs::write(&file, bytes).unwrap();
    // One that may run on does so until the limit.
    let limit = Duration::from_secs(if says.is_some() { 90 } else { 12 });
    let mut qemu = Machine::new().disk(&file).limit(limit).start().unwrap();
    let end = qemu.wait();
    let log = qemu.log();
    let _ = std::fs::remove_file(file);
    match (end, says) {
        (Ok(End::Panic), Some(says)) => assert!(log.contains(says), "{name}: the log lacks {says:?}:\n{log}"),
        (Ok(End::Panic), None) => assert!(log.contains("Duralumin has stopped"), "{name}:\n{log}"),
        (Err(QemuError::TimeLimit { .. }), None) if log.contains("first bytecode") => {}
        (end, _) => panic!("{name}: {end:?}\n{log}"),
    }
}

#[test]
fn files_that_are_no_images() {
    let Some(image) = image() else { return };
    run("cut", &image[..image.len() / 2 / 512 * 512], Some("it was cut off or is damaged"));
    run("first-pages", &image[..1024], Some("it was cut off or is damaged"));
    let mut key = image.clone();
    key[542] ^= 0x40;
    run("key", &key, Some("this is no Medley image"));
    let mut swapped = image;
    swapped.chunks_exact_mut(2).for_each(|word| word.swap(0, 1));
    run("swapped", &swapped, Some("this is no Medley image"));
}

#[test]
fn flipped_bits() {
    let Some(image) = image() else { return };
    let word = |number: usize| usize::from(u16::from_be_bytes([image[512 + 2 * number], image[513 + 2 * number]]));
    let map = (word(59) - 1) * 512 + 2;
    // Places in the interface page and in the map, spread by a fixed rule.
    for round in 0..6usize {
        let mut bytes = image.clone();
        let at = if round % 2 == 0 { 512 + round * 37 % 200 } else { map + round * 1777 % 20_000 };
        bytes[at] ^= 1 << (round % 8);
        run(&format!("flip-{round}"), &bytes, None);
    }
    let mut everything = image.clone();
    everything[map..map + 20_000].fill(0x11);
    run("map", &everything, Some("no usable Medley image"));
}

/// A sample of what the host runner tries ten thousand of.
#[test]
fn a_sample_of_seeds() {
    let Some(bytes) = image() else { return };
    let image = Image::new(bytes).unwrap();
    for seed in 0..10 {
        let damage = image.damage(seed);
        run(&format!("seed-{seed}"), &image.damaged(&damage), None);
    }
}
