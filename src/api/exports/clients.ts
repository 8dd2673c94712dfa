// What users import as `dragoman/clients`: which clients there are, and what they are asked for with.

/**
 * What may look at how a guest runs: for `clients` of MachineOptions, and what a client of one's own is made with.
 *
 * @module dragoman/clients
 */
export type {
  AccessPlace,
  BlockPlace,
  BranchPlace,
  Call,
  Client,
  ClientBuilder,
  ClientView,
  CodePiece,
  Crossing,
  CrossingPlace,
  Form,
  FormOperand,
  InstructionPlace,
  Level,
  MachineFacts,
  MakeClient,
  OperandKind,
  OptionTexts,
  Range,
  RegionPlace,
  Ring,
  Room,
  Shadow,
  Touched,
} from '../../clients/client.ts';
export type { CoverageReport, EdgeReport } from '../../clients/coverage.ts';
export type { CrossingCounts, CrossingsReport } from '../../clients/crossings.ts';
export { GranuleUse } from '../../clients/granule-use.ts';
export type { InscountReport } from '../../clients/inscount.ts';
export type { Race, RaceSide, RacesReport } from '../../clients/races.ts';
export type { SharedSymbol, SharingReport, SharingTable } from '../../clients/sharing.ts';
export type { TraceReport } from '../../clients/trace.ts';
export { CrossedBy } from '../../layout/clients.ts';
export { CLIENTS, type ClientName, type ClientOption, type ClientOptions } from '../client-names.ts';
