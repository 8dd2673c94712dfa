; { "about": "code above 1 MiB without paging, whose loads and stores find RAM where they say: RAM above and below 1 MiB, over pages, locked; the same code while paging maps it elsewhere, while a kernel's direct map is on as well, and again without; code changed by itself and in other pages, a data breakpoint, user code", "mode": "flat32",
;   "expect": { "log": ["00000300", "00000302", "000004d9", "000104d9", "00000000", "00000000", "00000313", "000026d9", "000126d9", "00000000", "000004d9", "000104d9", "00000000", "00000000", "00000300", "000004d9", "000104d9", "00000121", "00000121", "00000309", "00000919", "00010919", "00000121", "00000121", "00000302", "00000919", "00010919", "00000231", "00000231", "00000313", "00001199", "00011199", "00000231", "00000231", "00000316", "0000030c", "000015d9", "000115d9", "00000231", "00000231", "0000031b", "00000000", "00000341", "00010341", "00000231", "00000231", "00000304", "000003c9", "000103c9", "00000231", "00000231", "00000003", "00000003", "00000006", "00000006", "00000012", "0000000f", "ee010000", "00000001", "ee010000", "00000001", "ee010000", "00000001", "00000305", "00000451", "00010451", "00000231", "00000231", "00200307", "00000318", "000026d9", "000126d9", "00000231", "00000231"] } }
%include "common.inc"
%include "direct-map.inc"
%define MAP 0xc0000000
%define CODE 0x200000                           ; where the functions are copied to
%define AREA 0x300000                           ; what they load and store
%define OTHER 0x308000                          ; where the area's first page is mapped to
%define AT(label) ((label) - functions + CODE)

; Calls a function of the copies and logs what it gives.
%macro RUN 1
  mov ebp, CODE
  xor eax, eax
  lea ecx, [ebp + %1 - functions]
  call ecx
  TOLOG eax
%endmacro

%macro PAGING_OFF 0
  mov eax, cr0
  and eax, 0x7fffffff
  mov cr0, eax
  jmp %%off
%%off:
%endmacro
%macro PAGING_AGAIN 0
  SET_CR0 0x80000000
  jmp %%on
%%on:
%endmacro

; What is in both places of the area.
%macro AREAS 0
  TOLOG_EACH [AREA], [AREA + 0xffe], [OTHER], [OTHER + 0xffe]
%endmacro

main:
  mov esi, functions
  mov edi, CODE
  mov ecx, (functions_end - functions) / 4
  rep movsd
  PAGING_ON
  PAGING_OFF
  mov ebx, AREA
  mov edx, 0x11
  RUN accesses
  RUN accesses
  AREAS
  mov ebx, DATA                                 ; below 1 MiB
  RUN accesses
  TOLOG_EACH [DATA], [DATA + 0xffe]
  mov ebx, MAP + AREA                           ; nobody is there
  RUN stores
  AREAS

  ; paging puts another page in the place of the area's first one: the same code at the same place
  %assign turn 0
  %rep 2
  PAGING_AGAIN
  SET_PTE AREA, OTHER + 7
  mov ebx, AREA
  mov edx, 0x22 + turn
  RUN accesses
  SET_PTE AREA, AREA + 7
  AREAS
  PAGING_OFF
  mov ebx, AREA
  RUN accesses
  AREAS
  %assign turn turn + 0x22
  %endrep

  ; the same beside a kernel's direct map
  PAGING_AGAIN
  LARGE_MAP MAP, 0x1e3                          ; present, writable, accessed, dirty, large, global
  GLOBAL_PAGES_ON
  jmp CODE0:.on
.on:
  mov ebx, MAP + AREA
  mov edx, 0x55
  RUN accesses
  mov ebp, MAP + CODE
  xor eax, eax
  lea ecx, [ebp + accesses - functions]
  call ecx
  TOLOG eax
  AREAS
  PAGING_OFF
  mov ebx, AREA
  mov edx, 0x66
  RUN accesses
  mov ebx, MAP + AREA
  RUN stores
  AREAS
  PAGING_AGAIN
  mov ebx, MAP + AREA
  mov edx, 0x77
  RUN accesses
  AREAS
  PAGING_OFF

  ; code: of this page by another one, of another page, of the loop that stores
  mov ebx, AREA
  RUN adds
  RUN calls
  inc byte [AT(one.imm)]
  inc byte [AT(adds.imm)]
  RUN adds
  RUN calls
  RUN changing
  RUN calls

  ; a data breakpoint at the area's second doubleword
  mov eax, AREA + 4
  mov dr0, eax
  mov eax, 0xf0401
  mov dr7, eax
  mov edx, 0x88
  %rep 3
  EXPECT AT(touches.behind), AT(touches.behind)
  RUN touches
  %endrep
  xor eax, eax
  mov dr7, eax
  RUN accesses
  AREAS

  ; user code, then the kernel's again
  mov edx, 0x99
  ENTER_USER AT(user)
  TOLOG eax
  RUN accesses
  AREAS
  DONE

align 4
functions:
accesses:                                       ; EBX: where, EDX: what
  mov ecx, 3
.loop:
  mov [ebx], edx
  mov [ebx + 4], ecx
  add [ebx], ecx
  lock xadd [ebx], edx
  mov edx, [ebx]
  mov [ebx + 0xffe], edx                        ; over the page's end
  inc byte [ebx + 0x1000]
  movzx esi, word [ebx + 0xfff]
  add eax, esi
  xchg [ebx + 8], al
  dec ecx
  jnz .loop
  ret
touches:
  mov [ebx + 4], edx
.behind:
  inc eax
  ret
stores:
  mov ecx, 3
.loop:
  mov [ebx], ecx
  mov [ebx + 0xffe], ecx
  dec ecx
  jnz .loop
  ret
adds:
  mov ecx, 3
.loop:
.imm equ $ + 2
  add eax, byte 1
  dec ecx
  jnz .loop
  ret
calls:
  mov ecx, 3
.loop:
  call one
  dec ecx
  jnz .loop
  ret
changing:
  mov ecx, 3
.loop:
  inc byte [AT(one.imm)]
  call one
  inc byte [AT(.imm)]
.imm equ $ + 2
  add eax, byte 0
  dec ecx
  jnz .loop
  ret
user:
  mov eax, AT(accesses)
  call eax
  LEAVE_USER
  times 0x1000 - ($ - functions) nop
one:
.imm equ $ + 2
  add eax, byte 1
  ret
  align 4
functions_end:
EPILOGUE
