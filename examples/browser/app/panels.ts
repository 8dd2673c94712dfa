// The panels beside the terminal: each is loaded when it is first opened, so that nothing of it is fetched before the guest's prompt.
import type { ComponentType } from 'preact';
import type { Session } from './session.ts';

/** A panel is mounted while it is open, and looks at the machine when session.tick changes. */
export type Panel = ComponentType<{ readonly session: Session }>;

export interface PanelEntry {
  /** In addresses (?panel=ID). */
  readonly id: string;
  /** Of its tab: a word or two. */
  readonly title: string;
  readonly load: () => Promise<{ readonly default: Panel }>;
}

/** In the order of their tabs; the first is open where an address says nothing else. */
export const PANELS: readonly PanelEntry[] = [
  { id: 'code-map', title: 'Code map', load: () => import('../panels/code-map.tsx') },
  { id: 'cpus', title: 'CPUs', load: () => import('../panels/activity.tsx') },
  { id: 'region', title: 'Region', load: () => import('../panels/region-inspector.tsx') },
  { id: 'rates', title: 'Rates', load: () => import('../panels/rates.tsx') },
  { id: 'switches', title: 'Switches', load: () => import('../panels/switches.tsx') },
  { id: 'clients', title: 'Clients', load: () => import('../panels/clients.tsx') },
  { id: 'sharing', title: 'Sharing', load: () => import('../panels/sharing.tsx') },
  { id: 'debug', title: 'Debug', load: () => import('../panels/debug.tsx') },
  { id: 'time', title: 'Time', load: () => import('../panels/time.tsx') },
  { id: 'snapshot', title: 'Snapshot', load: () => import('../panels/snapshot.tsx') },
  { id: 'disks', title: 'Disks', load: () => import('../panels/disks.tsx') },
  { id: 'network', title: 'Network', load: () => import('../panels/network.tsx') },
  { id: 'numbers', title: 'Numbers', load: () => import('../panels/numbers.tsx') },
];
