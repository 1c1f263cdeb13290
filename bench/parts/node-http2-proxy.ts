/**
 * The same reverse proxy over `node:http2`: the reference for what its streams and header objects cost. Arguments:
 * upstream port. Prints its port.
 */
import http from 'node:http';
import http2 from 'node:http2';
import process from 'node:process';
import { selfSigned } from '../../test/support/certificates.ts';

const upstreamPort = Number(process.argv[2]);
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });

const server = http2.createSecureServer(await selfSigned('nginx.postern.localhost'));
server.on('stream', (stream, headers) => {
  const fields: http.OutgoingHttpHeaders = { 'x-forwarded-for': stream.session?.socket.remoteAddress ?? '' };
  for (const [name, value] of Object.entries(headers)) if (!name.startsWith(':')) fields[name] = value;
  const { ':method': method = 'GET', ':path': path = '/' } = headers;
  const onward = http.request(
    { host: '127.0.0.1', port: upstreamPort, method, path, headers: fields, agent },
    (answer) => {
      const given: http2.OutgoingHttpHeaders = { ':status': answer.statusCode ?? 502 };
      for (const [name, value] of Object.entries(answer.headers)) {
        if (name !== 'connection' && name !== 'keep-alive') given[name] = value;
      }
      stream.respond(given);
      answer.pipe(stream);
    },
  );
  onward.on('error', () => {
    if (!stream.headersSent) stream.respond({ ':status': 502 });
    stream.end();
  });
  stream.on('error', () => onward.destroy());
  stream.pipe(onward);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' && address !== null ? address.port : 0);
});
