; { "about": "encodings that are #UD though QEMU knows better: XOP, XBEGIN, XABORT, POP with another register field, LOCK with MOV CR0 (CR8 to some processors), at CPL 0 and 3", "mode": "protected",
;   "qemu": { "skipTcg": "it does not ask for XBEGIN's feature bit, and ignores the register field of POP and LOCK before MOV CR; see SDM vol. 2, 2.3.5, XBEGIN, LOCK, and appendix A, table A-6" },
;   "expect": { "log": ["ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000", "ee060000"] } }
%include "common.inc"
main:
  TRY db 0x8f, 0xe9, 0x78, 0x01, 0xc8           ; XOP
  TRY db 0x8f, 0xc8                             ; POP /1
  TRY db 0xc7, 0xf8, 0, 0, 0, 0x80              ; XBEGIN, to beyond what a target may be
  TRY db 0xc6, 0xf8, 0                          ; XABORT
  TRY db 0xf0, 0x0f, 0x20, 0xc0                 ; LOCK MOV eax, CR0
  TRY db 0xf0, 0x0f, 0x22, 0xc0
  ENTER_USER user
  DONE
user:
  TRY db 0x8f, 0xe9, 0x78, 0x01, 0xc8
  TRY db 0xc7, 0xf8, 0, 0, 0, 0x80
  TRY db 0xf0, 0x0f, 0x20, 0xc0
  TRY db 0xf0, 0x0f, 0x22, 0xc0
  TRY db 0xf0, 0x0f, 0x09                       ; LOCK WBINVD
  LEAVE_USER
EPILOGUE
