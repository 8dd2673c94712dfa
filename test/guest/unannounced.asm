; { "about": "instructions that CPUID does not announce are #UD, in registers and in memory; prefixes and hints that later extensions gave a meaning are ignored; there are no other control registers", "mode": "protected",
;   "qemu": { "cpu": "coreduo" },
;   "expect": { "log": [
;     "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000",
;     "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000",
;     "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000",
;     "aaaaaaaa", "00000008", "0000000c", "00000040", "00005678", "ee0d0000", "ee060000", "ee0d0000", "ee0d0000"] } }
%include "common.inc"
; Bytes that are #UD.
%macro REFUSED 1+
  TRY db %1
%endmacro
main:
  mov eax, 0x600                                ; CR4.OSFXSR, OSXMMEXCPT
  mov cr4, eax
  mov ebx, DATA
  REFUSED 0x66, 0x0f, 0x3a, 0x15, 0x03, 1       ; PEXTRW [ebx], xmm0, 1 (SSE4.1)
  REFUSED 0x66, 0x0f, 0x3a, 0x15, 0xc0, 1       ; PEXTRW eax, xmm0, 1
  REFUSED 0x66, 0x0f, 0x3a, 0x14, 0x03, 1       ; PEXTRB
  REFUSED 0x66, 0x0f, 0x38, 0x2a, 0x03          ; MOVNTDQA
  REFUSED 0x0f, 0x38, 0x00, 0xc1                ; PSHUFB mm0, mm1 (SSSE3)
  REFUSED 0x66, 0x0f, 0x38, 0x00, 0xc1
  REFUSED 0x66, 0x0f, 0x3a, 0x0f, 0xc1, 1       ; PALIGNR
  REFUSED 0xf2, 0x0f, 0x38, 0xf1, 0xc0          ; CRC32 (SSE4.2)
  REFUSED 0x0f, 0x38, 0xf0, 0x03                ; MOVBE
  REFUSED 0x66, 0x0f, 0x38, 0xf6, 0xc0          ; ADCX
  REFUSED 0x66, 0x0f, 0x3a, 0x44, 0xc1, 0       ; PCLMULQDQ
  REFUSED 0x66, 0x0f, 0x38, 0xdc, 0xc1          ; AESENC
  REFUSED 0x0f, 0x38, 0xc8, 0xc1                ; SHA1NEXTE
  REFUSED 0xc5, 0xf8, 0x77                      ; VZEROUPPER
  REFUSED 0xc4, 0xe2, 0x78, 0xf2, 0xc0          ; ANDN
  REFUSED 0x62, 0xf1, 0x7c, 0x48, 0x58, 0xc0    ; EVEX
  REFUSED 0x0f, 0x0f, 0xc1, 0x9e                ; 3DNow!
  REFUSED 0x0f, 0x0e
  REFUSED 0x0f, 0x05                            ; SYSCALL
  REFUSED 0x0f, 0x07
  REFUSED 0x0f, 0x37                            ; GETSEC
  REFUSED 0x0f, 0x01, 0xc1                      ; VMCALL
  REFUSED 0x0f, 0x01, 0xca                      ; CLAC
  REFUSED 0x0f, 0x01, 0xd0                      ; XGETBV
  REFUSED 0x0f, 0x01, 0xd5                      ; XEND
  REFUSED 0x0f, 0x01, 0xf9                      ; RDTSCP
  REFUSED 0x0f, 0x78, 0xc0                      ; VMREAD
  REFUSED 0x0f, 0xc7, 0xf0                      ; RDRAND
  REFUSED 0x0f, 0xc7, 0xf8                      ; RDSEED
  REFUSED 0x66, 0x0f, 0xc7, 0x33                ; VMCLEAR
  REFUSED 0x0f, 0xae, 0x23                      ; XSAVE
  REFUSED 0x66, 0x0f, 0xae, 0x3b                ; CLFLUSHOPT
  REFUSED 0x66, 0x0f, 0xae, 0x33                ; CLWB
  REFUSED 0x66, 0x0f, 0x38, 0x82, 0x03          ; INVPCID
  REFUSED 0x0f, 0x20, 0xc8                      ; CR1
  REFUSED 0x0f, 0x22, 0xf8                      ; CR7
  TOLOG 0xaaaaaaaa
  db 0xf3, 0x0f, 0x09                           ; WBNOINVD: WBINVD
  mov ecx, 0x100
  db 0xf3, 0x0f, 0xbd, 0xc1                     ; LZCNT eax, ecx: BSR
  TOLOG eax
  mov ecx, 0x5000
  db 0xf3, 0x0f, 0xbc, 0xc1                     ; TZCNT eax, ecx: BSF
  TOLOG eax
  xor ecx, ecx
  mov eax, 0x1234
  db 0xf3, 0x0f, 0xbc, 0xc1                     ; of 0: ZF, and the register stays
  TOLOG_FLAGS 0x40
  db 0xf3, 0x0f, 0x1e, 0xfb                     ; ENDBR32
  mov eax, 0x5678
  db 0xf3, 0x0f, 0x1e, 0xc8                     ; RDSSPD eax: a NOP
  TOLOG eax
  db 0x0f, 0x0d, 0x0b                           ; PREFETCHW
  db 0x0f, 0x18, 0x3b                           ; PREFETCHIT0
  db 0x0f, 0x1c, 0x03                           ; CLDEMOTE
  db 0xf3, 0x0f, 0x1b, 0x03                     ; BNDMK
  db 0xf2, 0xeb, 0                              ; BND JMP
  db 0xf3, 0x90
  ENTER_USER user
  DONE
user:
  TRY db 0xf3, 0x0f, 0x09                       ; privileged
  TRY db 0x66, 0x0f, 0x3a, 0x15, 0x03, 1
  mov ecx, 0xc0000080                           ; EFER
  TRY rdmsr
  TRY wrmsr
  LEAVE_USER
EPILOGUE
