// The clients that come with Dragoman, each loaded when somebody asks for it.
import type { OwnClientName } from '../api/client-names.ts';
import type { MakeClient } from './client.ts';

const OWN: Readonly<Record<OwnClientName, () => Promise<{ readonly default: MakeClient }>>> = {
  inscount: () => import('./inscount.ts'),
  coverage: () => import('./coverage.ts'),
  crossings: () => import('./crossings.ts'),
  trace: () => import('./trace.ts'),
  sharing: () => import('./sharing.ts'),
  shadow: () => import('./shadow.ts'),
  races: () => import('./races.ts'),
};

/** What makes one, by its name. */
export const importOwn = async (name: string): Promise<MakeClient> => (await OWN[name as OwnClientName]()).default;
