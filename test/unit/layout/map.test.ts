// The one shared memory: its parts lie one behind the other, none over another, and are as large as what is put into them.
import { describe, expect, it } from 'vitest';
import * as cpu from '../../../src/layout/cpu.ts';
import * as memory from '../../../src/layout/memory.ts';
import { area, array, type Struct, struct, u8, u32, u64 } from '../../../src/layout/struct.ts';

/** First byte, first byte behind; the sizes are those that the parts' users go by. */
const PARTS: Record<string, [start: number, bytes: number]> = {
  CONTROL: [memory.CONTROL, memory.Control.size],
  DROP_QUEUE: [memory.DROP_QUEUE, memory.DROP_QUEUE_ENTRIES * 4],
  RUNTIME_STATIC: [memory.RUNTIME_STATIC, memory.RUNTIME_STATIC_END - memory.RUNTIME_STATIC],
  DEVICE_STATE: [memory.DEVICE_STATE, memory.DEVICE_STATE_BYTES],
  HEAT_QUEUE: [memory.HEAT_QUEUE, memory.HEAT_QUEUE_ENTRIES * memory.HeatRequest.size],
  SLOTS: [memory.SLOTS, memory.TABLE_ENTRIES * memory.Slot.size],
  PUBLISH: [memory.PUBLISH, memory.PUBLISH_BYTES],
  ROM: [memory.ROM, memory.ROM_BYTES],
  CODE_MAPS: [memory.CODE_MAPS, memory.CODE_MAP_COUNT * memory.CODE_MAP_BYTES],
  POINTS: [memory.POINTS, memory.POINTS_BYTES],
  CODE_MAP_PAGES: [memory.CODE_MAP_PAGES, memory.CODE_MAP_COUNT * 4],
};

/** Pairs of parts that share bytes. */
function overlaps(parts: Record<string, readonly [start: number, bytes: number]>): string[] {
  const all = Object.entries(parts);
  return all.flatMap(([a, [from, bytes]], n) =>
    all
      .slice(n + 1)
      .filter(([, [other, more]]) => from < other + more && other < from + bytes)
      .map(([b]) => `${a} ${b}`),
  );
}

it('finds what overlaps', () => {
  expect(overlaps({ a: [0, 4], b: [4, 4], c: [7, 1], d: [3, 1] })).toEqual(['a d', 'b c']);
});

describe.each([
  [1, 2 << 20],
  [64, 256 << 20],
])('a machine of %i CPUs and %i bytes', (cpuCount, ramBytes) => {
  const plan = memory.planMemory(cpuCount, ramBytes);
  const grown = Object.fromEntries(
    Array.from({ length: cpuCount }, (_, n) => [`CPU ${n}`, [memory.cpuBase(plan, n), plan.cpuStride] as const]),
  );

  it('has parts that do not overlap, above the page of null and below its end', () => {
    const pages = (ramBytes / memory.PAGE) * memory.PageMeta.size;
    const parts = { ...PARTS, RAM: [memory.RAM, ramBytes] as const, pages: [plan.pageMeta, pages] as const, ...grown };
    expect(overlaps(parts)).toEqual([]);
    for (const [name, [start, bytes]] of Object.entries(parts)) {
      expect(start, name).toBeGreaterThanOrEqual(memory.PAGE);
      expect(start % 16, name).toBe(0);
      expect(start + bytes, name).toBeLessThanOrEqual(plan.wasmPages * memory.WASM_PAGE);
    }
  });

  it('has room for a decode arena behind the other areas of a CPU', () => {
    expect(plan.cpuStride - memory.CpuArea.at.arena).toBeGreaterThan(1 << 20);
  });
});

describe('records', () => {
  const isStruct = (value: unknown): value is Struct<Record<string, unknown>> =>
    typeof value === 'object' && value !== null && 'at' in value && 'fields' in value;
  const structs = Object.entries({ ...cpu, ...memory }).filter(([, value]) => isStruct(value)) as [
    string,
    Struct<Record<string, unknown>>,
  ][];

  it('are known', () => expect(structs.map(([name]) => name)).toEqual(expect.arrayContaining(['Cpu', 'Control', 'PageMeta', 'CpuArea'])));

  it.each(structs)('%s: no field overlaps another, or ends behind its end', (_name, { at, fields, size }) => {
    expect(Object.keys(fields)).toEqual(Object.keys(at));
    expect(overlaps(Object.fromEntries(Object.entries(fields).map(([field, { bytes }]) => [field, [at[field]!, bytes] as const])))).toEqual(
      [],
    );
    for (const [field, { bytes, align }] of Object.entries(fields)) {
      expect(at[field]! % align, field).toBe(0);
      expect(at[field]! + bytes, field).toBeLessThanOrEqual(size);
    }
  });

  it('have each field at its natural alignment', () => {
    const { at, size } = struct({ a: u8, b: u32, c: u8, d: u64, e: array(3, u32), f: area(1, 64) });
    expect([at, size]).toEqual([{ a: 0, b: 4, c: 8, d: 16, e: 24, f: 64 }, 80]);
  });
});
