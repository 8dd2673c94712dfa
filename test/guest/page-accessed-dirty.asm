; { "about": "accessed and dirty bits of tables and pages, with 4 MiB pages; INVLPG and MOV CR3 drop stale translations, global pages survive MOV CR3", "mode": "paged",
;   "expect": { "log": ["00064027", "00064067", "00071027", "00065007", "00000087", "000000a7", "000000e7", "11111111", "22222222", "22222222", "33333333"] } }
%include "common.inc"
main:
  mov dword [0x64000], 0x11111111
  mov dword [0x65000], 0x22222222
  mov dword [0x66000], 0x33333333
  mov eax, 0x10                                 ; PSE
  mov cr4, eax
  PAGING_ON
  mov eax, [0x64004]
  TOLOG_EACH [PTE(0x64000)]
  mov [0x64004], eax
  TOLOG_EACH [PTE(0x64000)]
  mov eax, [PAGES]
  and eax, 0xfffff03f                           ; a directory entry has no dirty bit
  TOLOG eax
  TOLOG_EACH [PTE(0x65000)]                     ; not touched
  mov dword [PAGES + 4], 0x87                   ; 4 MiB page at 0x400000
  TOLOG_EACH [PAGES + 4]
  mov eax, [0x464000]
  mov ebx, [PAGES + 4]
  TOLOG ebx
  mov [0x468000], eax
  mov ebx, [PAGES + 4]
  TOLOG ebx
  TOLOG_EACH [0x64000]
  mov dword [PTE(0x64000)], 0x65007
  invlpg [0x64123]
  TOLOG_EACH [0x64000], [0x64000]
  mov dword [PTE(0x64000)], 0x66007
  mov eax, cr3
  mov cr3, eax
  TOLOG_EACH [0x64000]
  DONE
EPILOGUE
