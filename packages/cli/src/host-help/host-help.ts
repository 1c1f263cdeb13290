/**
 * Development servers answer names that they do not know with an error of their own, which looks like one of ours. This
 * watches for it and says which flag helps.
 */
import type { ConnectionWatch, WatchInfo } from '@postern/agent';

interface Refusal {
  readonly server: string;
  readonly status: string;
  /** Words of the answer's body. */
  readonly words: string;
  /** What else helps, in the service's own configuration. */
  readonly setting: string;
}

const REFUSALS: readonly Refusal[] = [
  { server: 'Vite', status: '403', words: 'Blocked request. This host', setting: 'server.allowedHosts in vite.config' },
  { server: 'webpack-dev-server', status: '403', words: 'Invalid Host header', setting: 'devServer.allowedHosts' },
  {
    server: 'Rails',
    status: '403',
    words: 'Blocked host',
    setting: 'config.hosts in config/environments/development.rb',
  },
  { server: 'Django', status: '400', words: 'Invalid HTTP_HOST header', setting: 'ALLOWED_HOSTS in settings.py' },
  { server: 'Django', status: '400', words: 'DisallowedHost', setting: 'ALLOWED_HOSTS in settings.py' },
  {
    server: 'Next.js',
    status: '403',
    words: 'Blocked cross-origin request',
    setting: 'allowedDevOrigins in next.config',
  },
];

const HEAD = /^HTTP\/1\.[01] (\d{3})/;
/** Answers are looked at as far as this, and so many chunks of each connection's first answer. */
const MOST_BYTES = 16 * 1024;
const MOST_CHUNKS = 4;

/**
 * Watches the first answer of each connection until a service has refused its name, and then no more: it is said once.
 * @param tell what happened and what to do
 */
export function watchForRefusedHosts(tell: (words: string) => void): (info: WatchInfo) => ConnectionWatch | undefined {
  let told = false;
  return () => {
    if (told) return undefined;
    let chunks = 0;
    let seen = '';
    return {
      fromService(chunk) {
        if (told || chunks === MOST_CHUNKS) return;
        chunks += 1;
        seen += chunk.toString('latin1', 0, Math.min(chunk.length, MOST_BYTES - seen.length));
        const status = HEAD.exec(seen)?.[1];
        const candidates = REFUSALS.filter((refusal) => refusal.status === status);
        if (candidates.length === 0 && seen.length >= 'HTTP/1.1 200'.length) chunks = MOST_CHUNKS;
        const found = candidates.find(({ words }) => seen.includes(words));
        if (seen.length >= MOST_BYTES) chunks = MOST_CHUNKS;
        if (found === undefined) return;
        told = true;
        tell(
          `the service (${found.server}) refuses the public name; start this with --host-header rewrite, or add the name ` +
            `to ${found.setting}`,
        );
      },
      over() {},
    };
  };
}

/** Two watches of one connection. */
export function bothWatch(
  left: ((info: WatchInfo) => ConnectionWatch | undefined) | undefined,
  right: (info: WatchInfo) => ConnectionWatch | undefined,
): (info: WatchInfo) => ConnectionWatch | undefined {
  if (left === undefined) return right;
  return (info) => {
    const [one, two] = [left(info), right(info)];
    if (one === undefined || two === undefined) return one ?? two;
    return {
      fromVisitor(chunk) {
        one.fromVisitor?.(chunk);
        two.fromVisitor?.(chunk);
      },
      fromService(chunk) {
        one.fromService?.(chunk);
        two.fromService?.(chunk);
      },
      over() {
        one.over();
        two.over();
      },
    };
  };
}
