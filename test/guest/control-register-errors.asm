; { "about": "MOV CR with invalid values and MSRs that do not exist raise #GP(0)", "mode": "protected",
;   "qemu": { "skipTcg": "it does not check CR0 and CR4 values and unknown MSRs; see SDM vol. 2, MOV-Move to/from Control Registers, RDMSR, WRMSR" },
;   "expect": { "log": ["ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000"] } }
%include "common.inc"
; RDMSR and WRMSR of MSRs that come with features that CPUID does not announce.
%macro TRY_MSRS 1-*
  %rep %0
  mov ecx, %1
  TRY rdmsr
  TRY wrmsr
  %rotate 1
  %endrep
%endmacro
; WRMSR of a value: MSR, low and high half
%macro WRONG 3
  mov ecx, %1
  mov eax, %2
  mov edx, %3
  TRY wrmsr
%endmacro
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
  TRY_MSRS 0xc0000081, 0xc0000082, 0xc0000100, 0xc0000102, 0xc0000103, 0x48, 0x10a, 0x802
  WRONG 0xc0000080, 0x100, 0                    ; EFER: LME, SCE
  WRONG 0xc0000080, 0x1, 0
  WRONG 0x277, 0x00070402, 0                    ; a memory type that is none
  WRONG 0x1b, 0xfee01900, 0                     ; the local APIC elsewhere
  DONE
EPILOGUE
