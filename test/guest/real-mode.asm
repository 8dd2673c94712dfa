; { "about": "to real mode and back: IVT interrupts, segment arithmetic, SP and offset wrap, 32-bit operands, #DE through the IVT", "mode": "real",
;   "expect": { "log": ["00000060", "00000202", "11223344", "0000beef", "00000000", "00000d0d", "000000aa", "00010000"] } }
%include "common.inc"
%define RSEG 0x7000
main:
  mov dword [0x60 * 4], (ORIGIN >> 4) << 16 | (ABS(real_int) & 0xffff)
  mov dword [0 * 4], (ORIGIN >> 4) << 16 | (ABS(real_de) & 0xffff)
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
  push word 0x202
  popf
  int 0x60
  cli
  RLOG [es:0x1234]
  ; a word is pushed at SP = 0: wraps to 0xfffe
  mov sp, 0
  push word 0xbeef
  movzx ecx, word [es:0xfffe]
  RLOG ecx
  pop cx
  movzx ecx, sp
  RLOG ecx
  mov sp, 0x8000
  mov dx, 1                                     ; #DE: the IVT gets a return to the instruction itself
  mov ax, 0
  mov cx, 1
  div cx
  ; offsets wrap: [bx+si] with a sum of 0x10010
  mov byte [es:0x0010], 0xaa
  mov bx, 0xfff0
  mov si, 0x0020
  movzx ecx, byte [es:bx + si]
  RLOG ecx
  mov ebx, 0xf000
  mov cx, 0x1000
  xor eax, eax
  mov ax, bx
  add eax, 0x1000
  RLOG eax
  mov eax, cr0
  or al, 1
  mov cr0, eax
  jmp dword CODE0:ABS(protected)
real_int:
  pushf
  pop ax
  RLOG 0x60
  mov bp, sp
  movzx ecx, word [bp + 4]                      ; FLAGS as pushed
  RLOG ecx
  iret
real_de:
  push bp
  mov bp, sp
  add word [bp + 2], 2                          ; skip DIV CX
  RLOG 0x0d0d
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
