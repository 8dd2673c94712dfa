; { "about": "pages that a kernel took out of its direct map: translated code loads what is in RAM there (docs/relaxations.md, holes), stores fault, or go where a page that is not global is mapped now; a page that is mapped elsewhere ends the map, and so does the end of the tables", "mode": "paged",
;   "engines": ["jit"], "relax": ["all", "-stack"], "qemu": { "skip": "loads from pages that are not present do not fault" },
;   "expect": { "log": ["11111111", "22222222", "ee0e0002", "c0805000", "ee0e0002", "c0805000", "33333333", "44444444", "66666666", "77777777", "44444444", "ee0e0000", "c0807000", "ee0e0000", "c0809000"] } }
%include "common.inc"
%include "direct-map.inc"
%define MAP 0xc0000000
%define TABLE 0x72000
%define ENTRY(page) (TABLE + (page) * 4)
%define PAGE(n) (MAP + 0x800000 + (n) * 0x1000)
main:
  PAGING_ON
  mov dword [PAGES + 0x300 * 4], 0x0001e3       ; present, writable, accessed, dirty, large, global
  mov dword [PAGES + 0x301 * 4], 0x4001e3
  FILL_TABLE TABLE, 0x800163
  mov dword [PAGES + 0x302 * 4], TABLE + 0x63
  mov dword [PAGES + 0x303 * 4], 0xc001e3
  GLOBAL_PAGES_ON
  SET_CR0 CR0_WP
  jmp CODE0:.on
.on:
  mov dword [PAGE(5)], 0x11111111
  mov dword [PAGE(6)], 0x22222222
  mov dword [PAGE(7)], 0x33333333
  mov dword [PAGE(8)], 0x44444444

  ; not present
  and dword [ENTRY(5)], ~1
  invlpg [PAGE(5)]
  TOLOG_EACH [PAGE(5)], [PAGE(6)]
  TRY mov [PAGE(5)], eax
  TRY add [PAGE(5)], eax

  ; not global, not present behind a page that is mapped elsewhere: there the map ends
  and dword [ENTRY(7)], ~0x100
  invlpg [PAGE(7)]
  TOLOG_EACH [PAGE(7)], [PAGE(8)]

  ; not global, stored to, and mapped elsewhere behind MOV CR3: stores go there; and back
  mov dword [PAGE(7)], 0x55555555
  mov dword [PAGE(7)], 0x66666666
  mov dword [ENTRY(7)], 0x80a063
  mov eax, cr3
  mov cr3, eax
  mov dword [PAGE(7)], 0x77777777
  mov dword [ENTRY(7)], 0x807063
  mov eax, cr3
  mov cr3, eax
  TOLOG_EACH [PAGE(7)], [PAGE(10)]
  mov dword [PAGE(7)], 0x33333333

  mov dword [ENTRY(6)], 0x808163
  invlpg [PAGE(6)]
  TOLOG_EACH [PAGE(6)]
  and dword [ENTRY(7)], ~1
  invlpg [PAGE(7)]
  TRY mov eax, [PAGE(7)]
  and dword [ENTRY(9)], ~1
  invlpg [PAGE(9)]
  TRY mov eax, [PAGE(9)]
  DONE
EPILOGUE
