/* The programs of folder `user`, linked on their own, as data of the kernel; and a table of them (struct program, process/elf.h). */
    .macro PROGRAM name
    .section .rodata
    .balign 4
start_\name:
    .incbin "user/\name\().elf"
end_\name:
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

    .section .note.GNU-stack, "", @progbits
