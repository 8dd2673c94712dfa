// The Workers of a machine, by their sources: files of their own beside the bundle that starts them, wherever it runs (build.ts, browser.ts).
export const WORKERS = ['cpu', 'timer', 'translator'].map((name) => `src/machine/threads/${name}-worker.ts`);
