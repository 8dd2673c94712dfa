// What of the CPUs and of the control block is in a snapshot: each field is of one kind, and what is saved of a CPU comes back as it was.
import { describe, expect, it } from 'vitest';
import { createMemory, resetCpu } from '../../../src/cpu/state.ts';
import { Cpu, HOST_HIT, PENDING_HELD_SHIFT, Pending, Step } from '../../../src/layout/cpu.ts';
import { Control, cpuBase, planMemory } from '../../../src/layout/memory.ts';
import { hostRuntime } from '../../../src/machine/host-runtime.ts';
import { SeededRandom } from '../../../src/machine/lockstep/random.ts';
import { controlFieldKinds } from '../../../src/snapshot/control-fields.ts';
import { cpuFieldKinds, putCpu, renewCpu, SAVED_CPU_BYTES, saveCpu } from '../../../src/snapshot/cpu-fields.ts';

describe('each field is of one kind', () => {
  it.each(Object.keys(Cpu.at))('of a CPU: %s', (field) => expect(cpuFieldKinds(field)).toHaveLength(1));
  it.each(Object.keys(Control.at))('of the control block: %s', (field) => expect(controlFieldKinds(field)).toHaveLength(1));
  it('and a field that is in no table is of none', () => expect([cpuFieldKinds('other'), controlFieldKinds('other')]).toEqual([[], []]));
});

/** A memory with two CPUs in their power-on states. */
function cpus() {
  const shared = createMemory(planMemory(2, 2 << 20));
  for (const n of [0, 1]) resetCpu(shared, n);
  const at = (index: number, field: keyof typeof Cpu.at) => (cpuBase(shared.plan, index) + Cpu.at[field]) >> 2;
  return {
    shared,
    runtime: hostRuntime(shared, () => {
      throw new Error('asks for nothing');
    }),
    at,
  };
}

describe('a CPU', () => {
  const { shared, runtime, at } = cpus();
  const random = new SeededRandom(1);
  for (const [name, { bytes }] of Object.entries(Cpu.fields))
    if (cpuFieldKinds(name)[0] === 'saved')
      random.fill(shared.u8.subarray(cpuBase(shared.plan, 0) + Cpu.at[name as 'eip']).subarray(0, bytes));
  // Without paging, with flags that go together.
  shared.i32[at(0, 'cr0')] = 0x60000011;
  shared.i32[at(0, 'eflags')] = 0x302;
  shared.i32[at(0, 'step')] = Step.TF | Step.SHADOW | Step.FORCED | Step.DEBUG;
  shared.i32[at(0, 'pending')] = -1;
  shared.i32[at(0, 'debugPending')] = HOST_HIT | 5;
  shared.i32[at(0, 'cpl')] = 0;
  // What is fast about a segment follows from it.
  runtime.updateMode(cpuBase(shared.plan, 0));
  const saved = saveCpu(shared, 0);

  it('comes back as it was, on another one', () => {
    expect(saved).toHaveLength(SAVED_CPU_BYTES);
    putCpu(shared, 1, saved, runtime);
    expect(saveCpu(shared, 1)).toEqual(saved);
    const flags = runtime.readFlags(cpuBase(shared.plan, 0));
    expect(runtime.readFlags(cpuBase(shared.plan, 1))).toBe(flags);
    // What follows from it is made anew.
    expect(shared.i32[at(1, 'mode')]).not.toBe(0);
  });

  it('has no bits in it that are the host’s', () => {
    const polled = Pending.INTR | Pending.NMI | Pending.NMI_AGAIN | Pending.INIT | Pending.SIPI;
    expect(shared.i32[at(1, 'pending')]).toBe(polled | (polled << PENDING_HELD_SHIFT));
    expect(shared.i32[at(1, 'step')]).toBe(Step.TF | Step.SHADOW);
    expect(shared.i32[at(1, 'debugPending')]).toBe(5);
  });

  it('forgets what it found, and nothing of its own', () => {
    shared.i32[at(0, 'countFaults')] = 7;
    shared.i32[at(0, 'consumed')] = 8;
    shared.i32[at(0, 'directTries')] = 9;
    const tlb = shared.i32[at(0, 'tlb')]! >> 2;
    shared.i32[tlb + 5] = -1;
    renewCpu(shared, 0, runtime);
    expect(saveCpu(shared, 0)).toEqual(saved);
    expect([
      shared.i32[at(0, 'countFaults')],
      shared.i32[at(0, 'consumed')],
      shared.i32[at(0, 'directTries')],
      shared.i32[tlb + 5],
    ]).toEqual([7, 8, 0, 0]);
  });
});
