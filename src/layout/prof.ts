// What the client prof counts, of each CPU and privilege level (docs/clients.md): how control gets from one piece of code to the next.
import { array, struct, u64 } from './struct.ts';

/** Why the dispatcher was entered (Cpu.profWhy, with ProfWhy). */
export const ProfReason = {
  /** Nobody said why: what the interpreter does seldom. */
  OTHER: 0,
  /** A region's indirect branch whose target was not in the jump cache's own entry. */
  BRANCH: 1,
  /** A region's direct jump or call to another page, the same. */
  DIRECT: 2,
  /** An indirect branch of the interpreter: the dispatcher is where it asks the jump cache. */
  INTERPRETED: 3,
  /** A transfer between segments or privilege levels that found nothing in the jump cache. */
  CROSSING: 4,
  /** A poll did something: an interrupt was taken, the host or another CPU wanted something. */
  POLL: 5,
  /** An exception was delivered. */
  FAULT: 6,
  /** An instruction that its region could not do is done by the interpreter, or what is there is looked up again. */
  BAIL: 7,
  /** What comes next is to be looked at again: behind HLT, CLI, segment loads and their like that changed something. */
  LEAVE: 8,
  /** A string instruction that is to go on. */
  REPEAT: 9,
  /** Code was changed, or was dropped. */
  CHANGED: 10,
  /** A direct jump inside a page to a region that is not there (any more, or yet). */
  STUB: 11,
  /** A direct jump of the interpreter that is not linked. */
  LINK: 12,
  /** So many regions waited for returns that all were dropped, or one came back that nobody waited for. */
  UNWOUND: 13,
  /** The engine came back from the host. */
  HOST: 14,
  /** The same, with the code that was looked for decoded. */
  DECODED: 15,
} as const;
export const PROF_REASONS = 16;

/** Beside a ProfReason in Cpu.profWhy. */
export const ProfWhy = {
  /** An indirect branch: where its target is found belongs to its counts. */
  BRANCH: 0x100,
  /** The dispatcher goes on with what it was entered for: no entry of its own. */
  AGAIN: 0x200,
} as const;

/** Where the dispatcher found what comes next. */
export const ProfOutcome = {
  /** In the jump cache's own entry. */
  ENTRY: 0,
  /** Beside it. */
  BESIDE: 1,
  /** In the hash of decoded blocks. */
  HASH: 2,
  /** Nowhere: it must be decoded. */
  DECODE: 3,
  /** It cannot be fetched. */
  FAULT: 4,
  /** One instruction is done alone. */
  STEP: 5,
  /** Nothing was looked for: the run loop was left. */
  EXIT: 6,
} as const;
export const PROF_OUTCOMES = 8;

/** Of code at one privilege level. The names are those of the statistics (machine/report/prof.ts says what they mean). */
export const ProfCounts = struct(
  {
    instructions: u64,
    /** RETs whose target had to be looked for; JMPs and CALLs through a register or memory. */
    returns: u64,
    jumps: u64,
    /** Indirect branches by where their target was found; the others. */
    firstLevel: u64,
    secondLevel: u64,
    misses: u64,
    /** RETs that went on where a region waited for them, and those of callees that are part of their caller's region. */
    waitedReturns: u64,
    inlinedReturns: u64,
    crossings: u64,
    /** Direct jumps and calls of regions to another page. */
    direct: u64,
    /** Entries of the dispatcher, by reason and outcome. */
    dispatcher: array(PROF_REASONS * PROF_OUTCOMES, u64),
  },
  64,
);
/** Privilege levels that are told apart: the kernel's (CPL 0 to 2) and the user's (Mode.USER). */
export const PROF_LEVELS = 2;
