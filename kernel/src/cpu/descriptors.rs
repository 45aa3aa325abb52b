//! Segments, the task state segment with its seven interrupt stacks, and the 256 gates.

use super::stubs;
use crate::memory::paging::Stack;
use spin::Once;
use x86_64::VirtAddr;
use x86_64::instructions::segmentation::{CS, DS, ES, SS, Segment};
use x86_64::instructions::tables::{DescriptorTablePointer, lidt, load_tss};
use x86_64::structures::gdt::{Descriptor, GlobalDescriptorTable};
use x86_64::structures::tss::TaskStateSegment;

/// A gate: offset and selector in four pieces, as the processor wants them.
///
/// ```text
///   63        48 47  44 43  40 34 32 31       16 15       0
///   offset 31:16 |  8E      | IST  | selector  | offset 15:0        8E: present, 64-bit interrupt gate
///   127                      96 95                        64
///            reserved          |        offset 63:32
/// ```
fn gate(entry: u64, selector: u16, stack: u16) -> u128 {
    let low = (entry & 0xffff)
        | u64::from(selector) << 16
        | u64::from(stack) << 32
        | 0x8e00 << 32
        | (entry & 0xffff_0000) << 32;
    u128::from(low) | u128::from(entry >> 32) << 64
}

static TSS: Once<TaskStateSegment> = Once::new();
static GDT: Once<GlobalDescriptorTable> = Once::new();
static IDT: Once<[u128; 256]> = Once::new();

/// The interrupt stack a vector runs on.
fn stack_of(vector: u8) -> Stack {
    match vector {
        1 | 3 => Stack::Debug,
        2 => Stack::NonMaskable,
        8 => Stack::DoubleFault,
        14 => Stack::PageFault,
        18 => Stack::MachineCheck,
        32.. => Stack::Interrupt,
        _ => Stack::Exception,
    }
}

/// Loads all of it. Call once, on the kernel's own page tables.
pub fn load() {
    let tss = TSS.call_once(|| {
        let mut tss = TaskStateSegment::new();
        // Slot 0 of the stacks is the main stack; interrupt stack n of the gates (from 1) is slot n.
        for stack in &Stack::ALL[1..8] {
            tss.interrupt_stack_table[*stack as usize - 1] = VirtAddr::new(stack.top());
        }
        tss
    });
    let mut gdt = GlobalDescriptorTable::new();
    let code = gdt.append(Descriptor::kernel_code_segment());
    let data = gdt.append(Descriptor::kernel_data_segment());
    let task = gdt.append(Descriptor::tss_segment(tss));
    GDT.call_once(|| gdt).load();
    // SAFETY: the selectors are those of the table just loaded, which lives for ever, as does the TSS.
    unsafe {
        CS::set_reg(code);
        SS::set_reg(data);
        DS::set_reg(data);
        ES::set_reg(data);
        load_tss(task);
    }
    let idt = IDT.call_once(|| {
        core::array::from_fn(|vector| {
            let vector = vector as u8;
            stubs::entry(vector).map_or(0, |entry| gate(entry, code.0, stack_of(vector) as u16))
        })
    });
    let pointer = DescriptorTablePointer { limit: (size_of_val(idt) - 1) as u16, base: VirtAddr::from_ptr(idt) };
    // SAFETY: the table lives for ever, and each present gate leads to a stub that saves and restores everything.
    unsafe { lidt(&pointer) };
}
