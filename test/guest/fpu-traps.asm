; { "about": "#NM by CR0.TS and CR0.EM, WAIT with MP and TS, CLTS; SSE without CR4.OSFXSR is #UD, with TS #NM; FXSAVE and FXRSTOR keep the state", "mode": "flat32",
;   "expect": { "log": ["ee070000", "ee070000", "ee070000", "ee060000", "ee070000", "ee060000", "ee0d0000", "0000037f", "00001f80", "11111111", "22222222", "000000ff", "11111111", "22222222"] } }
%include "common.inc"
main:
  mov eax, cr0
  and eax, ~6
  or eax, 0x28                                  ; TS, NE
  mov cr0, eax
  TRY fninit
  wait                                          ; MP is clear: nothing
  or eax, 2
  mov cr0, eax
  TRY wait
  clts
  fninit
  mov eax, cr0
  or eax, 4                                     ; EM
  mov cr0, eax
  TRY fldz
  TRY movaps xmm0, xmm1                         ; no OSFXSR, EM
  and eax, ~4
  mov cr0, eax
  mov ebx, 0x600
  mov cr4, ebx
  or eax, 8
  mov cr0, eax
  TRY movaps xmm0, xmm1
  clts
  mov ebx, 0
  mov cr4, ebx
  TRY addps xmm0, xmm1
  mov ebx, 0x600
  mov cr4, ebx
  mov dword [DATA + 0x400], 0x11111111
  mov dword [DATA + 0x404], 0x22222222
  movq mm3, [DATA + 0x400]
  movq xmm5, [DATA + 0x400]
  TRY fxsave [DATA + 8]                         ; not aligned to 16
  fxsave [DATA]
  movzx eax, word [DATA]
  TOLOG eax
  TOLOG_EACH [DATA + 24], [DATA + 32 + 3 * 16], [DATA + 160 + 5 * 16 + 4]
  movzx eax, byte [DATA + 4]
  TOLOG eax
  fninit
  xorps xmm5, xmm5
  fxrstor [DATA]
  movd eax, mm3
  TOLOG eax
  pshufd xmm5, xmm5, 1
  movd eax, xmm5
  TOLOG eax
  DONE
EPILOGUE
