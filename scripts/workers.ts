// The Workers of a machine, by their sources: files of their own beside the bundle that starts them, wherever it runs (build.ts, browser.ts); and, for browsers, what Workers load later.
import { CLIENT_SCRIPTS } from '../src/host/browser-files.ts';

export const WORKERS = ['cpu', 'timer', 'translator', 'client'].map((name) => `src/machine/threads/${name}-worker.ts`);

const CLIENT = /^(.*)-client\.js$/;
/** What Workers of browsers load when there is a client (src/host/browser-files.ts): sources by the names of their scripts. */
export const CLIENT_SOURCES = Object.fromEntries(
  Object.keys(CLIENT_SCRIPTS).map((script) => [script.replace(/\.js$/, ''), `src/clients/${CLIENT.exec(script)?.[1] ?? 'client-code'}.ts`]),
);

/** In browsers alone: by pages, not by machines. */
export const PAGE_WORKERS = ['src/host/origin-disk-worker.ts'];
