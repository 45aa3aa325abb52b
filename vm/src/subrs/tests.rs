use super::*;
use crate::address::LispPtr;
use crate::layout::{IOPAGE, Medley2, Medley35, SMALL_POSITIVE, types};
use crate::platform::Cursor;
use crate::testing::{self, Fixture};

/// Calls a subr by its opcode; what is left on top, and the stack pointer's move in cells.
fn call<L: Layout>(m: &mut Fixture<L>, number: u8, arguments: &[u32]) -> (u32, i32) {
    let code = crate::address::ByteAddr(0x2000);
    for (i, byte) in [0o175, number, arguments.len() as u8].into_iter().enumerate() {
        m.space.set_byte(code.plus(i as u32), byte);
    }
    m.regs.pc = code.0;
    m.regs.tos = 0x77;
    let before = m.regs.sp;
    let mut r = m.regs;
    for &argument in arguments {
        m.push(&mut r, argument);
    }
    assert_eq!(subr_call_slow(&mut m.machine, &mut r), Flow::Next);
    ((r.tos), (r.sp as i32 - before as i32) / 2)
}

/// A thin string at `at` with room for `length` characters.
fn string<L: Layout>(m: &Fixture<L>, at: u32, text: &[u8], length: u32) -> u32 {
    m.space.set_word(LispPtr(L::MDS_TYPE_TABLE.0 + (at >> 9)), types::ONED_ARRAY as u16);
    let base = at + 0x20;
    m.space.set_cell(LispPtr(at), base);
    m.space.set_cell(LispPtr(at + 2), 67 << 16);
    if L::BIG {
        m.space.set_cell(LispPtr(at + 4), text.len() as u32);
        m.space.set_cell(LispPtr(at + 6), length);
    } else {
        m.space.set_cell(LispPtr(at + 4), (text.len() as u32) << 16 | length);
    }
    for (i, &byte) in text.iter().enumerate() {
        m.space.set_byte(LispPtr(base).byte().plus(i as u32), byte);
    }
    at
}

#[test]
fn arguments_become_one_result() {
    let mut m = testing::machine::<Medley2>();
    assert_eq!(call(&mut m, 0o103, &[]), (SMALL_POSITIVE | 1024, 1));
    assert_eq!(call(&mut m, 0o104, &[1, 2, 3]), (SMALL_POSITIVE | 768, 1));
    // A subr without a value leaves the last argument.
    assert_eq!(call(&mut m, 0o23, &[5, 6]), (6, 1));
    assert_eq!(call(&mut m, 0o23, &[]), (0x77, 1));
}

#[test]
fn missing_subrs_are_logged_once() {
    let mut m = testing::machine::<Medley35>();
    for _ in 0..3 {
        assert_eq!(call(&mut m, 0o220, &[1, 2]).0, NIL);
        assert_eq!(call(&mut m, 0o377, &[]).0, NIL);
    }
    let log: std::vec::Vec<_> = m.world().log.iter().map(|(_, line)| line.clone()).collect();
    assert_eq!(log, ["this machine has no subr TCP-OP (0o220)", "there is no subr 0o377"]);
}

#[test]
fn nobody_is_told_that_the_world_was_saved() {
    assert_ne!(call(&mut testing::machine::<Medley2>(), 0o131, &[0]).0, NIL);
}

#[test]
fn cursors_in_both_layouts() {
    let mut m = testing::machine::<Medley2>();
    m.space.set_word(IOPAGE.plus(240), 0x8001);
    call(&mut m, 0o100, &[]);
    let mut rows = [0; 16];
    rows[0] = 0x8001;
    assert_eq!(m.world().cursor, Some(Cursor { rows, hot_x: 0, hot_y: 0 }));
    drop(m);
    let mut m = testing::machine::<Medley35>();
    call(&mut m, 0o100, &[SMALL_POSITIVE | 3, SMALL_POSITIVE | 14]);
    assert_eq!(m.world().cursor, Some(Cursor { rows: [0; 16], hot_x: 3, hot_y: 1 }));
    call(&mut m, 0o101, &[SMALL_POSITIVE | 100, SMALL_POSITIVE | 200]);
    assert_eq!(m.world().mouse, Some((103, 201)));
}

#[test]
fn the_host_is_asked_by_name() {
    fn ask<L: Layout>(mut m: Fixture<L>) {
        let name = string(&m, 0x30_0000, b"MACH", 4);
        let value = string(&m, 0x30_0400, b"", 20);
        assert_eq!(call(&mut m, 0o66, &[name, value]).0, T);
        let text: std::vec::Vec<u8> = (0..8).map(|i| m.space.byte(LispPtr(value + 0x20).byte().plus(i))).collect();
        assert_eq!(text, b"mc68020\0");
        let short = string(&m, 0x30_0800, b"", 7);
        assert_eq!(call(&mut m, 0o66, &[name, short]).0, NIL);
        assert_eq!(call(&mut m, 0o65, &[name, value]).0, NIL);
        assert_eq!(call(&mut m, 0o66, &[NIL, value]).0, NIL);
    }
    ask(testing::machine::<Medley2>());
    ask(testing::machine::<Medley35>());
}

#[test]
fn time_goes_into_boxes() {
    let mut m = testing::machine::<Medley2>();
    m.start_clock();
    assert_eq!(call(&mut m, 0o61, &[SMALL_POSITIVE | 4, 0x1800]).0, 0x1800);
    assert_eq!(m.space.cell(LispPtr(0x1800)), 2_895_955_200);
    assert_eq!(call(&mut m, 0o61, &[SMALL_POSITIVE | 6, NIL]).0, SMALL_POSITIVE | 98);
}

#[test]
fn check_sums() {
    let mut m = testing::machine::<Medley2>();
    m.space.set_word(LispPtr(0x1800), 0xFFFF);
    m.space.set_word(LispPtr(0x1801), 0x0001);
    // FFFF turned is FFFF; plus 1 carries around to 1, turned 2.
    assert_eq!(call(&mut m, 0o67, &[0x1800, SMALL_POSITIVE | 2, NIL]).0, SMALL_POSITIVE | 2);
    assert_eq!(call(&mut m, 0o67, &[0x1800, SMALL_POSITIVE | 1, NIL]).0, SMALL_POSITIVE);
}
