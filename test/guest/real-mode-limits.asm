; { "about": "limits of 64 KiB in real mode: #GP and #SS through the IVT, without an error code", "mode": "real",
;   "qemu": { "skipTcg": "it has no segment limits" },
;   "expect": { "log": ["0000000d", "00000000", "0000000c", "00000000", "0000000d", "00000000", "00000ec0"] } }
%include "common.inc"
%define RSEG 0x7000
main:
  mov dword [13 * 4], (ORIGIN >> 4) << 16 | (ABS(real_gp) & 0xffff)
  mov dword [12 * 4], (ORIGIN >> 4) << 16 | (ABS(real_ss) & 0xffff)
  mov dword [0x71234], 0x11223344
  mov [saved_esp], esp
  lidt [real_idt]
  jmp CODE16:ABS(to_real) & 0xffff
real_idt:
  dw 0x3ff
  dd 0
saved_esp: dd 0
bits 16
%define A(label) (ABS(label) & 0xffff)
%macro RLOG 1                                   ; EAX = %1 to the log; FS = 0x5000, GS = 0x4000
  mov eax, %1
  mov ebx, [gs:0xfffc]
  sub ebx, LOG
  mov [fs:bx], eax
  add dword [gs:0xfffc], 4
%endmacro
to_real:
  mov ax, DATA16
  mov ds, ax
  mov es, ax
  mov fs, ax
  mov gs, ax
  mov ss, ax
  mov eax, cr0
  and al, 0xfe
  mov cr0, eax
  jmp (ORIGIN >> 4):A(real)
real:
  mov ax, ORIGIN >> 4
  mov ds, ax
  mov ax, 0x5000
  mov fs, ax
  mov ax, 0x4000
  mov gs, ax
  mov ax, RSEG
  mov es, ax
  mov ss, ax
  mov esp, 0x8000
  mov bx, 0xffff
  mov word [expected], A(.a)
.a:
  mov ax, [bx]                                  ; a word at the last byte: #GP
.b:
  mov bp, 0xffff
  mov word [expected], A(.c)
.c:
  mov ax, [bp]                                  ; through SS: #SS
  mov bx, 0xfffe
  mov ax, [bx]
  mov ebx, 0x10000
  mov word [expected], A(.d)
.d:
  a32 mov al, [ebx]                             ; 32-bit offsets do not wrap: #GP (3 bytes with the prefix)
  RLOG 0x0ec0
  mov eax, cr0
  or al, 1
  mov cr0, eax
  jmp dword CODE0:ABS(protected)
expected: dw 0
real_gp:
  RLOG 13
  jmp skip
real_ss:
  RLOG 12
skip:
  push bp
  mov bp, sp
  mov cx, [bp + 2]
  sub cx, [expected]
  movzx ecx, cx
  add word [bp + 2], 2
  mov bx, [expected]
  cmp byte [bx], 0x67
  je .long
  cmp byte [bx], 0x8b
  je .two
.long:
  inc word [bp + 2]
.two:
  cmp byte [bx + 1], 0x46
  jne .done
  inc word [bp + 2]
.done:
  RLOG ecx
  pop bp
  iret
bits 32
protected:
  mov ax, DATA0
  mov ds, ax
  mov es, ax
  mov ss, ax
  mov fs, ax
  mov gs, ax
  mov esp, [saved_esp]
  lidt [idt_pointer]
  DONE
EPILOGUE
