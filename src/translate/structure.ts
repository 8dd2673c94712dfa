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
  const cut = new Set<string>();
  const name = (from: number, to: number) => `${from}>${to}`;
  for (;;) {
    const next = (n: number) => (blocks.get(n)?.next ?? []).filter((to) => blocks.has(to) && (cut.size === 0 || !cut.has(name(n, to))));
    const order = reversePostorder(entry, next);
    const rank = new Map(order.map((n, i) => [n, i]));
    const back = (from: number, to: number) => rank.get(to)! <= rank.get(from)!;
    const idom = dominators(order, rank, next);
    const dominates = (a: number, b: number) => {
      for (let n = b; ; n = idom.get(n)!) {
        if (n === a) return true;
        if (n === entry) return false;
      }
    };
    let clean = true;
    const merges = new Set<number>();
    const loops = new Set<number>();
    const ways = new Map<number, number>();
    for (const from of order)
      for (const to of new Set(next(from))) {
        if (!back(from, to)) {
          const count = (ways.get(to) ?? 0) + 1;
          ways.set(to, count);
          if (count > 1) merges.add(to);
        } else if (dominates(to, from)) loops.add(to);
        else {
          cut.add(name(from, to));
          clean = false;
        }
      }
    if (!clean) continue;
    const children = new Map<number, number[]>(order.map((n) => [n, []]));
    for (const n of order) if (n !== entry) children.get(idom.get(n)!)!.unshift(n);
    const goesBack = (from: number, head: number) => next(from).includes(head) && back(from, head);
    return {
      order,
      children,
      merges,
      loops,
      keeps: (from, to) => rank.has(to) && (cut.size === 0 || !cut.has(name(from, to))),
      isBack: back,
      goesBack,
    };
  }
}

function reversePostorder(entry: number, next: (n: number) => number[]): number[] {
  const seen = new Set([entry]);
  const out: number[] = [];
  const stack: { n: number; rest: number[] }[] = [{ n: entry, rest: next(entry) }];
  while (stack.length > 0) {
    const top = stack.at(-1)!;
    const to = top.rest.pop();
    if (to === undefined) {
      out.push(top.n);
      stack.pop();
    } else if (!seen.has(to)) {
      seen.add(to);
      stack.push({ n: to, rest: next(to) });
    }
  }
  return out.reverse();
}

/** Immediate dominators, by Cooper, Harvey and Kennedy's iteration. */
function dominators(order: readonly number[], rank: ReadonlyMap<number, number>, next: (n: number) => number[]): Map<number, number> {
  const before = new Map<number, number[]>(order.map((n) => [n, []]));
  for (const n of order) for (const to of next(n)) before.get(to)!.push(n);
  const entry = order[0]!;
  const idom = new Map([[entry, entry]]);
  const meet = (a: number, b: number) => {
    while (a !== b) {
      while (rank.get(a)! > rank.get(b)!) a = idom.get(a)!;
      while (rank.get(b)! > rank.get(a)!) b = idom.get(b)!;
    }
    return a;
  };
  for (let changed = true; changed; ) {
    changed = false;
    for (const n of order.slice(1)) {
      let dom: number | undefined;
      for (const p of before.get(n)!) if (idom.has(p)) dom = dom === undefined ? p : meet(p, dom);
      if (idom.get(n) !== dom) {
        idom.set(n, dom!);
        changed = true;
      }
    }
  }
  return idom;
}
