// The panel "Code map": the code cache as a map of the guest's memory. Regions of translated code are where their x86 code is, in colours for heat, size, encoder or level; the one that is looked at shows
// where it leads; the CPUs are marked. A table says the same to whoever does not see it.
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { CodeRegion } from '../../../src/api/index.ts';
import { type CodeStore, codeOf, hex, nameOf, PAGE } from '../app/code-store.ts';
import { cellUnder, layOut, type MapLayout } from '../app/map-layout.ts';
import { colourOf as cssColour, isDark, reducedMotion } from '../app/preferences.ts';
import type { Session } from '../app/session.ts';
import { DataTable } from '../parts/data-table.tsx';
import { FactTable } from '../parts/fact-table.tsx';
import { type Colouring, type Drawing, drawMap, growthOf, heatOf, type MapColours, regionUnder } from '../parts/map-drawing.ts';
import { RegionCodeView } from '../parts/region-code.tsx';
import './code-map.css';

interface Key {
  /** A colour of page.css. */
  readonly token: `--${string}`;
  readonly text: string;
}
const [BLUE, AMBER, GREEN, PALE, STRONG] = ['--accent', '--notice-line', '--good', '--line-strong', '--danger'] as const;
const COLOURINGS: readonly { readonly id: Colouring; readonly title: string; readonly keys: readonly Key[] }[] = [
  {
    id: 'heat',
    title: 'Heat',
    keys: [
      { token: PALE, text: 'CPUs are seldom there' },
      { token: STRONG, text: 'often' },
    ],
  },
  {
    id: 'size',
    title: 'Growth',
    keys: [
      { token: PALE, text: 'about as much WebAssembly as x86' },
      { token: STRONG, text: '64 times as much' },
    ],
  },
  {
    id: 'encoder',
    title: 'Encoder',
    keys: [
      { token: BLUE, text: 'binaryen' },
      { token: AMBER, text: 'direct' },
      { token: GREEN, text: 'from the code cache' },
    ],
  },
  {
    id: 'level',
    title: 'Level',
    keys: [
      { token: BLUE, text: 'kernel' },
      { token: AMBER, text: 'user' },
    ],
  },
];
/** Rows of a map that need no scrolling; rows of the table. */
const MOST_ROWS = 18;
const LISTED = 12;
/** What fades does so in steps: a drawing of thousands of regions takes some milliseconds, which the guest's CPUs want as well. */
const FADE_MS = 100;
/** A finger is no needle. */
const SLACK_PX = 3;

/** Steps between two colours as a browser gives them: 'rgb(1, 2, 3)'. */
function steps(from: string, to: string, count: number): string[] {
  const [a, b] = [from, to].map((colour) => colour.match(/[\d.]+/g)!.map(Number)) as [number[], number[]];
  return Array.from(
    { length: count },
    (_, k) => `rgb(${[0, 1, 2].map((n) => Math.round(a[n]! + ((b[n]! - a[n]!) * k) / (count - 1))).join()})`,
  );
}

function coloursNow(): MapColours {
  return {
    page: cssColour('--well'),
    line: cssColour('--line-strong'),
    text: cssColour('--text'),
    accent: cssColour('--accent'),
    ground: cssColour('--surface'),
    scale: steps(cssColour(PALE), cssColour(STRONG), 12),
    kinds: [BLUE, AMBER, GREEN].map(cssColour),
  };
}

const inOrder = (store: CodeStore): CodeRegion[] => [...store.regions.values()].sort((a, b) => a.physical - b.physical || a.id - b.id);

/** The region that a key leads to from another one, in order of addresses. */
function nextBy(store: CodeStore, layout: MapLayout, key: string, from: number | undefined): number | undefined {
  const order = inOrder(store);
  const at = order.findIndex(({ id }) => id === from);
  const toPage = (by: number): CodeRegion | undefined => {
    if (at < 0) return order[0];
    const { physical } = order[at]!;
    const cell = layout.pages.indexOf(Math.floor(physical / PAGE)) + by;
    const page = layout.pages[cell];
    if (page === undefined) return order[at];
    const wanted = page * PAGE + (physical % PAGE);
    return order.reduce((best, region) => (Math.abs(region.physical - wanted) < Math.abs(best.physical - wanted) ? region : best));
  };
  switch (key) {
    case 'ArrowRight':
      return order[Math.min(order.length - 1, at + 1)]?.id;
    case 'ArrowLeft':
      return order[Math.max(0, at - 1)]?.id;
    case 'ArrowDown':
      return toPage(1)?.id;
    case 'ArrowUp':
      return toPage(-1)?.id;
    case 'PageDown':
      return toPage(layout.rows)?.id;
    case 'PageUp':
      return toPage(-layout.rows)?.id;
    case 'Home':
      return order[0]?.id;
    case 'End':
      return order.at(-1)?.id;
    default:
      return undefined;
  }
}

/** A sentence for whoever steps through the map by keys. */
function sentence(store: CodeStore, region: CodeRegion): string {
  const { to } = store.links(region);
  const here = store.cpus.filter(({ region: id }) => id === region.id).map(({ cpu }) => cpu);
  return [
    `${nameOf(region)}: ${region.codeBytes} bytes of x86, ${region.wasmBytes} of WebAssembly`,
    ...(to.length > 0 ? [`leads to ${to.map(nameOf).join(', ')}`] : []),
    ...(here.length > 0 ? [`CPU ${here.join(', ')} is there`] : []),
  ].join('; ');
}

interface MapProps {
  readonly store: CodeStore;
  readonly colouring: Colouring;
  readonly onOpen: () => void;
}

function CodeCanvas({ store, colouring, onOpen }: MapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const layout = useRef<MapLayout>(layOut([], 1, MOST_ROWS));
  const width = useSignal(0);
  const pointed = useSignal<number | undefined>(undefined);
  const said = useSignal('');
  const { selected } = store;

  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => (width.value = Math.floor(entry!.contentRect.width)));
    observer.observe(canvas.current!.parentElement!);
    return () => observer.disconnect();
  }, []);

  void store.version.value;
  const [dark, still, wide, on, chosen] = [isDark.value, reducedMotion.value, width.value, pointed.value, selected.value];
  useEffect(() => {
    const element = canvas.current!;
    if (wide === 0) return;
    const shape = (layout.current = layOut(store.pages.keys(), wide, MOST_ROWS));
    const ratio = devicePixelRatio;
    if (element.width !== wide * ratio || element.height !== shape.height * ratio) {
      element.width = wide * ratio;
      element.height = shape.height * ratio;
      element.style.height = `${shape.height}px`;
    }
    const context = element.getContext('2d')!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const colours = coloursNow();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const draw = () => {
      const drawing: Drawing = {
        store,
        layout: shape,
        colouring,
        colours,
        pointed: on,
        selected: chosen,
        now: performance.now(),
        moves: !still,
      };
      if (drawMap(context, drawing) && !still) timer = setTimeout(draw, FADE_MS);
    };
    draw();
    return () => clearTimeout(timer);
  }, [store.version.value, dark, still, wide, on, chosen, colouring]);

  const under = ({ offsetX, offsetY }: MouseEvent): number | undefined => {
    const shape = layout.current;
    const cell = cellUnder(shape, offsetX, offsetY);
    if (cell === undefined) return undefined;
    const perPixel = PAGE / shape.cell.width;
    const left = Math.floor(cell / shape.rows) * (shape.cell.width + 3);
    return regionUnder(store, shape.pages[cell]!, (offsetX - left) * perPixel, SLACK_PX * perPixel);
  };
  const choose = (id: number | undefined) => {
    selected.value = id;
    const region = id === undefined ? undefined : store.regions.get(id);
    said.value = region === undefined ? '' : sentence(store, region);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === 'Enter' && selected.value !== undefined) onOpen();
    else if (event.key === 'Escape') choose(undefined);
    else {
      const id = nextBy(store, layout.current, event.key, selected.value);
      if (id === undefined) return;
      choose(id);
    }
    event.preventDefault();
  };
  const over = pointed.value === undefined ? undefined : store.regions.get(pointed.value);
  return (
    <div class="code-canvas">
      {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it takes keys of its own, which is what the role says. */}
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-roledescription="map"
        aria-label="Map of translated code"
        aria-describedby="code-map-keys"
        onKeyDown={onKeyDown}
        onPointerMove={(event) => (pointed.value = under(event))}
        onPointerLeave={() => (pointed.value = undefined)}
        onClick={(event) => choose(under(event))}
        onDblClick={() => selected.value !== undefined && onOpen()}
      />
      <p id="code-map-keys" class="for-readers">
        Arrows lead from region to region and from page to page, Enter shows the code of a region, Escape leaves it.
      </p>
      <p class="for-readers" role="status">
        {said}
      </p>
      <p class="code-under" aria-hidden="true">
        {over === undefined ? ' ' : sentence(store, over)}
      </p>
    </div>
  );
}

/** By what the map shows, the most of it first. */
const measure = (store: CodeStore, colouring: Colouring) => (region: CodeRegion) =>
  colouring === 'size' ? growthOf(region) : (store.heat.get(region.id) ?? 0);

function RegionTable({ store, colouring }: { readonly store: CodeStore; readonly colouring: Colouring }) {
  void store.version.value;
  const of = measure(store, colouring);
  const chosen = store.selected.value === undefined ? undefined : store.regions.get(store.selected.value);
  const most = [...store.regions.values()].sort((a, b) => of(b) - of(a) || a.physical - b.physical).slice(0, LISTED);
  const first = chosen === undefined || most.includes(chosen) ? most : [...most, chosen];
  return (
    <DataTable
      class="region-table"
      caption={colouring === 'size' ? 'Regions that grew most' : 'Hottest regions'}
      head={['Region', 'x86', 'Wasm', 'Heat']}
      rows={first.map((region) => ({
        key: region.id,
        isChosen: store.selected.value === region.id,
        cells: [
          <button
            type="button"
            class="quiet"
            aria-pressed={store.selected.value === region.id}
            onClick={() => (store.selected.value = region.id)}
          >
            {nameOf(region)}
          </button>,
          region.codeBytes,
          region.wasmBytes,
          `${Math.round(heatOf(store.heat.get(region.id) ?? 0) * 100)} %`,
        ],
      }))}
    />
  );
}

function CpuTable({ store }: { readonly store: CodeStore }) {
  void store.version.value;
  const facts = store.cpus.map(({ cpu, address, region }) => {
    const here = region === undefined ? undefined : store.regions.get(region);
    return { name: `CPU ${cpu}`, value: here === undefined ? `${hex(address)}, not translated` : nameOf(here) };
  });
  return <FactTable caption="Where the CPUs are" facts={facts} />;
}

function Chosen({ store, region, onOpen }: { readonly store: CodeStore; readonly region: CodeRegion; readonly onOpen: () => void }) {
  const { to, from } = store.links(region);
  const names = (list: readonly CodeRegion[]) => (list.length === 0 ? 'none' : list.map(nameOf).join(', '));
  const facts = [
    { name: 'Physical address', value: hex(region.physical) },
    { name: 'Linear address', value: region.floats ? 'each process has its own' : hex(region.address) },
    { name: 'x86', value: `${region.codeBytes} bytes, ${region.instructions} instructions in ${region.blocks} blocks` },
    { name: 'WebAssembly', value: `${region.wasmBytes} bytes, ${region.fromCache ? 'from the code cache' : `by ${region.encoder}`}` },
    { name: 'Relies on', value: region.relaxations.join(', ') || 'nothing' },
    { name: 'Chained to', value: names(to) },
    { name: 'Chained from', value: names(from) },
    {
      name: 'Has copies of',
      value: region.callees.map((place) => store.at(place, region.level)[0]?.symbol ?? hex(place)).join(', ') || 'no callee',
    },
  ];
  return (
    <div class="chosen-region">
      <FactTable caption={nameOf(region)} facts={facts} />
      <button type="button" onClick={onOpen}>
        Show its code
      </button>
    </div>
  );
}

export default function CodeMap({ session }: { readonly session: Session }) {
  const store = codeOf(session);
  const machine = session.machine.value;
  useSignalEffect(() => store.follow(session.machine.value, session.tick.value));
  void store.version.value;
  const colouring = useSignal<Colouring>('heat');
  /** The region whose code is shown. */
  const opened = useSignal<number | undefined>(undefined);
  const code = useRef<HTMLDivElement>(null);
  if (machine === undefined) return <p>Here is the code that a machine has translated, when one runs.</p>;
  const { selected } = store;
  const region = selected.value === undefined ? undefined : store.regions.get(selected.value);
  const open = () => {
    opened.value = selected.value;
    queueMicrotask(() => code.current?.focus());
  };
  const { keys } = COLOURINGS.find(({ id }) => id === colouring.value)!;
  return (
    <div class="code-map">
      <fieldset class="colourings">
        <legend>Colours</legend>
        {COLOURINGS.map(({ id, title }) => (
          <label key={id}>
            <input type="radio" name="colouring" checked={colouring.value === id} onChange={() => (colouring.value = id)} />
            {title}
          </label>
        ))}
        <span class="colour-keys muted">
          {keys.map(({ token, text }) => (
            <span key={token}>
              <i style={{ background: `var(${token})` }} />
              {text}
            </span>
          ))}
        </span>
      </fieldset>
      <p class="code-count">
        {store.regions.size} {store.regions.size === 1 ? 'region' : 'regions'} on {store.pages.size}{' '}
        {store.pages.size === 1 ? 'page' : 'pages'}
      </p>
      <CodeCanvas store={store} colouring={colouring.value} onOpen={open} />
      <div class="code-tables">
        <RegionTable store={store} colouring={colouring.value} />
        <CpuTable store={store} />
        {region !== undefined && <Chosen store={store} region={region} onOpen={open} />}
      </div>
      {opened.value !== undefined && (
        <div class="opened-code" ref={code} tabIndex={-1}>
          <RegionCodeView machine={machine} id={opened.value} />
        </div>
      )}
    </div>
  );
}
