//! How long drawing takes, beside copying the same bytes with memcpy:
//! `cargo test --release -p vm display::bench -- --ignored --nocapture`.

use super::Pixel;
use super::shade::{Shade, Texture};
use super::transfer::Transfer;
use crate::address::LispPtr;
use crate::layout::Medley2;
use crate::memory::{Space, operation};
use crate::testing;
use std::hint::black_box;
use std::println;
use std::time::Instant;
use std::vec;

const SCREEN: LispPtr = LispPtr(0x20_0000);
const OTHER: LispPtr = LispPtr(0x30_0000);
/// Words in a row of both.
const RASTER: i64 = 64;

/// Nanoseconds of one call, the best of five rounds.
fn time(calls: u32, mut call: impl FnMut(u32)) -> f64 {
    let round = |_| {
        let start = Instant::now();
        (0..calls).for_each(&mut call);
        start.elapsed().as_nanos() as f64 / calls as f64
    };
    (0..5).map(round).fold(f64::MAX, f64::min)
}

fn transfer(from: i32, to: i32, width: u32, height: u32, operation: u32) -> Transfer {
    Transfer {
        source: Pixel::new(OTHER, from),
        destination: Pixel::new(SCREEN, to),
        source_step: RASTER * 16,
        destination_step: RASTER * 16,
        width,
        height,
        backward: false,
        operation,
        complement: false,
    }
}

/// As seen from a subr: nothing is known when it is compiled.
#[inline(never)]
fn run(space: Space, transfer: &Transfer) {
    transfer.run(space)
}

#[inline(never)]
fn run_character(space: Space, transfer: &Transfer) {
    transfer.run_character(space)
}

#[test]
#[ignore = "takes seconds, and says something only in a release build"]
fn figures() {
    let fixture = testing::machine::<Medley2>();
    let space = fixture.space;
    let (from, mut to) = (vec![1u8; 600 * 128], vec![0u8; 600 * 128]);
    let baseline = time(200, |_| {
        for (to, from) in to.chunks_mut(128).zip(from.chunks(128)) {
            black_box(&mut to[..113]).copy_from_slice(black_box(&from[..113]));
        }
    });
    let show = |name: &str, nanoseconds: f64| {
        println!("{name:32} {nanoseconds:10.1} ns {:8.2} x memcpy of 600 rows", nanoseconds / baseline);
    };
    show("memcpy 600 rows of 900 pixels", baseline);
    let large = |name: &str, transfer: Transfer| show(name, time(200, |_| run(space, black_box(&transfer))));
    large("replace aligned 900x600", transfer(10, 10, 900, 600, operation::REPLACE));
    large("replace shifted 900x600", transfer(3, 10, 900, 600, operation::REPLACE));
    large("invert shifted 900x600", transfer(3, 10, 900, 600, operation::INVERT));
    let odd = Transfer { source_step: 63 * 16, ..transfer(3, 10, 900, 600, operation::PAINT) };
    large("paint odd rasters 900x600", odd);
    let scroll = transfer(0, 0, 1024, 700, operation::REPLACE);
    large("scroll 1024x700 by 8", Transfer { source: scroll.destination.rows(8, RASTER * 16), ..scroll });
    let slide = transfer(0, 10, 900, 60, operation::REPLACE);
    large("left by 3 pixels 900x60", Transfer { source: slide.destination.plus(3), ..slide });
    let shade = Shade {
        destination: Pixel::new(SCREEN, 10),
        step: RASTER * 16,
        width: 900,
        height: 600,
        texture: Texture::of_number(42405),
        line: 0,
        column: 10,
        operation: operation::REPLACE,
        complement: false,
    };
    show("texture 900x600", time(200, |_| black_box(&shade).run(space)));
    let small = |k: u32| transfer(3, (k & 127) as i32, 12, 12, operation::PAINT);
    show("small 12x12 paint", time(1_000_000, |k| run(space, black_box(&small(k)))));
    let character = |k: u32| Transfer {
        source_step: 63 * 16,
        ..transfer((k & 63) as i32 * 7, (k & 127) as i32 * 7, 7, 11, operation::REPLACE)
    };
    show("character 7x11", time(1_000_000, |k| run_character(space, black_box(&character(k)))));
}
