; { "about": "I/O breakpoints (DR7.R/W = 2 with CR4.DE): a trap behind IN and OUT with the bit of DR6, for any port of a wide access or range; memory at that address does not count; DR4 and DR5 are #UD with CR4.DE, DR6 and DR7 without", "mode": "protected",
;   "expect": { "log": ["ee060000", "ee060000", "00000002", "00000001", "00000004", "00000001", "0000000d", "00000002", "00000010", "00000002", "00000013", "00000001", "0000001a", "00000004", "0000001d", "00000004", "cccc0000", "cccc0001", "00000000", "00000600"] } }
%include "common.inc"
main:
  SET_GATE IDT(1), CODE0, ABS(debug), 0x8e, 0
  mov eax, 8                                    ; DE
  mov cr4, eax
  TRY mov eax, dr4
  TRY mov dr5, eax
  xor eax, eax
  mov dr6, eax
  mov eax, 0x80
  mov dr0, eax                                  ; G0: port 0x80
  mov eax, 0x84
  mov dr1, eax                                  ; G1: ports 0x84 to 0x87
  mov eax, 0x3f8
  mov dr2, eax                                  ; G2: ports 0x3f8 and 0x3f9
  mov eax, 0x06e20400 | 0x2a
  mov dr7, eax
  jmp base
align 16
base:
  in al, 0x80                                   ; +0: hits DR0 -> +2
  out 0x80, al                                  ; +2: -> +4
  in al, 0x81                                   ; +4
  mov eax, [0x80]                               ; +6 (5)
  in al, 0x87                                   ; +11: hits DR1 -> +13
  in ax, 0x83                                   ; +13 (3): overlaps it -> +16
  in ax, 0x7f                                   ; +16 (3): overlaps DR0 -> +19
  in al, 0x88                                   ; +19
  mov dx, 0x3f9                                 ; +21 (4)
  in al, dx                                     ; +25: hits DR2 -> +26
  dec edx                                       ; +26
  in ax, dx                                     ; +27 (2): -> +29
  mov dl, 0xfa                                  ; +29
  in al, dx
  TOLOG 0xcccc0000
  xor eax, eax
  mov dr7, eax
  in al, 0x80
  TOLOG 0xcccc0001
  xor eax, eax
  mov cr4, eax
  mov dr4, eax
  mov dr5, eax
  mov eax, dr4
  and eax, 0xf
  TOLOG eax
  mov eax, dr5
  and eax, 0x400
  or eax, 0x200
  TOLOG eax
  DONE
debug:
  push eax
  mov eax, [esp + 4]
  sub eax, base
  TOLOG eax
  mov eax, dr6
  and eax, 0x400f
  TOLOG eax
  xor eax, eax
  mov dr6, eax
  pop eax
  iretd
EPILOGUE
