// From a graph of blocks to structured control flow, by dominators (the method of N. Ramsey, "Beyond Relooper", ICFP 2022):
// a block with several forward ways in is placed behind a Wasm block, a block with a way back is a Wasm loop.
// An edge into the middle of a loop cannot be structured: it is cut, and leaves the region instead.

export interface Structure {
  /** Blocks in reverse postorder; only those reachable over edges that were kept. */
  readonly order: readonly number[];
  /** Blocks that the key immediately dominates, latest in the order first. */
  readonly children: ReadonlyMap<number, readonly number[]>;
  /** Blocks with two or more forward edges in. */
  readonly merges: ReadonlySet<number>;
  readonly loops: ReadonlySet<number>;
  /** Whether the edge is part of the structure. */
  keeps(from: number, to: number): boolean;
  /** Whether the edge goes back to a loop's head. */
  isBack(from: number, to: number): boolean;
  /** Whether a block has an edge back to the loop's head. */
  goesBack(from: number, head: number): boolean;
}

/** `blocks`: where each leads, so far as that is among them. */
export function structure(entry: number, blocks: ReadonlyMap<number, { readonly next: readonly number[] }>): Structure {
  const inside = (to: number) => blocks.has(to);
  const next = new Map<number, readonly number[]>();
  for (const [n, block] of blocks) next.set(n, block.next.every(inside) ? block.next : block.next.filter(inside));
  const cut = new Set<string>();
  const name = (from: number, to: number) => `${from}>${to}`;
  for (;;) {
    const order = reversePostorder(entry, next);
    const rank = new Map<number, number>();
    for (let k = 0; k < order.length; k++) rank.set(order[k]!, k);
    // From here on blocks go by their rank.
    const ways = order.map((n) => next.get(n)!.map((to) => rank.get(to)!));
    const idom = dominators(ways);
    let clean = true;
    const merges = new Set<number>();
    const loops = new Set<number>();
    const forward = new Array<number>(order.length).fill(0);
    for (let from = 0; from < ways.length; from++) {
      const list = ways[from]!;
      for (let k = 0; k < list.length; k++) {
        const to = list[k]!;
        if (list.indexOf(to) < k) continue;
        if (to > from) {
          if (++forward[to]! === 2) merges.add(order[to]!);
        } else if (dominates(idom, to, from)) loops.add(order[to]!);
        else {
          const [n, head] = [order[from]!, order[to]!];
          cut.add(name(n, head));
          next.set(
            n,
            next.get(n)!.filter((x) => x !== head),
          );
          clean = false;
        }
      }
    }
    if (!clean) continue;
    const children = new Map<number, number[]>();
    for (const n of order) children.set(n, []);
    for (let k = order.length - 1; k > 0; k--) children.get(order[idom[k]!]!)!.push(order[k]!);
    const back = (from: number, to: number) => rank.get(to)! <= rank.get(from)!;
    return {
      order,
      children,
      merges,
      loops,
      keeps: (from, to) => rank.has(to) && (cut.size === 0 || !cut.has(name(from, to))),
      isBack: back,
      goesBack: (from, head) => next.get(from)!.includes(head) && back(from, head),
    };
  }
}

function reversePostorder(entry: number, next: ReadonlyMap<number, readonly number[]>): number[] {
  const seen = new Set([entry]);
  const out: number[] = [];
  const path = [entry];
  /** Of each block of the path: how many of its ways are left. */
  const left = [next.get(entry)!.length];
  while (path.length > 0) {
    const top = path.length - 1;
    const n = path[top]!;
    if (left[top] === 0) {
      out.push(n);
      path.pop();
      left.pop();
      continue;
    }
    const to = next.get(n)![--left[top]!]!;
    if (seen.has(to)) continue;
    seen.add(to);
    path.push(to);
    left.push(next.get(to)!.length);
  }
  return out.reverse();
}

/** Whether every way to `b` leads through `a`. */
function dominates(idom: readonly number[], a: number, b: number): boolean {
  let n = b;
  while (n > a) n = idom[n]!;
  return n === a;
}

/** Immediate dominators by rank, by Cooper, Harvey and Kennedy's iteration. `ways`: where each rank leads; the entry's is 0. */
function dominators(ways: readonly (readonly number[])[]): number[] {
  const before = ways.map((): number[] => []);
  for (let n = 0; n < ways.length; n++) for (const to of ways[n]!) before[to]!.push(n);
  const idom = new Array<number>(ways.length).fill(-1);
  idom[0] = 0;
  for (let changed = true; changed; ) {
    changed = false;
    for (let n = 1; n < ways.length; n++) {
      let dom = -1;
      for (const p of before[n]!) if (idom[p]! >= 0) dom = dom < 0 ? p : meet(idom, p, dom);
      if (idom[n] === dom) continue;
      idom[n] = dom;
      changed = true;
    }
  }
  return idom;
}

function meet(idom: readonly number[], p: number, q: number): number {
  let [a, b] = [p, q];
  while (a !== b) {
    while (a > b) a = idom[a]!;
    while (b > a) b = idom[b]!;
  }
  return a;
}
