; { "about": "loads of segment registers: null, beyond the table, wrong type, DPL, not present, LDT absent; POP leaves ESP; accessed bits are set", "mode": "protected",
;   "expect": { "log": ["ee0d0000", "ee0d0100", "ee0d0010", "ee0b0040", "ee0c0040", "ee0d0020", "ee0d0048", "ee0d0004", "ee0d0028", "ee0d0048", "0003fffc", "00000093", "0000009b", "00000000", "ee0d0000", "ee0d0060", "ee0d0068", "ee0d0010", "ee0d0100", "88888888"] } }
%include "common.inc"
main:
  SET_DESC 0x40, 0, 0xfffff, 0x12, 0xc          ; not present
  SET_DESC 0x48, 0, 0xfffff, 0x98, 0xc          ; execute-only
  SET_DESC 0x50, 0, 0xfffff, 0x92, 0xc          ; accessed bit clear
  SET_DESC 0x58, 0, 0xfffff, 0x9a, 0xc
  SET_DESC 0x60, 0, 0xfffff, 0x1a, 0xc          ; code, not present (for JMP: #NP)
  SET_DESC 0x68, 0, 0xfffff, 0xfa, 0xc          ; code of ring 3
  xor eax, eax
  lldt ax
  mov es, ax                                    ; null: allowed
  TRY mov ss, ax                                ; null SS
  mov ax, 0x100
  TRY mov ds, ax                                ; beyond the limit
  mov ax, DATA0 | 3
  TRY mov ss, ax                                ; RPL
  mov ax, 0x40
  TRY mov es, ax
  TRY mov ss, ax
  mov ax, DATA3
  TRY mov ss, ax
  mov ax, 0x48
  TRY mov ds, ax                                ; not readable
  mov ax, 4
  TRY mov es, ax                                ; no LDT
  mov ax, TSS0
  TRY mov gs, ax
  push dword 0x48
  TRY pop gs
  TOLOG_EACH esp
  pop eax
  mov ax, 0x50
  mov gs, ax
  movzx eax, byte [GDT(0x50) + 5]
  TOLOG eax
  mov ax, 0x58
  mov gs, ax
  movzx eax, byte [GDT(0x58) + 5]
  TOLOG eax
  mov ax, 3
  mov gs, ax                                    ; null with an RPL
  mov eax, gs
  xor eax, 3
  TOLOG eax
  TRY jmp 0:0
  mov byte [GDT(0x60) + 5], 0x12                ; a data segment
  TRY jmp 0x60:0
  TRY jmp 0x68:0
  TRY call DATA0:0
  TRY call 0x100:0
  TOLOG 0x88888888
  DONE
EPILOGUE
