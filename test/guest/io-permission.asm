; { "about": "I/O in ring 3: by IOPL, by the TSS's bitmap (also for the last byte of a wide access), beyond the bitmap", "mode": "protected",
;   "expect": { "log": ["ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "aaaa0001", "aaaa0003"] } }
%include "common.inc"
main:
  mov word [tss + 102], 104
  mov word [GDT(TSS0)], 104 + 17                ; bitmap of ports 0..0x7f, with its end byte
  mov byte [GDT(TSS0) + 5], 0x89
  mov ax, TSS0
  ltr ax
  mov dword [tss + 104], 0
  mov dword [tss + 108], 0
  mov dword [tss + 112], 0
  mov dword [tss + 116], 0xffffffff
  mov word [tss + 120], 0xffff
  mov byte [tss + 104 + 8], 4                   ; port 0x42
  ENTER_USER user
  SET_FLAGS 0x3002
  ENTER_USER user3
  TOLOG 0xaaaa0003
  DONE
user:
  in al, 0x40
  TRY in al, 0x42
  mov dx, 0x41
  TRY in ax, dx
  mov dx, 0x61
  TRY out dx, al
  mov dx, 0x3f8
  TRY in al, dx
  TOLOG 0xaaaa0001
  LEAVE_USER
user3:
  in al, 0x42
  mov dx, 0x2fd
  in al, dx
  LEAVE_USER
  times 32 db 0
EPILOGUE
