/* A multiboot kernel for `bench -- cliffs`: short loops, each next to something that could make it slow, timed with RDTSC. For each row a line on the debug console
   (port E9H): name, "|", ticks, turns (hexadecimal). A row is compared with the one above it whose name begins with "plain". A loop gets as many turns as take RUN ticks, and the best of ROUNDS such runs counts. Ends through port F4H. */
.equ RUN, 3000000
.equ ROUNDS, 80
.equ WARM, 1000000000
.equ DATA, 0x300000

.macro ROW name, code
.section .rodata
1: .asciz "\name"
.section .rows, "a"
.long 1b, \code
.text
.endm

.section .multiboot, "a"
.long 0x1badb002, 0, -0x1badb002
.text
.globl start
start:
  cli
  movl $0x280000, %esp
  lidt idt_pointer            /* nothing here is to fault: if something does, the machine shuts down */
  fninit
  movl $rows, %esi
  movl $10000, %edi
  rdtsc
  movl %eax, %ebp
warm:                         /* the first row runs for a while, so that the host's compilers have seen what all share */
  call timed
  rdtsc
  subl %ebp, %eax
  cmpl $WARM, %eax
  jb warm
next:
  cmpl $rows_end, %esi
  jae done
  movl $1000, %edi            /* turns */
  movl $-1, %ebp              /* best */
grow:
  call timed
  cmpl $RUN, %eax
  jae grown
  addl %edi, %edi
  jnc grow
grown:
  pushl $ROUNDS
again:
  call timed
  cmpl %ebp, %eax
  jae 2f
  movl %eax, %ebp
2:
  decl (%esp)
  jnz again
  addl $4, %esp
  movl (%esi), %ebx
3:
  movb (%ebx), %al
  testb %al, %al
  jz 4f
  outb %al, $0xe9
  incl %ebx
  jmp 3b
4:
  movb $'|', %al
  outb %al, $0xe9
  movl %ebp, %edx
  call hexadecimal
  movl %edi, %edx
  call hexadecimal
  movb $'\n', %al
  outb %al, $0xe9
  addl $8, %esi
  jmp next
done:
  xorl %eax, %eax
  outb %al, $0xf4
  hlt

/* EDX and a space. */
hexadecimal:
  movl $8, %ecx
1:
  roll $4, %edx
  movb %dl, %al
  andb $15, %al
  addb $'0', %al
  cmpb $'9', %al
  jbe 2f
  addb $('a' - '0' - 10), %al
2:
  outb %al, $0xe9
  loop 1b
  movb $' ', %al
  outb %al, $0xe9
  ret

/* Runs row ESI for EDI turns: ticks in EAX. A row finds its turns in ECX and DATA in EBX, and may change all registers but ESP. */
timed:
  pushl %esi
  pushl %edi
  pushl %ebp
  movl %edi, %ecx
  movl 4(%esi), %ebp
  movl $DATA, %ebx
  rdtsc
  movl %eax, started
  call *%ebp
  rdtsc
  subl started, %eax
  xorl %edx, %edx
  movl %edx, %dr7
  popl %ebp
  popl %edi
  popl %esi
  ret

.data
started: .long 0
.text

/* The loop of the rows about breakpoints: each has its own copy, in a page of its own. */
.macro TURNS
1:
  addl (%ebx), %eax
  incl 4(%ebx)
  decl %ecx
  jnz 1b
  ret
.endm
.macro ARM at, dr7
  movl $\at, %edx
  movl %edx, %dr0
  movl $\dr7, %edx
  movl %edx, %dr7
.endm

.balign 4096
ROW "plain", plain
plain:
  TURNS

.balign 4096
ROW "data breakpoint, another page", data_elsewhere
data_elsewhere:
  ARM DATA + 0x30000, 0x000d0403
  TURNS

.balign 4096
ROW "data breakpoint, page of the data", data_beside
data_beside:
  ARM DATA + 0x800, 0x000d0403
  TURNS

.balign 4096
ROW "code breakpoint, another page", code_elsewhere
code_elsewhere:
  ARM plain, 0x00000403
  TURNS

.balign 4096
ROW "code breakpoint, page of the loop", code_beside
code_beside:
  ARM behind, 0x00000403
  TURNS
  .balign 512
behind:
  ret

.balign 4096
ROW "code breakpoint, in the loop but jumped over", code_inside
code_inside:
  ARM never, 0x00000403
1:
  addl (%ebx), %eax
  incl 4(%ebx)
  jmp 2f
never:
  nop
2:
  decl %ecx
  jnz 1b
  ret

.balign 4096
ROW "DR7 written each turn", rearmed
rearmed:
  movl $(DATA + 0x30000), %edx
  movl %edx, %dr0
1:
  movl $0x000d0403, %edx
  movl %edx, %dr7
  addl (%ebx), %eax
  incl 4(%ebx)
  xorl %edx, %edx
  movl %edx, %dr7
  decl %ecx
  jnz 1b
  ret

/* Interrupts stay off in the whole kernel: the timer's waits for an STI that never comes, unless the 8259 keeps it. The loop has one inside, so each turn polls. */
.macro POLLS
1:
  movl $2, %edx
2:
  addl %edx, %eax
  decl %edx
  jnz 2b
  decl %ecx
  jnz 1b
  ret
.endm
.macro MASK irqs
  movb $\irqs, %al
  outb %al, $0x21
.endm

.balign 4096
ROW "plain, with all interrupts masked", masked
masked:
  MASK -1
  call 1f
  MASK 0xb8
  ret
  POLLS

.balign 4096
ROW "an interrupt waits for STI", waits
waits:
  POLLS

/* A loop that stores into another page, into its own, and seldom into its own. */
.balign 4096
ROW "plain store", store_elsewhere
store_elsewhere:
1:
  incl (%ebx)
  decl %ecx
  jnz 1b
  ret

.balign 4096
ROW "store beside code", store_beside
store_beside:
1:
  incl word1
  decl %ecx
  jnz 1b
  ret
  .balign 256
word1: .long 0

.balign 4096
ROW "store beside code, every 1000 turns", store_rarely
store_rarely:
2:
  movl $1000, %edx
1:
  addl %edx, %eax
  decl %edx
  jnz 1b
  incl word2
  subl $1000, %ecx
  ja 2b
  ret
  .balign 256
word2: .long 0

/* x87: one operation a turn and what it needs to be used. */
.macro X87 label, name, body:vararg
X87_AT 0x37f, \label, "\name", \body
.endm
.macro X87_AT control, label, name, body:vararg
.balign 4096
ROW "\name", \label
\label:
  fninit
  pushl $\control
  fldcw (%esp)
  popl %eax
  fldpi
  fld1
1:
  \body
  decl %ecx
  jnz 1b
  ret
.endm
X87 x87_move, "plain x87: fld st, fstp st", fld %st(0); fstp %st(0)
X87 x87_load, "x87 fld, fstp m64", fldl 16(%ebx); fstpl 24(%ebx)
X87 x87_add, "x87 fadd m64", faddl 16(%ebx)
X87_AT 0x27f, x87_add_53, "x87 fadd m64, 53 bits", faddl 16(%ebx)
X87 x87_multiply, "x87 fmul st, st1 (1 by pi)", fld %st(0); fmul %st(2), %st; fstp %st(0)
X87 x87_compare, "x87 fucom, fnstsw, sahf", fucom %st(1); fnstsw %ax; sahf
X87 x87_compare_flags, "x87 fucomi", fucomi %st(1), %st
X87 x87_compare_memory, "x87 fcomp m64, fnstsw", fld %st(0); fcompl 16(%ebx); fnstsw %ax
X87 x87_test, "x87 ftst, fnstsw", ftst; fnstsw %ax

.balign 4096
.section .rodata
idt_pointer: .word 0; .long 0
.section .rows, "a"
