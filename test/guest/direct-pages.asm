; { "about": "code of a kernel that goes over the ends of its pages (which a region of the direct map may go on to): an instruction on two pages, jumps to the next page and back in a loop, a call whose return point is on the next page; changed in memory, by itself; the next pages mapped elsewhere, by the code itself as well, not present, not global; the page before not present; with breakpoints; without PGE", "mode": "paged",
;   "expect": { "log": ["03000309", "03000309", "0000000d", "0000000d", "0000003f", "0000003f", "0000000c", "0000000c", "84038e8c", "84038e8c", "06000309", "06000309", "08038e8c", "08038e8c", "0600030c", "0600030c", "08039210", "08039210", "03000309", "03000309", "84038e8c", "84038e8c", "0000000f", "00000021", "0000000c", "0000001e", "c00003f3", "c00003f3", "000000c5", "000000c5", "00000183", "00000183", "03000309", "03000309", "0000000d", "0000000d", "0000003f", "0000003f", "00000069", "00000069", "00000009", "00000009", "ee0e0000", "c0201000", "00000001", "ee0e0000", "c0201000", "00000001", "ee0e0000", "c0201009", "00000001", "ee0e0000", "c0201009", "00000001", "03000309", "03000309", "ee0e0000", "c0202000", "00000011", "ee0e0000", "c0202000", "00000011", "03000309", "03000309", "0000000d", "0000000d", "0000003f", "0000003f", "03000309", "03000309", "0000000d", "0000000d", "0000003f", "0000003f", "c00003f3", "c00003f3", "000000c5", "000000c5", "00000183", "00000183", "03000309", "03000309", "0000000d", "0000000d", "0000003f", "0000003f", "ee0e0000", "c020004b", "00000003", "ee0e0000", "c020004b", "00000003", "0000000c", "0000000c", "ee010000", "00000001", "ee010000", "00000001", "ee010000", "01000101", "ee010000", "01000101", "03000309", "03000309", "0000000d", "0000000d", "0000003f", "0000003f", "03000309", "03000309", "0000000d", "0000000d", "0000003f", "0000003f", "c00003f3", "c00003f3", "000000c5", "000000c5", "00000183", "00000183", "03000309", "03000309", "0000000d", "0000000d", "0000003f", "0000003f"] } }
%include "common.inc"
%include "direct-map.inc"
%define MAP 0xc0000000
%define TABLE 0x72000                           ; page table of the map's first 4 MiB
%define CODE (MAP + 0x200000)                   ; where the functions are copied to: three pages
%define HERE 0x201000                           ; physical address of the second and third page, and of others like them
%define OTHER 0x305000
%define AT(label) ((label) - functions + CODE)
%define ENTRY_OF(linear) (TABLE + (((linear) >> 12) & 0x3ff) * 4)

; Calls functions, each twice, and logs what they give.
%macro RUN 1-*
  %rep %0
  %rep 2
  xor eax, eax
  mov ecx, AT(%1)
  call ecx
  TOLOG eax
  %endrep
  %rotate 1
  %endrep
%endmacro
%macro RUN_ALL 0
  RUN over, forth, calls
%endmacro

; The same where an exception should come at a label, which then goes on at another one.
%macro RUN_FAULTING 3
  %rep 2
  EXPECT AT(%2), AT(%3)
  xor eax, eax
  mov ecx, AT(%1)
  call ecx
  TOLOG eax
  %endrep
%endmacro

; Maps the second and the third page: physical address and attributes; without telling the TLB, and with it.
%macro MAPPED 1
  mov dword [ENTRY_OF(AT(second))], %1
  mov dword [ENTRY_OF(AT(third))], %1 + 0x1000
%endmacro
%macro REMAPPED 1
  MAPPED %1
  invlpg [AT(second)]
  invlpg [AT(third)]
%endmacro

main:
  PAGING_ON
  mov dword [PAGES + 0x300 * 4], TABLE + 0x63
  mov dword [PAGES + 0x301 * 4], 0x4001e3       ; present, writable, accessed, dirty, large, global
  mov dword [PAGES + 0x302 * 4], 0x8001e3
  mov dword [PAGES + 0x303 * 4], 0xc001e3
  FILL_TABLE TABLE, 0x163
  COPY_FUNCTIONS
  mov esi, second                               ; two of the pages elsewhere, with other numbers
  mov edi, OTHER
  mov ecx, (functions_end - second) / 4
  rep movsd
  mov byte [OTHER + across_high - second], 0x40
  mov byte [OTHER + behind_imm - second], 0x50
  mov byte [OTHER + odd_imm - second], 0x60
  mov byte [OTHER + moved_imm - second], 0x68
  mov byte [OTHER + back_imm - second], 0x70
  GLOBAL_PAGES_ON
  jmp CODE0:.on
.on:
  ; all pages have been run before anything is translated
  RUN_ALL
  RUN ends, many

  ; changed from outside: behind the page's end the instruction that goes over it, and the one behind that
  inc byte [AT(across_high)]
  RUN over, many
  inc byte [AT(behind_imm)]
  RUN over, many
  dec byte [AT(across_high)]
  dec byte [AT(behind_imm)]
  RUN over, many
  ; the next page by a loop on both, and the first one
  RUN changing
  mov byte [AT(first_imm)], 1
  mov byte [AT(next_imm)], 1
  RUN changing

  ; mapped elsewhere, and back; by the code itself, which then goes on there
  REMAPPED OTHER + 0x163
  RUN_ALL
  REMAPPED HERE + 0x163
  RUN_ALL
  MAPPED OTHER + 0x163
  RUN moves
  MAPPED HERE + 0x163
  RUN moves
  REMAPPED HERE + 0x163

  ; not present, and present
  REMAPPED HERE + 0x162
  RUN_FAULTING over, across, nothing
  RUN_FAULTING forth, odd, nothing
  mov dword [ENTRY_OF(AT(second))], HERE + 0x163
  RUN over
  RUN_FAULTING calls, back, nothing
  REMAPPED HERE + 0x163
  RUN_ALL

  ; not global: forgotten at MOV CR3
  REMAPPED HERE + 0x063
  RUN_ALL
  MAPPED OTHER + 0x063
  mov eax, cr3
  mov cr3, eax
  RUN_ALL
  MAPPED HERE + 0x163
  mov eax, cr3
  mov cr3, eax
  RUN_ALL

  ; the page before
  mov dword [ENTRY_OF(AT(functions))], HERE - 0x1000 + 0x162
  invlpg [AT(functions)]
  RUN_FAULTING ends, before, nothing_either
  mov dword [ENTRY_OF(AT(functions))], HERE - 0x1000 + 0x163
  RUN ends

  ; a breakpoint at the instruction that goes over the end, and at the one behind it
  mov eax, AT(across)
  mov dr0, eax
  mov eax, 0x401
  mov dr7, eax
  RUN_FAULTING over, across, nothing
  mov eax, AT(behind)
  mov dr0, eax
  RUN_FAULTING over, behind, nothing
  xor eax, eax
  mov dr7, eax
  RUN_ALL

  ; without PGE, and with it
  mov eax, cr4
  and eax, ~0x80
  mov cr4, eax
  RUN_ALL
  MAPPED OTHER + 0x163
  mov eax, cr3
  mov cr3, eax
  RUN_ALL
  MAPPED HERE + 0x163
  mov eax, cr4
  or eax, 0x80
  mov cr4, eax
  mov eax, cr4
  xor eax, 0x80
  mov cr4, eax
  xor eax, 0x80
  mov cr4, eax
  RUN_ALL
  DONE

align 4
functions:
many:                                           ; often enough to be translated
  mov edx, 300
.loop:
  mov ecx, AT(over)
  call ecx
  dec edx
  jnz .loop
  ret
forth:                                          ; to the next page and back, in a loop
  mov ecx, 3
forth_loop:
  add eax, byte 1
  test ecx, 1
  jnz odd
  add eax, byte 2
forth_back:
  dec ecx
  jnz forth_loop
  ret
changing:
  mov ecx, 3
changing_loop:
  add eax, byte 1
first_imm equ $ - 1
  jmp changes
changing_back:
  dec ecx
  jnz changing_loop
  ret
moves:
  add eax, byte 1
  invlpg [AT(second)]
  jmp moved
before:
  add eax, byte 9
  ret
nothing:
  ret
  times 0x1000 - 3 - 8 - ($ - functions) nop
over:
  mov ecx, 3
over_loop:
  add eax, byte 1
across:
  add eax, 0x01000100                           ; three bytes here, two on the next page

second equ functions + 0x1000
across_high equ second + 1
behind:
  add eax, byte 2
behind_imm equ $ - 1
  dec ecx
  jnz over_loop
  ret
odd:
  add eax, byte 4
odd_imm equ $ - 1
  jmp forth_back
changes:
  add eax, byte 2
next_imm equ $ - 1
  inc byte [AT(next_imm)]
  inc byte [AT(first_imm)]
  jmp changing_back
moved:
  add eax, byte 8
moved_imm equ $ - 1
  ret
ends:
  add eax, byte 3
  jmp before
one:
  add eax, byte 0x10
  ret
  times 0x2000 - 5 - 8 - ($ - functions) nop
calls:
  mov ecx, 3
calls_loop:
  add eax, byte 1
  call one
third:
back:
  add eax, byte 4
back_imm equ $ - 1
  dec ecx
  jnz calls_loop
  ret
nothing_either:
  ret
  times 0x3000 - ($ - functions) nop
functions_end:
EPILOGUE
