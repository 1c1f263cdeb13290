import path from 'node:path';
import process from 'node:process';
import type { Demo } from './demo/demo.ts';
import type { Platform } from './platform.ts';

/** What `postern server` prints once it is ready: what to open first, then lines to paste. */
export function banner(platform: Platform, demo: Demo | null): string {
  const { runtime } = platform;
  const base = runtime.base_domains[0] ?? 'postern.localhost';
  const ca = shown(runtime.ca_path);
  const agentPort = runtime.agent_addr.slice(runtime.agent_addr.lastIndexOf(':') + 1);
  const lines = ['', `Postern ${runtime.version} is ready.`, ''];
  if (demo !== null) {
    lines.push(
      'Open',
      `  ${demo.appUrl.http}   an application, published by an agent`,
      `  ${demo.helloUrl.http}   a cloud endpoint: / answers by itself, /app forwards`,
      '',
      'The same over HTTPS, with this installation’s own authority',
      `  curl --cacert ${ca} ${demo.appUrl.https}/`,
      `  curl --cacert ${ca} ${demo.helloUrl.https}/app`,
      '',
    );
  }
  lines.push(
    'Share something of yours',
    '  npx postern http 3000',
    '',
    'or with the official SDK (npm install @ngrok/ngrok)',
    `  ngrok.forward({ addr: 3000, authtoken: '${shown(runtime.authtoken_path)}' /* its content */,`,
    `                  server_addr: 'localhost:${agentPort}', session_ca_cert: readFileSync('${ca}', 'utf8') })`,
    '',
    'Call the API',
    `  curl -H "Authorization: Bearer $(cat ${shown(runtime.api_key_path)})" -H "Ngrok-Version: 2" ${runtime.api_url}/endpoints`,
    '',
    `Names are given out under ${base}. Ctrl+C stops.`,
    '',
    '',
  );
  return lines.join('\n');
}

/** Relative to where the user is, when that is shorter; quoted for a shell when it must be. */
function shown(file: string): string {
  const relative = path.relative(process.env['INIT_CWD'] ?? process.cwd(), file);
  const name = relative.length < file.length && !relative.startsWith('..') ? relative : file;
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", String.raw`'\''`)}'`;
}
