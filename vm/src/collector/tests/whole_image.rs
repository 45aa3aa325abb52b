//! A real image, collected as the reference does it.

use super::*;

/// Garbage made of a real image: some of its functions, property lists and lists in variables.
fn drop_parts(m: &mut Machine<Medley2>, part: u32) {
    let drop = |m: &mut Machine<Medley2>, cell: LispPtr| {
        let pointer = m.space.cell(cell) & Medley2::POINTER_MASK;
        m.space.set_cell(cell, 0);
        count(m, pointer, Case::Delete);
    };
    for symbol in 256..32768 {
        let atom = AtomIndex(symbol);
        if symbol % 5 == part {
            drop(m, Medley2::definition_cell(atom));
        }
        if symbol % 3 == part {
            drop(m, Medley2::plist_cell(atom));
        }
        let value = Medley2::value_cell(atom);
        let is_list = crate::layout::type_number::<Medley2>(m.space, m.space.cell(value)) == types::LISTP;
        if symbol % 2 == part % 2 && is_list {
            drop(m, value);
        }
    }
}

/// A number that tells one content of all of memory from another.
fn fingerprint(m: &Machine<Medley2>) -> u64 {
    (0..0x80_0000).fold(0xCBF2_9CE4_8422_2325, |sum: u64, cell| {
        (sum ^ m.space.cell(LispPtr(2 * cell)) as u64).wrapping_mul(0x100_0000_01B3)
    })
}

/// All of memory after a collection is, bit for bit, what the reference emulator leaves (its release 201, built with
/// -fno-strict-aliasing, whose collector was called on the same memory): first of the image as it is, then with two
/// kinds of garbage made.
#[test]
fn an_image_is_collected_as_by_the_reference() {
    const IMAGE: u64 = 0x1E3D_1FFD_3936_53D3;
    for (part, reference) in [0xF11F_601F_68E9_F2B8, 0x9F02_D81F_1F01_42BB, 0xB49D_2BC3_24F9_25BA].iter().enumerate() {
        let Some(mut m) = crate::testing::image::<Medley2>() else { return };
        let m = &mut *m;
        if fingerprint(m) != IMAGE {
            std::eprintln!("SKIPPED: not the image that the reference has collected");
            return;
        }
        m.space.set_cell(m.symbols.reclaim_countdown, 0);
        if part != 0 {
            drop_parts(m, part as u32);
        }
        assert!(scan::mark_stack(m));
        reclaim::sweep(m);
        reclaim::unmark(m);
        assert_eq!(m.exit, None);
        assert_eq!(fingerprint(m), *reference, "part {part}");
    }
}
