/*
 * The programs of folder `user`, linked on their own, as data of the kernel; and a table of them (struct program, process/elf.h). Each
 * has pages of its own, because processes run its code where it lies.
 */
    .macro PROGRAM name
    .section .rodata.files, "a"
    .balign 4096
start_\name:
    .incbin "user/\name\().elf"
end_\name:
    .section .rodata
name_\name:
    .asciz "\name"
    .section .rodata.programs, "a"
    .long name_\name, start_\name, end_\name
    .endm

    .section .rodata.programs, "a"
    .balign 4
    .globl programs, programs_end
programs:
    PROGRAM hello
    PROGRAM nothing
    PROGRAM echo
    PROGRAM bench
    PROGRAM stress
    .section .rodata.programs, "a"
programs_end:
    .section .rodata.files, "a"
    .balign 4096

    .section .note.GNU-stack, "", @progbits
