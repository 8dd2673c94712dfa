; { "about": "#AC(0) in ring 3 with CR0.AM and EFLAGS.AC; never in ring 0; bytes and aligned words pass", "mode": "protected",
;   "qemu": { "skipTcg": "it has no alignment check; a processor does as expected here: alignment-check-native.c asks the one that it runs on" },
;   "expect": { "log": ["ee110000", "ee110000", "ee110000", "eeee0000"] } }
%include "common.inc"
main:
  mov eax, cr0
  or eax, 0x40000
  mov cr0, eax
  pushfd
  or dword [esp], 0x40000
  popfd
  mov eax, [DATA + 1]
  ENTER_USER user
  TOLOG 0xeeee0000
  DONE
user:
  mov al, [DATA + 1]
  mov ax, [DATA + 2]
  mov eax, [DATA + 4]
  TRY mov eax, [DATA + 2]
  TRY mov [DATA + 1], ax
  TRY add [DATA + 7], eax
  LEAVE_USER
EPILOGUE
