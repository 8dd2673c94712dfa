; { "about": "FXRSTOR and LDMXCSR of reserved MXCSR bits are #GP(0) and change nothing; EMMS and MMX moves with CR0.TS are #NM, with CR0.EM #UD", "mode": "flat32",
;   "qemu": { "skipTcg": "it does not check MXCSR in FXRSTOR, and lets EMMS pass with TS; a processor in user mode gives #GP" },
;   "expect": { "log": ["ee0d0000", "ee0d0000", "00001f80", "ee070000", "ee070000", "ee060000", "ee060000"] } }
%include "common.inc"
main:
  mov ebx, 0x600
  mov cr4, ebx
  mov eax, cr0
  and eax, ~0xe
  mov cr0, eax
  fninit
  fxsave [DATA]
  mov dword [DATA + 24], 0x10000
  TRY fxrstor [DATA]
  TRY ldmxcsr [DATA + 24]
  stmxcsr [DATA + 28]
  mov ecx, [DATA + 28]
  TOLOG ecx
  or eax, 8
  mov cr0, eax
  TRY emms
  TRY movd mm0, eax
  clts
  and eax, ~8
  or eax, 4
  mov cr0, eax
  TRY emms
  TRY movd mm0, eax
  DONE
EPILOGUE
