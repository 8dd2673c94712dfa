; { "about": "privileged and I/O instructions in ring 3 raise #GP(0)", "mode": "protected",
;   "expect": { "log": ["ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "ee0d0000", "77777777"] } }
%include "common.inc"
main:
  ENTER_USER user
  TOLOG 0x77777777
  DONE
user:
  TRY hlt
  TRY cli
  TRY sti
  TRY lgdt [gdt_pointer]
  TRY lidt [idt_pointer]
  TRY lldt ax
  TRY ltr ax
  TRY mov eax, cr0
  TRY mov cr0, eax
  TRY mov cr3, eax
  TRY mov eax, cr2
  TRY mov eax, dr7
  TRY mov dr7, eax
  TRY clts
  TRY lmsw ax
  TRY invlpg [0x1000]
  TRY invd
  TRY wbinvd
  TRY rdmsr
  TRY wrmsr
  TRY in al, 0x80
  TRY out dx, eax
  TRY insb
  TRY outsd
  LEAVE_USER
EPILOGUE
