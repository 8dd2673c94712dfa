// CPUID. The signature is that of a 32-bit Intel core without speculation, for which kernels switch no mitigations on.
import { CPU_APICBASE, CPU_APICID, GPR_EAX, GPR_EBX, GPR_ECX, GPR_EDX } from './gen/layout';
import { reg, serialize, setReg } from './state';

/** Family 6, model 0x1c, stepping 10. */
const SIGNATURE: u32 = 0x000106ca;
/** FPU DE PSE TSC MSR PAE CX8 SEP PGE CMOV PAT CLFSH MMX FXSR SSE SSE2 (SDM vol. 2, CPUID, table 3-11). */
const FEATURES_EDX: u32 =
  1 | (1 << 2) | (1 << 3) | (1 << 4) | (1 << 5) | (1 << 6) | (1 << 8) | (1 << 11) | (1 << 13) | (1 << 15) | (1 << 16) | (1 << 19) |
  (1 << 23) | (1 << 24) | (1 << 25) | (1 << 26);
const FEATURE_APIC: u32 = 1 << 9;
/** SSE3, POPCNT, the APIC timer's TSC-deadline mode. */
const FEATURES_ECX: u32 = 1 | (1 << 23) | (1 << 24);
const APIC_ENABLED: u32 = 0x800;

/** "Dragoman virtual CPU", padded to 48 bytes. */
const BRAND = memory.data<u8>([
  0x44, 0x72, 0x61, 0x67, 0x6f, 0x6d, 0x61, 0x6e, 0x20, 0x76, 0x69, 0x72, 0x74, 0x75, 0x61, 0x6c, 0x20, 0x43, 0x50, 0x55, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

function answer(cpu: usize, eax: u32, ebx: u32, ecx: u32, edx: u32): void {
  setReg(cpu, GPR_EAX, eax);
  setReg(cpu, GPR_EBX, ebx);
  setReg(cpu, GPR_ECX, ecx);
  setReg(cpu, GPR_EDX, edx);
}

/** CPUID: leaf in EAX; unknown leaves are all zeros. */
export function cpuid(cpu: usize): void {
  serialize(cpu);
  const leaf = reg(cpu, GPR_EAX);
  if (leaf - 0x80000002 < 3) {
    const at = BRAND + ((leaf - 0x80000002) << 4);
    answer(cpu, load<u32>(at), load<u32>(at, 4), load<u32>(at, 8), load<u32>(at, 12));
    return;
  }
  switch (leaf) {
    case 0: // "GenuineIntel"
      answer(cpu, 7, 0x756e6547, 0x6c65746e, 0x49656e69);
      return;
    case 1: {
      const apic = load<u32>(cpu, CPU_APICBASE) & APIC_ENABLED ? FEATURE_APIC : 0;
      // CLFLUSH line of 64 bytes, one logical processor, the APIC's identifier.
      answer(cpu, SIGNATURE, (load<u32>(cpu, CPU_APICID) << 24) | 0x00010800, FEATURES_ECX, FEATURES_EDX | apic);
      return;
    }
    case 2: // 32 KiB L1 caches, 512 KiB L2, TLBs of 4 KiB pages
      answer(cpu, 0x02b35001, 0, 0, 0x0030802c);
      return;
    case 6: // ARAT: the APIC timer goes on in every sleep, so a kernel may stop its tick when idle
      answer(cpu, 4, 0, 0, 0);
      return;
    case 7: // IA32_TSC_ADJUST, by which a kernel sees that nobody has touched the counters
      answer(cpu, 0, reg(cpu, GPR_ECX) == 0 ? 2 : 0, 0, 0);
      return;
    case 0x80000000:
      answer(cpu, 0x80000008, 0, 0, 0);
      return;
    case 0x80000001: // NX
      answer(cpu, 0, 0, 0, 1 << 20);
      return;
    case 0x80000007: // the time-stamp counter runs evenly, in every sleep
      answer(cpu, 0, 0, 0, 1 << 8);
      return;
    case 0x80000008: // 32 bits of physical and of linear address
      answer(cpu, 0x2020, 0, 0, 0);
      return;
    default:
      answer(cpu, 0, 0, 0, 0);
  }
}
