; { "about": "TF: a trap behind each instruction with DR6.BS, none behind MOV SS, TF is clear in the handler, a REP traps after each iteration, POPF sets TF from the next instruction on", "mode": "protected",
;   "expect": { "log": ["00000001", "00000004", "00000005", "00000006", "00000006", "00000006", "00000008", "00000009", "0000000e", "0000000f", "00004000", "00000002", "00000002", "00000000"] } }
%include "common.inc"
main:
  SET_GATE IDT(1), CODE0, ABS(step), 0x8e, 0
  mov edi, DATA
  mov esi, DATA + 0x100
  mov ecx, 3
  xor eax, eax
  mov dr6, eax
  mov eax, ss
  SET_FLAGS 0x102                               ; no trap behind POPF itself
base:
  nop                                           ; the first trap is at base + 1
  mov ss, eax                                   ; +1: no trap behind it
  nop                                           ; +3
  nop                                           ; +4
  nop                                           ; +5
  rep movsb                                     ; +6
  pushfd                                        ; +8
  and byte [esp + 1], 0xfe                      ; +9
  popfd                                         ; +14: the trap of POPF itself still comes, since TF was set before
  TOLOG dword 0
  DONE
step:
  push eax
  mov eax, [esp + 4]
  sub eax, base
  TOLOG eax
  cmp eax, 15
  jne .more
  mov eax, dr6
  and eax, 0x600f
  TOLOG eax
  mov eax, [esp + 12]
  and eax, 0x102
  TOLOG eax
  TOLOG_FLAGS 0x102
.more:
  xor eax, eax
  mov dr6, eax
  pop eax
  iretd
EPILOGUE
