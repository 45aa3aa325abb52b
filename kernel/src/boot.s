# The first instructions, before any Rust may run. AT&T syntax.
#
# Two ways in:
#   pvh_entry         32-bit, paging off, EBX = physical address of an hvm_start_info. Linked at KERNEL_BASE + x,
#                     loaded at physical x, so 32-bit code names things (symbol - KERNEL_BASE).
#   bootloader_entry  64-bit, paging on, RDI = &mut BootInfo of the bootloader crate.
#
# Both must turn SSE on: prebuilt `core` is compiled for it.
#
# Page tables made here, for the few milliseconds until the kernel builds its own:
#   PML4[0]   -> PDPT[0..4]     -> 4 page directories, 2048 pages of 2 MiB: the first 4 GiB, identity
#   PML4[511] -> PDPT[510..512] -> page directories 0 and 1 again: the kernel at its linked address
.set KERNEL_BASE, 0xffffffff80000000

.section .note.pvh, "a", @note
.balign 4
.long 4                          # length of the name
.long 4                          # length of the descriptor
.long 18                         # XEN_ELFNOTE_PHYS32_ENTRY
.asciz "Xen"
.long pvh_entry - KERNEL_BASE

.section .boot.text, "ax"
.code32
.global pvh_entry
pvh_entry:
  cli
  cld
  movl $(boot_stack_top - KERNEL_BASE), %esp
  movl $(boot_pdpt_low - KERNEL_BASE + 3), boot_pml4 - KERNEL_BASE
  movl $(boot_pdpt_high - KERNEL_BASE + 3), boot_pml4 - KERNEL_BASE + 511*8
  movl $(boot_directories - KERNEL_BASE + 3), boot_pdpt_high - KERNEL_BASE + 510*8
  movl $(boot_directories - KERNEL_BASE + 4096 + 3), boot_pdpt_high - KERNEL_BASE + 511*8
  movl $(boot_directories - KERNEL_BASE + 3), %eax
  movl $(boot_pdpt_low - KERNEL_BASE), %edi
  movl $4, %ecx
1: movl %eax, (%edi)
  addl $4096, %eax
  addl $8, %edi
  loop 1b
  movl $0x83, %eax               # present, writable, 2 MiB page
  movl $(boot_directories - KERNEL_BASE), %edi
  movl $2048, %ecx
2: movl %eax, (%edi)
  addl $0x200000, %eax
  addl $8, %edi
  loop 2b
  movl %cr4, %eax
  orl $0x620, %eax               # PAE, OSFXSR, OSXMMEXCPT
  movl %eax, %cr4
  movl $(boot_pml4 - KERNEL_BASE), %eax
  movl %eax, %cr3
  movl $0xc0000080, %ecx         # EFER
  rdmsr
  orl $0x900, %eax               # LME, NXE
  wrmsr
  movl %cr0, %eax
  andl $0xfffffff3, %eax         # clear EM, TS
  orl $0x80010023, %eax          # PG, WP, NE, MP, PE
  movl %eax, %cr0
  lgdt boot_gdt_pointer - KERNEL_BASE
  ljmp $8, $(3f - KERNEL_BASE)
.code64
3: movabsq $4f, %rax             # leave the identity map for the linked address
  jmp *%rax
4: movl $0x10, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  xorl %eax, %eax
  movl %eax, %fs
  movl %eax, %gs
  movabsq $boot_stack_top, %rsp
  fninit                         # reset leaves another x87 control word than software expects
  movl %ebx, %edi
  xorl %ebp, %ebp
  call enter_from_pvh
  ud2

.global bootloader_entry
bootloader_entry:
  movq %cr0, %rax
  andq $-13, %rax                # clear EM, TS
  orq $0x10022, %rax             # WP, NE, MP
  movq %rax, %cr0
  movq %cr4, %rax
  orq $0x600, %rax               # OSFXSR, OSXMMEXCPT
  movq %rax, %cr4
  fninit
  jmp _start                     # made by bootloader_api::entry_point!

.section .rodata.boot, "a"
.balign 8
boot_gdt: .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
boot_gdt_pointer: .word . - boot_gdt - 1
  .quad boot_gdt - KERNEL_BASE

.section .bss.boot, "aw", @nobits
.balign 4096
boot_pml4: .skip 4096
boot_pdpt_low: .skip 4096
boot_pdpt_high: .skip 4096
boot_directories: .skip 16384
boot_stack: .skip 65536
boot_stack_top:
