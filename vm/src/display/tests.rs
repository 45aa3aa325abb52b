//! Transfers, textures, characters and lines against a model that does one pixel after the other.

use super::bitblt::{bitblt_bitmap, bitblt_sub, bltshade_bitmap, pilot_bitblt};
use super::characters::{bltchar, new_bltchar, tedit_bltchar};
use super::drawing::draw_line;
use super::shade::{Shade, Texture};
use super::transfer::Transfer;
use super::{Pixel, Punt};
use crate::address::LispPtr;
use crate::dispatch::Flow;
use crate::layout::{Layout, Medley2, Medley35, SMALL_NEGATIVE, SMALL_POSITIVE, types};
use crate::machine::{Machine, Regs};
use crate::memory::{Space, operation};
use crate::testing;
use std::vec;
use std::vec::Vec;

/// Numbers without a pattern, the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }
    fn below(&mut self, limit: u32) -> u32 {
        self.next() % limit
    }
    fn between(&mut self, low: i32, high: i32) -> i32 {
        low + self.below((high - low + 1) as u32) as i32
    }
}

/// Where the tests draw: so many cells from here on.
const FIELD: LispPtr = LispPtr(0x20_0000);
const FIELD_CELLS: u32 = 1024;
const FIELD_PIXELS: usize = FIELD_CELLS as usize * 32;

fn fill_field(space: Space, random: &mut Random) {
    for i in 0..FIELD_CELLS {
        space.set_cell(FIELD.plus(2 * i), random.next());
    }
}

/// The field's pixels in a vector, and what happens to them one by one.
#[derive(Clone, PartialEq, Eq)]
struct Model(Vec<bool>);

impl Model {
    fn read(space: Space) -> Model {
        let bit = |i: usize| space.word(FIELD.plus(i as u32 / 16)) >> (15 - i % 16) & 1 != 0;
        Model((0..FIELD_PIXELS).map(bit).collect())
    }

    fn combine(&mut self, at: usize, source: bool, operation: u32) {
        let place = &mut self.0[at];
        *place = match operation {
            operation::REPLACE => source,
            operation::ERASE => *place & source,
            operation::PAINT => *place | source,
            _ => *place ^ source,
        };
    }

    /// As a transfer between rows that may overlap should be: each row as if it were first read, then written.
    fn transfer(&mut self, transfer: &Transfer) {
        for row in 0..transfer.height as i64 {
            let start = |pixel: Pixel, step: i64| (pixel.rows(row, step).0 - field(0).0) as usize;
            let from = start(transfer.source, transfer.source_step);
            let to = start(transfer.destination, transfer.destination_step);
            let source: Vec<bool> = self.0[from..from + transfer.width as usize].to_vec();
            for (x, bit) in source.iter().enumerate() {
                self.combine(to + x, bit ^ transfer.complement, transfer.operation);
            }
        }
    }

    fn difference(&self, other: &Model) -> Option<usize> {
        (0..FIELD_PIXELS).find(|&i| self.0[i] != other.0[i])
    }
}

fn field(pixel: i64) -> Pixel {
    Pixel::new(FIELD, 0).plus(pixel)
}

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

/// Makes a bitmap's record.
fn bitmap<L: Layout>(m: &Machine<L>, at: u32, base: LispPtr, raster: u16, width: u16, height: u16) -> u32 {
    let at = LispPtr(at);
    m.space.set_cell(at, base.0);
    for (i, word) in [raster, height, width, 1].into_iter().enumerate() {
        m.space.set_word(at.plus(2 + i as u32), word);
    }
    at.0
}

fn small(n: i32) -> u32 {
    if n >= 0 { SMALL_POSITIVE | n as u32 } else { SMALL_NEGATIVE | n as u32 & 0xFFFF }
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
        let mut filled = false;
        for y in 0..45 {
            for x in 0..83 {
                let inside = x >= left && y >= bottom && (!sized || x < left + width && y < bottom + height);
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
        let arguments = [small(shade as i32), to, place[0], place[1], size[0], size[1], names[kind as usize], 0];
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

/// A PILOTBBT from its words.
fn pilotbbt<L: Layout>(m: &Machine<L>, words: [u16; 11]) -> LispPtr {
    let at = LispPtr(0x41_0000);
    for (i, word) in words.into_iter().enumerate() {
        m.space.set_word(at.plus(i as u32), word);
    }
    at
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

/// Runs an opcode to its end, slow part included.
fn run_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs, opcode: fn(&mut Machine<L>, &mut Regs) -> Flow) -> Flow {
    match opcode(m, r) {
        Flow::Slow => (m.slow_path)(m, r),
        flow => flow,
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

/// A display stream with a font whose characters are all 7 wide, 11 rows high, side by side.
struct Typewriter {
    data: LispPtr,
}

impl Typewriter {
    const WIDTH: i32 = 7;
    const ROWS: u16 = 11;
    const STREAM: u32 = 0x42_0000;

    fn new<L: Layout>(m: &Machine<L>) -> Typewriter {
        let (low, high) = (FIELD.low(), FIELD.high());
        // Font: 64 words a row from the field's start; screen: 32 words a row, 32 of those rows further.
        let paint = 2 << 9;
        let table = pilotbbt(m, [low + 1024, high, 0, 512, low, high, 0, 1024, 0, Self::ROWS, paint]);
        let data = LispPtr(0x43_0000);
        for character in 0..256 {
            m.space.set_word(data.plus(0x100 + character), Self::WIDTH as u16 + 1);
            m.space.set_word(data.plus(0x200 + character), 3 + (Self::WIDTH as u16 + 1) * character as u16);
            m.space.set_word(data.plus(0x300 + character), Self::WIDTH as u16);
        }
        let set = |field: u32, cell: u32| m.space.set_cell(data.plus(field), cell);
        set(4, small(0));
        set(16, data.0 + 0x100);
        set(18, data.0 + 0x200);
        set(48, data.0 + 0x300);
        set(24, small(500));
        set(26, small(0));
        set(34, 0);
        set(42, table.0);
        set(62, small(0));
        m.space.set_cell(m.symbols.top_wds, Self::STREAM);
        Typewriter { data }
    }

    fn arguments(&self, character: u32) -> [u32; 3] {
        [SMALL_POSITIVE | character, Self::STREAM, self.data.0]
    }
}

fn characters<L: Layout>() {
    let mut fixture = testing::machine::<L>();
    let m = &mut *fixture;
    let mut random = Random(9);
    fill_field(m.space, &mut random);
    let typewriter = Typewriter::new(m);
    for _ in 0..1000 {
        let mut model = Model::read(m.space);
        let character = random.below(120);
        let (x, offset) = (random.between(-20, 400), random.between(-5, 60));
        let (left, right) = (random.between(0, 200), random.between(200, 480));
        m.space.set_cell(typewriter.data, small(x));
        m.space.set_cell(typewriter.data.plus(4), small(offset));
        m.space.set_cell(typewriter.data.plus(34), (left << 16 | right) as u32);
        for row in 0..Typewriter::ROWS as usize {
            for i in 0..Typewriter::WIDTH {
                let to = x + offset + i;
                if to >= left && to < right {
                    let from = row * 1024 + 3 + 8 * character as usize + i as usize;
                    model.combine(16384 + row * 512 + to as usize, model.0[from], operation::PAINT);
                }
            }
        }
        let arguments = typewriter.arguments(character);
        assert_eq!(new_bltchar(m, &arguments), Ok(arguments[2]));
        assert_eq!(m.space.cell(typewriter.data), small(x + Typewriter::WIDTH + 1));
        let now = Model::read(m.space);
        assert!(now == model, "{character} at {x}+{offset} in {left}..{right}: {:?}", now.difference(&model));
    }
}

#[test]
fn characters_in_both_layouts() {
    characters::<Medley2>();
    characters::<Medley35>();
}

#[test]
fn unusual_characters_go_back_to_lisp_unchanged() {
    let mut fixture = testing::machine::<Medley2>();
    let m = &mut *fixture;
    let typewriter = Typewriter::new(m);
    let punt = m.symbols.punt_bltchar.map_or(Ok(0), |function| Err(Punt(function)));
    let data = typewriter.data;
    let usual = typewriter.arguments(65);
    m.space.set_cell(data, small(100));
    let mut other_set = usual;
    other_set[0] = SMALL_POSITIVE | 0x2641;
    assert_eq!(new_bltchar(m, &other_set), punt);
    let mut other_stream = usual;
    other_stream[1] += 2;
    assert_eq!(new_bltchar(m, &other_stream), punt);
    for (field, cell) in [(14, 0o114), (24, small(106)), (24, 0x30_0000), (4, 0), (0, 0x30_0000)] {
        let before = m.space.cell(data.plus(field));
        m.space.set_cell(data.plus(field), cell);
        assert_eq!(new_bltchar(m, &usual), punt, "{field}");
        assert_eq!(m.space.cell(data), if field == 0 { cell } else { small(100) });
        m.space.set_cell(data.plus(field), before);
    }
    // At the left margin a character is drawn however wide it is.
    m.space.set_cell(data, small(0));
    m.space.set_cell(data.plus(24), small(3));
    assert_eq!(new_bltchar(m, &usual), Ok(usual[2]));
}

#[test]
fn characters_that_lisp_has_placed() {
    let mut fixture = testing::machine::<Medley2>();
    let m = &mut *fixture;
    let mut random = Random(10);
    fill_field(m.space, &mut random);
    let typewriter = Typewriter::new(m);
    let table = m.space.cell(typewriter.data.plus(42));
    let mut model = Model::read(m.space);
    let draw = |model: &mut Model, from: usize, to: usize, width: usize| {
        for row in 0..Typewriter::ROWS as usize {
            for i in 0..width {
                model.combine(16384 + row * 512 + to + i, model.0[row * 1024 + from + i], operation::PAINT);
            }
        }
    };
    let arguments = [table, typewriter.data.0, small(65), small(30), small(32), small(36)];
    draw(&mut model, 3 + 8 * 65 + 2, 32, 4);
    assert_eq!(bltchar(m, &arguments), Ok(small(36)));
    assert!(Model::read(m.space) == model);

    let arguments = [small(66), 0, small(50), typewriter.data.0, table, small(54)];
    let punt = m.symbols.tedit_bltchar.map_or(Ok(0), |function| Err(Punt(function)));
    assert_eq!(tedit_bltchar(m, &arguments), punt);
    m.space.set_cell(typewriter.data.plus(62), 0);
    draw(&mut model, 3 + 8 * 66, 50, 4);
    assert_eq!(tedit_bltchar(m, &arguments), Ok(small(54)));
    assert!(Model::read(m.space) == model);
}

#[test]
fn lines() {
    let mut fixture = testing::machine::<Medley2>();
    let m = &mut *fixture;
    let mut random = Random(11);
    fill_field(m.space, &mut random);
    for _ in 0..3000 {
        let mut model = Model::read(m.space);
        let up = random.below(2) == 1;
        let raster = if up { -8 } else { 8 };
        let (dx, dy) = (random.between(0, 60), random.between(0, 60));
        let (x_steps, y_steps) = (random.between(0, 61), random.between(0, 61));
        let delta = random.between(0, dx.max(dy));
        let (kind, bit) = (random.below(4), random.between(0, 15));
        let start = if up { 64 * 8 } else { 0 };

        // One pixel after the other, along the longer side.
        let (mut x, mut y) = (0, 0);
        let flat = dx > dy;
        let (long, short) = if flat { (dx, dy) } else { (dy, dx) };
        let mut rest = long - delta - 1;
        while x < x_steps && y < y_steps {
            let at = start as i64 * 16 + bit as i64 + x as i64 + y as i64 * raster as i64 * 16;
            match kind {
                0 => model.0[at as usize] = true,
                1 => model.0[at as usize] = false,
                2 => model.0[at as usize] ^= true,
                _ => {}
            }
            rest -= short;
            let aside = rest < 0;
            if aside {
                rest += long;
            }
            x += (flat || aside) as i32;
            y += (!flat || aside) as i32;
        }

        let r = &mut m.regs.clone();
        r.tos = 77;
        m.push(r, FIELD.plus(start).0);
        let sp = r.sp;
        for number in [bit, dx, raster, dy, kind as i32, delta, x_steps, y_steps] {
            m.push(r, small(number));
        }
        assert_eq!(run_slow(m, r, draw_line), Flow::Next);
        assert_eq!((r.tos, r.sp), (0, sp));
        let now = Model::read(m.space);
        assert!(now == model, "{dx},{dy} {kind}: {:?}", now.difference(&model));
    }
}

#[test]
fn a_line_in_a_bitmap_without_a_size_is_not_for_the_machine() {
    let mut fixture = testing::machine::<Medley2>();
    let m = &mut *fixture;
    let r = &mut m.regs.clone();
    for _ in 0..9 {
        m.push(r, 0x30_0000);
    }
    let before = *r;
    assert_eq!(run_slow(m, r, draw_line), Flow::Ufn);
    assert_eq!(*r, before);
}
