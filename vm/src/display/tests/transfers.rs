//! Transfers and textures.

use super::{FIELD, Model, Random, field, fill_field};
use crate::address::LispPtr;
use crate::display::Pixel;
use crate::display::shade::{Shade, Texture};
use crate::display::transfer::Transfer;
use crate::layout::Medley2;
use crate::memory::Space;
use crate::testing;
use std::vec;
use std::vec::Vec;

fn check_transfer(space: Space, model: &mut Model, transfer: &Transfer) {
    model.transfer(transfer);
    transfer.run(space);
    let now = Model::read(space);
    assert!(now == *model, "{transfer:?}: pixel {:?} is wrong", now.difference(model));
}

#[test]
fn every_place_and_width() {
    let fixture = testing::machine::<Medley2>();
    let space = fixture.space;
    let mut random = Random(1);
    fill_field(space, &mut random);
    // One field is compared at the end of each round; errors do not cancel out, since operations vary.
    for source in 0..40 {
        for destination in 0..40 {
            let mut model = Model::read(space);
            for width in 1..=100 {
                let transfer = Transfer {
                    source: field(64 + source),
                    destination: field(16384 + destination),
                    source_step: 160,
                    destination_step: if width % 3 == 0 { 176 } else { 160 },
                    width,
                    height: 2,
                    backward: false,
                    operation: random.below(4),
                    complement: random.below(2) != 0,
                };
                model.transfer(&transfer);
                transfer.run(space);
            }
            assert!(Model::read(space) == model, "from {source} to {destination}");
        }
    }
}

#[test]
fn every_operation_anywhere() {
    let fixture = testing::machine::<Medley2>();
    let space = fixture.space;
    let mut random = Random(2);
    fill_field(space, &mut random);
    let mut model = Model::read(space);
    for _ in 0..4000 {
        let down = random.below(4) == 0;
        let steps = [random.between(1, 24) as i64 * 16, random.between(1, 24) as i64 * 16];
        let height = random.between(1, 20) as u32;
        let sign = if down { -1 } else { 1 };
        let first = |step: i64| if down { (height as i64 - 1) * step } else { 0 };
        let transfer = Transfer {
            source: field(random.between(0, 4000) as i64 + first(steps[0])),
            destination: field(random.between(16384, 20384) as i64 + first(steps[1])),
            source_step: sign * steps[0],
            destination_step: sign * steps[1],
            width: random.between(1, 400) as u32,
            height,
            backward: down,
            operation: random.below(4),
            complement: random.below(2) != 0,
        };
        check_transfer(space, &mut model, &transfer);
    }
}

#[test]
fn overlapping_in_all_directions() {
    let fixture = testing::machine::<Medley2>();
    let space = fixture.space;
    let mut random = Random(3);
    fill_field(space, &mut random);
    let mut model = Model::read(space);
    for _ in 0..6000 {
        let step = random.between(4, 12) as i64 * 16;
        let width = random.between(1, step as i32) as u32;
        let height = random.between(1, 12) as u32;
        let (over, down) = (random.between(-70, 70) as i64, random.between(-3, 3) as i64);
        let distance = down * step + over;
        let source = 8192 + random.between(0, 100) as i64;
        // The order that a copy within one bitmap needs.
        let backward = distance > 0;
        let first = if backward { (height as i64 - 1) * step } else { 0 };
        let sign = if backward { -1 } else { 1 };
        let transfer = Transfer {
            source: field(source + first),
            destination: field(source + distance + first),
            source_step: sign * step,
            destination_step: sign * step,
            width,
            height,
            backward,
            operation: random.below(4),
            complement: random.below(2) != 0,
        };
        check_transfer(space, &mut model, &transfer);
    }
}

#[test]
fn nothing_outside_is_touched() {
    // The last cells of Medley 2.0's address space: behind them an access faults.
    let fixture = testing::machine::<Medley2>();
    let space = fixture.space;
    let end = Pixel::new(LispPtr(0x100_0000), 0);
    for width in [1, 7, 31, 32, 33, 63, 64, 65, 96, 100, 200] {
        for source in 0..40 {
            for destination in 0..40 {
                let transfer = Transfer {
                    source: end.plus(-2000 * 16 - source - width),
                    destination: end.plus(-(width + if destination > 32 { 0 } else { destination })),
                    source_step: 0,
                    destination_step: 0,
                    width: width as u32,
                    height: 1,
                    backward: false,
                    operation: (source & 3) as u32,
                    complement: false,
                };
                transfer.run(space);
                let back = Transfer { source: transfer.destination, destination: transfer.source, ..transfer };
                back.run(space);
            }
        }
    }
}

#[test]
fn textures() {
    let fixture = testing::machine::<Medley2>();
    let space = fixture.space;
    let mut random = Random(4);
    fill_field(space, &mut random);
    let mut model = Model::read(space);
    let words = LispPtr(0x30_0000);
    for round in 0..4000 {
        let height = random.between(1, 16) as u32;
        for i in 0..16 {
            space.set_word(words.plus(i), random.next() as u16);
        }
        let number = random.next() as u16;
        let (texture, rows): (Texture, Vec<u16>) = if round & 1 == 0 {
            let rows = [12, 8, 4, 0].map(|shift| (number >> shift & 15) * 0x1111);
            // Rows come in exchanged pairs.
            (Texture::of_number(number), vec![rows[1], rows[0], rows[3], rows[2]])
        } else {
            let row = |line: u32| space.word(words.plus(if line ^ 1 < height { line ^ 1 } else { line }));
            (Texture::of_words(space, words, height), (0..height).map(row).collect())
        };
        let shade = Shade {
            destination: field(random.between(0, 3000) as i64),
            step: random.between(1, 30) as i64 * 16,
            width: random.between(1, 400) as u32,
            height: random.between(1, 20) as u32,
            texture,
            line: random.below(rows.len() as u32),
            column: random.below(16),
            operation: random.below(4),
            complement: random.below(2) != 0,
        };
        for row in 0..shade.height {
            let word = rows[(shade.line + row) as usize % rows.len()];
            for x in 0..shade.width {
                let bit = word >> (15 - ((shade.column + x) & 15)) & 1 != 0;
                let at = shade.destination.rows(row as i64, shade.step).0 - field(0).0 + x as i64;
                model.combine(at as usize, bit ^ shade.complement, shade.operation);
            }
        }
        shade.run(space);
        let now = Model::read(space);
        assert!(now == model, "{shade:?}: pixel {:?} is wrong", now.difference(&model));
    }
}

/// Rows onto themselves in whatever direction, smears included, and textures: the sum over all pictures was made by
/// the reference's own transfer loops from the same random numbers.
#[test]
fn smears_as_the_reference_does() {
    let fixture = testing::machine::<Medley2>();
    let space = fixture.space;
    let mut random = Random(12345);
    const CELLS: u32 = 4096;
    for i in 0..CELLS {
        space.set_cell(FIELD.plus(2 * i), random.next());
    }
    let mut sum = 0xCBF2_9CE4_8422_2325_u64;
    let place = |words: i64, x: u32| Pixel::new(FIELD, 0).plus(words * 16 + x as i64);
    for round in 1..=20_000 {
        let kind = random.below(4);
        let limit = if random.below(2) != 0 { 300 } else { 40 };
        let (width, height) = (1 + random.below(limit), 1 + random.below(12));
        let backward = random.below(2) != 0;
        let (operation, complement) = (random.below(4), random.below(2) != 0);
        let base = 2048 + random.below(64) as i64;
        let step = (1 + random.below(24)) as i64 * 16;
        let other_step = if random.below(3) != 0 { step } else { (1 + random.below(24)) as i64 * 16 };
        let distance = random.below(9) as i64 - 4;
        let (from, to) = (random.below(100), random.below(100));
        if kind == 3 {
            let rows = 2 * (1 + random.below(8));
            let (texture, line) = (Texture::of_words(space, FIELD, rows), random.below(rows));
            let (destination, column) = (place(base, to), from);
            Shade { destination, step, width, height, texture, line, column, operation, complement }.run(space);
        } else {
            let (sign, up) = if backward { (-1, 12 * 24) } else { (1, 0) };
            let distance = if kind == 0 { 2048 } else { distance };
            Transfer {
                source: place(base + up, from),
                destination: place(base + up + distance, to),
                source_step: sign * step,
                destination_step: sign * other_step,
                width,
                height,
                backward,
                operation,
                complement,
            }
            .run(space);
        }
        if round % 1000 == 0 || round <= 20 {
            for i in 0..CELLS {
                sum = (sum ^ space.cell(FIELD.plus(2 * i)) as u64).wrapping_mul(0x100_0000_01B3);
            }
        }
    }
    assert_eq!(sum, 0x0137_9972_AE56_B770);
}

#[test]
fn uniform_textures() {
    assert_eq!(Texture::of_number(0), Texture::WHITE);
    assert_eq!(Texture::of_number(0xFFFF).height(), 1);
    assert_eq!(Texture::of_number(0xA5A5).height(), 4);
}
