// The panel "Sharing": the guest's memory as a picture, a dot for each page: used by one CPU or by several, only read or written. By the client sharing.
import { useSignal } from '@preact/signals';
import { useEffect, useId, useRef } from 'preact/hooks';
import { GranuleUse, type SharingReport } from '../../../src/api/exports/clients.ts';
import { clientsOf } from '../app/attached-clients.ts';
import type { Session } from '../app/session.ts';
import { ClientSwitch } from '../parts/client-switch.tsx';
import { ErrorBlock } from '../parts/error-block.tsx';
import { asAddress } from '../parts/numbers.ts';
import { SharingTable } from '../parts/sharing-table.tsx';
import { useAtTicks } from '../parts/watch-machine.ts';
import './sharing.css';

const PAGE = 4096;
/** Kinds of pages in the order of GranuleUse. */
const KINDS = [
  ['none', 'not used'],
  ['private-read', 'one CPU, only read'],
  ['private-written', 'one CPU, written'],
  ['shared-read', 'several CPUs, only read'],
  ['shared-written', 'several CPUs, written'],
] as const;
/** Dots of a row, at the least and at the most; a power of two, so that pages stand below those of the same addresses. */
const COLUMNS = { least: 32, most: 256 };
/** The memory is looked at each so many ticks. */
const EACH = 4;

interface Seen {
  readonly ticks: number;
  readonly report: SharingReport;
  /** A GranuleUse of each page. */
  readonly pages: Uint8Array;
}

/** What pages are, of a map by granules: the one that says most. */
function pagesOf(map: Uint8Array, granule: number): Uint8Array {
  if (granule === PAGE) return map;
  const each = PAGE / granule;
  const pages = new Uint8Array(map.length / each);
  for (let n = 0; n < map.length; n++) {
    const page = Math.floor(n / each);
    if (map[n]! > pages[page]!) pages[page] = map[n]!;
  }
  return pages;
}

/** How much is shown: up to the end of the row with the last page that anybody uses; about twice as wide as high. */
function sizeOf(pages: Uint8Array): { readonly columns: number; readonly rows: number } {
  const used = pages.findLastIndex((use) => use !== GranuleUse.NONE) + 1;
  const columns = Math.min(Math.max(2 ** Math.ceil(Math.log2(Math.sqrt(2 * Math.max(used, 1)))), COLUMNS.least), COLUMNS.most);
  return { columns, rows: Math.max(Math.ceil(used / columns), 1) };
}

/** Red, green and blue of the legend's colours, as the page has them now. */
function coloursOf(legend: HTMLElement): number[][] {
  return [...legend.querySelectorAll<HTMLElement>('.swatch')].map((swatch) =>
    (getComputedStyle(swatch).backgroundColor.match(/\d+(\.\d+)?/g) ?? []).slice(0, 3).map(Number),
  );
}

function draw(canvas: HTMLCanvasElement, legend: HTMLElement, pages: Uint8Array, columns: number, rows: number, marked: number): void {
  const colours = coloursOf(legend);
  canvas.width = columns;
  canvas.height = rows;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(columns, rows);
  for (let n = 0; n < columns * rows; n++) image.data.set([...colours[pages[n] ?? GranuleUse.NONE]!, 255], n * 4);
  const [r = 0, g = 0, b = 0] = getComputedStyle(canvas).color.match(/\d+/g)?.map(Number) ?? [];
  image.data.set([r, g, b, 255], marked * 4);
  context.putImageData(image, 0, 0);
}

function Picture({ pages }: { readonly pages: Uint8Array }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const legend = useRef<HTMLUListElement>(null);
  const marked = useSignal(0);
  const id = useId();
  const { columns, rows } = sizeOf(pages);
  const shown = Math.min(columns * rows, pages.length);
  const at = Math.min(marked.value, shown - 1);
  useEffect(() => draw(canvas.current!, legend.current!, pages, columns, rows, at));
  const pointAt = (event: PointerEvent) => {
    const { left, top, width, height } = canvas.current!.getBoundingClientRect();
    const column = Math.floor(((event.clientX - left) / width) * columns);
    const row = Math.floor(((event.clientY - top) / height) * rows);
    marked.value = Math.max(0, Math.min(row * columns + column, shown - 1));
  };
  const counts = KINDS.map((_, use) => pages.reduce((sum, one) => sum + (one === use ? 1 : 0), 0));
  return (
    <>
      <ul class="sharing-legend" ref={legend}>
        {KINDS.map(([kind, text], use) => (
          <li key={kind}>
            <span class={`swatch ${kind}`} />
            {text}: {counts[use]}
          </li>
        ))}
      </ul>
      <canvas
        class="sharing-picture"
        ref={canvas}
        role="img"
        aria-label={`Pages of memory: ${KINDS.map(([, text], use) => `${text} ${counts[use]}`).join(', ')}`}
        onPointerMove={pointAt}
        onPointerDown={pointAt}
      />
      <label class="sharing-at" for={id}>
        Page
        <input
          id={id}
          type="range"
          min={0}
          max={shown - 1}
          value={at}
          onInput={({ currentTarget }) => (marked.value = currentTarget.valueAsNumber)}
          aria-valuetext={`${asAddress(at * PAGE)}: ${KINDS[pages[at]!]![1]}`}
        />
        <output for={id}>
          {asAddress(at * PAGE)}: {KINDS[pages[at]!]![1]}
        </output>
      </label>
    </>
  );
}

export default function Sharing({ session }: { readonly session: Session }) {
  const clients = clientsOf(session);
  const note = useId();
  const seen = useAtTicks<Seen | undefined>(session, (_, before) => {
    const client = clients.of('sharing')?.client;
    if (client === undefined) return undefined;
    if (before !== undefined && before.ticks % EACH !== EACH - 1) return { ...before, ticks: before.ticks + 1 };
    const report = client.report() as SharingReport;
    return { ticks: 0, report, pages: pagesOf(client.ask('map') as Uint8Array, report.granule) };
  });
  const canAttach = session.state.value === 'running' || session.state.value === 'paused';
  return (
    <div class="sharing">
      <p id={note}>
        Which pages one CPU uses and which several do is noted by a client, <code>sharing</code>, from when it is attached: physical memory,
        accesses by data. The guest is about half as fast meanwhile.
      </p>
      <ClientSwitch
        clients={clients}
        word="sharing:granule=4096"
        canAttach={canAttach}
        attach="Note who uses what"
        detach="Note it no more"
        describedBy={note}
      />
      {clients.error.value && <ErrorBlock report={clients.error.value} takesFocus={() => true} onClose={() => clients.forgetError()} />}
      {seen !== undefined && (
        <>
          <Picture pages={seen.pages} />
          <SharingTable report={seen.report} />
        </>
      )}
    </div>
  );
}
