// Draws the map of the code cache on a canvas: pages, their regions in colours, what the one that is looked at leads to, the CPUs, and what has just come.
import type { CodeRegion } from '../../../src/api/index.ts';
import { type CodeStore, PAGE } from '../app/code-store.ts';
import { cellAt, cellsOf, entryOf, type MapLayout, piecesOf, type Rect } from '../app/map-layout.ts';

/** What colours say. */
export type Colouring = 'heat' | 'size' | 'encoder' | 'level';

export interface MapColours {
  readonly page: string;
  readonly line: string;
  readonly text: string;
  readonly accent: string;
  readonly ground: string;
  /** From cold to hot, or from small to large. */
  readonly scale: readonly string[];
  /** For two or three kinds. */
  readonly kinds: readonly string[];
}

/** What a map is drawn from. */
export interface Drawing {
  readonly store: CodeStore;
  readonly layout: MapLayout;
  readonly colouring: Colouring;
  readonly colours: MapColours;
  /** The region that the pointer is on, and the one that is looked at. */
  readonly pointed: number | undefined;
  readonly selected: number | undefined;
  readonly now: number;
  /** What has just come fades; else it is marked as long as it is new. */
  readonly moves: boolean;
}

/** So long a region is new, milliseconds. */
export const FRESH_MS = 1500;
/** What is as hot, or becomes so many bytes of WebAssembly for each of x86, has the last colour. */
const HOTTEST = 64;
const LARGEST = 64;
/** Of what has just come, pixels. */
const EDGE = 2;
/** A CPU's mark. */
const RADIUS = 8;

/** 0 to 1. */
export const heatOf = (value: number): number => Math.min(1, Math.log2(1 + value) / Math.log2(1 + HOTTEST));
export const growthOf = ({ wasmBytes, codeBytes }: CodeRegion): number => wasmBytes / Math.max(1, codeBytes);

/** The colour of a region. */
export function colourOf({ store, colouring, colours: { scale, kinds } }: Drawing, region: CodeRegion): string {
  const of = (part: number) => scale[Math.min(scale.length - 1, Math.floor(part * scale.length))]!;
  switch (colouring) {
    case 'heat': {
      const heat = store.heat.get(region.id);
      return heat === undefined ? scale[0]! : of(heatOf(heat));
    }
    case 'size':
      return of(Math.min(1, growthOf(region) / LARGEST));
    case 'encoder':
      return region.fromCache ? kinds[2]! : region.encoder === 'binaryen' ? kinds[0]! : kinds[1]!;
    case 'level':
      return region.level === 'kernel' ? kinds[0]! : kinds[1]!;
  }
}

const outline = (context: CanvasRenderingContext2D, { x, y, width, height }: Rect, by: number) =>
  context.strokeRect(x - by, y - by, width + 2 * by, height + 2 * by);

/** Lines to where a region leads: whole ones for chains, dashed ones for copies of callees. */
function drawLinks(context: CanvasRenderingContext2D, drawing: Drawing, cells: ReadonlyMap<number, number>, region: CodeRegion): void {
  const { store, layout, colours } = drawing;
  const from = entryOf(layout, cells, region.physical);
  if (from === undefined) return;
  const draw = (places: readonly number[], dashes: readonly number[]) => {
    context.setLineDash([...dashes]);
    for (const place of places) {
      const to = entryOf(layout, cells, place);
      if (to === undefined) continue;
      const bow = Math.max(10, Math.min(40, Math.abs(to.x - from.x) / 4));
      context.beginPath();
      context.moveTo(from.x, from.y);
      context.bezierCurveTo(from.x, from.y - bow, to.x, to.y - bow, to.x, to.y);
      context.stroke();
      context.beginPath();
      context.arc(to.x, to.y, 3, 0, 2 * Math.PI);
      context.fill();
    }
  };
  context.lineWidth = 1.5;
  context.strokeStyle = context.fillStyle = colours.accent;
  const { to, from: comes } = store.links(region);
  draw(
    to.map(({ physical }) => physical),
    [],
  );
  draw(region.callees, [4, 3]);
  context.globalAlpha = 0.45;
  draw(
    comes.map(({ physical }) => physical),
    [],
  );
  context.globalAlpha = 1;
  context.setLineDash([]);
}

function drawCpus(context: CanvasRenderingContext2D, { store, layout, colours }: Drawing, cells: ReadonlyMap<number, number>): void {
  const at = new Map<number, number[]>();
  for (const { cpu, region } of store.cpus) if (region !== undefined) at.set(region, [...(at.get(region) ?? []), cpu]);
  context.font = `bold ${RADIUS + 3}px sans-serif`;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  for (const [id, cpus] of at) {
    const region = store.regions.get(id);
    const place = region && entryOf(layout, cells, region.physical);
    if (place === undefined) continue;
    cpus.forEach((cpu, n) => {
      const x = Math.max(RADIUS, Math.min(place.x + n * RADIUS * 2, layout.columns * (layout.cell.width + 3) - RADIUS));
      context.fillStyle = colours.text;
      context.strokeStyle = colours.ground;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(x, place.y, RADIUS, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
      context.fillStyle = colours.ground;
      context.fillText(String(cpu), x, place.y + 0.5);
    });
  }
}

/** An edge around what has just come, below it: rectangles that are filled cost a tenth of outlines. Whether there is any. */
function drawFresh(context: CanvasRenderingContext2D, drawing: Drawing, cells: ReadonlyMap<number, number>): boolean {
  const { store, layout, colours, now, moves } = drawing;
  let fades = false;
  context.fillStyle = colours.accent;
  for (const [id, came] of store.cameAt) {
    const age = now - came;
    if (age >= FRESH_MS) continue;
    fades = true;
    context.globalAlpha = moves ? 1 - age / FRESH_MS : 1;
    for (const { x, y, width, height } of piecesOf(layout, cells, store.regions.get(id)!))
      context.fillRect(x - EDGE, y - EDGE, width + 2 * EDGE, height + 2 * EDGE);
  }
  context.globalAlpha = 1;
  return fades;
}

/** Draws all. Whether something is new that goes on to fade. */
export function drawMap(context: CanvasRenderingContext2D, drawing: Drawing): boolean {
  const { store, layout, colours, pointed, selected } = drawing;
  const cells = cellsOf(layout);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  context.fillStyle = colours.page;
  layout.pages.forEach((_, n) => {
    const { x, y, width, height } = cellAt(layout, n);
    context.fillRect(x, y, width, height);
  });
  // Where pages do not follow each other, a line is between them.
  context.fillStyle = colours.line;
  layout.pages.forEach((page, n) => {
    if (n === 0 || layout.pages[n - 1] === page - 1) return;
    const { x, y, width } = cellAt(layout, n);
    context.fillRect(x, y - 2, width, 1);
  });
  const fades = drawFresh(context, drawing, cells);
  for (const region of store.regions.values()) {
    context.fillStyle = colourOf(drawing, region);
    for (const { x, y, width, height } of piecesOf(layout, cells, region)) context.fillRect(x, y, width, height);
  }
  // Entries: regions of one page lie over each other.
  context.fillStyle = colours.ground;
  for (const { physical } of store.regions.values()) {
    const cell = cells.get(Math.floor(physical / PAGE));
    if (cell === undefined) continue;
    const { x, y, width, height } = cellAt(layout, cell);
    context.fillRect(x + ((physical % PAGE) / PAGE) * width, y, 1, height);
  }
  for (const id of new Set([selected, pointed])) {
    const region = id === undefined ? undefined : store.regions.get(id);
    if (region === undefined) continue;
    context.strokeStyle = colours.text;
    context.lineWidth = 2;
    for (const piece of piecesOf(layout, cells, region)) outline(context, piece, 1);
    drawLinks(context, drawing, cells, region);
  }
  drawCpus(context, drawing, cells);
  return fades;
}

/** The region at a point of a cell: one that begins there or close before, or else one that has code there. */
export function regionUnder(store: CodeStore, page: number, offset: number, slack: number): number | undefined {
  const at = page * PAGE + offset;
  let found: CodeRegion | undefined;
  for (const id of store.pages.get(page) ?? []) {
    const region = store.regions.get(id)!;
    const isInside = region.ranges.some((start, k) => k % 2 === 0 && at >= start - slack && at < region.ranges[k + 1]! + slack);
    // Of those that lie over each other the one that begins last.
    if (isInside && (found === undefined || (region.physical <= at + slack && region.physical > found.physical))) found = region;
  }
  return found?.id;
}
