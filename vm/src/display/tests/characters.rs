//! Characters, in a font made by hand.

use super::{FIELD, Model, Random, fill_field, pilotbbt, small};
use crate::address::LispPtr;
use crate::display::Punt;
use crate::display::characters::{bltchar, new_bltchar, tedit_bltchar};
use crate::layout::{Layout, Medley2, Medley35, SMALL_POSITIVE};
use crate::machine::Machine;
use crate::memory::operation;
use crate::testing;

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
