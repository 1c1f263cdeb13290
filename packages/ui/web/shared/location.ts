import { type MouseEvent, useSyncExternalStore } from 'react';

/** The path that is shown, and going to others without loading the page again. */

function subscribe(changed: () => void): () => void {
  addEventListener('popstate', changed);
  return () => removeEventListener('popstate', changed);
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

/** @param replace without a step that "back" would lead to */
export function go(path: string, replace = false): void {
  if (path === location.pathname) return;
  history[replace ? 'replaceState' : 'pushState'](null, '', path);
  dispatchEvent(new PopStateEvent('popstate'));
}

/** For `onClick` of links: what opens a new tab still does. */
export function follow(event: MouseEvent<HTMLAnchorElement>): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  go(event.currentTarget.pathname);
}
