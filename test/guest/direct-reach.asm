; { "about": "regions that ask once for all that they access around a stack in the kernel's direct map: frames in a page, over its end, at both ends of the map and beside it; what is below ESP not present, read-only, not dirty; the page mapped elsewhere in the middle; code on it; a data breakpoint on a local; ESP from EBP, which points to another stack, by LEAVE, aligned; EBP as a pointer to anything", "mode": "paged", "without": ["stack"],
;   "expect": { "log": ["0000002a", "0000002a", "0000002a", "0000002a", "0000002a", "0000002a", "0000102a", "0000002a", "0000002a", "0000002a", "0000002a", "0000002a", "0000002a", "0000002a", "0000002a", "0000002a", "0000002a", "0000102a", "0000002a", "0000002a", "0000002a", "0000002a", "00000000", "c0200020", "c0500018", "00000000", "c0200020", "c0200020", "c1000018", "0000002a", "0000002a", "00000003", "ee0e0000", "c0805f7c", "00000000", "ee0e0000", "c0805f7c", "00000000", "ee0e0003", "c0805f78", "00000070", "ee0e0003", "c0805f78", "00000070", "000001b3", "00000153", "00000073", "00000153", "00000093", "000001b3", "00000024", "000000b6", "ee0e0003", "c0805f74", "00000000", "ee0e0002", "c0805f74", "00000000", "00000024", "000000b9", "ee0e0003", "c0805f74", "00000000", "ee0e0002", "c0805f74", "00000000", "00000000", "00805123", "00000001", "00805163", "00000000", "00000205", "00000002", "00000003", "00808163", "00000012", "0000002a", "00000012", "0000002a", "0000002a", "ee010000", "ee010000", "ee010000", "00000009", "ee010000", "ee010000", "ee010000", "00000009", "ee010000", "ee010000", "ee010000", "00000009", "0000000c", "0000000c", "0000000c", "0000000c", "0000000c", "0000000c", "00000c22", "00000022", "00000822", "0000000c", "0000000c", "0000000c", "0000000c", "0000000c", "0000000c", "00000c22", "00000022", "00000822", "00000033", "00000036", "ee0e0000", "e0000000", "00000000", "ee0e0003", "c0805004", "00000000", "00000033", "000000cc", "0000006c"] } }
%include "common.inc"
%include "direct-map.inc"
%define MAP 0xc0000000
%define TABLE 0x72000                           ; page table of 8 to 12 MiB of the map
%define PAGE(n) (MAP + 0x800000 + (n) * 0x1000)
%define ENTRY(n) (TABLE + (n) * 4)
%define GOOD(n) (0x800163 + (n) * 0x1000)       ; present, writable, accessed, dirty, global
%define OUTER 0xd0000000                        ; 4 MiB that is not in the map, though it is the same RAM as INNER
%define ALIAS 0xd0400000                        ; 8 to 12 MiB, once more
%define INNER (MAP + 0x500000)                  ; a page's end in the map
%define CODE (MAP + 0x200000)
%define AT(label) ((label) - functions + CODE)

; Calls a function of the copies on a stack, with EDX, and logs what it gives.
%macro RUN 2-3 0
  mov [saved_esp], esp
  mov [saved_ebp], ebp
  mov esp, %2
  xor eax, eax
  mov edx, %3
  mov ecx, AT(%1)
  call ecx
  mov esp, [saved_esp]
  mov ebp, [saved_ebp]
  TOLOG eax
%endmacro

; The same where an exception should come at a label, behind which it goes on in low memory.
%macro RUN_FAULTING 3-4 0
  mov [saved_esp], esp
  mov [saved_ebp], ebp
  mov esp, %2
  EXPECT AT(%3), %%after
  xor eax, eax
  mov edx, %4
  mov ecx, AT(%1)
  call ecx
%%after:
  mov esp, [saved_esp]
  mov ebp, [saved_ebp]
  TOLOG eax
%endmacro

; An entry of the table becomes a constant, and is forgotten.
%macro MAKE 2
  mov dword [ENTRY(%1)], %2
  invlpg [PAGE(%1)]
%endmacro

main:
  PAGING_ON
  mov dword [PAGES + 0x300 * 4], 0x0001e3       ; present, writable, accessed, dirty, large, global
  mov dword [PAGES + 0x301 * 4], 0x4001e3
  mov dword [PAGES + 0x302 * 4], TABLE + 0x63
  mov dword [PAGES + 0x303 * 4], 0xc001e3
  mov dword [PAGES + 0x304 * 4], 0x4001e3       ; behind the map: another part of RAM
  mov dword [PAGES + 0x340 * 4], 0x4001e3
  mov dword [PAGES + 0x341 * 4], 0x8001e3
  FILL_TABLE TABLE, GOOD(0)
  COPY_FUNCTIONS
  GLOBAL_PAGES_ON
  SET_CR0 CR0_WP
  jmp CODE0:.on
.on:
  ; in a page, over a page's end and back, at the ends of the map, beside it
  %rep 2
  RUN frame, INNER - 0x800
  RUN frame, INNER + 8
  RUN frame, INNER + 0x20
  RUN frame, INNER + 0x40
  RUN frame, MAP + 0x10002c
  RUN frame, MAP + 0x100030
  mov dword [MAP + 0x400000], 5
  mov dword [MAP + 0x400004], 6
  RUN frame, MAP + 0x1000000
  RUN frame, MAP + 0x1000000 + 0x20
  RUN frame, OUTER + 0x100800
  RUN frame, 0x30000
  RUN frame, 0x31008
  %endrep
  TOLOG_EACH [MAP + 0x500000], [MAP + 0x4ffffc], [MAP + 0x4ffff8], [MAP + 0x100000], [MAP + 0xfffffc], [MAP + 0x1000000 - 4], [MAP + 0x1000000 - 8]

  ; so often beside it that nothing is asked any more, and in it again
  mov ebx, 40
.often:
  push ebx
  RUN frame, OUTER + 0x100800
  sub dword [LOG_POINTER], 4
  pop ebx
  dec ebx
  jnz .often
  RUN frame, OUTER + 0x100800
  RUN frame, INNER + 0x20

  ; below ESP, on the page before: not there, read-only, elsewhere, mended
  RUN reaching, PAGE(6) + 0x100
  MAKE 5, 0
  RUN_FAULTING reaching, PAGE(6) + 0x100, reaching.load
  RUN_FAULTING reaching, PAGE(6) + 0x100, reaching.load
  MAKE 5, GOOD(5)
  mov dword [MAP + 0x805f7c], 0x70
  mov dword [MAP + 0x80af7c], 0x90
  MAKE 5, GOOD(5) - 2
  RUN_FAULTING reaching, PAGE(6) + 0x100, reaching.store
  RUN_FAULTING reaching, PAGE(6) + 0x100, reaching.store
  MAKE 5, GOOD(10)
  RUN reaching, PAGE(6) + 0x100
  MAKE 5, GOOD(5)
  RUN reaching, PAGE(6) + 0x100
  TOLOG_EACH [MAP + 0x805f7c], [MAP + 0x805f78], [MAP + 0x80af7c], [MAP + 0x80af78]

  ; the same in the middle of a region: EDX is the new entry
  RUN changing, PAGE(6) + 0x100, GOOD(5)
  RUN changing, PAGE(6) + 0x100, GOOD(10)
  MAKE 5, GOOD(5)
  RUN_FAULTING changing, PAGE(6) + 0x100, changing.after, GOOD(5) - 2
  MAKE 5, GOOD(5)
  RUN_FAULTING changing, PAGE(6) + 0x100, changing.after, 0
  MAKE 5, GOOD(5)
  ; and in a callee
  RUN changing_called, PAGE(6) + 0x100, GOOD(5)
  RUN changing_called, PAGE(6) + 0x100, GOOD(10)
  MAKE 5, GOOD(5)
  RUN_FAULTING changing_called, PAGE(6) + 0x100, changing_called.after, GOOD(5) - 2
  MAKE 5, GOOD(5)
  RUN_FAULTING changing_called, PAGE(6) + 0x100, changing_called.after, 0
  MAKE 5, GOOD(5)

  ; a page that is not dirty: only what stores makes it so
  MAKE 5, GOOD(5) - 0x40
  RUN looking, PAGE(6) + 0x100, 0
  TOLOG_EACH [ENTRY(5)]
  RUN looking, PAGE(6) + 0x100, 1
  TOLOG_EACH [ENTRY(5)]
  RUN looking, PAGE(6) + 0x100, 0

  ; the stack's own page goes elsewhere
  RUN moving, PAGE(8) + 0x800
  TOLOG_EACH [MAP + 0x8087f0], [MAP + 0x80c7f0], [ENTRY(8)]
  MAKE 8, GOOD(8)

  ; code on the stack's page, and on the page behind it
  RUN overwriting, PAGE(14) + 0x800
  RUN frame, PAGE(14) + 0xf00
  RUN overwriting, PAGE(14) + 0x800
  RUN frame, PAGE(13) + 0xf00
  RUN frame, PAGE(14) + 0x20

  ; data breakpoints
  RUN breaking, INNER - 0x100
  RUN breaking, INNER + 8
  RUN breaking, OUTER + 0x100800

  ; other stacks by EBP
  %rep 2
  mov dword [DATA], INNER - 0x400
  RUN leaving, INNER - 0x800
  RUN leaving, OUTER + 0x100800
  mov dword [DATA], OUTER + 0x10000c
  RUN leaving, INNER - 0x800
  RUN leaving, OUTER + 0x100800
  mov dword [DATA], PAGE(3) + 4
  RUN leaving, INNER - 0x800
  mov dword [DATA], 0x30000
  RUN leaving, INNER - 0x800
  RUN aligning, INNER + 0x18
  RUN aligning, INNER - 0x104
  RUN aligning, OUTER + 0x100014
  %endrep

  ; EBP points to what is no stack: in the map, in low memory, to nothing, to what is read-only
  mov dword [DATA], 0x11
  mov dword [DATA + 4], 0
  RUN pointing, INNER - 0x800, DATA
  mov dword [MAP + 0x600000], 0x12
  mov dword [MAP + 0x600004], 0
  RUN pointing, INNER - 0x800, MAP + 0x600000
  RUN_FAULTING pointing, INNER - 0x800, pointing.load, 0xe0000000
  MAKE 5, GOOD(5) - 2
  RUN_FAULTING pointing, INNER - 0x800, pointing.store, PAGE(5)
  RUN pointing, INNER - 0x800, DATA
  TOLOG_EACH [DATA + 4], [MAP + 0x600004]
  DONE
saved_esp: dd 0
saved_ebp: dd 0

align 4
functions:
frame:                                          ; a frame: locals by EBP and by ESP, pushes over a call, what its caller pushed
  push ebp
  mov ebp, esp
  sub esp, 12
  push ebx
  mov dword [ebp - 8], 1
  mov ecx, 3
.loop:
  mov [ebp - 4], ecx
  push ecx
  push dword [esp + 4]
  call adding
  add eax, [esp + 4]
  add esp, 8
  mov ecx, [ebp - 4]
  add [ebp - 8], ecx
  inc word [esp + 10]
  movzx edx, byte [ebp - 8]
  add eax, edx
  dec ecx
  jnz .loop
  cmp dword [ebp + 8], 5
  jne .out
  add eax, 0x1000
.out:
  mov edx, [ebp - 8]
  and edx, 0xff
  add eax, edx
  pop ebx
  leave
  ret

adding:                                         ; no small function
  push ebp
  mov ebp, esp
  push ebx
  mov ebx, [ebp + 12]
  nop
  nop
  nop
  nop
  nop
  nop
  nop
  nop
  nop
  nop
  nop
  lea eax, [eax + ebx * 2]
  pop ebx
  pop ebp
  ret

reaching:                                       ; below what it pushed
  mov ecx, 3
.loop:
  push ecx
  push ecx
.load:
  mov edx, [esp - 0x178]
  add eax, edx
.store:
  mov [esp - 0x17c], eax
  inc dword [esp - 0x178]
  pop edx
  pop ecx
  dec ecx
  jnz .loop
  ret

changing:                                       ; page 5's entry becomes EDX
  push ebp
  mov ebp, esp
  push edx
  mov ecx, 2
  mov dword [ebp - 0x180], 0x20
.loop:
  inc dword [ebp - 0x180]
  mov ebx, [ebp - 4]
  mov [MAP + ENTRY(5)], ebx
  invlpg [PAGE(5)]
  push ecx
.after:
  mov [ebp - 0x184], ecx
  inc dword [ebp - 0x180]
  mov eax, [ebp - 0x180]
  pop ecx
  dec ecx
  jnz .loop
  and eax, 0xff
  leave
  ret

changing_called:
  push ebp
  mov ebp, esp
  push edx
  mov ecx, 2
  mov dword [ebp - 0x180], 0x20
.loop:
  inc dword [ebp - 0x180]
  call .change
  push ecx
.after:
  mov [ebp - 0x184], ecx
  inc dword [ebp - 0x180]
  mov eax, [ebp - 0x180]
  pop ecx
  dec ecx
  jnz .loop
  and eax, 0xff
  leave
  ret
.change:
  mov ebx, [ebp - 4]
  mov [MAP + ENTRY(5)], ebx
  invlpg [PAGE(5)]
  ret

looking:                                        ; stores on the page below only where EDX says so
  push ebp
  mov ebp, esp
  mov ecx, 3
.loop:
  push ecx
  mov eax, [ebp - 0x184]
  test edx, edx
  jz .next
  mov [ebp - 0x188], ecx
.next:
  pop ecx
  dec ecx
  jnz .loop
  mov eax, edx
  pop ebp
  ret

moving:                                         ; its page is what page 12 was, with what is on it, and again what it was
  push ebp
  mov ebp, esp
  push dword 0
  push dword 0
  mov ecx, 2
.loop:
  inc dword [ebp - 4]
  inc dword [ebp - 8]
  mov esi, PAGE(8)
  mov edi, PAGE(12)
  push ecx
  mov ecx, 0x400
  rep movsd
  mov dword [MAP + ENTRY(8)], GOOD(12)
  invlpg [PAGE(8)]
  pop ecx
  inc dword [ebp - 8]
  mov eax, [ebp - 8]
  call .back
  add eax, [ebp - 8]
  dec ecx
  jnz .loop
  mov ecx, [ebp - 4]
  shl ecx, 8
  add eax, ecx
  leave
  ret
.back:                                          ; the return address is there as well
  mov ebx, [esp]
  mov [ALIAS + 0x87ec], ebx
  mov dword [MAP + ENTRY(8)], GOOD(8)
  invlpg [PAGE(8)]
  ret

overwriting:                                    ; makes code below its stack, runs it, changes it
  push dword 3
.loop:
  lea ebx, [esp - 0x40]
  mov dword [esp - 0x40], 0xc3404040            ; three INC EAX, RET
  call ebx
  mov dword [esp - 0x40], 0xc3904040
  call ebx
  mov byte [esp - 0x3f], 0x90
  call ebx
  dec dword [esp]
  jnz .loop
  pop ecx
  ret

breaking:                                       ; a data breakpoint on a local comes and goes
  push ebp
  mov ebp, esp
  sub esp, 8
  mov dword [ebp - 4], 0
  mov ecx, 3
.loop:
  inc dword [ebp - 4]
  lea ebx, [ebp - 4]
  mov dr0, ebx
  mov ebx, 0xd0401                              ; writes of four bytes, local
  mov dr7, ebx
  EXPECT AT(.hit), AT(.hit)
  push ecx
  inc dword [ebp - 4]
.hit:
  mov [ebp - 8], ecx
  pop ecx
  xor ebx, ebx
  mov dr7, ebx
  inc dword [ebp - 4]
  dec ecx
  jnz .loop
  mov eax, [ebp - 4]
  leave
  ret

leaving:                                        ; to the stack at [DATA], and back
  mov ecx, 3
.loop:
  push ecx
  mov edx, esp
  mov ebp, [DATA]
  mov [ebp], edx
  leave
  push ecx
  push dword [esp]
  add eax, [esp + 4]
  pop ebx
  add eax, ebx
  pop ebx
  mov esp, ebp
  pop ecx
  dec ecx
  jnz .loop
  ret

aligning:
  push ebp
  mov ebp, esp
  push dword 3
.loop:
  and esp, ~15
  push dword [ebp - 4]
  add eax, [esp]
  mov [esp - 0x20], eax
  add eax, [esp - 0x20]
  lea esp, [ebp - 4]
  dec dword [ebp - 4]
  jnz .loop
  mov ecx, esp
  and ecx, 15
  shl ecx, 8
  add eax, ecx
  leave
  ret

pointing:                                       ; EBP is EDX
  push ebp
  mov ebp, edx
  mov ecx, 3
.loop:
  push ecx
.load:
  mov ebx, [ebp]
  add eax, ebx
.store:
  add [ebp + 4], eax
  pop ecx
  dec ecx
  jnz .loop
  pop ebp
  ret
  align 4
functions_end:
EPILOGUE
