// What a region is made of, for people: its x86, IR and WebAssembly, and what each relaxation changes. It is translated once more, from a copy of its guest code, on the thread of who asks; the machine
// knows nothing of it.
import { DragomanError } from '../api/errors.ts';
import type { CodeRegion, InspectedRegion, RegionCode, RegionInstruction, RegionLine, RelaxationEffect } from '../api/regions.ts';
import { RELAXATIONS } from '../api/relax.ts';
import { type CodeImage, imageOf, type Piece, pagesOf } from '../cache/code-image.ts';
import { demandsBy, type Grounds, mayHaveStack } from '../cache/demands.ts';
import type { LoggedRegion } from '../cache/region-log.ts';
import { regionImage } from '../cache/translator.ts';
import { readClients } from '../clients/table.ts';
import { PhysicalMemory } from '../cpu/physical.ts';
import type { SharedMemory } from '../cpu/state.ts';
import { instructionText } from '../decode/text.ts';
import { functionSizes } from '../emit/module/sizes.ts';
import { Emitter } from '../emit/module.ts';
import { emitTranslation, waitsForCalls } from '../emit/region/region.ts';
import { host } from '../host/node.ts';
import { instrumentsAsked } from '../instrument/index.ts';
import { COPY } from '../ir/blocks.ts';
import { Control, controlWord, PAGE, PAGE_SHIFT, POINTS, SLOTS, Slot } from '../layout/memory.ts';
import { growRegion, type Region } from '../translate/grow.ts';
import { translate } from '../translate/pipeline.ts';
import { regionLines } from '../translate/text.ts';
import { isOfCode, RELAXATION_NAMES, reliedOn } from './relied-on.ts';

/** Of the function, in its module. */
const NAME = 'region';

const sameImage = (a: CodeImage, b: CodeImage): boolean =>
  a.ranges.join() === b.ranges.join() && a.bytes.every((byte, k) => byte === b.bytes[k]);

const changed = (id: number): DragomanError => new DragomanError('NO_REGION', 'its code has changed', `region ${id}`);

/** The pages of a region's guest code as they are now, by their distance from its own. Throws NO_REGION where they do not hold it. */
function copyPages(physical: PhysicalMemory, { id, phys, image }: LoggedRegion): Map<number, Uint8Array> {
  const own = phys >>> PAGE_SHIFT;
  const pages = new Map<number, Uint8Array>();
  for (const page of pagesOf(own, image)) {
    const bytes = new Uint8Array(PAGE);
    physical.read(page * PAGE, bytes);
    pages.set((page - own) * PAGE, bytes);
  }
  const pieces = image.ranges.filter((_, k) => k % 2 === 0).map((start, k): Piece => [start, image.ranges[2 * k + 1]!]);
  if (
    !sameImage(
      imageOf((by) => pages.get(by)!, pieces),
      image,
    )
  )
    throw changed(id);
  return pages;
}

/** Translates a region for people, by what it may rely on. */
class Retranslation {
  private readonly logged: LoggedRegion;
  private readonly grounds: Grounds;
  private readonly pages: ReadonlyMap<number, Uint8Array>;
  private readonly slots = new Map<string, number>();

  constructor(shared: SharedMemory, logged: LoggedRegion) {
    const { i32, plan } = shared;
    const control = (offset: number) => i32[controlWord(offset)]!;
    const slot = (n: number, field: number) => i32[(SLOTS + n * Slot.size + field) >> 2]! >>> 0;
    const { relax, directOrigin } = logged;
    this.logged = logged;
    this.pages = copyPages(new PhysicalMemory(shared), logged);
    this.grounds = {
      relax,
      directOrigin,
      plain: mayHaveStack(logged, { relax, directOrigin }) && !logged.stack,
      instruments: instrumentsAsked(control),
      ramBytes: plan.ramBytes,
      pointsAt: slot(logged.slot, Slot.at.points) || POINTS,
      atomic: plan.cpuCount > 1 && control(Control.at.lockstep) === 0,
      verify: false,
    };
    for (const n of logged.links) this.slots.set(`${slot(n, Slot.at.phys)}:${slot(n, Slot.at.eip)}`, n);
  }

  /** The region's code, by all that it relies on but `without` (Relax bits). */
  code(without = 0): RegionCode {
    const { logged, grounds, pages } = this;
    const { id, eip, phys, mode } = logged;
    const demands = demandsBy(logged, { ...grounds, relax: grounds.relax & ~without });
    const own = pages.get(0)!;
    const other = (by: number) => (demands.otherPages ? pages.get(by) : undefined);
    const region = growRegion(own, eip, phys, mode, other, waitsForCalls(mode, demands));
    // What it was grown by, beside its own code (callees that were too large, say), may be something else by now.
    if (
      region === undefined ||
      (without === 0 &&
        !sameImage(
          regionImage((by) => pages.get(by)!, region),
          logged.image,
        ))
    )
      throw changed(id);
    const translation = translate(region, demands);
    const e = new Emitter({ notes: true });
    // One that it does not name as it is: any number does.
    emitTranslation(e, NAME, translation, (to, at) => this.slots.get(`${to >>> 0}:${at >>> 0}`) ?? logged.slot, demands);
    const { lines, operations } = e.linesOf(NAME);
    const instructions = this.instructions(region);
    const places = new Map(instructions.map(({ address }, k) => [address >>> 0, k]));
    const numbered = ({ text, eip: of }: { readonly text: string; readonly eip: number | undefined }): RegionLine => ({
      text,
      instruction: of === undefined ? undefined : places.get(of >>> 0),
    });
    const textOf = (at: number) => instructions[places.get(at >>> 0)!]?.text;
    let ops = 0;
    for (const block of translation.ir.blocks.values())
      for (const { kind } of block.ops) if (kind !== 'const' && kind !== 'cpu' && kind !== 'insn') ops++;
    return {
      instructions,
      ir: regionLines(translation.ir, textOf).map(numbered),
      wasm: lines.map(numbered),
      counts: {
        instructions: region.instructionCount,
        operations: ops,
        expressions: operations,
        wasmBytes: functionSizes(e.finish()).get(NAME)!,
      },
    };
  }

  /** Each once: its own by their addresses, then those of callees. */
  private instructions({ blocks, entry, phys, mode }: Region): RegionInstruction[] {
    const found = new Map<number, RegionInstruction>();
    const start = (entry - (phys & (PAGE - 1))) | 0;
    const isCopy = (id: number) => Number(id >= COPY);
    const order = [...blocks.values()].sort((a, b) => isCopy(a.id) - isCopy(b.id) || (a.eip >>> 0) - (b.eip >>> 0));
    order.forEach(({ id, instructions }, block) => {
      for (const { eip, length } of instructions) {
        const address = eip >>> 0;
        if (found.has(address)) continue;
        const offset = (eip - start) | 0;
        const bytes = Uint8Array.from({ length }, (_, k) => this.pages.get((offset + k) & -PAGE)![(offset + k) & (PAGE - 1)]!);
        const physical = phys - (phys & (PAGE - 1)) + offset;
        found.set(address, { address, physical, bytes, text: instructionText(bytes, address, mode), block, inlined: id >= COPY });
      }
    });
    return [...found.values()];
  }
}

/** In turns with what else the thread does. Rejects with NO_REGION where the region's code has changed, with NOT_SUPPORTED where clients are part of it. */
export async function inspectRegion(shared: SharedMemory, logged: LoggedRegion, region: CodeRegion): Promise<InspectedRegion> {
  if (readClients(shared).list.length > 0)
    throw new DragomanError('NOT_SUPPORTED', 'not supported: a look into regions while clients are attached, whose code is part of them');
  const again = new Retranslation(shared, logged);
  const code = again.code();
  const text = ({ wasm }: RegionCode) => wasm.map((line) => line.text).join('\n');
  const inForce = reliedOn(logged);
  const asked = Atomics.load(shared.i32, controlWord(Control.at.relax));
  const relaxations: RelaxationEffect[] = [];
  for (const relaxation of RELAXATION_NAMES) {
    const bit = RELAXATIONS[relaxation];
    const ofCode = isOfCode(relaxation);
    const isInForce = ofCode ? inForce.includes(relaxation) : (asked & bit) !== 0;
    let without: RegionCode | undefined;
    if (ofCode && isInForce) {
      // Whoever asks has other things to do as well.
      await new Promise<void>((resolve) => host.soon(resolve));
      without = again.code(bit);
    }
    relaxations.push({ relaxation, ofCode, inForce: isInForce, without, changes: without !== undefined && text(without) !== text(code) });
  }
  return { ...code, region, relaxations };
}
