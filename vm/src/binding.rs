//! Binding special variables and local ones for a while, keyword arguments, and what a function may know of its own
//! call.
//!
//! BIND moves values from the stack into PVARs (a name table makes those special variables) and leaves a mark, which
//! is the only cell on a stack whose top bit is set:
//!
//! ```text
//!   mark   ~ (number of PVARs bound)  | offset of the last of them, in words from the first PVAR
//! ```
//!
//! UNBIND finds the mark and makes those PVARs unbound again.

use crate::address::LispPtr;
use crate::calls::UNBOUND;
use crate::dispatch::Flow;
use crate::frames::Frame;
use crate::layout::{Layout, SMALL_POSITIVE};
use crate::lists::make_cons;
use crate::machine::{Machine, Regs, attempt};
use crate::memory::{Space, few};

/// Whether a cell of the stack is the mark of a BIND.
#[inline(always)]
pub(crate) fn is_mark(cell: u32) -> bool {
    (cell as i32) < 0
}

/// Makes the PVARs of a mark unbound; `pvar` is the first PVAR.
#[inline(always)]
pub(crate) fn undo(space: Space, pvar: u32, mark: u32) {
    let mut variable = pvar.wrapping_add(mark & 0xFFFF);
    let mut left = !mark >> 16;
    while left != 0 {
        space.set_cell(LispPtr(variable), UNBOUND);
        variable = variable.wrapping_sub(2);
        left = few(left - 1);
    }
}

/// BIND: the high digit of the first operand counts PVARs to be NIL, the low one those that get values from the
/// stack; the second operand is the number of the last of them.
#[inline(always)]
pub(crate) fn bind<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let space = m.space;
    let counts = m.operand(r, 1);
    let last = 2 * m.operand(r, 2);
    let mut variable = r.pvar.wrapping_add(last);
    let mut nils = counts >> 4;
    while nils != 0 {
        space.set_cell(LispPtr(variable), 0);
        variable = variable.wrapping_sub(2);
        nils = few(nils - 1);
    }
    let mut values = counts & 0xF;
    space.set_cell(LispPtr(if values == 0 { r.sp } else { variable }), r.tos);
    while values > 1 {
        variable = variable.wrapping_sub(2);
        r.sp = r.sp.wrapping_sub(2);
        space.set_cell(LispPtr(variable), space.cell(LispPtr(r.sp)));
        values = few(values - 1);
    }
    // Without a value the old top stays on the stack.
    r.sp = r.sp.wrapping_add(2 - 2 * values);
    let bound = (counts >> 4) + (counts & 0xF);
    r.tos = !bound << 16 | last;
    Flow::Next
}

/// Pops cells down to and including the nearest mark below the top, and undoes what it says.
#[inline(always)]
fn pop_mark<L: Layout>(m: &Machine<L>, r: &mut Regs) {
    let mut mark;
    loop {
        r.sp = r.sp.wrapping_sub(2);
        mark = m.space.cell(LispPtr(r.sp));
        if is_mark(mark) {
            break;
        }
    }
    undo(m.space, r.pvar, mark);
}

/// UNBIND: undoes the last BIND and keeps the top of the stack.
#[inline(always)]
pub(crate) fn unbind<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    pop_mark(m, r);
    Flow::Next
}

/// DUNBIND: undoes the last BIND and drops everything on top of it.
#[inline(always)]
pub(crate) fn dunbind<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    if is_mark(r.tos) {
        undo(m.space, r.pvar, r.tos);
    } else {
        pop_mark(m, r);
    }
    m.pop(r);
    Flow::Next
}

/// UNWIND: cuts the stack down to so many cells from the first PVAR and undoes the BINDs on the way; the second
/// operand says whether the top of the stack is kept.
#[inline(always)]
pub(crate) fn unwind<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(unwind_slow)
}

fn unwind_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let end = r.pvar.wrapping_add(2 * m.operand(r, 1));
    let keep = m.operand(r, 2) != 0;
    if end > r.sp {
        return Flow::Ufn;
    }
    m.space.set_cell(LispPtr(r.sp), r.tos);
    let mut at = r.sp.wrapping_add(2);
    while at > end {
        at -= 2;
        let cell = m.space.cell(LispPtr(at));
        if is_mark(cell) {
            undo(m.space, r.pvar, cell);
        }
    }
    if keep {
        m.space.set_cell(LispPtr(end), r.tos);
        r.sp = end;
    } else {
        r.sp = end.wrapping_sub(2);
        r.tos = m.space.cell(LispPtr(r.sp));
    }
    Flow::Next
}

impl<L: Layout> Machine<L> {
    /// The basic frame at the end of the running function's arguments.
    #[inline(always)]
    fn end_of_arguments(&self, r: &Regs) -> LispPtr {
        Frame::of_pvar(self.space, r.pvar).basic_frame().at
    }
}

/// FINDKEY: the number of the argument that follows the keyword on top, or NIL; the operand is the number of the
/// first argument that can be a keyword.
#[inline(always)]
pub(crate) fn find_key<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(find_key_slow)
}

fn find_key_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let first = m.operand(r, 1);
    let end = m.end_of_arguments(r).0;
    let mut number = first + 1;
    let mut at = r.ivar.wrapping_add(2 * first).wrapping_sub(2);
    // A keyword needs an argument behind it.
    while at.wrapping_add(4) <= end {
        if m.space.cell(LispPtr(at)) == r.tos {
            r.tos = SMALL_POSITIVE | number & 0xFFFF;
            return Flow::Next;
        }
        at = at.wrapping_add(4);
        number += 2;
    }
    r.tos = 0;
    Flow::Next
}

/// RESTLIST: a list of the arguments from the operand's number to the number on top, in front of the list below.
#[inline(always)]
pub(crate) fn rest_list<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(rest_list_slow)
}

fn rest_list_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let first = m.operand(r, 1) as i32;
    let mut last = (r.tos & 0xFFFF) as i32;
    let mut list = m.below(r, 1);
    while first <= last {
        last -= 1;
        let argument = m.space.cell(LispPtr(r.ivar.wrapping_add_signed(2 * last)));
        list = attempt!(make_cons(m, argument, list));
    }
    m.replace(r, 1, list);
    Flow::Next
}

/// ARG0: the argument whose number is on top, counted from 1.
#[inline(always)]
pub(crate) fn arg0<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let number = r.tos & 0xFFFF;
    let given = m.end_of_arguments(r).0.wrapping_sub(r.ivar) >> 1;
    if r.tos & L::SEGMENT_MASK != SMALL_POSITIVE || number == 0 || number > given {
        return Flow::Ufn;
    }
    r.tos = m.space.cell(LispPtr(r.ivar.wrapping_add(2 * number - 2)));
    Flow::Next
}

/// MYARGCOUNT: how many arguments the running function was given.
#[inline(always)]
pub(crate) fn my_arg_count<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let given = m.end_of_arguments(r).0.wrapping_sub(r.ivar) >> 1;
    m.push(r, SMALL_POSITIVE | given & 0xFFFF);
    Flow::Next
}

/// MYALINK: the stack offset of the frame where free variables go on.
#[inline(always)]
pub(crate) fn my_alink<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let alink = Frame::of_pvar(m.space, r.pvar).alink();
    m.push(r, SMALL_POSITIVE | alink as u32);
    Flow::Next
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frames::by_hand::Stack;
    use crate::layout::{Medley2, Medley35};
    use crate::testing::machine;

    /// Puts an instruction at the pc.
    fn code<L: Layout>(m: &Machine<L>, r: &mut Regs, bytes: &[u8]) {
        r.pc = 0x40_0100;
        for (i, &byte) in bytes.iter().enumerate() {
            m.space.set_byte(crate::address::ByteAddr(r.pc + i as u32), byte);
        }
    }

    fn bind_and_unbind<L: Layout>() {
        let mut m = machine::<L>();
        let mut stack = Stack::new(&mut m);
        let frame = stack.call(&[], &[10, 11]);
        let mut r = stack.run(frame, 12);
        let start = r.sp;
        // One NIL and two values into PVARs 1 to 3; 10 stays.
        code(&m, &mut r, &[0o021, 0x12, 3]);
        assert_eq!(bind(&mut m, &mut r), Flow::Next);
        assert_eq!(r.tos, 0xFFFC_0006);
        assert_eq!(r.sp, start - 2);
        let variable = |n: u32| m.space.cell(LispPtr(r.pvar + 2 * n));
        assert_eq!([variable(1), variable(2), variable(3)], [11, 12, 0]);
        m.push(&mut r, 20);
        m.push(&mut r, 21);
        assert_eq!(unbind(&mut m, &mut r), Flow::Next);
        assert_eq!((r.tos, r.sp), (21, start - 2));
        assert_eq!([1, 2, 3].map(|n| m.space.cell(LispPtr(r.pvar + 2 * n))), [UNBOUND; 3]);
        assert_eq!(m.below(&r, 1), 10);
    }

    #[test]
    fn bind_and_unbind_in_both_layouts() {
        bind_and_unbind::<Medley2>();
        bind_and_unbind::<Medley35>();
    }

    #[test]
    fn bind_without_values_keeps_the_top() {
        let mut m = machine::<Medley2>();
        let mut stack = Stack::new(&mut m);
        let frame = stack.call(&[], &[10]);
        let mut r = stack.run(frame, 11);
        code(&m, &mut r, &[0o021, 0x20, 1]);
        bind(&mut m, &mut r);
        assert_eq!((r.tos, m.below(&r, 1)), (0xFFFD_0002, 11));
        // DUNBIND with the mark on top, and with something above it.
        let mut again = r;
        dunbind(&mut m, &mut again);
        assert_eq!(again.tos, 11);
        m.push(&mut r, 30);
        dunbind(&mut m, &mut r);
        assert_eq!((r.tos, r.sp), (11, again.sp));
    }

    #[test]
    fn unwind_undoes_what_is_on_the_way() {
        for keep in [false, true] {
            let mut m = machine::<Medley2>();
            let mut stack = Stack::new(&mut m);
            let frame = stack.call(&[], &[10, 0xFFFE_0000, 12]);
            check_unwind(&mut stack, frame, keep);
        }
    }

    fn check_unwind(stack: &mut Stack<'_, Medley2>, frame: crate::frames::Frame, keep: bool) {
        let mut r = Regs { pvar: frame.first_pvar().0, sp: frame.next().0, tos: 13, ..Regs::default() };
        let m = &mut *stack.m;
        m.space.set_cell(LispPtr(r.pvar), 99);
        // To cell 5 from the first PVAR: four PVARs, and 10.
        code(m, &mut r, &[0o007, 5, keep as u8]);
        assert_eq!(unwind_slow(m, &mut r), Flow::Next);
        assert_eq!(m.space.cell(LispPtr(r.pvar)), UNBOUND);
        if keep {
            assert_eq!((r.tos, r.sp), (13, r.pvar + 10));
        } else {
            assert_eq!((r.tos, r.sp), (10, r.pvar + 8));
        }
        code(m, &mut r, &[0o007, 30, 0]);
        assert_eq!(unwind_slow(m, &mut r), Flow::Ufn);
    }

    #[test]
    fn arguments_are_found() {
        let mut m = machine::<Medley35>();
        let mut stack = Stack::new(&mut m);
        stack.call(&[], &[]);
        let frame = stack.call(&[50, 51, 52, 53], &[]);
        let mut r = stack.run(frame, 52);
        code(&m, &mut r, &[0o036, 1]);
        find_key_slow(&mut m, &mut r);
        assert_eq!(r.tos, 0xE_0004);
        r.tos = 53;
        find_key_slow(&mut m, &mut r);
        assert_eq!(r.tos, 0);
        my_arg_count(&mut m, &mut r);
        assert_eq!(r.tos, 0xE_0004);
        arg0(&mut m, &mut r);
        assert_eq!(r.tos, 53);
        r.tos = 0xE_0005;
        assert_eq!(arg0(&mut m, &mut r), Flow::Ufn);
        my_alink(&mut m, &mut r);
        assert_eq!(r.tos & 0xFFFF, (frame.alink()) as u32);
    }
}
