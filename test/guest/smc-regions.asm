; { "about": "code that overwrites what comes next in its own loop: by REP MOVS and REP STOS, MOVS, PUSH, PUSHA, ENTER, x87 and SSE stores, stores of bytes by a mask, read-modify-write, XCHG, a store that crosses into the code's page, an alias of the page, and a subroutine that changes its return point", "mode": "paged",
;   "expect": { "log": ["00000099", "9000009a", "000000c3", "000000c4", "07070707", "08080808", "00000022", "00000023", "00000035", "00000036", "11000041", "11000042", "00000057", "00000058", "00000061", "00000062", "0000ff83", "0000ff84", "00000101", "00000102", "00000093", "00000094", "000000a3", "000000a4", "0000000a", "00000005", "000000b2", "000000b3", "000000e1", "000000e2", "000000f1", "000000f2", "00000ff0"] } }
%include "common.inc"
; Each case runs twice, so that what the first pass made of the code is there when the second one changes it.
%macro TWICE 0
  %push twice
  mov dword [pass], 0
%$again:
  inc dword [pass]
%endmacro
%macro AGAIN 0
  cmp dword [pass], 2
  jb near %$again
  %pop
%endmacro
main:
  mov eax, cr4
  or eax, 0x600
  mov cr4, eax
  PAGING_ON

  TWICE                                         ; REP MOVS over the next instruction
  mov eax, [pass]
  dec eax
  jz .one
  mov byte [template.imm + 3], 0x90
.one:
  add byte [template.imm], al
  mov esi, template
  mov edi, .a
  mov ecx, 5
  rep movsb
.a:
  mov ebx, 0x11111111
  TOLOG ebx
  AGAIN

  TWICE                                         ; MOVS over the next instruction, without REP
  mov dword [DATA], 0xc2
  mov eax, [pass]
  add [DATA], eax
  mov esi, DATA
  mov edi, .b + 1
  movsd
.b:
  mov ebx, 0x11111111
  TOLOG ebx
  AGAIN

  TWICE                                         ; REP STOS
  mov eax, [pass]
  add eax, 6
  mov edi, .c + 1
  mov ecx, 4
  rep stosb
.c:
  mov ebx, 0x11111111
  TOLOG ebx
  AGAIN

  TWICE                                         ; PUSH
  mov ebp, esp
  mov eax, 0x21
  add eax, [pass]
  mov esp, .d + 5
  push eax
.d:
  mov ebx, 0x11111111
  mov esp, ebp
  TOLOG ebx
  AGAIN

  TWICE                                         ; PUSHA: EAX is its uppermost dword
  mov ebp, esp
  mov eax, 0x34
  add eax, [pass]
  mov esp, .e + 5
  jmp .e0
  times 32 nop
.e0:
  jmp .e1
  times 40 nop
.e1:
  mov edx, .e + 5
  mov esp, .e2
  pushad                                        ; into the NOPs before .e2
  mov esp, .e + 5
  push eax
.e:
  mov ebx, 0x11111111
  mov esp, ebp
  TOLOG ebx
  AGAIN
  jmp .e2
  times 40 nop
.e2:

  TWICE                                         ; x87: a store of an integer
  mov dword [DATA], 0x11000040
  mov eax, [pass]
  add [DATA], eax
  fild dword [DATA]
  fistp dword [.f + 1]
.f:
  mov ebx, 0x22222222
  TOLOG ebx
  AGAIN

  TWICE                                         ; SSE: 16 bytes over four instructions
  mov dword [DATA], 0x000056bb                  ; mov ebx, 0x56
  mov dword [DATA + 4], 0x90909000
  mov dword [DATA + 8], 0x90909090
  mov dword [DATA + 12], 0x90909090
  mov eax, [pass]
  add [DATA + 1], al
  movups xmm0, [DATA]
  mov ebx, 0
  movups [.g], xmm0
.g:
  mov ebx, 0x22222222
  mov ebx, 0x22222222
  mov ebx, 0x22222222
  nop
  TOLOG ebx
  AGAIN

  TWICE                                         ; a read-modify-write of the next instruction
  mov eax, [pass]
  mov dword [.h + 1], 0x60
  add [.h + 1], eax
.h:
  mov ebx, 0x22222222
  TOLOG ebx
  AGAIN

  TWICE                                         ; FNSTSW and XCHG
  mov eax, 0x82
  add eax, [pass]
  fninit
  mov dword [.j + 1], 0
  fnstsw [.j + 2]
  mov byte [.j + 2], 0xff
  xchg [.j + 1], al
.j:
  mov ebx, 0x22222222
  TOLOG ebx
  AGAIN

  TWICE                                         ; ENTER: pushes EBP
  mov edx, ebp
  mov ecx, esp
  mov ebp, 0x100
  add ebp, [pass]
  mov esp, .k + 5
  enter 0, 0
.k:
  mov ebx, 0x22222222
  mov esp, ecx
  mov ebp, edx
  TOLOG ebx
  AGAIN

  TWICE                                         ; MASKMOVDQU: one byte of the next instruction
  mov eax, 0x92
  add eax, [pass]
  movd xmm0, eax
  mov eax, 0x80
  movd xmm1, eax
  mov edi, .o + 1
  maskmovdqu xmm0, xmm1
.o:
  mov ebx, 0x22
  TOLOG ebx
  AGAIN

  TWICE                                         ; MASKMOVQ
  mov eax, 0xa2
  add eax, [pass]
  movd mm0, eax
  mov eax, 0x80
  movd mm1, eax
  mov edi, .p + 1
  maskmovq mm0, mm1
.p:
  mov ebx, 0x22
  emms
  TOLOG ebx
  AGAIN

  ; a loop that rewrites an immediate of itself each time, by a read-modify-write and by the loop's condition
  mov ecx, 4
  xor edx, edx
.loop:
  add edx, 1
  inc byte [.loop + 2]
  dec ecx
  jnz .loop
  TOLOG edx
  movzx edx, byte [.loop + 2]
  TOLOG edx

  ; a store of four bytes that begins on the page before
  mov byte [0x64ffd], 0xeb                      ; jmp 0x65002
  mov byte [0x64ffe], 0x03
  mov byte [0x65002], 0xb0                      ; mov al, n; ret
  mov byte [0x65003], 0xb1
  mov byte [0x65004], 0xc3
  mov byte [0x65005], 0x90
  xor eax, eax
  mov edx, 0x65002
  call edx
  mov dword [DATA], 0
.cross:
  mov eax, 0xb0
  inc dword [DATA]
  mov ecx, [DATA]
  add cl, 0xb1
  mov byte [0x65fff], 0x90
  mov [0x65003], cl
  xor eax, eax
  call edx
  TOLOG eax
  cmp dword [DATA], 2
  jb .cross

  ; through an alias of the code's own page
  mov eax, .m
  and eax, 0xfffff000
  or eax, 7
  mov [PTE(0x66000)], eax
  mov [PTE(0x67000)], eax
  invlpg [0x66000]
  TWICE
  mov eax, 0xe0
  add eax, [pass]
  mov edx, .m + 1
  and edx, 0xfff
  mov [0x66000 + edx], al
.m:
  mov ebx, 0x33
  TOLOG ebx
  AGAIN

  TWICE                                         ; a subroutine changes what it returns to
  mov eax, 0xf0
  add eax, [pass]
  call patch
.n:
  mov ebx, 0x33
  TOLOG ebx
  AGAIN
  TOLOG 0xff0
  DONE
patch:
  mov edx, [esp]
  mov [edx + 1], al
  ret
pass: dd 0
template:
  db 0xbb
.imm:
  dd 0x99
EPILOGUE
