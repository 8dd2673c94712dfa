; { "about": "task switches, virtual-8086 mode and task gates with stacks of either size: a switch and IRET to virtual-8086 mode load all of ESP; an interrupt from there to a 16-bit stack takes SP alone; a task gate's error code is pushed by the new stack's size", "mode": "v86",
;   "expect": { "log": [
;     "0002fffc", "0002fff8", "00021230", "0002fffc", "0002fff8", "00021230", "0002fffc", "0002fff8", "00021230", "0002fffc", "0002fff8", "00021230",
;     "0002fffc", "000001f0", "00020000", "0001fffc", "000001f0", "00020000", "0001efdc", "0001fff0", "0001fff0", "0002efdc", "0001fff0", "0001fff0"] } }
%include "common.inc"
%include "stack-size.inc"
%define TSS_A 0x80
; ring 0 stack to go to, stack to come from: a switch by CALL, IRET back
%macro SWITCH 2
  mov dword [task + 0x20], second
  mov dword [task + 0x24], 2
  mov dword [task + 0x38], 0x2fffc
  mov dword [task + 0x50], %1
  NEW_STACK %2, 0x21230
  call TSS_A:0
  mov ebx, esp
  OLD_STACK
  NOTE ebx
%endmacro
; stack of a task that a task gate for #GP leads to: ESP and the error code there
%macro FAULT 1
  mov dword [task + 0x20], fault
  mov dword [task + 0x24], 2
  mov dword [task + 0x38], 0x20000
  mov dword [task + 0x50], %1
  mov di, 0x1f0
  mov es, di                                    ; beyond the GDT: #GP(1f0)
%endmacro
; stack of ring 0: IRET to virtual-8086 mode from it, an interrupt back to it
%macro VIRTUAL 1
  mov dword [tss + 4], 0x2f000
  mov dword [tss + 8], %1
  mov dword [user_return], %%back
  NEW_STACK %1, 0x2f000
  push dword 0                                  ; GS FS DS ES
  push dword 0
  push dword 0
  push dword STACKS >> 4
  push dword STACKS >> 4                        ; SS
  push dword 0x1fff0                            ; ESP
  push dword 0x23002                            ; VM, IOPL 3
  push dword ORIGIN >> 4
  push dword OFFSET(virtual)
  iretd
%%back:
%endmacro
main:
  STACK_SEGMENTS
  SET_DESC TSS_A, ABS(task), 103, 0x89, 0
  SWITCH SS16, SS16
  SWITCH SS16, SS32
  SWITCH SS32, SS16
  SWITCH SS32, SS32
  SET_GATE IDT(13), TSS_A, 0, 0x85, 0
  FAULT SS16
  FAULT SS32
  SET_GATE IDT(0x33), CODE0, ABS(out_of_virtual), 0xee, 0
  VIRTUAL SS16
  VIRTUAL SS32
  DONE
second:
  mov eax, esp
  push eax
  mov ebx, esp
  NOTE eax, ebx
  mov esp, 0x2fff8
  iretd
  jmp second
fault:
  mov eax, esp
  pop ebx                                       ; the error code
  mov ecx, esp
  NOTE eax, ebx, ecx
  add dword [tss + 0x20], 2                      ; behind the load of ES
  iretd
  jmp fault
out_of_virtual:
  mov ax, DATA0
  mov ds, ax
  mov es, ax
  mov eax, ss
  lsl ebp, eax
  mov eax, esp
  and ebp, eax
  mov ecx, [ss:ebp + 12]                        ; ESP of virtual-8086 mode
  NOTE eax, ebx, ecx
  OLD_STACK
  jmp [user_return]
bits 16
virtual:
  mov ebx, esp
  int 0x33
bits 32
align 4
task:
  TASK_STATE second
EPILOGUE
