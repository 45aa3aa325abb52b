//! RPLPTR and GCREF.

use super::*;

/// RPLPTR keeps the flags above a pointer and counts both.
#[test]
fn rplptr_counts_and_keeps_flags() {
    let mut m = empty::<Medley2>();
    let m = &mut *m;
    let object = LispPtr(0x50_0000);
    let mut r = m.regs;
    r.pc = 0x10_0000;
    m.space.set_byte(crate::address::ByteAddr(r.pc + 1), 4);
    // In the second round both collide with others, which is the slow way.
    for round in 0..2 {
        m.space.set_cell(object.plus(4), 0xAB60_1000);
        m.space.set_cell(LispPtr(r.sp - 2), object.0);
        r.tos = 0x61_2000;
        let mut now = r;
        if rplptr(m, &mut now) == Flow::Slow {
            assert_eq!(round, 1);
            let slow = m.slow_path;
            assert_eq!(slow(m, &mut now), Flow::Next);
        }
        assert_eq!((now.tos, now.sp), (object.0, r.sp - 2));
        assert_eq!(m.space.cell(object.plus(4)), 0xAB61_2000);
        assert_eq!(counted(m, 0x61_2000), (2, false));
        assert_eq!(counted(m, 0x60_1000), (0, false));
        delete_reference(m, 0x61_2000);
        add_reference(m, 0x60_1000);
        for other in [0x62_2000, 0x62_1000] {
            add_reference(m, other);
        }
    }
}

#[test]
fn gcref_leaves_what_has_no_reference() {
    let mut m = empty::<Medley35>();
    let m = &mut *m;
    let mut r = Regs { pc: 0x10_0000, tos: 0x51_0000, ..m.regs };
    let mut run = |m: &mut Machine<Medley35>, case: u8| {
        m.space.set_byte(crate::address::ByteAddr(0x10_0001), case);
        assert_eq!(gcref(m, &mut r), Flow::Slow);
        let slow = m.slow_path;
        let flow = slow(m, &mut r);
        let tos = r.tos;
        r.tos = 0x51_0000;
        (flow, tos)
    };
    assert_eq!(run(m, 1), (Flow::Next, 0x51_0000));
    assert_eq!(run(m, 2), (Flow::Next, 0));
    assert_eq!(counted(m, 0x51_0000), (0, true));
    assert_eq!(run(m, 0), (Flow::Next, 0));
    assert_eq!(run(m, 3), (Flow::Ufn, 0x51_0000));
}
