import net from 'node:net';
import tls from 'node:tls';
import { AgentError } from '../agent-error.ts';
import { httpConnect } from './http-connect.ts';
import type { WayOut } from '../way-out.ts';
import type { ProxyAddress } from './proxy-address.ts';
import { socksConnect } from './socks5.ts';

/**
 * A connection to `host:port` that a proxy has made. The certificate of an https proxy is checked against the system's
 * authorities.
 * @param signal ends the attempt
 * @throws AgentError that names the proxy, without its user and password
 */
export async function dialProxy(
  proxy: ProxyAddress,
  way: WayOut,
  host: string,
  port: number,
  signal: AbortSignal,
): Promise<net.Socket> {
  const socket = connect(proxy, way);
  const stop = (): void => void socket.destroy(new Error('it did not answer in time'));
  signal.addEventListener('abort', stop);
  // Nobody else listens between the steps.
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  socket.on('error', failed.reject);
  try {
    const opened = new Promise<void>((resolve) =>
      socket.once(proxy.scheme === 'https' ? 'secureConnect' : 'connect', resolve),
    );
    await Promise.race([opened, failed.promise]);
    const ask = proxy.scheme === 'socks5' ? socksConnect : httpConnect;
    await Promise.race([ask(socket, proxy, host, port), failed.promise]);
    return socket;
  } catch (caught) {
    socket.destroy();
    const error = AgentError.from(caught);
    const words = `through the proxy ${proxy.host}:${proxy.port}: ${error.message}`;
    throw new AgentError(words, { cause: caught, fatal: error.fatal });
  } finally {
    signal.removeEventListener('abort', stop);
    socket.off('error', failed.reject);
    socket.on('error', () => undefined);
  }
}

function connect({ scheme, host, port }: ProxyAddress, way: WayOut): net.Socket {
  if (scheme !== 'https') return net.connect({ ...way, host, port }).setNoDelay(true);
  return tls.connect({ ...way, host, port, ...(net.isIP(host) === 0 ? { servername: host } : {}) }).setNoDelay(true);
}
