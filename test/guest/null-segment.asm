; { "about": "a null DS or ES may be loaded but not used, and string instructions name the missing one", "mode": "protected",
;   "qemu": { "skipTcg": "it lets accesses through a null selector pass" },
;   "expect": { "log": ["ee0d0000", "ee0d0000", "ee0d0000", "00000003", "00060000", "00060200"] } }
%include "common.inc"
main:
  xor eax, eax
  mov fs, ax
  mov gs, ax
  TRY mov ebx, [fs:DATA]
  TRY mov [gs:DATA], ebx
  mov esi, DATA
  mov edi, DATA + 0x200
  mov ecx, 3
  mov es, ax
  TRY rep movsd
  mov ax, DATA0
  mov es, ax
  TOLOG ecx
  TOLOG esi
  TOLOG_EACH edi
  DONE
EPILOGUE
