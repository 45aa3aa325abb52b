//! Calling and returning.
//!
//! A call turns the arguments on the stack into the first part of a new frame:
//!
//! ```text
//!   caller's temporaries | arg 0 .. arg n-1 | BF 8000,ivar | FX: flags,alink  header  next,pc  names  blink,clink |
//!                          ^ new ivar         one cell       10 words                                              |
//!   PVAR pairs, all FFFFFFFF | one cell left free | ^ new sp
//!   ^ new pvar
//! ```
//!
//! The function header (see [`Header`]) says how many arguments are wanted (missing ones become NIL, extra ones are
//! dropped), how many pairs of PVARs to make and how much stack the function may need at most. That need is checked
//! here, once, and the resulting limit is what taken jumps compare with, so that attention costs nothing extra.

use crate::address::{AtomIndex, LispPtr};
use crate::dispatch::Flow;
use crate::frames::Frame;
use crate::free_variables::look_up;
use crate::layout::{Layout, SMALL_NEGATIVE, SMALL_POSITIVE, type_number, types};
use crate::machine::{Machine, Regs};
use crate::memory::{Space, few};
use core::sync::atomic::Ordering;

/// Marks a basic frame; the low half is the stack offset of its first argument.
pub(crate) const BASIC_FRAME: u32 = 0x8000_0000;
/// Marks a frame extension; the low half is the alink.
pub(crate) const FRAME_EXTENSION: u32 = 0xC000_0000;
/// Words in a frame extension.
pub(crate) const FRAME_WORDS: u32 = 10;
/// What an unused PVAR or an unlooked-up FVAR holds.
pub(crate) const UNBOUND: u32 = 0xFFFF_FFFF;
/// The function that interprets what is no compiled code.
const INTERPRETER: AtomIndex = AtomIndex(256);
/// The function that evaluates a list.
const EVALUATOR: AtomIndex = AtomIndex(248);

/// The eight words before a function's name table and code.
///
/// ```text
///   0 stack need | 1 argument count (negative: any) | 2 PVAR pairs - 1 | 3 start of code, bytes from here
///   4-5 flags, argument type, name                  | 6 name table size | 7 locals, offset of FVAR names
/// ```
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header {
    at: LispPtr,
    /// Words 0 and 1.
    first: u32,
    /// Words 2 and 3.
    second: u32,
}

impl Header {
    #[inline(always)]
    pub(crate) fn read(space: Space, at: LispPtr) -> Header {
        let pair = space.cell_pair(at);
        Header { at, first: pair as u32, second: (pair >> 32) as u32 }
    }
    /// Words of stack that a call may need at most.
    #[inline(always)]
    pub(crate) fn stack_need(self) -> u32 {
        self.first >> 16
    }
    /// Arguments wanted; negative if any number will do.
    #[inline(always)]
    pub(crate) fn arguments(self) -> i32 {
        self.first as i16 as i32
    }
    /// Pairs of PVARs to make.
    #[inline(always)]
    pub(crate) fn pvar_pairs(self) -> i32 {
        (self.second >> 16) as i16 as i32 + 1
    }
    /// Byte address of the first opcode.
    #[inline(always)]
    pub(crate) fn start(self) -> u32 {
        self.at.byte().0 + (self.second & 0xFFFF)
    }
}

impl<L: Layout> Machine<L> {
    /// Sets the limit for a function with this header; true if `sp` is beyond it or attention was asked for.
    #[inline(always)]
    fn over_limit(&self, r: &Regs, header: Header) -> bool {
        let limit = self.attention.end.load(Ordering::Relaxed) as i32 - header.stack_need() as i32;
        let over = r.sp as i32 > limit;
        // A limit below 0 is over for certain; who looks for the reason finds a request in it, too.
        let limit = if over { limit.max(0) } else { limit };
        self.attention.limit.store(limit as u32, Ordering::Relaxed);
        over
    }

    /// Notes in the running frame where to go on and where its part of the stack ends.
    #[inline(always)]
    fn suspend(&self, r: &Regs, length: u32, next_block: u32) {
        let pc = r.pc.wrapping_sub(self.func.byte().0).wrapping_add(length) & 0xFFFF;
        self.space.set_cell_near(LispPtr(r.pvar), -6, next_block << 16 | pc);
    }

    /// Fits the arguments to what the header wants; they are all on the stack, below `sp`.
    #[inline(always)]
    fn fit_arguments(&self, r: &mut Regs, header: Header, given: i32) {
        let wanted = header.arguments();
        if wanted >= 0 {
            let mut missing = wanted - given;
            if missing < 0 {
                r.sp = r.sp.wrapping_add_signed(2 * missing);
            }
            while missing > 0 {
                self.space.set_cell(LispPtr(r.sp), 0);
                r.sp = r.sp.wrapping_add(2);
                missing -= 1;
            }
        }
    }

    /// Builds the basic frame and frame extension at `sp` and makes them the running frame.
    #[inline(always)]
    fn enter(&mut self, r: &mut Regs, header: Header, ivar: u32) {
        let (space, sp) = (self.space, LispPtr(r.sp));
        space.set_cell(sp, BASIC_FRAME | (ivar & 0xFFFF));
        space.set_cell_near(sp, 2, FRAME_EXTENSION | (r.pvar & 0xFFFF));
        space.set_cell_near(sp, 4, L::frame_cell(header.at));
        r.sp = r.sp.wrapping_add(2 + FRAME_WORDS);
        r.pvar = r.sp;
        r.ivar = ivar;
        r.pc = header.start();
        self.func = header.at;
    }

    /// One pair of PVARs.
    #[inline(always)]
    pub(crate) fn push_pair(&self, r: &mut Regs, first: u32) {
        self.space.set_cell_pair(LispPtr(r.sp), (UNBOUND as u64) << 32 | first as u64);
        r.sp = r.sp.wrapping_add(4);
    }

    /// Makes the PVARs of a new frame, where `r.sp` stands, and leaves a cell free behind them.
    #[inline(always)]
    fn make_pvars(&self, r: &mut Regs, header: Header) {
        let pairs = header.pvar_pairs();
        let end = r.sp.wrapping_add_signed(4 * pairs);
        if pairs > 0 {
            self.space.fill_few_pairs(LispPtr(r.sp), LispPtr(end), u64::MAX);
        }
        r.sp = end.wrapping_add(2);
    }

    /// Calls compiled code with `given` arguments, the last of them in `tos`.
    #[inline(always)]
    fn call_code(&mut self, r: &mut Regs, code: LispPtr, given: u32, length: u32) -> Flow {
        let space = self.space;
        let header = Header::read(space, code);
        if self.over_limit(r, header) {
            return Flow::Interrupt;
        }
        let ivar = r.sp.wrapping_sub(2 * given).wrapping_add(2);
        self.suspend(r, length, ivar & 0xFFFF);
        space.set_cell(LispPtr(r.sp), r.tos);
        r.sp = r.sp.wrapping_add(2);
        let wanted = header.arguments();
        if wanted != given as i32 && wanted >= 0 {
            let end = r.sp.wrapping_add_signed(2 * (wanted - given as i32));
            while r.sp < end {
                space.set_cell(LispPtr(r.sp), 0);
                r.sp = few(r.sp).wrapping_add(2);
            }
            r.sp = end;
        }
        self.enter(r, header, ivar);
        self.make_pvars(r, header);
        Flow::Jump
    }
}

/// A call that is not straight to compiled code.
#[derive(Clone, Copy)]
struct Call {
    /// The definition cell's content.
    definition: u32,
    /// The symbol, or what else was called.
    name: u32,
    /// Arguments on the stack.
    given: u32,
    /// Bytes of the calling instruction.
    length: u32,
    /// What else to do to the stack.
    adjust: Adjust,
}

/// What a call by APPLYFN or a UFN does to the stack on its way.
#[derive(Clone, Copy)]
enum Adjust {
    Nothing,
    /// APPLYFN: the function and the argument count go.
    DropTwo,
    /// A UFN gets the opcode's operand, so many bytes, as its last argument.
    PushOperand(u32),
}

impl<L: Layout> Machine<L> {
    /// Calls whatever a definition cell holds: code, a closure, or something for the interpreter.
    fn call_definition(&mut self, r: &mut Regs, call: Call) -> Flow {
        let space = self.space;
        let mut code = LispPtr::from_cell::<L>(call.definition);
        let mut environment = UNBOUND;
        let mut interpret = false;
        if (call.definition as i32) >= 0 {
            if type_number::<L>(space, code.0) == types::COMPILED_CLOSURE {
                let closed_over = space.cell(code.plus(2)) & L::POINTER_MASK;
                if closed_over != 0 {
                    environment = closed_over;
                }
                code = LispPtr::from_cell::<L>(space.cell(code));
            } else {
                code = LispPtr::from_cell::<L>(space.cell(L::definition_cell(INTERPRETER)));
                interpret = true;
            }
        }
        let header = Header::read(space, code);
        if self.over_limit(r, header) {
            return Flow::Interrupt;
        }
        match call.adjust {
            Adjust::Nothing | Adjust::PushOperand(0) => {}
            Adjust::DropTwo => {
                self.pop(r);
                self.pop(r);
            }
            Adjust::PushOperand(bytes) => {
                let operand = match bytes {
                    1 => SMALL_POSITIVE | self.operand(r, 1),
                    2 => SMALL_POSITIVE | self.operand_word(r, 1),
                    _ => {
                        let symbol = self.operand_pointer(r, 1);
                        if symbol & L::SEGMENT_MASK != 0 { symbol } else { SMALL_POSITIVE | symbol }
                    }
                };
                self.push(r, operand);
            }
        }
        if interpret {
            self.push(r, call.name);
        }
        let on_stack = call.given + interpret as u32;
        let ivar = r.sp.wrapping_add(2).wrapping_sub(2 * on_stack);
        self.suspend(r, call.length, ivar & 0xFFFF);
        space.set_cell(LispPtr(r.sp), r.tos);
        r.sp = r.sp.wrapping_add(2);
        self.fit_arguments(r, header, call.given as i32);
        self.enter(r, header, ivar);
        self.push_pair(r, environment);
        for _ in 1..header.pvar_pairs() {
            self.push_pair(r, UNBOUND);
        }
        r.sp = r.sp.wrapping_add(2);
        if self.needs_attention(r) { Flow::Interrupt } else { Flow::Jump }
    }
}

/// Calls a symbol's function instead of carrying out the instruction at `r.pc`, `length` bytes long, with the `given`
/// arguments that are on the stack.
pub(crate) fn call_instead<L: Layout>(
    m: &mut Machine<L>,
    r: &mut Regs,
    symbol: AtomIndex,
    given: u32,
    length: u32,
) -> Flow {
    let definition = m.space.cell(L::definition_cell(symbol));
    m.call_definition(r, Call { definition, name: symbol.0, given, length, adjust: Adjust::Nothing })
}

/// FN0 to FN4: calls the function of the symbol operand.
#[inline(always)]
pub(crate) fn function<L: Layout, const GIVEN: u32>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let symbol = m.operand_atom(r, 1);
    call_symbol(m, r, symbol, GIVEN, 1 + L::ATOM_BYTES)
}

/// FNX: calls the function of the symbol operand with a counted number of arguments.
#[inline(always)]
pub(crate) fn function_n<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let given = m.operand(r, 1);
    let symbol = m.operand_atom(r, 2);
    call_symbol(m, r, symbol, given, 2 + L::ATOM_BYTES)
}

#[inline(always)]
fn call_symbol<L: Layout>(m: &mut Machine<L>, r: &mut Regs, symbol: AtomIndex, given: u32, length: u32) -> Flow {
    let definition = m.space.cell(L::definition_cell(symbol));
    if (definition as i32) < 0 {
        m.call_code(r, LispPtr::from_cell::<L>(definition), given, length)
    } else {
        m.slow(not_code)
    }
}

/// FN0 to FNX of what is no compiled code.
fn not_code<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let opcode = m.operand(r, 0);
    let (given, at) = if opcode == 0o015 { (m.operand(r, 1), 2) } else { (opcode - 0o010, 1) };
    let symbol = m.operand_atom(r, at);
    let definition = m.space.cell(L::definition_cell(symbol));
    let call = Call { definition, name: symbol.0, given, length: at + L::ATOM_BYTES, adjust: Adjust::Nothing };
    m.call_definition(r, call)
}

/// APPLYFN: the function is on top, the number of arguments below it, the arguments below that.
#[inline(always)]
pub(crate) fn apply<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(apply_slow)
}

fn apply_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let count = m.below(r, 1);
    if count >> 16 != SMALL_POSITIVE >> 16 {
        return Flow::Ufn;
    }
    let function = r.tos;
    let definition = if function & L::SEGMENT_MASK == 0 {
        m.space.cell(L::definition_cell(AtomIndex(function)))
    } else {
        match type_number::<L>(m.space, function) {
            types::NEW_ATOM => m.space.cell(L::definition_cell(AtomIndex(function))),
            types::COMPILED_CLOSURE => function & L::POINTER_MASK,
            _ => m.space.cell(L::definition_cell(AtomIndex::NIL)),
        }
    };
    let call = Call { definition, name: function, given: count & 0xFFFF, length: 1, adjust: Adjust::DropTwo };
    m.call_definition(r, call)
}

/// CHECKAPPLY: does nothing if the top of stack names compiled code that evaluates its arguments.
#[inline(always)]
pub(crate) fn check_apply<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let function = r.tos & L::POINTER_MASK;
    let is_symbol = function & L::SEGMENT_MASK == 0 || type_number::<L>(m.space, function) == types::NEW_ATOM;
    if is_symbol {
        let definition = m.space.cell(L::definition_cell(AtomIndex(function)));
        // Argument types 0 and 2 evaluate; 1 and 3 do not.
        if (definition as i32) < 0 && definition & 0x1000_0000 == 0 {
            return Flow::Next;
        }
    }
    Flow::Ufn
}

/// ENVCALL: calls a code block with an environment: environment on top, code below, argument count below that.
#[inline(always)]
pub(crate) fn env_call<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(env_call_slow)
}

fn env_call_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let environment = r.tos;
    let code = LispPtr::from_cell::<L>(m.below(r, 1));
    let Some(given) = crate::integers::integer_value(m, m.below(r, 2)) else {
        return Flow::Ufn;
    };
    let header = Header::read(m.space, code);
    if m.over_limit(r, header) {
        return Flow::Interrupt;
    }
    r.sp = r.sp.wrapping_sub(4);
    let ivar = r.sp.wrapping_add_signed(-2 * given);
    m.suspend(r, 1, ivar & 0xFFFF);
    m.fit_arguments(r, header, given);
    m.enter(r, header, ivar);
    let pairs = header.pvar_pairs();
    if pairs > 0 {
        m.push_pair(r, if environment == 0 { UNBOUND } else { environment });
    }
    for _ in 1..pairs {
        m.push_pair(r, UNBOUND);
    }
    r.sp = r.sp.wrapping_add(2);
    Flow::Jump
}

/// RETURN: the top of stack goes where the first argument was, and the caller goes on.
#[inline(always)]
pub(crate) fn return_value<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let space = m.space;
    let alink = space.cell_near(LispPtr(r.pvar), -(FRAME_WORDS as i32)) & 0xFFFF;
    if alink & 1 != 0 {
        return m.slow(slow_return);
    }
    r.sp = r.ivar;
    r.pvar = m.stack(alink as u16).0;
    m.resume_frame(r);
    let limit = m.stack_end.0 as i32 - space.word(m.func) as i32;
    m.attention.limit.store(limit as u32, Ordering::Relaxed);
    if r.sp as i32 >= limit || m.attention.end.load(Ordering::Relaxed) == 0 {
        return Flow::Interrupt;
    }
    Flow::Jump
}

impl<L: Layout> Machine<L> {
    /// Takes `ivar`, function and `pc` from the frame at `pvar`.
    #[inline(always)]
    pub(crate) fn resume_frame(&mut self, r: &mut Regs) {
        let space = self.space;
        let frame = LispPtr(r.pvar);
        r.ivar = self.stack(space.word_near(frame, -(FRAME_WORDS as i32 + 1))).0;
        self.func = L::frame_pointer(space.cell_near(frame, -8));
        r.pc = self.func.byte().0 + space.word_near(frame, -5) as u32;
    }
}

/// Returns from a frame that something else knows of too.
fn slow_return<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let from = m.func;
    if let Err(flow) = crate::context::slow_return(m, r) {
        return flow;
    }
    crate::idle::switched(m, from, m.func);
    let limit = m.stack_end.0 as i32 - m.space.word(m.func) as i32;
    m.attention.limit.store(limit as u32, Ordering::Relaxed);
    if r.sp as i32 >= limit || m.attention.end.load(Ordering::Relaxed) == 0 {
        return Flow::Interrupt;
    }
    m.attention.end.store(m.stack_end.0, Ordering::Relaxed);
    Flow::Jump
}

/// EVAL: the value of the form on top. Symbols and constants are done here, lists by the Lisp function EVALFORM.
#[inline(always)]
pub(crate) fn eval<L: Layout>(m: &mut Machine<L>, _r: &mut Regs) -> Flow {
    m.slow(eval_slow)
}

fn eval_slow<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let form = r.tos & L::POINTER_MASK;
    match form & L::SEGMENT_MASK {
        SMALL_POSITIVE | SMALL_NEGATIVE => return Flow::Next,
        0 if form == AtomIndex::NIL.0 || form == AtomIndex::T.0 => return Flow::Next,
        0 => {}
        _ => match type_number::<L>(m.space, form) {
            types::NEW_ATOM => {}
            types::FIXP | types::FLOATP | types::STRINGP | types::ONED_ARRAY | types::GENERAL_ARRAY => {
                return Flow::Next;
            }
            types::LISTP => {
                let definition = m.space.cell(L::definition_cell(EVALUATOR));
                let call = Call { definition, name: EVALUATOR.0, given: 1, length: 1, adjust: Adjust::Nothing };
                return m.call_definition(r, call);
            }
            _ => return Flow::Ufn,
        },
    }
    let slot = match look_up::<L>(m.space, Frame::of_pvar(m.space, r.pvar), AtomIndex(form)) {
        Ok(slot) => slot,
        Err(error) => return m.fatal(error),
    };
    let value = m.space.cell(LispPtr::from_cell::<L>(slot.rotate_left(16)));
    if value == AtomIndex::NOBIND.0 {
        return Flow::Ufn;
    }
    r.tos = value;
    Flow::Next
}

/// Calls the Lisp function that stands in for the opcode at `r.pc`.
///
/// An entry of the UFN table: symbol number in the high word, operand bytes and argument count in the low one.
pub(crate) fn call_ufn<L: Layout>(m: &mut Machine<L>, r: &mut Regs) -> Flow {
    let opcode = m.operand(r, 0);
    let entry = m.space.cell(L::UFN_TABLE.plus(2 * opcode));
    let symbol = AtomIndex(entry >> 16);
    let operand_bytes = entry >> 8 & 0xFF;
    let call = Call {
        definition: m.space.cell(L::definition_cell(symbol)),
        name: symbol.0,
        given: entry & 0xFF,
        length: 1 + operand_bytes,
        adjust: Adjust::PushOperand(operand_bytes),
    };
    m.call_definition(r, call)
}
