//! Where the processor lands: one entry for each vector.
//!
//! Each stub pushes what the processor did not (an error code of 0, the vector) and joins the common path, which saves
//! all general registers as a [`super::TrapFrame`] and all x87 and SSE state, and calls [`super::traps::dispatch`].
//! Naked functions, because stable Rust has no interrupt ABI. Every gate switches to a stack of the interrupt stack
//! table, so the red zone of interrupted code is never touched.

use core::arch::naked_asm;

/// Saves everything, calls the dispatcher, restores everything.
#[unsafe(naked)]
extern "C" fn common() {
    naked_asm!(
        "push rax", "push rcx", "push rdx", "push rbx", "push rbp", "push rsi", "push rdi",
        "push r8", "push r9", "push r10", "push r11", "push r12", "push r13", "push r14", "push r15",
        "cld",
        "mov rdi, rsp",           // the TrapFrame
        "mov rbx, rsp",           // kept by the callee
        "sub rsp, 512",
        "and rsp, -16",
        "fxsave64 [rsp]",
        "call {dispatch}",
        "fxrstor64 [rsp]",
        "mov rsp, rbx",
        "pop r15", "pop r14", "pop r13", "pop r12", "pop r11", "pop r10", "pop r9", "pop r8",
        "pop rdi", "pop rsi", "pop rbp", "pop rbx", "pop rdx", "pop rcx", "pop rax",
        "add rsp, 16",            // vector and error code
        "iretq",
        dispatch = sym super::traps::dispatch
    )
}

macro_rules! stubs {
    ($($name:ident $vector:literal $($error:literal)?;)*) => {
        $(
            #[unsafe(naked)]
            extern "C" fn $name() {
                naked_asm!($($error,)? "push {vector}", "jmp {common}", vector = const $vector, common = sym common)
            }
        )*

        /// The entry of a vector; `None` for those nothing is set up for.
        pub fn entry(vector: u8) -> Option<u64> {
            match vector {
                $($vector => Some($name as *const () as u64),)*
                _ => None,
            }
        }
    };
}

// "push 0" stands where the processor pushes no error code.
stubs! {
    divide_error 0 "push 0";
    debug 1 "push 0";
    non_maskable 2 "push 0";
    breakpoint 3 "push 0";
    overflow 4 "push 0";
    bound_range 5 "push 0";
    invalid_opcode 6 "push 0";
    device_not_available 7 "push 0";
    double_fault 8;
    coprocessor_overrun 9 "push 0";
    invalid_tss 10;
    segment_not_present 11;
    stack_segment 12;
    general_protection 13;
    page_fault 14;
    reserved_15 15 "push 0";
    x87 16 "push 0";
    alignment_check 17;
    machine_check 18 "push 0";
    simd 19 "push 0";
    virtualization 20 "push 0";
    control_protection 21;
    irq_0 32 "push 0";
    irq_1 33 "push 0";
    irq_2 34 "push 0";
    irq_3 35 "push 0";
    irq_4 36 "push 0";
    irq_5 37 "push 0";
    irq_6 38 "push 0";
    irq_7 39 "push 0";
    irq_8 40 "push 0";
    irq_9 41 "push 0";
    irq_10 42 "push 0";
    irq_11 43 "push 0";
    irq_12 44 "push 0";
    irq_13 45 "push 0";
    irq_14 46 "push 0";
    irq_15 47 "push 0";
}
