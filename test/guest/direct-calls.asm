; { "about": "calls of small functions on other pages of a kernel's direct map (which a region may hold in the place of their calls), in one another, with jumps in the place of calls and indirect ones: changed in memory, by themselves, by their caller; mapped elsewhere, not present, not global; with a breakpoint; without PGE; faults in them, a changed return address", "mode": "paged",
;   "expect": { "log": ["00003070", "00003070", "00003076", "00003076", "00003070", "00003070", "00003075", "00003075", "00000009", "00000012", "00000006", "0000000f", "00003075", "00003075", "000031ef", "000031ef", "00003075", "00003075", "ee0e0000", "c0201000", "00000100", "ee0e0000", "c0201000", "00000100", "00003075", "00003075", "00003075", "00003075", "000031ef", "000031ef", "00003075", "00003075", "ee0e0000", "c0202000", "00000106", "ee0e0000", "c0202000", "00000106", "00003075", "00003075", "ee010000", "00000100", "ee010000", "00000100", "ee010000", "00000103", "ee010000", "00000103", "00003075", "00003075", "00000108", "00000108", "ee0e0000", "d0000000", "00000100", "ee0e0000", "d0000000", "00000100", "0000015a", "0000015a", "00000300", "00000300", "00003075", "00003075", "000031ef", "000031ef", "000031ef", "000031ef", "00003075", "00003075"] } }
%include "common.inc"
%include "direct-map.inc"
%define MAP 0xc0000000
%define TABLE 0x72000                           ; page table of the map's first 4 MiB
%define CODE (MAP + 0x200000)                   ; where the functions are copied to
%define OTHER 0x305000                          ; physical address of another page of callees
%define AT(label) ((label) - functions + CODE)
%define ENTRY_OF(linear) (TABLE + (((linear) >> 12) & 0x3ff) * 4)

; Calls a function of the caller's page twice and logs what it gives.
%macro RUN 1
  %rep 2
  xor eax, eax
  mov edx, AT(by_register)
  mov ecx, AT(%1)
  call ecx
  TOLOG eax
  %endrep
%endmacro

; The same where an exception should come at a label of the callees, which then return at once.
%macro RUN_FAULTING 2
  %rep 2
  EXPECT AT(%2), AT(nothing)
  xor eax, eax
  mov ecx, AT(%1)
  call ecx
  TOLOG eax
  %endrep
%endmacro

main:
  PAGING_ON
  mov dword [PAGES + 0x300 * 4], TABLE + 0x63
  mov dword [PAGES + 0x301 * 4], 0x4001e3       ; present, writable, accessed, dirty, large, global
  mov dword [PAGES + 0x302 * 4], 0x8001e3
  mov dword [PAGES + 0x303 * 4], 0xc001e3
  FILL_TABLE TABLE, 0x163
  COPY_FUNCTIONS
  mov esi, functions + 0x1000                   ; the same callees elsewhere: 0x40 for 1
  mov edi, OTHER
  mov ecx, 0x1000 / 4
  rep movsd
  mov byte [OTHER + one.imm - callees], 0x40
  GLOBAL_PAGES_ON
  jmp CODE0:.on
.on:
  mov ebx, DATA
  ; each callee once, before a caller is translated
  mov edx, AT(nothing)
%macro ONCE 1-*
  %rep %0
  mov ecx, AT(%1)
  call ecx
  times 3 nop                                   ; what `shifts` leaves out
  %rotate 1
  %endrep
%endmacro
  ONCE one, deep, deeper, onwards, through, loads, shifts, counts, by_register
  RUN all

  ; changed from outside, by a callee in the caller's loop, and the caller by its callee
  inc byte [AT(one.imm)]
  RUN all
  dec byte [AT(one.imm)]
  RUN all
  inc byte [AT(deeper.imm)]
  RUN all
  RUN changing
  mov byte [AT(one.imm)], 1
  RUN changed
  RUN all

  ; mapped elsewhere, and back
  mov dword [ENTRY_OF(AT(callees))], OTHER + 0x163
  invlpg [AT(callees)]
  RUN all
  mov dword [ENTRY_OF(AT(callees))], 0x201163
  invlpg [AT(callees)]
  RUN all

  ; not present, and present
  mov dword [ENTRY_OF(AT(callees))], 0x201162
  invlpg [AT(callees)]
  RUN_FAULTING single, one
  mov dword [ENTRY_OF(AT(callees))], 0x201163
  RUN all

  ; not global: forgotten at MOV CR3
  mov dword [ENTRY_OF(AT(callees))], 0x201063
  invlpg [AT(callees)]
  RUN all
  mov dword [ENTRY_OF(AT(callees))], OTHER + 0x063
  mov eax, cr3
  mov cr3, eax
  RUN all
  mov dword [ENTRY_OF(AT(callees))], 0x201163
  mov eax, cr3
  mov cr3, eax
  RUN all

  ; the page that a callee's callee is on
  mov dword [ENTRY_OF(AT(far_callees))], 0x202162
  invlpg [AT(far_callees)]
  RUN_FAULTING deeply, deeper
  mov dword [ENTRY_OF(AT(far_callees))], 0x202163
  RUN all

  ; breakpoints at the first and the second instruction of a callee
  mov eax, AT(one)
  mov dr0, eax
  mov eax, 0x401
  mov dr7, eax
  RUN_FAULTING single, one
  mov eax, AT(counts.second)
  mov dr0, eax
  RUN_FAULTING counting, counts.second
  xor eax, eax
  mov dr7, eax
  RUN all
  RUN counting

  ; a fault in a callee; a callee that returns elsewhere
  mov ebx, 0xd0000000
  RUN_FAULTING loading, loads
  mov ebx, DATA
  mov dword [DATA], 0x5a
  RUN loading
  RUN shifting

  ; without PGE, and with it
  mov eax, cr4
  and eax, ~0x80
  mov cr4, eax
  RUN all
  mov dword [ENTRY_OF(AT(callees))], OTHER + 0x163
  mov eax, cr3
  mov cr3, eax
  RUN all
  mov eax, cr4
  or eax, 0x80
  mov cr4, eax
  RUN all
  mov dword [ENTRY_OF(AT(callees))], 0x201163
  mov eax, cr4
  xor eax, 0x80
  mov cr4, eax
  xor eax, 0x80
  mov cr4, eax
  RUN all
  DONE

align 4
functions:                                      ; a page of callers
all:
  mov ecx, 3
.loop:
  call one
  call deep
  call onwards
  call through
  call one
  dec ecx
  jnz .loop
  ret
single:
  call one
  add eax, 0x100
  ret
deeply:
  call deep
  add eax, 0x100
  ret
counting:
  call counts
  add eax, 0x100
  ret
loading:
  call loads
  add eax, 0x100
  ret
shifting:
  mov ecx, 3
.loop:
  call shifts
  add eax, 0x70                                 ; left out
  add eax, 0x100
  dec ecx
  jnz .loop
  ret
changing:
  mov ecx, 3
.loop:
  call changes_one
  call one
  dec ecx
  jnz .loop
  ret
changed:
  mov ecx, 3
.loop:
  call changes_caller
.imm equ $ + 1
  add al, 0
  dec ecx
  jnz .loop
  ret
nothing:
  ret
  times 0x1000 - ($ - functions) nop

callees:
.start:
one:
.imm equ $ + 2
  add eax, byte 1
  ret
deep:
  add eax, byte 2
  call deeper
  add eax, byte 4
  ret
onwards:
  test ecx, 1
  jz .even
  jmp deeper
.even:
  add eax, byte 8
  ret
through:
  call thunk
  ret
counts:
  add eax, byte 3
.second:
  add eax, byte 5
  ret
loads:
  mov eax, [ebx]
  ret
shifts:
  add dword [esp], byte 3
  ret
changes_one:
  inc byte [AT(one.imm)]
  ret
changes_caller:
  inc byte [AT(changed.imm)]
  ret
by_register:
  add eax, 0x1000
  ret
  times 0x1000 - ($ - callees) nop

far_callees:
.start:
deeper:
.imm equ $ + 2
  add eax, byte 0x10
  ret
thunk:
  jmp edx
  times 0x1000 - ($ - far_callees) nop
functions_end:
EPILOGUE
