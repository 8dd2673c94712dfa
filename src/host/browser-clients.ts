// What Workers load when there is a client, in a browser: scripts of their own, which no page loads before that, and each only who needs it.
import type { MakeClient } from '../clients/client.ts';
import { engineUrl } from './browser-engine.ts';

const load = (name: string): Promise<unknown> => import(/* @vite-ignore */ /* webpackIgnore: true */ engineUrl(`${name}.js`).href);

export const importClientCode = () => load('client-code') as Promise<typeof import('../clients/client-code.ts')>;

export const importOwn = async (name: string): Promise<MakeClient> =>
  ((await load(`${name}-client`)) as { readonly default: MakeClient }).default;
