// A region's code: x86, IR and WebAssembly beside each other. What belongs to an instruction lights up together, under the pointer and by keys, and a choice of relaxations shows what would be otherwise.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { InspectedRegion, Machine, RegionCode, Relaxation, RelaxationEffect } from '../../../src/api/index.ts';
import { hex, nameOf } from '../app/code-store.ts';
import { linesBeside } from '../app/line-changes.ts';
import { type Report, reportOf } from '../app/session.ts';
import { type DataRow, DataTable } from './data-table.tsx';
import { ErrorBlock } from './error-block.tsx';
import './region-code.css';

/** A line of a list. */
interface Line {
  readonly text: string;
  /** Of the region's instructions. */
  readonly instruction: number | undefined;
  readonly isChanged: boolean;
}

const bytesOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
const NOTHING: ReadonlySet<number> = new Set();
const number = new Intl.NumberFormat('en');
const change = (from: number, to: number): string =>
  from === to ? 'the same' : `${to > from ? '+' : '−'}${number.format(Math.abs(to - from))}`;

/** Lines of a pane. It is not rendered again while lines light up. */
function Pane({ title, lines }: { readonly title: string; readonly lines: readonly Line[] }) {
  const id = `pane-${title}`;
  return (
    <section class="code-pane" aria-labelledby={id}>
      <h3 id={id}>{title}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
      <ol tabIndex={0} aria-labelledby={id}>
        {lines.map(({ text, instruction, isChanged }, n) => (
          <li key={n} data-of={instruction} class={isChanged ? 'changed' : undefined}>
            {text}
          </li>
        ))}
      </ol>
    </section>
  );
}

function Effects({
  shown,
  chosen,
  onChoose,
}: {
  readonly shown: InspectedRegion;
  readonly chosen: Relaxation | undefined;
  readonly onChoose: (to: Relaxation | undefined) => void;
}) {
  const { counts, relaxations } = shown;
  const inCode = relaxations.filter((effect): effect is RelaxationEffect & { without: RegionCode } => effect.without !== undefined);
  const others = relaxations.filter(({ ofCode }) => !ofCode).map(({ relaxation }) => relaxation);
  const row = (label: string, value: Relaxation | undefined, without: RegionCode): DataRow => ({
    key: label,
    cells: [
      <label>
        <input type="radio" name="without" checked={chosen === value} onChange={() => onChoose(value)} />
        {label}
      </label>,
      number.format(without.counts.instructions),
      number.format(without.counts.expressions),
      number.format(without.counts.wasmBytes),
      value === undefined ? '' : change(counts.wasmBytes, without.counts.wasmBytes),
    ],
  });
  return (
    <div class="code-effects">
      <div class="wide">
        <DataTable
          caption="What it relies on, and what its code is without"
          head={['Code', 'Instructions', 'Operators', 'Bytes', 'Change']}
          rows={[
            row('As it is', undefined, shown),
            ...inCode.map(({ relaxation, without }) => row(`without ${relaxation}`, relaxation, without)),
          ]}
        />
      </div>
      <p class="muted">
        {inCode.length === 0 && 'This code relies on nothing. '}
        {others.join(', ')} are not in the code: each CPU goes by them while it runs. Bytes are as the encoder "direct" writes them.
      </p>
    </div>
  );
}

/** How many lines are others in a code than in the code as it is. */
function difference(code: RegionCode, asItIs: RegionCode): string {
  const count = (a: RegionCode, b: RegionCode) => number.format(linesBeside(a, b, 'ir').size + linesBeside(a, b, 'wasm').size);
  return `Marked are ${count(code, asItIs)} lines that the code as it is has not; it has ${count(asItIs, code)} others in their place.`;
}

/** The lines of a code, with what `beside` has not. */
function panes(code: RegionCode, beside: RegionCode | undefined, instructions: RegionCode['instructions']) {
  const places = new Map(instructions.map(({ address }, n) => [address, n]));
  const lines = (of: 'ir' | 'wasm'): Line[] => {
    const changed = beside === undefined ? NOTHING : linesBeside(code, beside, of);
    return code[of].map(({ text, instruction }, n) => ({
      text,
      instruction: instruction === undefined ? undefined : places.get(code.instructions[instruction]!.address),
      isChanged: changed.has(n),
    }));
  };
  const x86 = instructions.map(({ address, bytes, text, inlined }, n) => ({
    text: `${inlined ? '↳ ' : ''}${hex(address).slice(2)}  ${bytesOf(bytes).padEnd(21)} ${text}`,
    instruction: n,
    isChanged: false,
  }));
  return { x86, ir: lines('ir'), wasm: lines('wasm') };
}

const LIT = 'together';

/** What is of one instruction lights up in all panes; `scroll`: and comes into view in those that are not `but`. */
function light(root: HTMLElement, instruction: string | undefined, but?: Element): void {
  for (const line of root.querySelectorAll(`.${LIT}`)) line.classList.remove(LIT);
  if (instruction === undefined) return;
  for (const list of root.querySelectorAll('ol')) {
    const lines = list.querySelectorAll<HTMLElement>(`[data-of="${instruction}"]`);
    for (const line of lines) line.classList.add(LIT);
    const [first] = lines;
    if (first === undefined || list === but) continue;
    const top = first.offsetTop;
    if (top < list.scrollTop || top > list.scrollTop + list.clientHeight - first.offsetHeight) list.scrollTop = top - list.clientHeight / 3;
  }
}

function Shown({ shown }: { readonly shown: InspectedRegion }) {
  const chosen = useSignal<Relaxation | undefined>(undefined);
  const root = useRef<HTMLDivElement>(null);
  const said = useSignal('');
  /** The instruction that keys have come to. */
  const at = useRef(-1);
  const without = shown.relaxations.find(({ relaxation }) => relaxation === chosen.value)?.without;
  const { x86, ir, wasm } = panes(without ?? shown, without && shown, shown.instructions);
  const over = ({ target }: Event) => {
    const line = (target as Element).closest<HTMLElement>('[data-of]');
    if (line !== null) light(root.current!, line.dataset.of, line.closest('ol')!);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined || (event.target as Element).tagName !== 'OL' || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    at.current = Math.max(0, Math.min(shown.instructions.length - 1, at.current + by));
    light(root.current!, String(at.current));
    const count = (lines: readonly Line[]) => lines.filter(({ instruction }) => instruction === at.current).length;
    said.value = `${shown.instructions[at.current]!.text}: ${count(ir)} lines of IR, ${count(wasm)} of WebAssembly`;
  };
  return (
    <>
      <Effects shown={shown} chosen={chosen.value} onChoose={(to) => (chosen.value = to)} />
      <p class="muted code-help">
        Point at a line, or go through the instructions with the arrow keys in one of the lists: what belongs together lights up.
      </p>
      {without !== undefined && <p class="code-changes">{difference(without, shown)}</p>}
      <p class="for-readers" role="status">
        {said}
      </p>
      <section
        class="code-panes"
        aria-label="Code"
        ref={root}
        onPointerOver={over}
        onPointerLeave={() => light(root.current!, undefined)}
        onKeyDown={onKeyDown}
      >
        <Pane title="x86" lines={x86} />
        <Pane title="IR" lines={ir} />
        <Pane title="WebAssembly" lines={wasm} />
      </section>
    </>
  );
}

/** Three columns want room. Escape, or the button again, leaves it. A browser may refuse. */
const toggleFullscreen = (element: HTMLElement): Promise<void> =>
  (document.fullscreenElement === null ? element.requestFullscreen() : document.exitFullscreen()).catch(() => {});

export function RegionCodeView({ machine, id }: { readonly machine: Machine; readonly id: number }) {
  const shown = useSignal<InspectedRegion | undefined>(undefined);
  const failed = useSignal<Report | undefined>(undefined);
  useEffect(() => {
    let wanted = true;
    shown.value = failed.value = undefined;
    machine.inspectRegion(id).then(
      (found) => {
        if (wanted) shown.value = found;
      },
      (error: unknown) => {
        if (wanted) failed.value = reportOf('The code cannot be shown', error);
      },
    );
    return () => {
      wanted = false;
    };
  }, [machine, id]);
  const whole = useRef<HTMLDivElement>(null);
  if (failed.value !== undefined) return <ErrorBlock report={failed.value} kind="notice" />;
  if (shown.value === undefined) return <p class="muted">Translating once more</p>;
  const { region } = shown.value;
  return (
    <div class="region-code" ref={whole}>
      {document.fullscreenEnabled && (
        <button type="button" class="whole-screen" onClick={() => void toggleFullscreen(whole.current!)}>
          Whole screen
        </button>
      )}
      <h2>{nameOf(region)}</h2>
      <p class="muted">
        {region.level} code, {region.codeBytes} bytes of x86 at {hex(region.physical)}, {number.format(region.wasmBytes)} bytes of
        WebAssembly {region.fromCache ? 'from the code cache' : `by ${region.encoder}`}
      </p>
      <Shown key={region.id} shown={shown.value} />
    </div>
  );
}
