// The list of contents follows the reader: the section that is in sight is marked.

/** `links`: to anchors in the page. */
export function followReader(list: HTMLElement, links: readonly HTMLAnchorElement[]): void {
  const targets = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1)))!);
  let marked: HTMLAnchorElement | undefined;
  const mark = () => {
    // The last that began above the upper third, the first before that; the last of all at the page's end.
    const isEnd = innerHeight + scrollY >= document.documentElement.scrollHeight - 2;
    const begun = targets.findLastIndex((target) => target.getBoundingClientRect().top < innerHeight / 3);
    const shown = links.filter((link) => link.offsetParent !== null);
    const reached = isEnd ? shown.at(-1) : (links.slice(0, begun + 1).findLast((link) => shown.includes(link)) ?? shown[0]);
    if (reached === marked) return;
    marked?.removeAttribute('aria-current');
    marked = reached;
    if (marked === undefined) return;
    marked.setAttribute('aria-current', 'location');
    const [own, all] = [marked.getBoundingClientRect(), list.getBoundingClientRect()];
    if (own.left < all.left || own.right > all.right) list.scrollLeft += own.left - all.left - 16;
    if (own.top < all.top || own.bottom > all.bottom) list.scrollTop += own.top - all.top - all.height / 2;
  };
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      mark();
    });
  };
  addEventListener('scroll', soon, { passive: true });
  addEventListener('resize', soon);
  mark();
}
