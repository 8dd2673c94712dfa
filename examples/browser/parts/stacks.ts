// Folded stacks ('start;a;b 1234', the outermost frame first) as a tree, and its frames as boxes of a flame graph.

export interface StackNode {
  readonly name: string;
  /** Nanoseconds in it and in what it called; and in itself. */
  total: number;
  self: number;
  readonly parent: StackNode | undefined;
  readonly children: Map<string, StackNode>;
}

const node = (name: string, parent: StackNode | undefined): StackNode => ({ name, total: 0, self: 0, parent, children: new Map() });

/** All stacks under one root, which is called `root`. Lines that are none are left out. */
export function stackTree(folded: string, root: string): StackNode {
  const top = node(root, undefined);
  for (const line of folded.split('\n')) {
    const [, stack, text] = /^(.*) (\d+)$/.exec(line) ?? [];
    if (stack === undefined) continue;
    const ns = Number(text);
    let at = top;
    at.total += ns;
    for (const name of stack.split(';')) {
      let next = at.children.get(name);
      if (next === undefined) at.children.set(name, (next = node(name, at)));
      next.total += ns;
      at = next;
    }
    at.self += ns;
  }
  return top;
}

/** A frame as it is drawn: from where on and how wide, as parts of the whole, and in which row. */
export interface Box {
  readonly node: StackNode;
  readonly from: number;
  readonly width: number;
  readonly row: number;
}

/** The boxes of what is below a frame, and of those above it, which are as wide as all. Those that are narrower than `least` of the whole are left out. Row by row; in a row from left to right. */
export function boxesOf(shown: StackNode, least: number): Box[] {
  const above: StackNode[] = [];
  for (let at = shown.parent; at !== undefined; at = at.parent) above.unshift(at);
  const boxes: Box[] = above.map((one, row) => ({ node: one, from: 0, width: 1, row }));
  const whole = shown.total || 1;
  let row: { readonly node: StackNode; readonly from: number }[] = [{ node: shown, from: 0 }];
  for (let depth = above.length; row.length > 0; depth++) {
    const next: typeof row = [];
    for (const { node: one, from } of row) {
      boxes.push({ node: one, from, width: one === shown ? 1 : one.total / whole, row: depth });
      let at = from;
      for (const child of [...one.children.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
        if (child.total / whole >= least) next.push({ node: child, from: at });
        at += child.total / whole;
      }
    }
    row = next;
  }
  return boxes;
}

/** Names of frames with the time that they had themselves, the most first. */
export function mostSelf(top: StackNode, most: number): readonly (readonly [name: string, ns: number])[] {
  const sums = new Map<string, number>();
  const walk = (at: StackNode): void => {
    if (at.self > 0) sums.set(at.name, (sums.get(at.name) ?? 0) + at.self);
    for (const child of at.children.values()) walk(child);
  };
  walk(top);
  return [...sums].sort(([, a], [, b]) => b - a).slice(0, most);
}
