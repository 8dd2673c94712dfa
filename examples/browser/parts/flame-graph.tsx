// A flame graph: frames of stacks as boxes, as wide as the time in them, callers above. One frame is in the tab order; arrows lead from frame to frame, Enter (or a click) shows one as the whole.
import { useSignal } from '@preact/signals';
import { useMemo, useRef } from 'preact/hooks';
import { DataTable } from './data-table.tsx';
import './flame-graph.css';
import { asPercent } from './numbers.ts';
import { type Box, boxesOf, mostSelf, type StackNode, stackTree } from './stacks.ts';

/** Narrower boxes say nothing. */
const LEAST = 0.004;
/** Boxes that have room for a name. */
const NAMED = 0.03;
const MOST_NAMES = 10;

/** A number that is the same for each name. */
function hueOf(name: string): number {
  let hash = 0;
  for (const char of name) hash = (hash * 31 + char.codePointAt(0)!) >>> 0;
  return hash % 40;
}

const pathOf = (node: StackNode): string => (node.parent === undefined ? node.name : `${pathOf(node.parent)};${node.name}`);

/** The frame of `top` with such a path; undefined: there is none any more. */
function find(top: StackNode, path: string | undefined): StackNode | undefined {
  const [first, ...names] = path?.split(';') ?? [];
  let at: StackNode | undefined = first === top.name ? top : undefined;
  for (const name of names) at = at?.children.get(name);
  return at;
}

const sayOf = ({ node, width }: Box, top: StackNode): string =>
  `${node.name}, ${asPercent(node.total / (top.total || 1))} of the time${node.self > 0 && width > 0 ? `, ${asPercent(node.self / (top.total || 1))} in itself` : ''}`;

/** Where an arrow leads from a box. */
function towards(boxes: readonly Box[], from: Box, key: string): Box | undefined {
  switch (key) {
    case 'ArrowUp':
      return boxes.find(({ node }) => node === from.node.parent);
    case 'ArrowDown':
      return boxes.filter(({ node }) => node.parent === from.node).sort((a, b) => b.width - a.width)[0];
    case 'ArrowLeft':
    case 'ArrowRight': {
      const row = boxes.filter(({ row }) => row === from.row);
      return row[row.indexOf(from) + (key === 'ArrowLeft' ? -1 : 1)];
    }
    case 'Home':
      return boxes[0];
    default:
      return undefined;
  }
}

export function FlameGraph({ folded, label }: { readonly folded: string; readonly label: string }) {
  const top = useMemo(() => stackTree(folded, 'all'), [folded]);
  const zoomed = useSignal<string | undefined>(undefined);
  const focused = useSignal<string | undefined>(undefined);
  const place = useRef<HTMLDivElement>(null);
  const boxes = boxesOf(find(top, zoomed.value) ?? top, LEAST);
  const current = boxes.find(({ node }) => pathOf(node) === focused.value) ?? boxes[0]!;
  const focus = (box: Box) => {
    focused.value = pathOf(box.node);
    requestAnimationFrame(() => place.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus());
  };
  const press = (event: KeyboardEvent) => {
    const to = towards(boxes, current, event.key);
    if (to === undefined) return;
    event.preventDefault();
    focus(to);
  };
  const rows = Math.max(...boxes.map(({ row }) => row)) + 1;
  return (
    <div class="flame-graph">
      {/* biome-ignore lint/a11y/useSemanticElements: a group of buttons, in the place of a picture. */}
      <div
        class="flame-boxes"
        role="group"
        aria-label={`${label}. Arrows lead from frame to frame, Enter shows one as the whole.`}
        ref={place}
        onKeyDown={press}
        style={{ height: `${rows * 1.35}rem` }}
      >
        {boxes.map((box) => (
          <button
            key={pathOf(box.node)}
            type="button"
            class="flame-box"
            tabIndex={box === current ? 0 : -1}
            title={sayOf(box, top)}
            aria-label={sayOf(box, top)}
            style={{ left: `${box.from * 100}%`, width: `${box.width * 100}%`, top: `${box.row * 1.35}rem`, '--hue': hueOf(box.node.name) }}
            onFocus={() => (focused.value = pathOf(box.node))}
            onClick={() => (zoomed.value = pathOf(box.node))}
          >
            {box.width >= NAMED ? box.node.name : ''}
          </button>
        ))}
      </div>
      <DataTable
        class="flame-most"
        caption="Where most of the time was"
        rows={mostSelf(top, MOST_NAMES).map(([name, ns]) => ({ key: name, cells: [name, asPercent(ns / (top.total || 1))] }))}
      />
    </div>
  );
}
