; { "about": "debug registers: execution breakpoints are faults (RF skips them once), data breakpoints are traps that set DR6 bits, other addresses do nothing; GD makes MOV DR fault", "mode": "protected",
;   "qemu": { "skipTcg": "it has no DR7.GD, and reports an older hit with a partial overlap" },
;   "expect": { "log": ["00000000", "00000001", "00000000", "00000010", "00000002", "00000000", "0000001c", "00000004", "00000000", "00000028", "00000004", "00000000", "00000040", "00002000", "00010000", "cccccccc"] } }
%include "common.inc"
main:
  SET_GATE IDT(1), CODE0, ABS(debug), 0x8e, 0
  xor eax, eax
  mov dr6, eax
  mov eax, base
  mov dr0, eax                                  ; G0: execution
  mov eax, DATA
  mov dr1, eax                                  ; G1: read or write, 1 byte
  mov eax, DATA + 0x10
  mov dr2, eax                                  ; G2: write, 4 bytes
  mov eax, 0x0d300400 | 0x2a
  mov dr7, eax
  jmp base
align 16
base:
  mov [DATA + 4], eax                           ; +0 (5 bytes)
  mov ebx, [DATA + 0x10]                        ; +5 (6): a read does not hit DR2
  mov al, [DATA]                                ; +11 (5): hits DR1 -> +16
  mov ah, [DATA + 1]                            ; +16 (6)
  mov [DATA + 0x12], bl                         ; +22 (6): hits DR2 -> +28
  mov [DATA + 0x14], bl                         ; +28 (6)
  mov [DATA + 0xe], ebx                         ; +34 (6): overlaps DR2 -> +40
  mov eax, 0x0d302400 | 0x2a                    ; +40 (5): GD
  mov dr7, eax                                  ; +45 (3)
  align 16, nop                                 ; +48
  times 16 nop
  mov eax, dr7                                  ; +64: a fault before it; the handler runs with GD clear
  xor eax, eax
  mov dr7, eax
  mov al, [DATA]
  TOLOG 0xcccccccc
  DONE
debug:
  push eax
  mov eax, [esp + 4]
  sub eax, base
  TOLOG eax
  mov eax, dr6
  and eax, 0xe00f
  TOLOG eax
  mov eax, [esp + 12]
  and eax, 0x10000
  TOLOG eax
  or dword [esp + 12], 0x10000                  ; RF: go on behind an execution breakpoint
  xor eax, eax
  mov dr6, eax
  pop eax
  iretd
EPILOGUE
