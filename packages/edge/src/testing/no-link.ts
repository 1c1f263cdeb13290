import type { ControlLink } from '@postern/link';

export function raise(): never {
  throw new Error('not made yet');
}

/** Of an edge that nobody controls: asked for anything, it fails. */
export const NO_LINK: ControlLink = {
  follow: raise,
  certificateFor: raise,
  authenticate: raise,
  bind: raise,
  bindLabels: raise,
  unbind: raise,
  patchTunnel: raise,
  sessionEnded: raise,
  login: raise,
  traffic: raise,
};
