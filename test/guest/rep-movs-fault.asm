; { "about": "REP MOVS, STOS, CMPS and LODS that meet a missing page: ECX, ESI, EDI count what is done, and the instruction can go on", "mode": "paged",
;   "expect": { "log": ["ee0e0002", "00065000", "00000008", "00068020", "00065000", "00000000", "00068040", "00065020", "ee0e0000", "00064ffc", "00000003", "00064ffc", "00068004", "ee0e0002", "00065000", "00000005", "00065000",
;      "ee0e0000", "00065000", "00000006", "00064fff", "00065000", "11111111"] } }
%include "common.inc"
main:
  mov edi, 0x68000
  mov ecx, 64
.fill:
  mov eax, ecx
  stosd
  loop .fill
  PAGING_ON
  SET_PTE 0x65000, 0
  mov esi, 0x68000
  mov edi, 0x64fe0
  mov ecx, 16
  cld
  TRY rep movsd
  TOLOG ecx
  TOLOG esi
  TOLOG_EACH edi
  mov dword [PTE(0x65000)], 0x65007
  rep movsd                                     ; the rest
  TOLOG ecx
  TOLOG esi
  TOLOG_EACH edi
  ; downwards
  SET_PTE 0x64000, 0
  mov esi, 0x65004
  mov edi, 0x6800c
  mov ecx, 5
  std
  TRY rep movsd
  cld
  TOLOG ecx
  TOLOG esi
  TOLOG_EACH edi
  mov dword [PTE(0x64000)], 0x64007
  mov dword [PTE(0x65000)], 0
  invlpg [0x64000]
  invlpg [0x65000]
  mov edi, 0x64ff6
  mov ecx, 10
  mov al, 0x11
  TRY rep stosw
  TOLOG ecx
  TOLOG_EACH edi
  mov edi, 0x64ff9
  mov esi, 0x64ff8
  mov al, 0x11
  mov ecx, 8
  mov byte [0x64ff8], 0x11
  push edi
  mov edi, 0x64ff8
  mov ecx, 8
  mov al, 0x11
  rep stosb
  pop edi
  mov ecx, 13
  TRY repe cmpsb
  TOLOG ecx
  TOLOG esi
  TOLOG_EACH edi, [0x64ffc]
  DONE
EPILOGUE
