; { "about": "the same with PAE paging and no-execute: a page of callees of the direct map that is code no longer, and is again; one in the middle of pages that are no code", "mode": "paged",
;   "qemu": { "cpu": "max" },
;   "expect": { "log": ["00001003", "00001003", "ee0e0011", "c0201000", "00001010", "ee0e0011", "c0201000", "00001010", "00001003", "00001003", "ee0e0011", "c0200000", "00001003", "00001003", "00001003", "00001003"] } }
%include "common.inc"
%define MAP 0xc0000000
%define DIRECTORY (PAGES + 0x1000)              ; for C0000000 on
%define LOW_DIRECTORY (PAGES + 0x3000)
%define TABLE (PAGES + 0x2000)                  ; page table of 2 to 4 MiB of the map
%define CODE (MAP + 0x200000)
%define AT(label) ((label) - functions + CODE)
%define ENTRY_OF(linear) (TABLE + (((linear) >> 12) & 0x1ff) * 8)
%define NX 0x80000000

%macro RUN 0
  %rep 2
  mov eax, 0x1000
  mov ecx, AT(caller)
  call ecx
  TOLOG eax
  %endrep
%endmacro
%macro RUN_FAULTING 0
  %rep 2
  EXPECT AT(one), AT(nothing)
  mov eax, 0x1000
  mov ecx, AT(single)
  call ecx
  TOLOG eax
  %endrep
%endmacro
%macro SET_NX 2                                 ; the upper half of the entry of a linear address
  mov dword [ENTRY_OF(%1) + 4], %2
  invlpg [%1]
%endmacro

main:
  mov edi, PAGES
  mov ecx, 0x4000 / 4
  xor eax, eax
  rep stosd
  mov dword [PAGES], LOW_DIRECTORY + 1
  mov dword [PAGES + 24], DIRECTORY + 1
  mov dword [LOW_DIRECTORY], 0x87               ; 0 to 2 MiB where they are
  mov edi, DIRECTORY
  mov eax, 0x1e3                                ; present, writable, accessed, dirty, large, global
  mov ecx, 8
.large:
  mov [edi], eax
  mov dword [edi + 4], NX
  add eax, 0x200000
  add edi, 8
  dec ecx
  jnz .large
  mov dword [DIRECTORY + 8], TABLE + 0x63
  mov dword [DIRECTORY + 12], 0
  mov edi, TABLE
  mov eax, 0x200163
  mov ecx, 512
.small:
  mov [edi], eax
  mov dword [edi + 4], NX
  add eax, 0x1000
  add edi, 8
  dec ecx
  jnz .small
  mov dword [ENTRY_OF(AT(caller)) + 4], 0
  mov dword [ENTRY_OF(AT(one)) + 4], 0
  mov ecx, 0xc0000080
  rdmsr
  or eax, 0x800                                 ; NXE
  wrmsr
  mov eax, PAGES
  mov cr3, eax
  mov eax, 0xb0                                 ; PSE, PAE, PGE
  mov cr4, eax
  mov eax, cr0
  or eax, 0x80000000
  mov cr0, eax
  jmp CODE0:.on
.on:
  mov esi, functions
  mov edi, CODE
  mov ecx, (functions_end - functions) / 4
  rep movsd
  mov ecx, AT(one)
  call ecx
  mov ecx, AT(single)
  call ecx
  RUN
  SET_NX AT(one), NX
  RUN_FAULTING
  SET_NX AT(one), 0
  RUN
  mov dword [DIRECTORY + 12], NX                ; for all of the table
  mov eax, cr4
  xor eax, 0x80
  mov cr4, eax
  xor eax, 0x80
  mov cr4, eax
  EXPECT AT(caller), .back
  mov ecx, AT(caller)
  call ecx
.back:
  add esp, 4
  mov dword [DIRECTORY + 12], 0
  invlpg [AT(caller)]
  RUN
  SET_NX AT(caller) + 0x5000, 0                 ; a longer stretch of code elsewhere
  SET_NX AT(caller) + 0x6000, 0
  SET_NX AT(caller) + 0x7000, 0
  RUN
  DONE

align 4
functions:
caller:
  mov ecx, 3
.loop:
  call one
  dec ecx
  jnz .loop
  ret
single:
  call one
  add eax, byte 0x10
nothing:
  ret
  times 0x1000 - ($ - functions) nop
one:
  add eax, byte 1
  ret
  align 4
functions_end:
EPILOGUE
