; { "about": "MOV CR with invalid values and MSRs that do not exist raise #GP(0)", "mode": "protected",
;   "qemu": { "skipTcg": "it does not check CR0 and CR4 values and unknown MSRs; see SDM vol. 2, MOV-Move to/from Control Registers, RDMSR, WRMSR" },
;   "expect": { "log": ["ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000"] } }
%include "common.inc"
main:
  mov ebx, cr0
  mov eax, 0x80000010
  TRY mov cr0, eax                              ; PG without PE
  mov eax, ebx
  or eax, 0x20000000
  and eax, 0xbfffffff
  TRY mov cr0, eax                              ; NW without CD
  mov eax, 0x80000000
  TRY mov cr4, eax                              ; a reserved bit
  mov ecx, 0xc0ffee
  TRY rdmsr
  TRY wrmsr
  DONE
EPILOGUE
