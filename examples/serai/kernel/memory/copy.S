/*
 * u32 copy_with_mending(void *to, const void *from, u32 bytes): returns how many bytes were not copied. When REP MOVSB faults, the
 * page-fault handler finds its address in the exception table and goes on at the address beside it; ECX then says how much is left.
 */
    .text
    .globl copy_with_mending
copy_with_mending:
    pushl %esi
    pushl %edi
    movl 12(%esp), %edi
    movl 16(%esp), %esi
    movl 20(%esp), %ecx
may_fault:
    rep movsb
mend:
    movl %ecx, %eax
    popl %edi
    popl %esi
    ret

    .section .exceptions, "a"
    .long may_fault, mend

    .section .note.GNU-stack, "", @progbits
