/* SPDX-License-Identifier: ISC
 *
 * The first instructions, from either boot protocol: 32-bit protected mode without paging.
 * Multiboot2 (GRUB): eax holds its magic, ebx the information. PVH (QEMU -kernel): ebx holds the
 * start information; eax isn't reliable, so the two have entry points of their own.
 *
 * Maps the first GiB three times (at its own address, in the direct map, and where the kernel is
 * linked), enters 64-bit mode and calls kernel_boot(); the protocol and its information stand in
 * boot_protocol and boot_information.
 */
#define KERNEL_BASE 0xffffffff80000000
#define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)

#define MULTIBOOT2_HEADER_MAGIC 0xe85250d6
#define XEN_ELFNOTE_PHYS32_ENTRY 18
#define EFER 0xc0000080

        .section .boot, "a"
        .p2align 3
header:
        .long MULTIBOOT2_HEADER_MAGIC
        .long 0                         /* i386, protected mode */
        .long header_end - header
        .long -(MULTIBOOT2_HEADER_MAGIC + 0 + (header_end - header))
        .p2align 3
        .word 0, 0                      /* end tag */
        .long 8
header_end:

        .section .note.pvh, "a", @note
        .p2align 2
        .long 4, 8, XEN_ELFNOTE_PHYS32_ENTRY
        .asciz "Xen"
        .quad PHYSICAL(pvh_start)

        .section .text.boot, "ax"
        .code32
        .globl multiboot_start
multiboot_start:
        movl $2, PHYSICAL(boot_protocol)
        jmp start
        .globl pvh_start
pvh_start:
        movl $1, PHYSICAL(boot_protocol)
start:
        cli
        cld
        movl $PHYSICAL(boot_stack_top), %esp
        movl %ebx, PHYSICAL(boot_information)

        /* 64-bit mode? If the CPU has no such leaf, it hasn't that either. */
        movl $0x80000000, %eax
        cpuid
        cmpl $0x80000001, %eax
        jb no_long_mode
        movl $0x80000001, %eax
        cpuid
        testl $(1 << 29), %edx
        jz no_long_mode
        movl %edx, %ebp                 /* bit 20: NX */

        /* 512 pages of 2 MiB */
        movl $PHYSICAL(boot_directory), %edi
        movl $0x83, %eax                /* present, writable, large */
        movl $512, %ecx
1:      movl %eax, (%edi)
        addl $0x200000, %eax
        addl $8, %edi
        loop 1b

        movl $(PHYSICAL(boot_directory) + 3), %eax
        movl %eax, PHYSICAL(direct_pointers)
        movl %eax, PHYSICAL(kernel_pointers) + 510 * 8
        movl $(PHYSICAL(direct_pointers) + 3), %eax
        movl %eax, PHYSICAL(kernel_root)
        movl %eax, PHYSICAL(kernel_root) + 256 * 8
        movl $(PHYSICAL(kernel_pointers) + 3), %eax
        movl %eax, PHYSICAL(kernel_root) + 511 * 8

        movl $(1 << 5), %eax            /* PAE; nothing of what the firmware left */
        movl %eax, %cr4
        movl $PHYSICAL(kernel_root), %eax
        movl %eax, %cr3
        movl $EFER, %ecx
        rdmsr
        orl $(1 << 8 | 1 << 0), %eax    /* long mode, syscall */
        testl $(1 << 20), %ebp
        jz 2f
        orl $(1 << 11), %eax            /* NX */
2:      wrmsr
        movl %cr0, %eax
        orl $(1 << 31 | 1 << 16), %eax  /* paging, write protection in ring 0 */
        movl %eax, %cr0
        lgdt PHYSICAL(boot_gdt_pointer)
        ljmp $8, $PHYSICAL(start64)

no_long_mode:
        movl $PHYSICAL(no_long_mode_text), %esi
3:      lodsb
        testb %al, %al
        jz 4f
        movw $0x3f8, %dx
        outb %al, %dx
        jmp 3b
4:      hlt
        jmp 4b

        .code64
start64:
        movabsq $start_high, %rax
        jmp *%rax
start_high:
        movl $0x10, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movq $boot_stack_top, %rsp
        call kernel_boot
6:      hlt
        jmp 6b

        .section .rodata
no_long_mode_text:
        .asciz "motet: this CPU has no 64-bit mode\r\n"

        .section .data
        .p2align 3
boot_gdt:
        .quad 0
        .quad 0x00af9a000000ffff        /* 64-bit code */
        .quad 0x00cf92000000ffff        /* data */
boot_gdt_pointer:
        .word boot_gdt_pointer - boot_gdt - 1
        .quad PHYSICAL(boot_gdt)

        .section .bss
        .globl boot_protocol, boot_information
boot_protocol:
        .skip 4
boot_information:
        .skip 4
        .p2align 12
        .globl kernel_root, direct_pointers, kernel_pointers, boot_directory
kernel_root:
        .skip 4096
direct_pointers:
        .skip 4096
kernel_pointers:
        .skip 4096
boot_directory:
        .skip 4096
        .globl boot_stack_top
boot_stack:
        .skip 8192
boot_stack_top:

        .section .note.GNU-stack, "", @progbits
