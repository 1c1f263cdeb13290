import path from 'node:path';
import process from 'node:process';
import type { Demo } from './demo/demo.ts';
import type { Platform } from './platform.ts';

/** What `postern server` prints once it is ready: what to open first, then lines to paste. */
export function banner(platform: Pick<Platform, 'runtime'>, demo: Pick<Demo, 'appUrl' | 'helloUrl'> | null): string {
  const { runtime } = platform;
  const ca = shown(runtime.ca_path);
  const agentPort = runtime.agent_addr.slice(runtime.agent_addr.lastIndexOf(':') + 1);
  const demoLines =
    demo === null
      ? []
      : [
          'Open',
          `  ${demo.appUrl.http}   an application, published by an agent`,
          `  ${demo.helloUrl.http}   a cloud endpoint: / answers by itself, /app forwards`,
          '',
          'The same over HTTPS, with this installation’s own authority',
          `  curl --cacert ${quoted(ca)} ${demo.appUrl.https}/`,
          `  curl --cacert ${quoted(ca)} ${demo.helloUrl.https}/app`,
          '',
        ];
  return [
    '',
    `Postern ${runtime.version} is ready.`,
    '',
    ...demoLines,
    'Share something of yours that listens on port 3000',
    '  npx postern http 3000',
    '',
    'The same with the official SDK (npm install @ngrok/ngrok), in a file share.mjs',
    `  import { readFileSync } from 'node:fs';`,
    `  import ngrok from '@ngrok/ngrok';`,
    `  const read = (file) => readFileSync(file, 'utf8').trim();`,
    `  const listener = await ngrok.forward({ addr: 3000, server_addr: 'localhost:${agentPort}',`,
    `    authtoken: read(${text(shown(runtime.authtoken_path))}), session_ca_cert: read(${text(ca)}) });`,
    `  console.log(listener.url());`,
    '',
    'Call the API',
    `  curl -H "Authorization: Bearer $(cat ${quoted(shown(runtime.api_key_path))})" -H "Ngrok-Version: 2" ${runtime.api_url}/endpoints`,
    '',
    `Names are given out under ${runtime.base_domains.join(', ')}. Ctrl+C stops.`,
    '',
    '',
  ].join('\n');
}

/** Relative to where the user is, when that is shorter. */
function shown(file: string): string {
  const relative = path.relative(process.cwd(), file);
  return relative.length < file.length && !relative.startsWith('..') ? relative : file;
}

/** For a shell, when it must be. */
function quoted(file: string): string {
  return /^[\w@%+=:,./-]+$/.test(file) ? file : `'${file.replaceAll("'", String.raw`'\''`)}'`;
}

/** As a JavaScript text. */
function text(file: string): string {
  return `'${file.replaceAll('\\', String.raw`\\`).replaceAll("'", String.raw`\'`)}'`;
}
