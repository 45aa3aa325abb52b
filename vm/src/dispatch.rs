//! Dispatch: from a byte of code to the Rust function that carries it out, and on to the next.
//!
//! Each row of the ISA table becomes a *handler*, a small native function with the machine's registers as its
//! arguments. A handler ends by calling the handler of the next opcode; in an optimised build that call is a jump, so
//! Lisp runs from handler to handler with everything in processor registers:
//!
//! ```text
//!   rdi  &mut Machine            rcx  tos    cached top of stack (a cell)
//!   rsi  pc    byte address      r8   pvar   first PVAR of the frame (word address)
//!   rdx  sp    where tos goes    r9   ivar   first IVAR of the frame (word address)
//! ```
//!
//! The table of handlers is inside the machine, so there are two ways to run over one set of handlers:
//!
//! - **threaded**: the table holds the handlers. This relies on LLVM turning calls in tail position into jumps, which
//!   it does in optimised builds; a test watches that the native stack does not grow.
//! - **stepping**: every entry of the table is [`stop`], which saves the registers and returns. The run loop calls one
//!   handler at a time. Unoptimised builds, traces and single steps use this. Nothing else differs.

use crate::isa::{OPCODES, Operand, for_each_opcode};
use crate::layout::Layout;
use crate::machine::{Exit, Machine, Regs};
use core::ops::ControlFlow;

/// The native form of an opcode: machine, pc, sp, tos, pvar, ivar.
pub(crate) type Handler<L> = unsafe extern "sysv64" fn(&mut Machine<L>, usize, usize, usize, usize, usize);

/// What an opcode wants to happen next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Flow {
    /// The instruction behind this one.
    Next,
    /// The instruction at `regs.pc`, which has been set.
    Jump,
    /// The Lisp function that stands in for this opcode; the stack is as it was before the opcode.
    Ufn,
    /// Look for interrupts and stack overflow, then this same instruction again.
    Interrupt,
    /// The rest of this opcode is done by the function in `machine.rest`; see [`Machine::slow`].
    Slow,
    /// Leave the run loop; `machine.exit` says why.
    Exit,
}

/// The out-of-line part of an opcode: a function that is known when this is compiled.
pub(crate) trait SlowFunction<L: Layout>: Fn(&mut Machine<L>, &mut Regs) -> Flow + Copy {}

impl<L: Layout, F: Fn(&mut Machine<L>, &mut Regs) -> Flow + Copy> SlowFunction<L> for F {}

/// Goes on with the instruction at `r.pc`.
#[inline(always)]
fn next<L: Layout>(m: &mut Machine<L>, r: Regs) {
    let opcode = m.space.byte(crate::address::ByteAddr(r.pc));
    let handler = m.dispatch[opcode as usize];
    // SAFETY: handlers ask that each register value fits 32 bits; these come from u32.
    unsafe { handler(m, r.pc as usize, r.sp as usize, r.tos as usize, r.pvar as usize, r.ivar as usize) }
}

/// The registers from a handler's arguments.
///
/// # Safety
/// Each value fits 32 bits, as [`next`] passes them.
#[inline(always)]
unsafe fn regs(pc: usize, sp: usize, tos: usize, pvar: usize, ivar: usize) -> Regs {
    // SAFETY: the caller says so; this spares every handler five instructions that clear upper halves.
    unsafe {
        core::hint::assert_unchecked(pc <= u32::MAX as usize);
        core::hint::assert_unchecked(sp <= u32::MAX as usize);
        core::hint::assert_unchecked(tos <= u32::MAX as usize);
        core::hint::assert_unchecked(pvar <= u32::MAX as usize);
        core::hint::assert_unchecked(ivar <= u32::MAX as usize);
    }
    Regs { pc: pc as u32, sp: sp as u32, tos: tos as u32, pvar: pvar as u32, ivar: ivar as u32 }
}

macro_rules! handlers {
    ($($number:literal $name:ident [$($operand:ident),*] ($pops:tt => $pushes:tt) $function:path;)*) => {
        impl<L: Layout> Machine<L> {
            /// A handler for each byte.
            const HANDLERS: [Handler<L>; 256] = {
                let mut table: [Handler<L>; 256] = [no_machine_code::<L>; 256];
                $({
                    #[allow(non_snake_case, reason = "profilers and disassemblers show the opcode's name")]
                    unsafe extern "sysv64" fn $name<L: Layout>(
                        m: &mut Machine<L>, pc: usize, sp: usize, tos: usize, pvar: usize, ivar: usize,
                    ) {
                        // SAFETY: handlers are called with values that fit 32 bits.
                        let mut r = unsafe { regs(pc, sp, tos, pvar, ivar) };
                        match $function(m, &mut r) {
                            Flow::Next => {
                                r.pc = r.pc.wrapping_add(1 $(+ Operand::$operand.length::<L>())*);
                                next(m, r)
                            }
                            Flow::Jump => next(m, r),
                            Flow::Ufn => call_ufn(m, r),
                            Flow::Interrupt => interrupt(m, r),
                            // SAFETY: the values come from u32. LLVM sees which function it is.
                            Flow::Slow => unsafe {
                                (m.rest)(
                                    m, r.pc as usize, r.sp as usize, r.tos as usize, r.pvar as usize, r.ivar as usize,
                                )
                            },
                            Flow::Exit => leave(m, r),
                        }
                    }
                    table[$number] = $name::<L>;
                })*
                table
            };
        }
    };
}
for_each_opcode!(handlers);

/// An opcode that is not in the table.
unsafe extern "sysv64" fn no_machine_code<L: Layout>(
    m: &mut Machine<L>,
    pc: usize,
    sp: usize,
    tos: usize,
    pvar: usize,
    ivar: usize,
) {
    // SAFETY: handlers are called with values that fit 32 bits.
    call_ufn(m, unsafe { regs(pc, sp, tos, pvar, ivar) })
}

/// Every entry of the table while stepping.
unsafe extern "sysv64" fn stop<L: Layout>(
    m: &mut Machine<L>,
    pc: usize,
    sp: usize,
    tos: usize,
    pvar: usize,
    ivar: usize,
) {
    // SAFETY: handlers are called with values that fit 32 bits.
    m.regs = unsafe { regs(pc, sp, tos, pvar, ivar) };
}

/// Calls a function that wants the registers in memory, and leaves them in `m.regs`. A handler must not do this itself: as
/// long as a function that is not known may hold the address of a local, LLVM turns no later call into a jump, and the
/// native stack would grow by a frame with every such opcode.
///
/// # Safety
/// Each value fits 32 bits.
#[inline(never)]
unsafe fn out_of_line<L: Layout, F: SlowFunction<L>>(
    m: &mut Machine<L>,
    pc: usize,
    sp: usize,
    tos: usize,
    pvar: usize,
    ivar: usize,
) -> Flow {
    const { assert!(size_of::<F>() == 0, "a slow path is known when this is compiled") };
    // SAFETY: `F` has no bytes, and whoever named it has shown one to `slow`; it can be copied.
    let function = unsafe { core::ptr::NonNull::<F>::dangling().read() };
    // SAFETY: handlers are called with values that fit 32 bits.
    let mut r = unsafe { regs(pc, sp, tos, pvar, ivar) };
    let flow = function(m, &mut r);
    // One by one: if LLVM made one wide load of these the processor would wait until the small stores before it have
    // reached the cache, a dozen cycles.
    // SAFETY: these are parts of a local.
    unsafe {
        m.regs.pc = (&raw const r.pc).read_volatile();
        m.regs.sp = (&raw const r.sp).read_volatile();
        m.regs.tos = (&raw const r.tos).read_volatile();
        m.regs.pvar = (&raw const r.pvar).read_volatile();
        m.regs.ivar = (&raw const r.ivar).read_volatile();
    }
    flow
}

/// Calls a function with the registers that a handler was given; they are in `m.regs` before and afterwards.
#[inline(always)]
fn with_registers<L: Layout, F: SlowFunction<L>>(m: &mut Machine<L>, r: Regs, _function: F) -> Flow {
    m.regs = r;
    // SAFETY: the values come from u32.
    unsafe { out_of_line::<L, F>(m, r.pc as usize, r.sp as usize, r.tos as usize, r.pvar as usize, r.ivar as usize) }
}

/// Ends of a handler that are not hot are functions of their own, entered by a jump with the machine's registers in
/// native ones; so a handler itself never has to put them in memory.
macro_rules! ends {
    ($($(#[$doc:meta])* $name:ident($m:ident, $r:ident) $body:block)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        fn $name<L: Layout>(m: &mut Machine<L>, r: Regs) {
            #[inline(never)]
            unsafe extern "sysv64" fn outlined<L: Layout>(
                $m: &mut Machine<L>, pc: usize, sp: usize, tos: usize, pvar: usize, ivar: usize,
            ) {
                // SAFETY: handlers are called with values that fit 32 bits.
                #[allow(unused_mut, reason = "one of the ends only stores them")]
                let mut $r = unsafe { regs(pc, sp, tos, pvar, ivar) };
                $body
            }
            // SAFETY: the values come from u32.
            unsafe { outlined(m, r.pc as usize, r.sp as usize, r.tos as usize, r.pvar as usize, r.ivar as usize) }
        }
    )*};
}
ends! {
    /// Calls the Lisp function that stands in for the opcode at `r.pc`.
    call_ufn(m, r) {
        match with_registers(m, r, crate::calls::call_ufn) {
            Flow::Next | Flow::Jump => next(m, m.regs),
            Flow::Interrupt => interrupt(m, m.regs),
            Flow::Ufn | Flow::Slow | Flow::Exit => {}
        }
    }
    /// Looks for interrupts and stack overflow.
    interrupt(m, r) {
        m.broken_off = Some((r.pc, m.func));
        match with_registers(m, r, crate::interrupts::check) {
            Flow::Next | Flow::Jump => next(m, m.regs),
            Flow::Ufn | Flow::Interrupt | Flow::Slow | Flow::Exit => {}
        }
    }
    /// Back to the run loop.
    leave(m, r) {
        m.regs = r;
    }
}

/// The rest of an opcode, entered by a jump. There is one for each slow function, so that each has a prediction of its own
/// of what comes next.
unsafe extern "sysv64" fn rest<L: Layout, F: SlowFunction<L>>(
    m: &mut Machine<L>,
    pc: usize,
    sp: usize,
    tos: usize,
    pvar: usize,
    ivar: usize,
) {
    // SAFETY: handlers are called with values that fit 32 bits; only `slow`, which was given one, names an `F`.
    let (r, function) = unsafe { (regs(pc, sp, tos, pvar, ivar), core::ptr::NonNull::<F>::dangling().read()) };
    match with_registers(m, r, function) {
        Flow::Next => {
            let mut r = m.regs;
            r.pc = r.pc.wrapping_add(Machine::<L>::LENGTHS[m.operand(&r, 0) as usize] as u32);
            next(m, r)
        }
        Flow::Jump => next(m, m.regs),
        Flow::Ufn => call_ufn(m, m.regs),
        Flow::Interrupt => interrupt(m, m.regs),
        Flow::Slow | Flow::Exit => {}
    }
}

impl<L: Layout> Machine<L> {
    /// Bytes of each instruction.
    const LENGTHS: [u8; 256] = {
        let mut lengths = [1; 256];
        let mut i = 0;
        while i < OPCODES.len() {
            lengths[OPCODES[i].number as usize] = OPCODES[i].length::<L>() as u8;
            i += 1;
        }
        lengths
    };

    /// Leaves the rest of an opcode to a function that is not inlined. A hot opcode ends so instead of calling such a
    /// function itself: handing it `&mut Regs` would force the registers into memory on the fast path too.
    #[inline(always)]
    pub(crate) fn slow<F: SlowFunction<L>>(&mut self, function: F) -> Flow {
        self.rest = rest::<L, F>;
        self.note_for_tests(function);
        Flow::Slow
    }

    #[cfg(not(test))]
    #[inline(always)]
    fn note_for_tests<F: SlowFunction<L>>(&mut self, _function: F) {}

    /// Tests of single opcodes call the rest themselves.
    #[cfg(test)]
    fn note_for_tests<F: SlowFunction<L>>(&mut self, _function: F) {
        self.slow_path = |m, r| {
            // SAFETY: `F` has no bytes and this is one; it can be copied.
            let function = unsafe { core::ptr::NonNull::<F>::dangling().read() };
            function(m, r)
        };
    }

    /// A table for stepping.
    pub(crate) const STEPPING: [Handler<L>; 256] = [stop::<L>; 256];

    /// Runs until something ends it.
    pub fn run(&mut self) -> Exit {
        if cfg!(debug_assertions) {
            return self.run_stepping(u64::MAX);
        }
        self.dispatch = Self::HANDLERS;
        self.exit = None;
        next(self, self.regs);
        // Without a reason it was `stop_soon`.
        self.exit.take().unwrap_or(Exit::Stopped)
    }

    /// Makes a machine that runs stop behind the instruction it is in, or the next.
    ///
    /// # Safety
    /// `machine` is one, and what runs it has been interrupted by the caller on the same processor, or is the caller.
    pub unsafe fn stop_soon(machine: *mut Self) {
        // SAFETY: the caller says that this is a machine; what runs it reads the table anew with each instruction, and
        // finds a whole table because it is interrupted.
        unsafe {
            (&raw mut (*machine).dispatch).write_volatile(Self::STEPPING);
            (*machine).attention.request();
        }
    }

    /// Runs at most `steps` instructions.
    pub fn run_stepping(&mut self, steps: u64) -> Exit {
        self.dispatch = Self::STEPPING;
        self.exit = None;
        for _ in 0..steps {
            self.step_once();
            if let Some(exit) = self.exit.take() {
                return exit;
            }
        }
        Exit::Steps
    }

    /// Runs with somebody who looks on: before each instruction `watch` gets the machine and the number of instructions
    /// completed so far, and may end the run. An instruction that an interrupt breaks off before it did anything is not
    /// completed; it comes up again later.
    pub fn run_watched(&mut self, mut watch: impl FnMut(&mut Self, u64) -> ControlFlow<()>) -> Exit {
        self.dispatch = Self::STEPPING;
        self.exit = None;
        let mut completed = 0;
        loop {
            if watch(self, completed).is_break() {
                return Exit::Steps;
            }
            let at = (self.regs.pc, self.func);
            self.broken_off = None;
            self.step_once();
            if self.broken_off != Some(at) {
                completed += 1;
            }
            if let Some(exit) = self.exit.take() {
                return exit;
            }
        }
    }

    /// One instruction; the table must be the stepping one.
    #[inline]
    fn step_once(&mut self) {
        let r = self.regs;
        let opcode = self.space.byte(crate::address::ByteAddr(r.pc));
        let handler = Self::HANDLERS[opcode as usize];
        // SAFETY: the values come from u32.
        unsafe { handler(self, r.pc as usize, r.sp as usize, r.tos as usize, r.pvar as usize, r.ivar as usize) }
    }
}
