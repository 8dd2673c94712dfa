; { "about": "data breakpoints and stacks: PUSH, CALL and PUSHA trap behind themselves, what a delivery pushes at the handler's first instruction, a load of SS behind the next instruction; a fault takes what its instruction hit along", "mode": "protected",
;   "qemu": { "skipTcg": "it ends with a failed assertion where a delivery hits a breakpoint, knows no shadow of SS here, reports hits of instructions that fault, and a hit beside a crossing access" },
;   "expect": { "log": ["0000000b", "00000001", "00000002", "0000015f", "00000001", "00000002", "00000012", "00000001", "00000002", "00000161", "00000001", "00000002", "00000161", "00000001", "00000002", "0000000b", "00000001", "00000001", "0000015f", "00000001", "00000001", "00000012", "00000001", "00000001", "00000161", "00000001", "00000001", "00000161", "00000001", "00000001", "11111111", "0000000c", "00000001", "00000002", "0000000c", "00000001", "00000001", "22222222", "ee000000", "ee000000", "33333333", "00000014", "00000001", "00000002", "00000014", "00000001", "00000001", "44444444"] } }
%include "breakpoints.inc"
  SET_GATE IDT(6), CODE0, ABS(invalid), 0x8e, 0
  ARM 0, STACK0 - 0x104, WRITE4                 ; (reads would meet the frame of their own #DB, for ever)
  FROM
  mov esp, STACK0 - 0x100
  mov ecx, 2
.stack:
  push ecx
  pop ecx
  call function
  pusha
  popa
  ud2
  int 6
  dec ecx
  jnz .stack
  DISARM
  mov esp, STACK0
  TOLOG 0x11111111
; Behind a load of SS the trap waits for one instruction.
  DISARM
  mov word [DATA + 0x44], DATA0
  ARM 0, DATA + 0x44, ACCESS4
  FROM
  mov ecx, 2
.ss:
  mov ss, [DATA + 0x44]
  inc ebx
  inc ebx
  dec ecx
  jnz .ss
  TOLOG 0x22222222
; A fault takes what its instruction hit along.
  DISARM
  mov dword [DATA + 0x50], 0
  ARM 0, DATA + 0x50, ACCESS4
  FROM
  mov ecx, 2
.faults:
  EXPECT .divide, .behind
.divide:
  div dword [DATA + 0x50]
.behind:
  dec ecx
  jnz .faults
  DISARM
  mov eax, [DATA + 0x50]
  TOLOG 0x33333333
; Across the end of a page, just before the byte.
  ARM 0, DATA + 0x1001, ACCESS1
  FROM
  mov ecx, 2
.crossing:
  mov eax, [DATA + 0xffd]
  mov [DATA + 0xffd], eax
  mov [DATA + 0x1001], al                       ; hit
  dec ecx
  jnz .crossing
  DISARM
  TOLOG 0x44444444
  DONE
function:
  inc edx
  ret
invalid:
  push eax
  mov eax, [esp + 4]
  cmp word [eax], 0x0b0f                        ; UD2: go on behind it
  jne .out
  add dword [esp + 4], 2
.out:
  pop eax
  iretd
EPILOGUE
