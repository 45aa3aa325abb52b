//! The PILOTBITBLT opcode, and the subrs between bitmaps.

use super::{FIELD, Model, Random, field, fill_field, pilotbbt, run_slow, small};
use crate::address::LispPtr;
use crate::dispatch::Flow;
use crate::display::Punt;
use crate::display::bitblt::{bitblt_bitmap, bitblt_sub, bltshade_bitmap, pilot_bitblt};
use crate::display::transfer::Transfer;
use crate::layout::{Layout, Medley2, Medley35, SMALL_NEGATIVE, SMALL_POSITIVE, types};
use crate::machine::Machine;
use crate::memory::operation;
use crate::testing;
use std::vec::Vec;

/// Makes a bitmap's record.
fn bitmap<L: Layout>(m: &Machine<L>, at: u32, base: LispPtr, raster: u16, width: u16, height: u16) -> u32 {
    let at = LispPtr(at);
    m.space.set_cell(at, base.0);
    for (i, word) in [raster, height, width, 1].into_iter().enumerate() {
        m.space.set_word(at.plus(2 + i as u32), word);
    }
    at.0
}

/// Marks everything in a page pair as being of a type.
fn set_type<L: Layout>(m: &Machine<L>, cell: u32, entry: u16) {
    m.space.set_word(LispPtr(L::MDS_TYPE_TABLE.0 + (cell >> 9)), entry);
}

/// Two bitmaps on the field, 70 by 40 and 83 by 45, the second with a raster that is an odd number of words.
fn two_bitmaps<L: Layout>(m: &Machine<L>) -> (u32, u32) {
    for page in [SMALL_POSITIVE, SMALL_NEGATIVE] {
        for i in 0..128 {
            set_type(m, page + 512 * i, 0x1000 | types::SMALLP as u16);
        }
    }
    let from = bitmap(m, 0x40_0000, FIELD, 5, 70, 40);
    let to = bitmap(m, 0x40_0100, FIELD.plus(1024), 7, 83, 45);
    (from, to)
}

/// One pixel of a bitmap in the model, origin at the lower left, if it is inside.
fn pixel_of(base: usize, raster: usize, (width, height): (i32, i32), x: i32, y: i32) -> Option<usize> {
    let inside = (0..width).contains(&x) && (0..height).contains(&y);
    inside.then(|| base + (height - 1 - y) as usize * raster * 16 + x as usize)
}

fn clipped_copies<L: Layout>() {
    let mut fixture = testing::machine::<L>();
    let m = &mut *fixture;
    let mut random = Random(5);
    fill_field(m.space, &mut random);
    let (from, to) = two_bitmaps(m);
    let names = [m.symbols.replace.0, m.symbols.erase.0, m.symbols.paint.0, m.symbols.invert.0];
    for _ in 0..2000 {
        let mut model = Model::read(m.space);
        let mut number = |low: i32, high: i32| random.between(low, high);
        let (sx, sy, dx, dy) = (number(-9, 80), number(-9, 50), number(-9, 90), number(-9, 50));
        let (width, height) = (number(0, 90), number(0, 50));
        let (cx, cy) = (number(0, 5), number(0, 5));
        let (kind, inverse) = (number(0, 3) as u32, number(0, 1) == 1);
        let source_type = if inverse { m.symbols.invert.0 } else { m.symbols.input.0 };
        let mut moved = false;
        for y in cy..cy + height {
            for x in cx..cx + width {
                let source = pixel_of(0, 5, (70, 40), x, y);
                let (to_x, to_y) = (x - sx + dx, y - sy + dy);
                let within = (dx..dx + width).contains(&to_x) && (dy..dy + height).contains(&to_y);
                let destination = pixel_of(1024 * 16, 7, (83, 45), to_x, to_y).filter(|_| within);
                if let (Some(source), Some(destination)) = (source, destination) {
                    let bit = model.0[source] ^ (inverse != (kind == operation::ERASE));
                    model.combine(destination, bit, kind);
                    moved = true;
                }
            }
        }
        let numbers = [sx, sy, dx, dy, width, height, cx, cy].map(small);
        let [sx, sy, dx, dy, width, height, cx, cy] = numbers;
        let name = names[kind as usize];
        let arguments = [from, sx, sy, to, dx, dy, width, height, source_type, name, 0, 0, cx, cy];
        assert_eq!(bitblt_bitmap(m, &arguments), Ok(if moved { 0o114 } else { 0 }));
        assert!(Model::read(m.space) == model, "{arguments:x?}");
    }
}

#[test]
fn clipped_copies_in_both_layouts() {
    clipped_copies::<Medley2>();
    clipped_copies::<Medley35>();
}

/// A list of four numbers in Medley 2.0's CDR coding, each cell's rest right behind it.
fn region_list(m: &Machine<Medley2>, numbers: [i32; 4]) -> u32 {
    let page = 0x44_0000;
    set_type(m, page, types::LISTP as u16);
    for (i, (number, code)) in numbers.into_iter().zip([0x82, 0x83, 0x84, 0x80]).enumerate() {
        m.space.set_cell(LispPtr(page + 2 * (i as u32 + 1)), code << 24 | small(number));
    }
    page + 2
}

#[test]
fn clipped_shades() {
    let mut fixture = testing::machine::<Medley2>();
    let m = &mut *fixture;
    let mut random = Random(6);
    fill_field(m.space, &mut random);
    let (_, to) = two_bitmaps(m);
    let names = [m.symbols.replace.0, m.symbols.erase.0, m.symbols.paint.0, m.symbols.invert.0];
    for _ in 0..2000 {
        let mut model = Model::read(m.space);
        let shade = [0, 0xFFFF, random.next() as u16][random.below(3) as usize];
        let mut number = |low: i32, high: i32| random.between(low, high);
        let (left, bottom, width, height) = (number(-9, 90), number(-9, 50), number(0, 90), number(0, 50));
        let (kind, sized) = (number(0, 3) as u32, number(0, 1) == 1);
        let region = [number(-9, 60), number(-9, 40), number(0, 90), number(0, 50)];
        let clipped = number(0, 1) == 1;
        let clip = if clipped { region_list(m, region) } else { 0 };
        let mut filled = false;
        for y in 0..45 {
            for x in 0..83 {
                let inside = x >= left && y >= bottom && (!sized || x < left + width && y < bottom + height);
                let [from_x, from_y, over, up] = region;
                let in_region = (from_x..from_x + over).contains(&x) && (from_y..from_y + up).contains(&y);
                let inside = inside && (!clipped || in_region);
                if inside {
                    let row = (44 - y) as u32;
                    let shift = 12 - 4 * ((row ^ 1) & 3);
                    let bit = shade >> (shift + 3 - (x as u32 & 3)) & 1 != 0;
                    let at = pixel_of(1024 * 16, 7, (83, 45), x, y).expect("inside");
                    model.combine(at, bit ^ (kind == operation::ERASE), kind);
                    filled = true;
                }
            }
        }
        let size = |n: i32| if sized { small(n) } else { 0 };
        let (place, size) = ([small(left), small(bottom)], [size(width), size(height)]);
        let arguments = [small(shade as i32), to, place[0], place[1], size[0], size[1], names[kind as usize], clip];
        assert_eq!(bltshade_bitmap(m, &arguments), Ok(if filled { 0o114 } else { 0 }));
        assert!(Model::read(m.space) == model, "{arguments:x?}");
    }
}

#[test]
fn unusual_arguments_go_back_to_lisp() {
    let mut fixture = testing::machine::<Medley2>();
    let m = &mut *fixture;
    let (from, to) = two_bitmaps(m);
    let bitblt = m.symbols.punt_bitblt_bitmap.map_or(Ok(0), |function| Err(Punt(function)));
    let bltshade = m.symbols.punt_bltshade_bitmap.map_or(Ok(0), |function| Err(Punt(function)));
    let mut arguments = [small(1); 14];
    arguments[0] = from;
    arguments[3] = to;
    arguments[8] = m.symbols.merge.0;
    arguments[11] = 0;
    assert_eq!(bitblt_bitmap(m, &arguments), bitblt);
    arguments[8] = 0;
    assert_eq!(bitblt_bitmap(m, &arguments), Ok(0o114));
    m.space.set_word(LispPtr(to).plus(5), 8);
    assert_eq!(bitblt_bitmap(m, &arguments), bitblt);
    let mut arguments = [0, to, small(0), small(0), 0, 0, 0, 0];
    assert_eq!(bltshade_bitmap(m, &arguments), bltshade);
    m.space.set_word(LispPtr(to).plus(5), 1);
    assert_eq!(bltshade_bitmap(m, &arguments), Ok(0o114));
    arguments[0] = 1234;
    set_type(m, 1234, types::LITATOM as u16);
    assert_eq!(bltshade_bitmap(m, &arguments), bltshade);
}

#[test]
fn pilotbitblt_leaves_its_table() {
    let mut fixture = testing::machine::<Medley35>();
    let m = &mut *fixture;
    let mut random = Random(7);
    fill_field(m.space, &mut random);
    let mut model = Model::read(m.space);
    let (low, high) = (FIELD.low(), FIELD.high());
    for (step, operation) in [(96u16, 0u16), (112, 1), (96, 2), (64, 3)] {
        let flags = operation << 9 | 0x0800;
        let table = pilotbbt(m, [low + 1000, high, 37, step, low, high, 5, 96, 50, 9, flags]);
        model.transfer(&Transfer {
            source: field(5),
            destination: field(16037),
            source_step: 96,
            destination_step: step as i64,
            width: 50,
            height: 9,
            backward: false,
            operation: operation as u32,
            complement: true,
        });
        let r = &mut m.regs.clone();
        m.push(r, table.0);
        let sp = r.sp;
        m.push(r, SMALL_POSITIVE);
        assert_eq!(run_slow(m, r, pilot_bitblt), Flow::Next);
        assert_eq!((r.tos, r.sp), (table.0, sp));
        assert!(Model::read(m.space) == model);
    }
}

#[test]
fn pilotbitblt_with_a_texture() {
    let mut fixture = testing::machine::<Medley2>();
    let m = &mut *fixture;
    let words = LispPtr(0x30_0000);
    for i in 0..4 {
        m.space.set_word(words.plus(i), 1 << (4 * i));
    }
    // Begin with row 2 of 4: its exchanged partner is 3, then 2, 1, 0.
    let table = pilotbbt(m, [FIELD.low(), FIELD.high(), 0, 16, 2, 0x30, 0, 2 << 8 | 3, 16, 5, 0x1000]);
    let r = &mut m.regs.clone();
    m.push(r, table.0);
    m.push(r, SMALL_POSITIVE);
    assert_eq!(run_slow(m, r, pilot_bitblt), Flow::Next);
    let rows: Vec<u16> = (0..6).map(|i| m.space.word(FIELD.plus(i))).collect();
    assert_eq!(rows, [1 << 12, 1 << 8, 1 << 4, 1, 1 << 12, 0]);
}

#[test]
fn bitbltsub_in_one_bitmap() {
    let mut fixture = testing::machine::<Medley2>();
    let m = &mut *fixture;
    let mut random = Random(8);
    fill_field(m.space, &mut random);
    let (_, to) = two_bitmaps(m);
    for _ in 0..2000 {
        let mut model = Model::read(m.space);
        let (width, height) = (random.between(1, 60), random.between(1, 30));
        let (sx, sy) = (random.between(0, 112 - width), random.between(0, 45 - height));
        let (dx, dy) = (random.between(0, 112 - width), random.between(0, 45 - height));
        let before = model.clone();
        let at = |x: i32, y: i32| 1024 * 16 + y as usize * 112 + x as usize;
        for y in 0..height {
            for x in 0..width {
                model.0[at(dx + x, dy + y)] = before.0[at(sx + x, sy + y)];
            }
        }
        let table = pilotbbt(m, [0, 0, 0, 0, 0, 0, 0, 0, width as u16, height as u16, 0]);
        let [sx, sy, dx, dy] = [sx, sy, dx, dy].map(small);
        let arguments = [table.0, to, sx, sy, to, dx, dy, 0, 0, 0, 0, 0, 17];
        assert_eq!(bitblt_sub(m, &arguments), Ok(17));
        assert!(Model::read(m.space) == model, "{arguments:x?}");
    }
}
