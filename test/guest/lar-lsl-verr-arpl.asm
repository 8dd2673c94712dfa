; { "about": "LAR, LSL, VERR, VERW and ARPL: results, ZF, nothing written where not allowed", "mode": "protected",
;   "expect": { "log": ["00c09b00", "00000040", "ffffffff", "00000040", "00008b00", "00000067", "55555555", "00000000", "55555555", "00000000", "00000040", "00000000", "00000040", "00000000", "00000000", "00000040", "00008c00", "00000000", "55555555", "00c0fb00", "55555555", "00000000", "00000000", "00000040", "00000043", "00000040", "00000042", "00000000"] } }
%include "common.inc"
%define ZF_TO_LOG TOLOG_FLAGS 0x40
%macro TRY_SELECTOR 2                           ; instruction, selector -> result
  mov ecx, %2
  mov ebx, 0x55555555
  %1 ebx, ecx
%endmacro
main:
  SET_DESC 0x40, 0, 0xfffff, 0x98, 0xc          ; execute-only
  SET_DESC 0x48, 0, 0xfffff, 0x90, 0xc          ; read-only
  SET_GATE GDT(0x50), CODE0, 0, 0x8c, 0         ; call gate: LAR takes it, LSL not
  TRY_SELECTOR lar, CODE0
  pushfd
  and ebx, 0x00f0ff00                           ; bits 16..19 are undefined
  TOLOG ebx
  popfd
  ZF_TO_LOG
  TRY_SELECTOR lsl, DATA0
  TOLOG ebx
  ZF_TO_LOG
  TRY_SELECTOR lar, TSS0
  TOLOG ebx
  TRY_SELECTOR lsl, TSS0
  TOLOG ebx
  TRY_SELECTOR lar, 0                           ; null
  TOLOG ebx
  ZF_TO_LOG
  TRY_SELECTOR lsl, 0x140                       ; beyond
  TOLOG ebx
  ZF_TO_LOG
  mov ecx, CODE0
  verr cx
  ZF_TO_LOG
  verw cx
  ZF_TO_LOG
  mov ecx, DATA0
  verw cx
  ZF_TO_LOG
  mov ecx, 0x40
  verr cx
  ZF_TO_LOG
  mov ecx, 0x48
  verw cx
  ZF_TO_LOG
  verr cx
  ZF_TO_LOG
  TRY_SELECTOR lar, 0x50
  TOLOG ebx
  TRY_SELECTOR lsl, 0x50
  ZF_TO_LOG
  TOLOG ebx
  ENTER_USER user
  DONE
user:
  TRY_SELECTOR lar, CODE3
  and ebx, 0x00f0ff00
  TOLOG ebx
  TRY_SELECTOR lar, DATA0                       ; DPL 0
  TOLOG ebx
  ZF_TO_LOG
  mov ecx, DATA0
  verr cx
  ZF_TO_LOG
  mov ecx, DATA3
  verw cx
  ZF_TO_LOG
  mov eax, 0x40
  mov ecx, 3
  arpl ax, cx
  TOLOG eax
  ZF_TO_LOG
  mov eax, 0x42
  mov ecx, 1
  arpl ax, cx
  TOLOG eax
  ZF_TO_LOG
  LEAVE_USER
EPILOGUE
