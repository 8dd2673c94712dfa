; { "about": "code that goes between a stack in the kernel's direct map and one that is mapped elsewhere, as entries of kernels do (a region may remember the page of such a stack): pushes, pops, locals, calls and locked accesses on both; the other stack's page mapped elsewhere, not present, read-only, with code in it, its end; ESP from a register, from memory, aligned", "mode": "paged",
;   "expect": { "log": ["00000018", "00000018", "00000018", "00000018", "00000025", "0000002d", "0000002d", "0001061e", "00000001", "000106d2", "00000022", "c04ffbfc", "00000002", "c04ff7fd", "00000018", "000107e5", "00000001", "00000003", "00000001", "00000001", "0000000b", "00000001", "00000003", "ee0e0000", "d0000f74", "00000000", "ee0e0000", "d0000f74", "00000000", "ee0e0003", "d0000f70", "00000003", "ee0e0003", "d0000f70", "00000003", "0000000c", "00000006", "0000000c", "00000018", "0000001b", "00000018", "0000000f", "0000000f", "0000000f", "0000000f", "c3404040", "c3404040"] } }
%include "common.inc"
%include "direct-map.inc"
%define MAP 0xc0000000
%define OUTER 0xd0000000                        ; 2 pages of stack outside of the map, by the table OUTER_TABLE
%define OUTER_TABLE 0x72000
%define FIRST 0x300000                          ; their physical addresses
%define SECOND 0x308000
%define THIRD 0x310000
%define INNER (MAP + 0x500000)                  ; top of the stack in the map
%define CODE (MAP + 0x200000)
%define AT(label) ((label) - functions + CODE)
%define ENTRY_OF(linear) (OUTER_TABLE + (((linear) >> 12) & 0x3ff) * 4)

; Calls a function of the copies on a stack and logs what it gives.
%macro RUN 2
  mov [saved_esp], esp
  mov esp, %2
  xor eax, eax
  mov ecx, AT(%1)
  call ecx
  mov esp, [saved_esp]
  TOLOG eax
%endmacro

; The same where an exception should come at a label, behind which it goes on in low memory.
%macro RUN_FAULTING 3
  mov [saved_esp], esp
  mov esp, %2
  EXPECT AT(%3), %%after
  xor eax, eax
  mov ecx, AT(%1)
  call ecx
%%after:
  mov esp, [saved_esp]
  TOLOG eax
%endmacro

main:
  PAGING_ON
  LARGE_MAP MAP, 0x1e3                          ; present, writable, accessed, dirty, large, global
  mov dword [PAGES + 0x340 * 4], OUTER_TABLE + 0x63
  mov edi, OUTER_TABLE
  mov ecx, 1024
  xor eax, eax
  rep stosd
  mov dword [ENTRY_OF(OUTER)], FIRST + 0x63
  mov dword [ENTRY_OF(OUTER + 0x1000)], SECOND + 0x63
  COPY_FUNCTIONS
  GLOBAL_PAGES_ON
  SET_CR0 CR0_WP
  jmp CODE0:.on
.on:
  mov dword [MAP + 0x4ff000], INNER             ; where `inward` finds the stack
  mov dword [DATA], OUTER + 0x1f00
  ; in and out again, over a page's end, on one stack only
  RUN inward, OUTER + 0xf00
  RUN inward, OUTER + 0xf00
  RUN inward, OUTER + 0x1010
  RUN inward, INNER - 0x800
  RUN outward, INNER - 0x400
  RUN outward, OUTER + 0x800
  RUN outward, INNER - 0x400
  TOLOG_EACH [FIRST + 0xefc], [FIRST + 0xef8], [FIRST + 0x7fc], [SECOND + 0xefc], [SECOND + 0xef8], [INNER - 4], [INNER - 8]

  ; mapped elsewhere, by others and from between two pushes
  mov dword [ENTRY_OF(OUTER)], THIRD + 0x63
  invlpg [OUTER]
  RUN inward, OUTER + 0xf00
  TOLOG_EACH [THIRD + 0xefc], [THIRD + 0xef8]
  RUN moving, OUTER + 0xf00
  TOLOG_EACH [FIRST + 0xef0], [THIRD + 0xef0], [FIRST + 0xeec], [THIRD + 0xeec]
  mov dword [ENTRY_OF(OUTER)], FIRST + 0x63
  mov eax, cr3
  mov cr3, eax

  ; below ESP, on the page before: not there, read-only, mended
  RUN reaching, OUTER + 0x1100
  mov dword [ENTRY_OF(OUTER)], 0
  invlpg [OUTER]
  RUN_FAULTING reaching, OUTER + 0x1100, reaching.load
  RUN_FAULTING reaching, OUTER + 0x1100, reaching.load
  mov dword [ENTRY_OF(OUTER)], FIRST + 0x61
  invlpg [OUTER]
  RUN_FAULTING reaching, OUTER + 0x1100, reaching.store
  RUN_FAULTING reaching, OUTER + 0x1100, reaching.store
  mov dword [ENTRY_OF(OUTER)], FIRST + 0x63
  invlpg [OUTER]
  RUN reaching, OUTER + 0x1100
  TOLOG_EACH [FIRST + 0xf74], [FIRST + 0xf70]

  ; code on the stack's page, which is stored to beside it and into it
  mov dword [FIRST + 0xe00], 0xc3404040         ; three INC EAX, RET
  mov ebx, OUTER + 0xe00
  call ebx
  RUN inward, OUTER + 0xf00
  mov ebx, OUTER + 0xe00
  call ebx
  TOLOG eax
  RUN inward, OUTER + 0xe14
  mov dword [FIRST + 0xe00], 0xc3404040
  mov dword [SECOND + 0xc00], 0xc3404040
  %rep 2
  mov esi, OUTER + 0xe00
  RUN writing, OUTER + 0xf00
  mov esi, OUTER + 0x1c00
  RUN writing, OUTER + 0x1f00
  %endrep
  TOLOG_EACH [FIRST + 0xe00], [SECOND + 0xc00]
  DONE
saved_esp: dd 0

align 4
functions:
inward:                                         ; pushes on the stack that it finds, then on the inner one
  mov ebx, esp
  mov ecx, 3
.loop:
  push ecx
  push eax
  push dword [esp + 4]
  pushad
  mov edi, esp
  mov esi, [MAP + 0x4ff000]
  mov esp, esi                                  ; to the inner stack
  push ecx
  push ebx
  lock add [esp], ecx
  add eax, [esp]
  mov [esp - 0x20], eax
  inc dword [esp + 4]
  pop edx
  pop ebp
  add eax, ebp
  mov esp, edi                                  ; and back
  popad
  pop edx
  add edx, [esp]
  pop eax
  lea eax, [eax + edx + 1]
  add esp, 4
  dec ecx
  jnz .loop
  ret
outward:                                        ; from an inner stack to one whose ESP is in memory
  mov ecx, 3
.loop:
  mov ebp, esp
  mov esp, [DATA]
  and esp, ~15
  push ecx
  push ebp
  call .adds
  xadd [esp + 4], eax
  lea eax, [eax + eax * 2 + 5]
  xchg [esp - 8], eax
  add eax, [esp + 4]
  pop edx
  mov esp, edx
  dec ecx
  jnz .loop
  ret
.adds:
  add eax, [esp + 8]
  ret
reaching:                                       ; below what it pushed
  mov ecx, 3
.loop:
  mov ebp, esp
  push ecx
  push ecx
.load:
  mov edx, [esp - 0x180]
  add eax, edx
.store:
  mov [esp - 0x184], eax
  inc dword [esp - 0x180]
  mov esi, [MAP + 0x4ff000]
  mov esp, esi
  push eax
  pop edx
  mov esp, ebp
  dec ecx
  jnz .loop
  ret
moving:                                         ; the page goes elsewhere while its stack is used
  mov ecx, 2
.loop:
  mov ebx, esp
  sub esp, 12
  push ecx
  mov esi, FIRST + 0x63
  call .goes
  push eax
  mov edx, [esp + 4]
  mov esi, THIRD + 0x63
  mov edi, esp
  mov ebp, [MAP + 0x4ff000]
  mov esp, ebp
  call .goes
  mov esp, edi
  add eax, [esp + 4]
  push edx
  inc dword [esp]
  mov esp, ebx
  dec ecx
  jnz .loop
  ret
.goes:                                          ; to ESI; what a caller waits for, as it is no small function
  mov ebp, esp
  and ebp, 0xfff
  mov edx, [esp]
  mov [ebp + esi + MAP - 0x63], edx             ; so RET finds its way there as well
  mov [ENTRY_OF(OUTER)], esi
  invlpg [OUTER]
  mov esi, 3
.wait:
  dec esi
  jnz .wait
  ret
writing:                                        ; into code on the stack's page (ESI: where), which may be the first that runs there
  mov ebx, esp
  mov ecx, 3
.loop:
  lea esp, [esi + 2]
  push word 0x9040                              ; INC EAX, NOP
  mov esp, ebx
  call esi
  lea esp, [esi + 2]
  push word 0x4040
  mov esp, ebx
  call esi
  dec ecx
  jnz .loop
  ret
  align 4
functions_end:
EPILOGUE
