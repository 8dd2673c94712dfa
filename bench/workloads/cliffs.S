/* A multiboot kernel for `bench -- cliffs`: short loops, each next to something that could make it slow, timed with RDTSC. For each row a line on the debug console
   (port E9H): name, "|", ticks, turns (hexadecimal), and before and behind them "clock|" with the counter's high and low half. A row is compared with the one above it whose name begins with "plain". A loop gets as many turns as take RUN ticks, and the best of ROUNDS such runs counts. Ends through port F4H. */
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
  call clock
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
  jb 1f
  call timed                  /* not only the first time, when there is no code yet */
  cmpl $RUN, %eax
  jae grown
1:
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
  call line
  addl $8, %esi
  jmp next
done:
  call clock
  xorl %eax, %eax
  outb %al, $0xf4
  hlt

/* What the counter is at. */
clock:
  rdtsc
  movl %edx, %ebp
  movl %eax, %edi
  movl $clock_name, %ebx
/* A line: the text at EBX, EBP and EDI. */
line:
  movb (%ebx), %al
  testb %al, %al
  jz 1f
  outb %al, $0xe9
  incl %ebx
  jmp line
1:
  movb $'|', %al
  outb %al, $0xe9
  movl %ebp, %edx
  call hexadecimal
  movl %edi, %edx
  call hexadecimal
  movb $'\n', %al
  outb %al, $0xe9
  ret

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

/* Programs in one real-mode segment that has code, data and stack, as boot sectors and Forths have it. A turn is a count, a sort of 32 words, or four words of a threaded program. */
.macro REAL label, name
.balign 4096
ROW "\name", \label
\label:
  movl $(in_\label - segment), %edx
  jmp run_real
.endm
REAL real_plain, "plain, in a real-mode segment"
REAL real_count, "real mode: count beside code"
REAL real_sort, "real mode: sort"
REAL real_threaded, "real mode: threaded code"

run_real:
  lgdt gdt_pointer
  movl %esp, outer_stack
  ljmp $0x18, $(to_real - segment)
ran_real:
  movl $0x10, %eax
  movl %eax, %ds
  movl %eax, %es
  movl %eax, %ss
  movl outer_stack, %esp
  ret

.section .real, "awx"
.code16
.equ PARAGRAPH, 0x1000        /* where cliffs.ld has it */
segment:
to_real:
  movw $0x20, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  movl %cr0, %eax
  andb $0xfe, %al
  movl %eax, %cr0
  ljmp $PARAGRAPH, $(1f - segment)
1:
  movw $PARAGRAPH, %ax
  movw %ax, %ds
  movw %ax, %es
  movw %ax, %ss
  movl $0xfff0, %esp
  call *%dx
  movl %cr0, %eax
  orb $1, %al
  movl %eax, %cr0
  ljmpl $0x08, $ran_real

in_real_plain:
1:
  incw %ax
  decl %ecx
  jnz 1b
  ret

in_real_count:
1:
  incw (counted - segment)
  decl %ecx
  jnz 1b
  ret
counted: .word 0

in_real_sort:
1:
  movw $(array - segment), %di
2:
  imulw $25173, %ax, %ax
  addw $13849, %ax
  movw %ax, (%di)
  addw $2, %di
  cmpw $(array_end - segment), %di
  jb 2b
  movw $(array - segment + 2), %si
3:
  movw (%si), %dx
  movw %si, %di
4:
  cmpw $(array - segment), %di
  je 5f
  cmpw %dx, -2(%di)
  jbe 5f
  movw -2(%di), %bx
  movw %bx, (%di)
  subw $2, %di
  jmp 4b
5:
  movw %dx, (%di)
  addw $2, %si
  cmpw $(array_end - segment), %si
  jb 3b
  decl %ecx
  jnz 1b
  ret
array: .fill 32, 2, 0
array_end:

.macro NEXT
  lodsw
  jmp *%ax
.endm
in_real_threaded:
  movw $(program - segment), %si
  NEXT
program: .word increment - segment, mix - segment, store - segment, turn - segment
increment:
  incw (variable - segment)
  NEXT
variable: .word 0
mix:
  movw (variable - segment), %dx
  addw %dx, %bx
  rolw $3, %bx
  NEXT
store:
  movw %bx, (result - segment)
  NEXT
result: .word 0
turn:
  decl %ecx
  jz 1f
  movw $(program - segment), %si
  NEXT
1:
  ret

.data
.balign 8
outer_stack: .long 0
/* Flat code and data; code and data of the segment below, with 64 KiB. */
gdt: .quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00009b010000ffff, 0x000093010000ffff
gdt_pointer: .word . - gdt - 1; .long gdt

.text
.code32
.balign 4096
.section .rodata
clock_name: .asciz "clock"
idt_pointer: .word 0; .long 0
.section .rows, "a"
