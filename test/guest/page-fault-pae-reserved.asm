; { "about": "PAE paging: a reserved bit in a PTE and in a large PDE sets RSVD in the error code; no-execute is off, so bit 63 is reserved", "mode": "paged",
;   "qemu": { "skipTcg": "its error code lacks P beside RSVD, against SDM vol. 3, 4.7" },
;   "expect": { "log": ["12345678", "ee0e0009", "00064000", "ee0e000b", "00065008", "ee0e0009", "00200000", "ee0e0009", "00400000", "ee0e0000", "00600000", "ee0e0002", "40000000", "55aa55aa", "00000067"] } }
%include "common.inc"
main:
  mov edi, PAGES                                ; PDPT, page directory at +0x1000, page table at +0x2000
  mov ecx, 0x3000 / 4
  xor eax, eax
  rep stosd
  mov dword [PAGES], PAGES + 0x1001
  mov dword [PAGES + 0x1000], PAGES + 0x2007
  mov eax, 7
  mov edi, PAGES + 0x2000
  mov ecx, 512
.fill:
  mov [edi], eax
  add edi, 8
  add eax, 0x1000
  loop .fill
  mov dword [PAGES + 0x2000 + 0x64 * 8 + 4], 0x00100000     ; bit 52
  mov dword [PAGES + 0x2000 + 0x65 * 8 + 4], 0x80000000     ; bit 63
  mov dword [PAGES + 0x1008], 0x4083                        ; a large page with bit 14 set
  mov dword [PAGES + 0x1010], 0x87
  mov dword [PAGES + 0x1014], 0x40000000
  mov dword [PAGES + 0x1020], 0x87                          ; 0x800000 is physical 0
  mov eax, PAGES
  mov cr3, eax
  mov eax, 0x30                                 ; PSE, PAE
  mov cr4, eax
  mov eax, cr0
  or eax, 0x80000000
  mov cr0, eax
  jmp .on
.on:
  mov dword [0x66000], 0x12345678
  TOLOG_EACH [0x866000]
  TRY mov eax, [0x64000]
  TRY mov [0x65008], eax
  TRY mov eax, [0x200000]
  TRY mov eax, [0x400000]
  TRY mov eax, [0x600000]
  TRY mov [0x40000000], eax                     ; no PDPTE
  TOLOG 0x55aa55aa
  mov eax, [PAGES + 0x2000 + 0x66 * 8]          ; accessed and dirty
  and eax, 0xfff
  TOLOG eax
  DONE
EPILOGUE
