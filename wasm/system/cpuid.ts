// CPUID. The features are those of src/layout/features.ts. The signature is that of a 32-bit Intel core without speculation, for which kernels switch no mitigations on.
import { serialize } from '../base/state';
import { CPUID_ECX, CPUID_EDX, CPUID_EDX_APIC, CPUID_EDX_HTT, CPUID_SIGNATURE, Cpu, control, Gpr } from '../gen/layout';
import { APIC_BASE_ENABLE } from './msr';

/** The highest leaf below 80000000H. */
const MAX_LEAF: u32 = 0x16;
/** The time-stamp counter counts nanoseconds, and so does the APIC's timer, which the core crystal clock feeds. */
const CRYSTAL_HZ: u32 = 1000000000;

/** "Dragoman virtual CPU", padded to 48 bytes. */
const BRAND = memory.data<u8>([
  0x44, 0x72, 0x61, 0x67, 0x6f, 0x6d, 0x61, 0x6e, 0x20, 0x76, 0x69, 0x72, 0x74, 0x75, 0x61, 0x6c, 0x20, 0x43, 0x50, 0x55, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
]);

function answer(cpu: Cpu, eax: u32, ebx: u32, ecx: u32, edx: u32): void {
  cpu.gpr[Gpr.EAX] = eax;
  cpu.gpr[Gpr.EBX] = ebx;
  cpu.gpr[Gpr.ECX] = ecx;
  cpu.gpr[Gpr.EDX] = edx;
}

/** All CPUs are cores of one package: identifiers that their APICs may have, a power of two. A kernel then measures its delay loop once, not on each CPU. */
function identifiers(): u32 {
  let n: u32 = 1;
  while (n < control.cpuCount) n <<= 1;
  return n;
}

/** A cache of `sets` sets with 8 ways and lines of 64 bytes that each core has for itself (SDM vol. 2, CPUID, leaf 4). */
function cache(cpu: Cpu, type: u32, level: u32, sets: u32): void {
  answer(cpu, type | (level << 5) | (1 << 8) | ((identifiers() - 1) << 26), (7 << 22) | 63, sets - 1, 0);
}

/** Leaf 0BH, level ECX: a core is one thread, a package all CPUs (SDM vol. 2, CPUID, table 3-8). */
function topology(cpu: Cpu): void {
  const level = cpu.gpr[Gpr.ECX] & 0xff;
  const id = cpu.apicId;
  if (level == 0) answer(cpu, 0, 1, 0x100, id);
  else if (level == 1) answer(cpu, ctz(identifiers()), control.cpuCount, 0x201, id);
  else answer(cpu, 0, 0, level, id);
}

/** CPUID: leaf in EAX; unknown leaves are all zeros. */
export function cpuid(cpu: Cpu): void {
  serialize(cpu);
  const leaf = cpu.gpr[Gpr.EAX];
  if (leaf - 0x80000002 < 3) {
    const at = BRAND + ((leaf - 0x80000002) << 4);
    answer(cpu, load<u32>(at), load<u32>(at, 4), load<u32>(at, 8), load<u32>(at, 12));
    return;
  }
  switch (leaf) {
    case 0: // "GenuineIntel"
      answer(cpu, MAX_LEAF, 0x756e6547, 0x6c65746e, 0x49656e69);
      return;
    case 1: {
      const apic = cpu.apicBase & APIC_BASE_ENABLE ? CPUID_EDX_APIC : 0;
      const count = identifiers();
      // CLFLUSH line of 64 bytes, the package's logical processors, the APIC's identifier.
      const ebx = (cpu.apicId << 24) | (count << 16) | 0x800;
      answer(cpu, CPUID_SIGNATURE, ebx, CPUID_ECX, CPUID_EDX | apic | (count > 1 ? CPUID_EDX_HTT : 0));
      return;
    }
    case 2: // 32 KiB L1 caches, 512 KiB L2, TLBs of 4 KiB pages
      answer(cpu, 0x02b35001, 0, 0, 0x0030802c);
      return;
    case 4: {
      const index = cpu.gpr[Gpr.ECX];
      if (index < 2)
        cache(cpu, index + 1, 1, 64); // data, instructions
      else if (index == 2) cache(cpu, 3, 2, 1024);
      else answer(cpu, 0, 0, 0, 0);
      return;
    }
    case 6: // ARAT: the APIC timer goes on in every sleep, so a kernel may stop its tick when idle
      answer(cpu, 4, 0, 0, 0);
      return;
    case 7: // IA32_TSC_ADJUST, by which a kernel sees that nobody has touched the counters
      answer(cpu, 0, cpu.gpr[Gpr.ECX] == 0 ? 2 : 0, 0, 0);
      return;
    case 0xb:
      topology(cpu);
      return;
    case 0x15: // TSC / crystal = 1 / 1, and the crystal in hertz
      answer(cpu, 1, 1, CRYSTAL_HZ, 0);
      return;
    case 0x16: // base, highest and bus frequency in MHz
      answer(cpu, CRYSTAL_HZ / 1000000, CRYSTAL_HZ / 1000000, CRYSTAL_HZ / 1000000, 0);
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
