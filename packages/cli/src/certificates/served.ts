import { lookup } from 'node:dns/promises';
import tls from 'node:tls';
import { messageOf } from '../problem.ts';

/** Where the name is asked for; `address` '' = where it leads. */
export interface Where {
  readonly address: string;
  readonly port: number;
}

/** What a client of this machine meets under a name. */
export interface Served {
  readonly address: string;
  /** null = a client that trusts the authorities of the system takes it; else why it does not. */
  readonly distrust: string | null;
  readonly issuer: string;
  /** RFC 3339; '' = there was no certificate. */
  readonly notAfter: string;
}

const DEADLINE_MS = 10_000;

/** Asks `name` as any client would. A wildcard is asked by a name that is likely nobody's. Says in words what failed. */
export function servedFor(name: string, { address: given, port }: Where): Promise<Served | string> {
  const host = name.startsWith('*.') ? `postern-check${name.slice(1)}` : name;
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(`${host}: its address could not be found in time`), DEADLINE_MS);
    const addressed = given === '' ? lookup(host).then(({ address }) => address) : Promise.resolve(given);
    addressed
      .then((address) => {
        clearTimeout(late);
        return shown(host, address, port);
      })
      .catch(() => `${host} has no address`)
      .then(resolve, resolve);
  });
}

function shown(host: string, address: string, port: number): Promise<Served | string> {
  return new Promise((resolve) => {
    const socket = tls.connect({ host: address, port, servername: host, rejectUnauthorized: false });
    const end = (found: Served | string): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(found);
    };
    const late = setTimeout(() => end(`${address} port ${port}: no answer`), DEADLINE_MS);
    socket.once('error', (error) => end(`${address} port ${port}: ${messageOf(error)}`));
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate();
      end({
        address,
        distrust: socket.authorized ? null : String(socket.authorizationError),
        issuer: /(?:^|\n)CN=([^\n]+)/.exec(certificate?.issuer ?? '')?.[1] ?? '',
        notAfter: certificate === undefined ? '' : certificate.validToDate.toISOString().replace(/\.\d+Z$/, 'Z'),
      });
    });
  });
}
