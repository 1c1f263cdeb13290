/**
 * The reverse proxy that one writes with `node:http` and an agent with keep-alive: the reference for what its request
 * and response objects cost. Arguments: upstream port. Prints its port.
 */
import http from 'node:http';
import process from 'node:process';

const upstreamPort = Number(process.argv[2]);
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });

const server = http.createServer((request, response) => {
  const { method, url, headers } = request;
  const forwarded = { ...headers, 'x-forwarded-for': request.socket.remoteAddress ?? '' };
  const onward = http.request(
    { host: '127.0.0.1', port: upstreamPort, method: method ?? 'GET', path: url ?? '/', headers: forwarded, agent },
    (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    },
  );
  onward.on('error', () => {
    if (!response.headersSent) response.writeHead(502);
    response.end();
  });
  request.pipe(onward);
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  console.log(typeof address === 'object' && address !== null ? address.port : 0);
});
