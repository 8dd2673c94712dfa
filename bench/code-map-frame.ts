// In a page: how long the demo page's code map takes to take in regions, and to draw them. bench/code-map.ts runs it.
import { CodeStore, PAGE } from '../examples/browser/app/code-store.ts';
import { layOut } from '../examples/browser/app/map-layout.ts';
import { type Colouring, type Drawing, drawMap, FRESH_MS, type MapColours } from '../examples/browser/parts/map-drawing.ts';
import type { CodeRegion, CodeRegions, Machine } from '../src/api/index.ts';

/** Milliseconds each. */
export interface MapTimes {
  /** All regions at once, as the first answer brings them. */
  readonly taken: readonly number[];
  /** A drawing with nothing new in it, by what colours say, and one in which all regions have just come and fade: the script's time, and with that until the picture is there. */
  readonly drawn: Readonly<Record<Colouring | 'fading', { readonly script: readonly number[]; readonly whole: readonly number[] }>>;
  readonly pages: number;
}

const [WIDTH, ROWS] = [1200, 18];
const COLOURINGS: readonly Colouring[] = ['heat', 'size', 'encoder', 'level'];
const REGIONS_OF_PAGE = 4;
const KERNEL = 0x100000;

/** A sequence of numbers from 0 to 1, the same each time. */
function numbers(): () => number {
  let state = 1;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
}

/** As Linux's are after its boot: some four begin on a page, of one to three ranges, and lead to two others. */
function regionsOf(count: number): CodeRegion[] {
  const next = numbers();
  const pages = Math.ceil(count / REGIONS_OF_PAGE);
  const place = () => KERNEL + Math.floor(next() * pages) * 2 * PAGE + Math.floor(next() * (PAGE - 256));
  const places = Array.from({ length: count }, place);
  return places.map((physical, id) => {
    const ranges = Array.from({ length: 1 + Math.floor(next() * 3) }, (_, k) => physical + k * 80).flatMap((at) => [
      at,
      at + 20 + Math.floor(next() * 50),
    ]);
    const codeBytes = 100;
    return {
      ...{ id, physical, address: physical, floats: false, level: id % 8 === 0 ? 'user' : 'kernel', bits: 32, symbol: undefined },
      ...{ ranges, codeBytes, instructions: 30, blocks: 6, wasmBytes: 1000 + Math.floor(next() * 5000) },
      ...{ encoder: id % 3 === 0 ? 'direct' : 'binaryen', fromCache: id % 5 === 0, cpu: undefined, relaxations: [] },
      links: [places[Math.floor(next() * count)]!, places[(id + 1) % count]!],
      callees: [],
    };
  });
}

const machineOf = (answers: readonly Partial<CodeRegions>[]): Machine => {
  let n = 0;
  const regions = (): CodeRegions => ({ generation: n + 1, whole: n === 0, regions: [], gone: [], cpus: [], heat: [], ...answers[n++] });
  return { regions } as unknown as Machine;
};

const COLOURS: MapColours = {
  ...{ page: '#11161d', line: '#39424e', text: '#e4e8ee', accent: '#5aa9ff', ground: '#0b0e13' },
  scale: Array.from({ length: 12 }, (_, k) => `rgb(${60 + k * 15}, 80, ${160 - k * 10})`),
  kinds: ['#5aa9ff', '#ffa659', '#8ddb8c'],
};

/** `count`: of regions; `times`: how often each is done. */
export async function timeMap(count: number, times: number): Promise<MapTimes> {
  const regions = regionsOf(count);
  const heat = regions.filter((_, k) => k % 10 === 0).map(({ id }) => ({ id, samples: 1 + (id % 60) }));
  const cpus = [0, 1, 2, 3].map((cpu) => ({ cpu, address: 0, region: regions[cpu * 7]!.id }));
  const taken: number[] = [];
  let store = new CodeStore();
  for (let n = 0; n < times; n++) {
    store = new CodeStore();
    const made = machineOf([{}, { regions, heat, cpus }]);
    store.follow(made, 1);
    const began = performance.now();
    store.follow(made, 2);
    taken.push(performance.now() - began);
  }
  const layout = layOut(store.pages.keys(), WIDTH, ROWS);
  const canvas = document.body.appendChild(document.createElement('canvas'));
  Object.assign(canvas, { width: WIDTH, height: layout.height });
  const context = canvas.getContext('2d')!;
  const came = Math.max(...store.cameAt.values());
  const none = () => ({ script: [] as number[], whole: [] as number[] });
  const drawn = { heat: none(), size: none(), encoder: none(), level: none(), fading: none() };
  for (let n = 0; n < times; n++)
    for (const name of [...COLOURINGS, 'fading'] as const) {
      const drawing: Drawing = {
        ...{ store, layout, colours: COLOURS, pointed: regions[5]!.id, selected: regions[9]!.id, moves: true },
        colouring: name === 'fading' ? 'heat' : name,
        now: name === 'fading' ? came + FRESH_MS / 2 : came + 2 * FRESH_MS,
      };
      await new Promise(requestAnimationFrame);
      const began = performance.now();
      drawMap(context, drawing);
      drawn[name].script.push(performance.now() - began);
      // What was asked of the canvas is done by then.
      (await createImageBitmap(canvas, 0, 0, 1, 1)).close();
      drawn[name].whole.push(performance.now() - began);
    }
  return { taken, drawn, pages: store.pages.size };
}
