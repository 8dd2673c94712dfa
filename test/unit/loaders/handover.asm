; What kernels lean on beyond the Multiboot Specification's promises, as QEMU's loader hands it over. Prints a line for each check to port E9H,
; "name" and "ok" or "wrong", then ends by port F4H. It never loads a GDT and never sets ESP until it has used what it was given.
;   nasm -f bin -w-all -o handover.bin handover.asm
;   printf module > module; qemu-system-i386 -m 64 -kernel handover.bin -append "a=1 b" -initrd module -display none \
;     -debugcon stdio -device isa-debug-exit,iobase=0xf4
bits 32
org 0x100000
header:
  dd 0x1badb002, 0x00010003, -(0x1badb002 + 0x00010003)
  dd header, header, 0, 0, start                ; up to the file's end, no bss
%define INFO_FLAGS 0x24d                        ; memory, command line, modules, map, loader's name

%macro CHECK 2                                  ; condition, name
  set%1 byte [result]
  mov esi, %%name
  call report
  jmp %%next
%%name: db %2, 0
%%next:
%endmacro

start:
  mov [info], ebx
  mov [stack], esp
  cmp eax, 0x2badb002
  CHECK e, "magic"                              ; its CALL is the first use of the loader's stack
  pushfd
  pop eax
  test eax, 0x20600                             ; VM, DF, IF
  CHECK z, "eflags"
  mov eax, cr0
  and eax, 0x80000001
  cmp eax, 1
  CHECK e, "cr0"
  mov ax, cs
  cmp ax, 0x08
  CHECK e, "cs"
  mov ax, ds
  mov bx, ss
  shl eax, 16
  mov ax, bx
  cmp eax, 0x00100010
  CHECK e, "ds ss"

  mov eax, [stack]
  call available
  CHECK e, "stack in free memory"
  sgdt [gdtr]
  mov eax, [gdtr + 2]
  call available
  CHECK ne, "gdt in memory that is not given away"

  mov eax, gate                                 ; a gate with the loader's code selector
  mov [idt + 0x40 * 8], ax
  shr eax, 16
  mov [idt + 0x40 * 8 + 6], ax
  mov dword [idt + 0x40 * 8 + 2], 0x8e000008
  mov eax, tick
  mov [idt + 0x20 * 8], ax
  shr eax, 16
  mov [idt + 0x20 * 8 + 6], ax
  mov dword [idt + 0x20 * 8 + 2], 0x8e000008
  lidt [idtr]
  mov ecx, 0
  int 0x40
  cmp ecx, 1
  CHECK e, "interrupt without an own gdt"
  mov ax, 0x10
  mov es, ax
  mov fs, ax
  cmp dword [es:header], 0x1badb002
  CHECK e, "data selector"

  mov dword [0x500], 0x11111111                 ; A20
  mov eax, [0x100500]
  cmp eax, 0x11111111
  CHECK ne, "a20"

  mov ebx, [info]
  mov eax, [ebx]
  and eax, INFO_FLAGS
  cmp eax, INFO_FLAGS
  CHECK e, "flags"
  mov esi, [ebx + 16]                           ; the first word is the kernel's file, then come the options
.word:
  lodsb
  cmp al, ' '
  ja .word
  CHECK e, "a first word"
  mov ebx, [info]
  mov esi, [ebx + 16]
.skip:
  lodsb
  cmp al, ' '
  ja .skip
  mov edi, options
  mov ecx, options_end - options
  repe cmpsb
  CHECK e, "options"
  mov ebx, [info]
  cmp dword [ebx + 20], 1
  CHECK e, "one module"
  mov ebx, [info]
  mov ebx, [ebx + 24]
  mov esi, [ebx]
  test esi, 0xfff
  CHECK z, "module on a page"
  mov ebx, [info]
  mov ebx, [ebx + 24]
  mov eax, [ebx + 4]
  sub eax, [ebx]
  cmp eax, 6
  CHECK e, "module's length"
  mov esi, [ebx]
  mov edi, module
  mov ecx, 6
  repe cmpsb
  CHECK e, "module's bytes"
  mov ebx, [info]
  mov eax, [ebx + 64]
  cmp byte [eax], 0
  CHECK ne, "loader's name"

  movzx eax, word [0x413]
  cmp eax, [ebx + 4]
  CHECK e, "low memory in the bios data area"
  movzx eax, word [0x40e]
  shl eax, 4
  shr eax, 10
  mov ebx, [info]
  cmp eax, [ebx + 4]
  CHECK e, "ebda behind low memory"
  cmp word [0x400], 0x3f8
  CHECK e, "serial port in the bios data area"
  cmp word [0x463], 0x3d4
  CHECK e, "crtc port in the bios data area"
  cmp word [0x44a], 80
  CHECK e, "columns in the bios data area"
  mov eax, [0x410]
  and eax, 0x30
  cmp eax, 0x20
  CHECK e, "colour screen in the bios data area"

  mov esi, [ebx + 48]                           ; the map: in order, and what is at 1 MiB is as large as mem_upper says
  mov edi, esi
  add edi, [ebx + 44]
  xor ecx, ecx
.entry:
  cmp esi, edi
  jae .last
  cmp dword [esi], 20
  jne .bad
  cmp dword [esi + 4], 0x100000
  jne .another
  mov ecx, [esi + 12]
  shr ecx, 10
.another:
  add esi, 24
  jmp .entry
.bad:
  xor ecx, ecx
.last:
  cmp ecx, [ebx + 8]
  CHECK e, "map and mem_upper"

  in al, 0x21                                   ; moves the vectors, and puts the masks back, as many kernels do
  mov bl, al
  in al, 0xa1
  mov bh, al
  mov al, 0x11
  out 0x20, al
  out 0xa0, al
  mov al, 0x20
  out 0x21, al
  mov al, 0x28
  out 0xa1, al
  mov al, 4
  out 0x21, al
  mov al, 2
  out 0xa1, al
  mov al, 1
  out 0x21, al
  out 0xa1, al
  mov al, bl
  out 0x21, al
  mov al, bh
  out 0xa1, al
  test bl, 1
  CHECK z, "timer not masked"
  sti
.wait:
  hlt
  cmp dword [ticks], 2
  jb .wait
  cli
  CHECK ae, "timer runs"
  mov al, 0
  mov dx, 0xf4
  out dx, al
  cli
  hlt

gate:
  inc ecx
  iretd
tick:
  push eax
  inc dword [ticks]
  mov al, 0x20
  out 0x20, al
  pop eax
  iretd

; ZF is set where EAX is in a range of type 1 of the map.
available:
  mov ebx, [info]
  mov esi, [ebx + 48]
  mov edi, esi
  add edi, [ebx + 44]
.entry:
  cmp esi, edi
  jae .none
  mov edx, eax
  sub edx, [esi + 4]
  jb .next
  cmp edx, [esi + 12]
  jae .next
  cmp dword [esi + 20], 1
  ret
.next:
  add esi, [esi]
  add esi, 4
  jmp .entry
.none:
  test esp, esp                                 ; not zero
  ret

report:
  lodsb
  test al, al
  jz .verdict
  out 0xe9, al
  jmp report
.verdict:
  mov esi, ok
  cmp byte [result], 0
  jne .text
  mov esi, wrong
.text:
  lodsb
  out 0xe9, al
  cmp al, 10
  jne .text
  ret

ok: db ": ok", 10
wrong: db ": wrong", 10
options: db "a=1 b", 0
options_end:
module: db "module"
align 4
info: dd 0
stack: dd 0
ticks: dd 0
result: db 0
gdtr: times 6 db 0
idtr: dw 0x41 * 8 - 1
  dd idt
align 8
idt: times 0x41 dq 0
