; { "about": "a data breakpoint that a load of SS hits waits for the next instruction: with INT1 it is one #DB, with the bits of both; with INT n and INT3 it comes before the first instruction of their handler; INT1 clears DR7.GD", "mode": "protected",
;   "qemu": { "skipTcg": "it takes the #DB of the breakpoint behind the load of SS itself" },
;   "expect": { "log": ["00000007", "00000001", "00001111", "00000000", "00000001", "00000031", "00002222", "00000000", "00000001", "00000031", "00003333", "00000001", "00000000", "00004444", "00000008", "00000001", "00005555", "00000000", "00006666"] } }
%include "common.inc"
main:
  SET_GATE IDT(1), CODE0, ABS(debug), 0x8e, 0
  SET_GATE IDT(3), CODE0, ABS(soft), 0x8e, 0
  SET_GATE IDT(0x31), CODE0, ABS(soft), 0x8e, 0
  mov dword [DATA], DATA0
  xor eax, eax
  mov dr6, eax
  mov eax, DATA
  mov dr0, eax                                  ; G0: read or write, 2 bytes
  mov eax, 0x00070402
  mov dr7, eax
  ; INT1: one #DB behind it, with B0
  mov dword [base], .int1
.int1:
  mov ss, [DATA]                                ; 6 bytes
  db 0xf1                                       ; +7 is behind it
  TOLOG 0x1111
  ; INT n: #DB at the handler's first instruction, then the handler
  mov dword [base], soft
  mov ss, [DATA]
  int 0x31
  TOLOG 0x2222
  mov ss, [DATA]
  int3
  TOLOG 0x3333
  ; INT1 alone: DR6 gets no bits, but keeps what it has
  mov dword [base], .alone
.alone:
  db 0xf1
  TOLOG 0x4444
  ; any other instruction: behind it
  mov dword [base], .plain
.plain:
  mov ss, [DATA]                                ; 6
  lea eax, [eax]                                ; 2
  nop
  TOLOG 0x5555
  ; GD: the handler of INT1 may read the debug registers
  mov eax, 0x2402
  mov dr7, eax
  mov dword [base], .general
.general:
  db 0xf1
  TOLOG 0x6666
  DONE
debug:
  push eax
  push ebx
  mov ebx, [esp + 8]
  sub ebx, [base]
  mov eax, dr6
  and eax, 0xe00f
  cmp dword [base], main.general
  je .last
  TOLOG ebx
  TOLOG eax
  jmp .out
.last:
  mov eax, dr7
  and eax, 0x2000
  TOLOG eax
.out:
  xor eax, eax
  mov dr6, eax
  pop ebx
  pop eax
  iretd
soft:
  TOLOG 0x31
  iretd
base: dd 0
EPILOGUE
