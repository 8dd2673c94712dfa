; { "about": "limits and rights of data segments: last byte, wide accesses, expand-down, null, read-only, execute-only, SS gives #SS, granularity", "mode": "protected",
;   "qemu": { "skipTcg": "it has no segment limits and rights" },
;   "expect": { "log": ["ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0c0000", "ee0c0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "00001122"] } }
%include "common.inc"
main:
  SET_DESC 0x40, DATA, 0xfff, 0x93, 4
  SET_DESC 0x48, DATA, 0xfff, 0x97, 4           ; expand-down: 0x1000 .. 0xffffffff
  SET_DESC 0x50, DATA, 0xfff, 0x97, 0           ; expand-down, 16 bits: 0x1000 .. 0xffff
  SET_DESC 0x58, DATA, 0xfff, 0x91, 4           ; read-only
  SET_DESC 0x60, ORIGIN, 0xffff, 0x99, 4        ; execute-only
  SET_DESC 0x68, ORIGIN, 0xffff, 0x9b, 4        ; readable code
  SET_DESC 0x70, DATA, 0, 0x93, 0xc             ; one page
  mov ax, 0x40
  mov es, ax
  mov bl, [es:0xfff]
  mov ebx, [es:0xffc]
  TRY mov bl, [es:0x1000]
  TRY mov ebx, [es:0xffd]
  TRY mov [es:0xfff], bx
  TRY mov ebx, [es:0xffffffff]                  ; wraps
  mov ax, 0x48
  mov fs, ax
  TRY mov bl, [fs:0xfff]
  mov bl, [fs:0x1000]
  mov ax, 0x50
  mov gs, ax
  mov bl, [gs:0xffff]
  TRY mov bl, [gs:0x10000]
  TRY mov ebx, [gs:0xfff]
  TRY mov ebx, [gs:0xfffd]
  mov edx, esp
  mov ax, 0x40
  mov ss, ax
  mov esp, 0x1000
  mov ebp, 0xffd
  TRY mov ebx, [ebp]                            ; #SS(0)
  TRY pop ebx
  mov ax, DATA0
  mov ss, ax
  mov esp, edx
  mov ax, 0x58
  mov es, ax
  mov ebx, [es:0]
  TRY mov [es:0], ebx
  mov ax, 0x68
  mov es, ax
  mov ebx, [es:0]
  TRY mov [es:0], ebx
  TRY mov [cs:0], ebx
  mov ax, 0x70
  mov es, ax
  mov ebx, [es:0xffc]
  TRY mov ebx, [es:0xffd]
  mov ax, DATA0
  mov es, ax
  TOLOG 0x1122
  DONE
EPILOGUE
