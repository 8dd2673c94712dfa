// A CPU as the host sees it: its instance of the engine, its code caches, and the run loop that handles exits.
import { BlockCache } from '../cache/blocks.ts';
import { codeWritten, leaveCode, pagesToDrop } from '../cache/code-pages.ts';
import { askForPage } from '../cache/heat.ts';
import { RegionTable } from '../cache/regions.ts';
import type { ClientCode } from '../clients/client-code.ts';
import { type ClientEntry, clientVersion, readClients } from '../clients/table.ts';
import { ClientWords } from '../layout/clients.ts';
import { Cpu, Exit, GPR_STRIDE, Mode, Pending } from '../layout/cpu.ts';
import { BlockHead, Control, CpuArea, controlWord, cpuBase, KEPT_PAGES, PAGE, PAGE_SHIFT } from '../layout/memory.ts';
import type { HostImports } from '../runtime/host.ts';
import { addTo, timed } from './host-costs.ts';
import { type EngineImage, type Instance, instantiate } from './runtime.ts';
import { resetCpu, type SharedMemory } from './state.ts';

/** What the machine gives a CPU; the code cache is the CPU's own affair. */
export type CpuHost = Omit<HostImports, 'invalidateCode' | 'clientCall' | 'clientCrossing'>;

export class Vcpu {
  readonly index: number;
  /** Base address of the CPU's state. */
  readonly base: number;
  readonly shared: SharedMemory;
  readonly instance: Instance;
  readonly blocks: BlockCache;
  readonly regions: RegionTable;
  /** Called when the translator published modules. */
  onInstall: (() => void) | undefined;
  /** Told when the engine works for itself, which is not the guest's time. */
  engineWork: { workBegins(): void; workEnds(): void } | undefined;
  /** Called after a block was decoded (an engine that translates at once does it here). */
  onDecode: ((head: number) => void) | undefined;

  /** When the engine was left last, and why. */
  private leftAt = 0;
  private leftBy: number = Exit.NONE;
  /** The version of the list of clients that its code is for (clients/attached.ts). */
  clients = 0;
  /** Of its clients; undefined: there are none. */
  private code: ClientCode | undefined;
  /** Control.debugChanges that it goes by. */
  private debugChanges = 0;

  constructor(image: EngineImage, shared: SharedMemory, index: number, host: CpuHost) {
    this.index = index;
    this.shared = shared;
    this.base = cpuBase(shared.plan, index);
    const functions: HostImports = {
      ...host,
      invalidateCode: (_cpu, phys, bytes) => this.codeWritten(phys, bytes),
      clientCall: (_cpu, which, eip, eflags, ...values) => this.code?.calls.call(which, eip, eflags, ...values),
      clientCrossing: () => this.code?.calls.crossing(),
    };
    const counts = shared.i32[controlWord(Control.at.countInstructions)] !== 0;
    this.instance = instantiate(image, shared, functions, counts ? (host) => timed(shared, this.base, host) : undefined);
    this.blocks = new BlockCache(shared, this.base, this.instance.runtime, image.keys);
    this.regions = new RegionTable(shared, this.instance, this.blocks);
  }

  /** Reset state (SDM vol. 3, 9.1). */
  reset(): void {
    resetCpu(this.shared, this.index);
    // Its deliveries are counted anew.
    this.set(CpuArea.at.clientWords + ClientWords.at.deliveries, 0);
    this.refresh();
  }

  /** Recomputes what is derived from segments and control registers, after the host changed them. */
  refresh(): void {
    this.instance.runtime.updateMode(this.base);
    this.instance.runtime.updateFpuTraps(this.base);
  }

  get(offset: number): number {
    return this.shared.i32[(this.base + offset) >> 2]! >>> 0;
  }
  set(offset: number, value: number): void {
    this.shared.i32[(this.base + offset) >> 2] = value;
  }
  /** Adds to a counter of 64 bits. */
  count(offset: number, by: number): void {
    addTo(this.shared, this.base + offset, by);
  }
  gpr(n: number): number {
    return this.get(Cpu.at.gpr + n * GPR_STRIDE);
  }
  setGpr(n: number, value: number): void {
    this.set(Cpu.at.gpr + n * GPR_STRIDE, value);
  }

  /**
   * `bytes` bytes at `phys`, all in one page with code, were written by this CPU (or, in tests, by its host): drops what came from them, and tells the
   * others. A whole page may be other memory now.
   */
  codeWritten(phys: number, bytes: number): void {
    const { blocks, regions, shared } = this;
    const page = phys >>> PAGE_SHIFT;
    const whole = bytes >= PAGE;
    if (!whole) {
      blocks.invalidate(phys, bytes);
      blocks.bumpJumps(regions.invalidate(phys, bytes));
    }
    if (codeWritten(shared, page, this.index, whole) || whole) this.dropAll(page);
    else if (shared.plan.cpuCount === 1)
      leaveCode(shared, phys, bytes, (from, count) => blocks.holds(from, count) || regions.holds(from, count));
  }

  private dropAll(page: number): void {
    this.blocks.invalidateAll(page);
    this.blocks.bumpJumps(this.regions.invalidateAll(page));
  }

  /** Drops all regions: their slots are given back. */
  dropRegions(): void {
    for (const page of [...this.regions.pageNumbers()]) this.regions.invalidateAll(page);
    this.regions.forgetDropped();
    this.blocks.bumpJumps();
  }

  /** Goes by the host's breakpoints as they are now. Nothing runs. */
  takeDebugChanges(): void {
    const changes = this.shared.i32[controlWord(Control.at.debugChanges)]!;
    if (changes === this.debugChanges) return;
    this.debugChanges = changes;
    this.instance.runtime.flush(this.base);
    this.blocks.bumpJumps();
    this.instance.runtime.updateBreakpoints(this.base);
  }

  /** Goes by the list of clients as it is now: code that was made by another one is dropped. Nothing runs. `make`: asked where there are clients. */
  takeClients(make: (cpu: Vcpu, list: readonly ClientEntry[]) => ClientCode): void {
    if (clientVersion(this.shared) === this.clients) return;
    this.dropRegions();
    this.blocks.flush();
    this.code?.handlers.drop();
    const { list, version } = readClients(this.shared);
    this.code = list.length === 0 ? undefined : make(this, list);
    this.blocks.hooks = this.code?.handlers;
    this.clients = version;
    this.placeClientCode();
    this.instance.runtime.updateMode(this.base);
  }

  /** Says what code of clients the runtime is to call. */
  private placeClientCode(): void {
    const { i32 } = this.shared;
    const at = (this.base + CpuArea.at.clientWords) >> 2;
    i32.fill(0, at, at + ClientWords.size / 4);
    i32[at + ClientWords.at.deliveries / 4] = this.get(Cpu.at.lastDeliveryCount);
    for (const [word, index] of this.code?.handlers.forRuntime() ?? []) i32[at + word / 4] = index;
  }

  private review(page: number): void {
    this.blocks.review(page);
    this.blocks.bumpJumps(this.regions.review(page));
  }

  /** The CPU runs again: what its last exit took, unless it slept. */
  private countExit(): void {
    if (this.leftBy !== Exit.NONE && this.leftBy !== Exit.HALT)
      this.count(Cpu.at.exitNs + this.leftBy * 8, Math.round((performance.now() - this.leftAt) * 1e6));
  }

  /** Runs until something needs the machine: returns an Exit (never LOOKUP or INSTALL, which are handled here). */
  run(): number {
    for (;;) {
      this.set(Cpu.at.exit, Exit.NONE);
      this.countExit();
      this.instance.run(this.base);
      const exit = this.get(Cpu.at.exit);
      this.leftAt = performance.now();
      this.leftBy = exit;
      this.count(Cpu.at.countExits + exit * 8, 1);
      switch (exit) {
        case Exit.LOOKUP:
          this.engineWork?.workBegins();
          this.decode();
          this.engineWork?.workEnds();
          break;
        case Exit.DROP:
          this.dropWritten();
          break;
        case Exit.INSTALL:
          // Compiling takes its time, and touches nothing that another CPU may wait for.
          this.engineWork?.workBegins();
          this.instance.runtime.park(this.base);
          this.onInstall?.();
          this.instance.runtime.unpark(this.base);
          this.engineWork?.workEnds();
          break;
        case Exit.NONE:
          // The code came back without a reason: never right.
          this.set(Cpu.at.exitArg, 0);
          return Exit.INTERNAL;
        default:
          return exit;
      }
    }
  }

  /** Drops code that devices and other CPUs wrote to. */
  private dropWritten(): void {
    Atomics.and(this.shared.i32, (this.base + Cpu.at.pending) >> 2, ~Pending.DROP);
    const drops = pagesToDrop(this.shared, this.base);
    if (drops === undefined) for (const page of new Set([...this.blocks.pageNumbers(), ...this.regions.pageNumbers()])) this.dropAll(page);
    else for (const { page, all } of drops) all ? this.dropAll(page) : this.review(page);
  }

  /** Whether something may be kept of the page of a block. */
  private mayBeKept(head: number): boolean {
    const { i32 } = this.shared;
    const page = i32[(head + BlockHead.at.eip) >> 2]! >>> PAGE_SHIFT;
    return ((i32[controlWord(Control.at.keptPages) + ((page % KEPT_PAGES) >> 5)]! >> (page & 31)) & 1) !== 0;
  }

  /** All that is kept of the page of a block is wanted. */
  private askForPage(head: number): void {
    const at = (offset: number) => this.shared.i32[(head + offset) >> 2]! >>> 0;
    const request = { phys: at(BlockHead.at.phys), eip: at(BlockHead.at.eip), mode: at(BlockHead.at.mode) };
    askForPage(this.shared, request, this.index);
  }

  private decode(): void {
    const step = this.get(Cpu.at.step) !== 0;
    const head = this.blocks.decodeHere(step);
    if (head === 0) this.instance.runtime.deliverFault(this.base);
    else if (!step && (this.shared.i32[(head + BlockHead.at.mode) >> 2]! & Mode.BREAK) === 0) {
      this.regions.attach(head);
      if (this.mayBeKept(head) && this.blocks.isFirst(head)) this.askForPage(head);
      this.onDecode?.(head);
    }
  }
}
