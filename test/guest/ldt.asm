; { "about": "a local descriptor table: LLDT, SLDT, loads and far jumps through it, limit, errors", "mode": "protected",
;   "expect": { "log": ["00000040", "0000000f", "dadadada", "ee0d0014", "ee0d0010", "ee0b0050", "00000000", "ee0d000c", "abababab"] } }
%include "common.inc"
main:
  SET_DESC 0x40, ABS(table), 15, 0x82, 0
  SET_DESC 0x50, ABS(table), 15, 0x02, 0        ; not present
  mov ax, 0x40
  lldt ax
  xor eax, eax
  sldt eax
  TOLOG eax
  jmp 0x0c:.local                               ; code by the LDT
.local:
  mov ebx, cs
  xor ebx, 3
  TOLOG ebx
  mov ax, 0x04
  mov es, ax
  mov dword [DATA + 0x10], 0xdadadada
  TOLOG_EACH [es:0x10]
  mov ax, 0x14
  TRY mov es, ax                                ; beyond
  mov ax, DATA0
  TRY lldt ax
  mov ax, 0x50
  TRY lldt ax
  jmp CODE0:.global
.global:
  mov ax, DATA0
  mov es, ax
  xor eax, eax
  lldt ax
  sldt eax
  TOLOG eax
  mov ax, 0x0c
  TRY mov es, ax
  TOLOG 0xabababab
  DONE
table:
  dd (DATA & 0xffff) << 16 | 0xffff, 0x00409200 | DATA >> 16
  dd 0x0000ffff, 0x00cf9a00
EPILOGUE
