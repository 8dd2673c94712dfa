// What of the page can be seen: a soft keyboard covers the rest. Styles have its height as --visible-height.

/** `keep`: what has to be seen while it has the focus. */
export function followViewport(root: HTMLElement, keep: () => Element | null): void {
  const viewport = window.visualViewport;
  if (viewport === null) return;
  const follow = () => {
    // Pinched, the page is larger than what is seen of it: that is no keyboard.
    if (Math.abs(viewport.scale - 1) > 0.01) return;
    root.style.setProperty('--visible-height', `${viewport.height}px`);
    const kept = keep();
    if (kept?.contains(document.activeElement) && root.scrollHeight > viewport.height) kept.scrollIntoView({ block: 'end' });
  };
  viewport.addEventListener('resize', follow);
  follow();
}
