// The page's picture of the code cache: what it keeps of the answers, where things are on the map, what is marked as changed.
import { expect, it } from 'vitest';
import { CodeStore } from '../../../examples/browser/app/code-store.ts';
import { linesBeside } from '../../../examples/browser/app/line-changes.ts';
import { cellAt, cellsOf, cellUnder, layOut, piecesOf } from '../../../examples/browser/app/map-layout.ts';
import { regionUnder } from '../../../examples/browser/parts/map-drawing.ts';
import type { CodeRegion, CodeRegions, Machine, RegionCode } from '../../../src/api/index.ts';

const region = (id: number, physical: number, more: Partial<CodeRegion> = {}): CodeRegion => ({
  id,
  physical,
  address: physical,
  floats: false,
  level: 'kernel',
  bits: 32,
  symbol: undefined,
  ranges: [physical, physical + 32],
  codeBytes: 32,
  instructions: 8,
  blocks: 2,
  wasmBytes: 900,
  encoder: 'direct',
  fromCache: false,
  cpu: undefined,
  relaxations: [],
  links: [],
  callees: [],
  ...more,
});

/** A machine that gives these answers in turn. */
function machine(...answers: Partial<CodeRegions>[]) {
  const asked: (number | undefined)[] = [];
  let n = 0;
  const regions = ({ since }: { since?: number }): CodeRegions => {
    asked.push(since);
    return { generation: n + 1, whole: n === 0, regions: [], gone: [], cpus: [], heat: [], ...answers[n++] };
  };
  return { asked, machine: { regions } as unknown as Machine };
}

it('keeps what there is, by what has changed', () => {
  const [a, b, c] = [
    region(1, 0x1000, { links: [0x1040] }),
    region(2, 0x1040),
    region(3, 0x5ff8, { ranges: [0x5ff8, 0x6000, 0x6000, 0x6010] }),
  ];
  const { machine: made, asked } = machine(
    { regions: [a, b], heat: [{ id: 1, samples: 3 }] },
    { regions: [c], gone: [2], heat: [{ id: 1, samples: 4 }] },
    { gone: [3], regions: [c] },
    { whole: true, regions: [b] },
    { gone: [2] },
    { regions: [{ ...b, id: 7 }] },
  );
  const store = new CodeStore();
  const ids = () => [...store.regions.keys()].sort();
  store.follow(made, 1);
  store.follow(made, 1);
  expect([ids(), asked]).toEqual([[1, 2], [undefined]]);
  expect(store.links(a)).toEqual({ to: [b], from: [] });
  expect(store.links(b)).toEqual({ to: [], from: [a] });
  expect([store.heat.get(1), store.cameAt.size]).toEqual([3, 0]);
  store.follow(made, 2);
  expect([ids(), asked, [...store.pages.keys()].sort()]).toEqual([
    [1, 3],
    [undefined, 1],
    [1, 5, 6],
  ]);
  // Three that have cooled, and one more.
  expect(store.heat.get(1)).toBeCloseTo(3 * 0.85 + 1);
  expect([...store.cameAt.keys()]).toEqual([3]);
  expect(store.links(a).to).toEqual([]);
  store.follow(made, 3);
  expect(ids()).toEqual([1, 3]);
  store.follow(made, 4);
  expect(ids()).toEqual([2]);
  store.selected.value = 2;
  // Made anew.
  store.follow(made, 5);
  expect([ids(), store.selected.value]).toEqual([[], 2]);
  store.follow(made, 6);
  expect([ids(), store.selected.value]).toEqual([[7], 7]);
  store.follow(machine({}).machine, 7);
  expect([ids(), store.selected.value, store.heat.size]).toEqual([[], undefined, 0]);
});

it.each([
  [1, 900],
  [7, 900],
  [40, 320],
  [300, 900],
  [1500, 900],
  [1500, 320],
])('finds on a map of %i pages, %i pixels wide, what is drawn there', (count, width) => {
  const pages = Array.from({ length: count }, (_, n) => 0x100 + 3 * n);
  const layout = layOut(pages.toReversed(), width, 18);
  expect(layout.pages).toEqual(pages);
  const cells = cellsOf(layout);
  const store = new CodeStore();
  const regions = pages.map((page, n) => region(n, page * 4096 + 0x800, { ranges: [page * 4096 + 0x800, page * 4096 + 0xa00] }));
  store.follow(machine({ regions }).machine, 1);
  for (const [n, one] of regions.entries()) {
    const [piece, ...rest] = piecesOf(layout, cells, one);
    expect(rest).toEqual([]);
    const { x, y, width: wide, height } = piece!;
    expect([x >= 0, x + wide <= width + 1, y >= 0, y + height <= layout.height]).toEqual([true, true, true, true]);
    const under = cellUnder(layout, x + wide / 2, y + height / 2)!;
    expect(under).toBe(n);
    expect(regionUnder(store, layout.pages[under]!, 0x900, 0)).toBe(one.id);
    expect(regionUnder(store, layout.pages[under]!, 0x100, 0)).toBe(undefined);
    const cell = cellAt(layout, n);
    expect(cellUnder(layout, cell.x + 1, cell.y + cell.height + 2)).toBe(undefined);
  }
});

it('marks lines that are others, whatever the numbers of values', () => {
  const instruction = (address: number) => ({
    address,
    physical: address,
    bytes: new Uint8Array(1),
    text: 'nop',
    block: 0,
    inlined: false,
  });
  const code = (addresses: readonly number[], ...lines: readonly (readonly [string, number?])[]): RegionCode => ({
    instructions: addresses.map(instruction),
    ir: lines.map(([text, at]) => ({ text, instruction: at })),
    wasm: [],
    counts: { instructions: 0, operations: 0, expressions: 0, wasmBytes: 0 },
  });
  const as = code([0x10, 0x12], ['insn 0x10', 0], ['  %3 = add %1, 4', 0], ['  %4 = load %3', 0], ['  set %4', 1]);
  const without = code(
    [0x12, 0x10],
    ['insn 0x10', 1],
    ['  %1 = add %0, 4', 1],
    ['  %2 = probe %1', 1],
    ['  %3 = load %2', 1],
    ['  set %3', 0],
  );
  expect([...linesBeside(without, as, 'ir')]).toEqual([2]);
  expect([...linesBeside(as, without, 'ir')]).toEqual([]);
  // The same line of another instruction is another one, and so is one more of it.
  expect([...linesBeside(code([0x10], ['  set %4', 0], ['  set %4', 0]), code([0x10], ['  set %9', 0]), 'ir')]).toEqual([1]);
  expect([...linesBeside(code([0x12], ['  set %4', 0]), code([0x10], ['  set %4', 0]), 'ir')]).toEqual([0]);
});
