//! Lines.

use super::{FIELD, Model, Random, fill_field, run_slow, small};
use crate::dispatch::Flow;
use crate::display::drawing::draw_line;
use crate::layout::Medley2;
use crate::testing;

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
