//! One instruction, tried: operands on the stack, code in memory, and what became of them.
//!
//! ```text
//!   20000 code   21000 FIXPs   22000 FLOATPs   23000 BIGNUMs     (Lisp pages' addresses / 16)
//!   24000, 25000 the one free FIXP, the one free FLOATP          26000 the function of every UFN
//! ```

use crate::address::{AtomIndex, ByteAddr, LispPtr};
use crate::layout::{CHARACTERS, Layout, SMALL_NEGATIVE, SMALL_POSITIVE, types};
use crate::machine::Exit;
use crate::testing::{Fixture, machine};

const CODE: LispPtr = LispPtr(0x20_0000);
const FIXPS: u32 = 0x21_0000;
const FLOATPS: u32 = 0x22_0000;
const BIGNUMS: u32 = 0x23_0000;
const FREE_FIXP: u32 = 0x24_0000;
const FREE_FLOATP: u32 = 0x25_0000;
const UFN: LispPtr = LispPtr(0x26_0000);
const UFN_SYMBOL: AtomIndex = AtomIndex(300);
const STACK: u32 = 0x1_1000;
/// What is on the stack below the operands.
const UNDERNEATH: u32 = 0xE_1234;

/// In a word of the type table: this type is a number, an integer.
const NUMBER: u16 = 0x1000;
const INTEGER: u16 = 0x3000;

/// What became of an instruction.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// It left this cell in place of its operands.
    Value(u32),
    /// Its UFN was called with its operands.
    Ufn,
}

/// A machine that tries one instruction after the other.
pub(crate) struct Trial<L: Layout> {
    pub(crate) m: Fixture<L>,
    boxes: u32,
}

impl<L: Layout> Trial<L> {
    pub(crate) fn new() -> Self {
        let trial = Trial { m: machine::<L>(), boxes: 0 };
        let segment = |at: u32, entry: u16| {
            for pair in 0..128 {
                trial.m.space.set_word(L::MDS_TYPE_TABLE.plus((at >> 9) + pair), entry);
            }
        };
        segment(0, types::LITATOM as u16);
        segment(CHARACTERS, types::CHARACTERP as u16);
        segment(SMALL_POSITIVE, types::SMALLP as u16 | INTEGER);
        segment(SMALL_NEGATIVE, types::SMALLP as u16 | INTEGER);
        segment(FIXPS, types::FIXP as u16 | INTEGER);
        segment(FREE_FIXP, types::FIXP as u16 | INTEGER);
        segment(FLOATPS, types::FLOATP as u16 | NUMBER);
        segment(FREE_FLOATP, types::FLOATP as u16 | NUMBER);
        segment(BIGNUMS, types::BIGNUM as u16 | INTEGER);
        let space = trial.m.space;
        space.set_cell(L::definition_cell(UFN_SYMBOL), 0x8000_0000 | UFN.0);
        // Stack need 16 words; any number of arguments; no PVARs; code from byte 16 on.
        space.set_cell(UFN, 16 << 16 | 0xFFFF);
        space.set_cell(UFN.plus(2), 0xFFFF_0010);
        trial
    }

    /// The type table says this of the page at an address.
    pub(crate) fn set_type(&self, at: u32, type_number: u32) {
        self.m.space.set_word(L::MDS_TYPE_TABLE.plus(at >> 9), type_number as u16);
    }

    /// 32 bits in a box.
    fn boxed(&mut self, first: u32, bits: u32) -> u32 {
        self.boxes = (self.boxes + 2) & 0xFFFF;
        let at = LispPtr(first + self.boxes);
        self.m.space.set_cell(at, bits);
        at.0
    }

    /// An integer in a box, even if it is small.
    pub(crate) fn fixp(&mut self, value: i32) -> u32 {
        self.boxed(FIXPS, value as u32)
    }

    /// An integer as it should be.
    pub(crate) fn integer(&mut self, value: i32) -> u32 {
        match value {
            0..=0xFFFF => SMALL_POSITIVE | value as u32,
            -0x1_0000..=-1 => SMALL_NEGATIVE | value as u32 & 0xFFFF,
            _ => self.fixp(value),
        }
    }

    /// A boxed float.
    pub(crate) fn float(&mut self, value: f32) -> u32 {
        self.boxed(FLOATPS, value.to_bits())
    }

    /// Something that is a number, but only Lisp knows which.
    pub(crate) fn bignum(&mut self) -> u32 {
        self.boxed(BIGNUMS, 0)
    }

    /// The integer in a cell, which must be small if it can.
    pub(crate) fn integer_in(&self, cell: u32) -> Option<i32> {
        match cell & !0xFFFF {
            SMALL_POSITIVE => Some((cell & 0xFFFF) as i32),
            SMALL_NEGATIVE => Some((cell | 0xFFFF_0000) as i32),
            FREE_FIXP => {
                let value = self.m.space.cell(LispPtr(cell)) as i32;
                (!(-0x1_0000..=0xFFFF).contains(&value)).then_some(value)
            }
            _ => None,
        }
    }

    /// The float in a new box.
    pub(crate) fn float_in(&self, cell: u32) -> Option<f32> {
        (cell == FREE_FLOATP).then(|| f32::from_bits(self.m.space.cell(LispPtr(cell))))
    }

    /// One free cell of this type.
    fn free(&self, type_number: u32, cell: u32) {
        let space = self.m.space;
        space.set_cell(LispPtr(cell), 0);
        if L::BIG {
            let descriptor = L::DTD.plus(18 * type_number);
            space.set_word(descriptor.plus(3), 2);
            space.set_cell(descriptor.plus(4), cell);
        } else {
            let descriptor = L::DTD.plus(16 * type_number);
            space.set_word(descriptor.plus(1), 2);
            space.set_cell(descriptor.plus(2), cell);
        }
        // The collector has never heard of it. Both are first in their segments, so the first entry is theirs.
        space.set_cell(L::HTMAIN, 0);
    }

    /// Tries an instruction, after checking that it leaves the rest of the stack alone.
    pub(crate) fn run(&mut self, code: &[u8], operands: &[u32]) -> Outcome {
        let space = self.m.space;
        self.free(types::FIXP, FREE_FIXP);
        self.free(types::FLOATP, FREE_FLOATP);
        for (i, byte) in code.iter().enumerate() {
            space.set_byte(CODE.byte().plus(i as u32), *byte);
        }
        let operand_bytes = code.len() as u32 - 1;
        let given = operands.len() as u32 + operand_bytes.min(1);
        space.set_cell(L::UFN_TABLE.plus(2 * code[0] as u32), UFN_SYMBOL.0 << 16 | operand_bytes << 8 | given);
        let mut r = self.m.regs;
        r.pc = CODE.byte().0;
        r.pvar = 0x1_0F20;
        r.sp = STACK;
        r.tos = UNDERNEATH;
        for operand in operands {
            self.m.push(&mut r, *operand);
        }
        self.m.regs = r;
        self.m.func = LispPtr::NIL;
        assert_eq!(self.m.run_stepping(1), Exit::Steps, "{code:?} on {operands:x?}");
        let r = self.m.regs;
        assert_eq!(space.cell(LispPtr(STACK)), UNDERNEATH, "{code:?} on {operands:x?} spoils the stack");
        if self.m.func == UFN {
            for (i, operand) in operands.iter().enumerate() {
                let got = space.cell(LispPtr(r.ivar + 2 * i as u32));
                assert_eq!(got, *operand, "argument {i} of the UFN of {code:?} on {operands:x?}");
            }
            return Outcome::Ufn;
        }
        assert_eq!(r.pc, CODE.byte().plus(code.len() as u32).0, "length of {code:?}");
        assert_eq!(r.sp, STACK + 2, "stack after {code:?} on {operands:x?}");
        Outcome::Value(r.tos)
    }

    /// A byte of memory, for arrays and names.
    pub(crate) fn set_byte(&self, at: ByteAddr, byte: u8) {
        self.m.space.set_byte(at, byte);
    }
}

/// Runs the same test in both layouts.
macro_rules! in_both_layouts {
    ($($(#[$attribute:meta])* $name:ident = $test:ident;)*) => {$(
        $(#[$attribute])*
        #[test]
        fn $name() {
            $test::<crate::layout::Medley2>();
            $test::<crate::layout::Medley35>();
        }
    )*};
}
pub(crate) use in_both_layouts;
