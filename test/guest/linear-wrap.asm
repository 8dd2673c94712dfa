; { "about": "addresses wrap at 4 GiB: base plus offset, a far segment base, 16-bit offsets in a 32-bit segment wrap at 64 KiB", "mode": "protected",
;   "expect": { "log": ["13572468", "13572468", "0badf00d", "0badf00d", "24681357"] } }
%include "common.inc"
main:
  SET_DESC 0x40, 0xffff0000, 0xfffff, 0x93, 0xc
  mov dword [DATA], 0x13572468
  mov ax, 0x40
  mov fs, ax
  mov eax, [fs:DATA + 0x10000]
  TOLOG eax
  mov ebx, 0x80000000
  mov ecx, 0x80000000 + DATA
  mov eax, [ebx + ecx]
  TOLOG eax
  SET_DESC 0x48, DATA, 0xfffff, 0x93, 0xc
  mov ax, 0x48
  mov gs, ax
  mov dword [DATA + 0x10], 0x0badf00d
  mov ebx, 0xfff0
  mov esi, 0x20
  a16 mov eax, [gs:bx + si]
  TOLOG eax
  mov eax, 0
  mov bx, 0x0010
  and ebx, 0xffff
  a16 mov eax, [gs:bx]
  TOLOG eax
  mov ecx, 0x00020001                           ; a16 string: SI, DI, CX only
  mov esi, 0xabcd0000
  mov edi, 0x12340020
  mov dword [DATA], 0x24681357
  mov ax, 0x48
  mov es, ax
  a16 rep gs movsd
  mov ax, DATA0
  mov es, ax
  mov eax, [DATA + 0x20]
  TOLOG eax
  DONE
EPILOGUE
