// Whether the page is isolated from other origins, without which its threads share no memory. Where its server does not send the headers for it, its service worker does, for whom it is loaded once more.

/** In this tab: the page was loaded once more for it. */
const TRIED = 'dragoman: isolation';
/** A service worker is there by then, or never. */
const PATIENCE_MS = 10_000;

export function isIsolated(): boolean {
  if (!globalThis.crossOriginIsolated) return false;
  // Whatever the browser forgets later, it may be tried again.
  try {
    sessionStorage.removeItem(TRIED);
  } catch {
    // It keeps nothing.
  }
  return true;
}

/** Whether this tab has tried before. It has from now on. Throws where the browser keeps nothing. */
function tryOnce(): boolean {
  const tried = sessionStorage.getItem(TRIED) !== null;
  sessionStorage.setItem(TRIED, '1');
  return tried;
}

async function serviceWorkerRuns(): Promise<void> {
  await navigator.serviceWorker.register(new URL('service-worker.js', document.baseURI));
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error('its service worker does not start')), PATIENCE_MS));
  await Promise.race([navigator.serviceWorker.ready, late]);
}

/** Sees to it, where it can; why it cannot. `say` is told what it does. Never resolves where the page is about to be loaded again. */
export async function isolate(say: (text: string) => void): Promise<string> {
  if (!isSecureContext) return 'it does not come by HTTPS, nor from this computer';
  if (!('serviceWorker' in navigator)) return 'this browser gives it no service worker, and its server sends no headers for it';
  try {
    if (tryOnce()) return 'its service worker could not do it either';
    say('Getting shared memory for threads: this page is about to be loaded once more.');
    await serviceWorkerRuns();
  } catch (error) {
    return `its service worker cannot be had: ${(error as Error).message}`;
  }
  location.reload();
  return new Promise(() => {});
}
