; { "about": "execution beyond the limit of CS: running over the last byte is #GP(0) at the next EIP, and a jump outside is #GP(0) at the jump", "mode": "protected",
;   "qemu": { "skipTcg": "it has no segment limits" },
;   "expect": { "log": ["00000020", "00000040", "00000000", "00000055", "0000001c", "00000040", "00000000", "00000066"] } }
%include "common.inc"
main:
  SET_DESC 0x40, DATA, 0x1f, 0x9b, 4
  SET_GATE IDT(13), CODE0, ABS(handler), 0x8e, 0
  mov dword [DATA + 0x1c], 0x55b39090           ; nop, nop, mov bl, 0x55: the last bytes
  jmp 0x40:0x1c
first:
  movzx ebx, bl
  TOLOG ebx
  mov dword [DATA + 0x1c], 0x669002eb           ; jmp short to 0x20
  mov dword [next], second
  jmp 0x40:0x1c
second:
  TOLOG 0x66
  DONE
next: dd first
handler:
  mov ecx, [esp + 4]
  TOLOG ecx
  mov ecx, [esp + 8]
  TOLOG ecx
  mov ecx, [esp]
  TOLOG ecx
  add esp, 16
  mov ecx, [next]
  jmp ecx
EPILOGUE
