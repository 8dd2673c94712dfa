; { "about": "an instruction breakpoint at a string instruction is met once, before its first iteration, and in the shadow of a load of SS not at all", "mode": "protected",
;   "qemu": { "skipTcg": "it meets the breakpoint again at each iteration, and in the shadow" },
;   "expect": { "log": ["0000000f", "00000001", "00000028", "0000000f", "00000001", "00000028", "11111111", "00000076", "00000002", "00000003", "22222222", "00000009", "00000001", "00000001", "33333333"] } }
%include "breakpoints.inc"
  mov dword [resume], 1
  FROM
  mov edx, 3
.strings:
  mov edi, DATA
  mov ecx, 40
.string:
  rep stosd
  dec edx
  cmp edx, 2
  jne .armed
  ARM 0, .string, EXECUTE
.armed:
  test edx, edx
  jnz .strings
  TOLOG 0x11111111
  ARM 1, DATA + 0x40, WRITE4
  mov dword [resume], 0
  mov edi, DATA + 0x38
  mov ecx, 6
  jmp .other                                    ; no breakpoint on that one
.other:
  rep stosd
  TOLOG 0x22222222
  mov dword [resume], 1
  xor ebp, ebp
; In the shadow of a load of SS there is none.
  DISARM
  ARM 0, .shadow, EXECUTE
  FROM
  mov ecx, 3
  mov eax, ss
.ss:
  mov ss, ax
.shadow:
  dec ecx
  jnz .ss
  mov ecx, 1
  inc ebp                                       ; 0 so far
  cmp ebp, 1
  je .shadow                                    ; met only now
  DISARM
  TOLOG 0x33333333
  DONE
EPILOGUE
