import { readFileSync } from 'node:fs';
import http from 'node:http';
import ngrok from '@ngrok/ngrok';

const server = http.createServer((request, response) => response.end('Hello from JavaScript'));
server.listen(0, '127.0.0.1', async () => {
  const session = await new ngrok.SessionBuilder()
    .serverAddr(process.env.POSTERN_AGENT)
    .caCert(readFileSync(process.env.POSTERN_CA))
    .authtoken(process.env.NGROK_AUTHTOKEN)
    .connect();
  const listener = await session.httpEndpoint().listenAndForward(`http://127.0.0.1:${server.address().port}`);
  console.log(listener.url());
});
