// The page's service worker, for hosting that sends no headers of its own: adds those that isolate the page, so that its threads share memory, and keeps the files of its version.

/** Of the folder with the page's files (scripts/browser.ts). */
declare const VERSION: string;

interface Lifetime extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Asked extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface ServiceWorker {
  addEventListener(type: 'install' | 'activate', listener: (event: Lifetime) => void): void;
  addEventListener(type: 'fetch', listener: (event: Asked) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  readonly registration: { readonly scope: string };
}
const worker = globalThis as unknown as ServiceWorker;

/** Other pages of the origin may have caches, and demo pages of their own. */
const OURS = `dragoman ${worker.registration.scope} `;
const NAME = OURS + VERSION;
const FOLDER = new URL(`${VERSION}/`, worker.registration.scope).href;

const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** The same with these headers. */
function isolated(response: Response): Response {
  // A redirection, which the browser follows and asks again.
  if (response.status === 0) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATED)) headers.set(name, value);
  // Of what came; this is what it was before it was compressed.
  for (const name of ['Content-Encoding', 'Content-Length']) headers.delete(name);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** Files of a version never change: what was fetched once is not asked for again. */
async function ofVersion(request: Request): Promise<Response> {
  const cache = await caches.open(NAME);
  const kept = await cache.match(request.url);
  if (kept !== undefined) return kept;
  const response = isolated(await fetch(request));
  // There may be no room for it.
  if (response.status === 200) cache.put(request.url, response.clone()).catch(() => {});
  return response;
}

async function dropOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(OURS) && name !== NAME).map((name) => caches.delete(name)));
}

worker.addEventListener('install', (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener('activate', (event) => event.waitUntil(dropOthers().then(() => worker.clients.claim())));
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  if (request.method !== 'GET' || new URL(request.url).origin !== location.origin) return;
  if (request.url.startsWith(FOLDER)) return event.respondWith(ofVersion(request));
  // A page that is kept too long would ask for files of a version that is gone.
  event.respondWith(fetch(request, request.mode === 'navigate' ? { cache: 'no-cache' } : {}).then(isolated));
});
