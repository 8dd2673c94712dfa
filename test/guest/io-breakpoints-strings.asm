; { "about": "I/O breakpoints and single steps of INS and OUTS: with REP behind each iteration, at the instruction until the last; without CR4.DE the encoding means nothing", "mode": "protected",
;   "qemu": { "skipTcg": "its I/O traps inside REP INS and REP OUTS point behind the instruction and come before ECX is counted, and it does not ask for CR4.DE" },
;   "expect": { "log": ["00000001", "00000000", "00000001", "00000003", "00000002", "00000001", "00000003", "00000001", "00000001", "00000005", "00000000", "00000001", "00000006", "00000000", "00000001", "00000008", "00000001", "00000001", "0000000a", "00000000", "00000001", "cccc0000", "cccc0001", "00000000", "00000001", "00004000", "00000002", "00000000", "00004000", "00000004", "00000002", "00004000", "00000004", "00000001", "00004000", "00000006", "00000000", "00004000"] } }
%include "common.inc"
main:
  SET_GATE IDT(1), CODE0, ABS(debug), 0x8e, 0
  mov eax, 8                                    ; DE
  mov cr4, eax
  xor eax, eax
  mov dr6, eax
  mov eax, 0x80
  mov dr0, eax                                  ; G0: port 0x80
  mov eax, 0x00020400 | 2
  mov dr7, eax
  mov edx, 0x80
  mov esi, DATA
  mov edi, DATA + 0x100
  xor ecx, ecx
  mov dword [base], .ports
  jmp .ports
align 16
.ports:
  insb                                          ; +0: -> +1
  mov cl, 3                                     ; +1
  rep insb                                      ; +3: twice at +3, then -> +5
  outsb                                         ; +5: -> +6
  mov cl, 2                                     ; +6
  rep outsb                                     ; +8: once at +8, then -> +10
  rep outsb                                     ; +10: nothing to do
  TOLOG 0xcccc0000
  xor eax, eax
  mov cr4, eax
  in al, 0x80                                   ; DE is clear: ports are not watched
  mov cl, 2
  rep insb
  mov dr7, eax
  TOLOG 0xcccc0001
  mov cl, 2
  mov dword [base], .steps
  push dword 0x102
  popfd
.steps:
  rep insb                                      ; +0
  mov cl, 2                                     ; +2
  rep outsb                                     ; +4
  DONE
debug:
  push eax
  mov eax, [esp + 4]
  sub eax, [base]
  TOLOG eax
  TOLOG ecx
  cmp eax, 6
  jne .go
  cmp dword [base], main.steps
  jne .go
  and byte [esp + 13], 0xfe                     ; no more steps
.go:
  mov eax, dr6
  and eax, 0x400f
  TOLOG eax
  xor eax, eax
  mov dr6, eax
  pop eax
  iretd
base: dd 0
EPILOGUE
