// Locals of one Wasm function: handed out by type, given back when their value is dead, used again.
import { i32, type ValueType } from '../module/types.ts';

export type Type = ValueType;

export class LocalPool {
  /** Types of the locals beyond the parameters, in order. */
  readonly types: Type[] = [];
  private readonly first: number;
  private readonly spare = new Map<Type, number[]>();
  /** Locals given back while none may be used again. */
  private held: number[] | undefined;

  constructor(first: number) {
    this.first = first;
  }

  take(type: Type = i32): number {
    return this.spare.get(type)?.pop() ?? this.first + this.types.push(type) - 1;
  }

  /** From here to release() no local is used again: the code in between may run twice. */
  hold(): void {
    this.held = [];
  }
  release(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const local of held) this.free(local);
  }

  free(local: number): void {
    if (this.held !== undefined) {
      this.held.push(local);
      return;
    }
    const type = this.types[local - this.first]!;
    const list = this.spare.get(type);
    if (list) list.push(local);
    else this.spare.set(type, [local]);
  }
}
