// Where pages of guest code and their regions are on a map: pages in order of their addresses, in columns and rows, a cell each; a region is as wide as its bytes.
import type { CodeRegion } from '../../../src/api/index.ts';
import { PAGE } from './code-store.ts';

/** A cell that is wide enough to tell its regions apart, and one that can still be seen; CSS pixels. */
const WIDE = 300;
const NARROW = 44;
const TALL = 40;
/** Of a row where there are many. */
const ROW = 22;
const FLAT = 9;
const GAP = 3;
/** A region is to be seen, however small. */
const LEAST = 2;

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface MapLayout {
  /** Numbers of pages, by cell. */
  readonly pages: readonly number[];
  readonly columns: number;
  readonly rows: number;
  readonly cell: { readonly width: number; readonly height: number };
  readonly height: number;
}

/** A layout for pages, `width` pixels wide: in `most` rows where that goes, and else in as many as narrow cells take. */
export function layOut(pages: Iterable<number>, width: number, most: number): MapLayout {
  const sorted = [...pages].sort((a, b) => a - b);
  const wanted = Math.ceil(sorted.length / Math.max(1, most));
  const limit = (least: number) => Math.max(1, Math.floor((width + GAP) / (least + GAP)));
  const columns = Math.max(1, Math.min(limit(NARROW), Math.max(wanted, Math.min(limit(WIDE), Math.ceil(sorted.length / 8)))));
  const rows = Math.ceil(sorted.length / columns);
  const height = Math.max(FLAT, Math.min(TALL, Math.floor((most * ROW) / Math.max(1, rows)) - GAP));
  const cell = { width: (width + GAP) / columns - GAP, height };
  return { pages: sorted, columns, rows, cell, height: Math.max(rows, 1) * (height + GAP) + GAP };
}

/** The cell of the n-th page: pages go down the columns. */
export function cellAt({ rows, cell }: MapLayout, n: number): Rect {
  const column = Math.floor(n / rows);
  return { x: column * (cell.width + GAP), y: (n - column * rows) * (cell.height + GAP) + GAP, ...cell };
}

/** Number of the cell at a point; undefined: between cells. */
export function cellUnder(layout: MapLayout, x: number, y: number): number | undefined {
  const column = Math.floor(x / (layout.cell.width + GAP));
  const row = Math.floor((y - GAP) / (layout.cell.height + GAP));
  const n = column * layout.rows + row;
  if (column < 0 || column >= layout.columns || row < 0 || row >= layout.rows || n >= layout.pages.length) return undefined;
  const { x: left, y: top, width, height } = cellAt(layout, n);
  return x <= left + width && y <= top + height ? n : undefined;
}

/** The cells' numbers, by page. */
export const cellsOf = ({ pages }: MapLayout): Map<number, number> => new Map(pages.map((page, n) => [page, n]));

/** A region's pieces: a rectangle for each range of its code. */
export function piecesOf(layout: MapLayout, cells: ReadonlyMap<number, number>, { ranges }: CodeRegion): Rect[] {
  const pieces: Rect[] = [];
  for (let k = 0; k < ranges.length; k += 2) {
    const [start, end] = [ranges[k]!, ranges[k + 1]!];
    const cell = cells.get(Math.floor(start / PAGE));
    if (cell === undefined) continue;
    const { x, y, width, height } = cellAt(layout, cell);
    const offset = start % PAGE;
    pieces.push({ x: x + (offset / PAGE) * width, y, width: Math.max(LEAST, ((end - start) / PAGE) * width), height });
  }
  return pieces;
}

/** Where a region is entered. */
export function entryOf(
  layout: MapLayout,
  cells: ReadonlyMap<number, number>,
  physical: number,
): { readonly x: number; readonly y: number } | undefined {
  const cell = cells.get(Math.floor(physical / PAGE));
  if (cell === undefined) return undefined;
  const { x, y, width, height } = cellAt(layout, cell);
  return { x: x + ((physical % PAGE) / PAGE) * width, y: y + height / 2 };
}
