import path from 'node:path';
import process from 'node:process';
import type { AgentAccess } from './agent-access.ts';
import type { Demo } from './demo/demo.ts';
import type { Platform } from './platform.ts';

/**
 * What `postern server` prints once it is ready: what to open first, then lines to paste.
 * @param command as it is typed here: `postern`, or `npx postern` in a clone
 */
export function banner(
  platform: Pick<Platform, 'runtime' | 'agentAccess'>,
  demo: Pick<Demo, 'appUrl' | 'helloUrl'> | null,
  command: string,
): string {
  const { runtime, agentAccess } = platform;
  const ca = shown(runtime.ca_path);
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
    `  ${command} http 3000`,
    '',
    ...elsewhere(agentAccess, command),
    ...login(agentAccess, shown(runtime.authtoken_path), command),
    'The same with the official SDK (npm install @ngrok/ngrok), in a file share.mjs',
    `  import { readFileSync } from 'node:fs';`,
    `  import ngrok from '@ngrok/ngrok';`,
    `  const read = (file) => readFileSync(file, 'utf8').trim();`,
    `  const listener = await ngrok.forward({ addr: 3000, server_addr: '${agentAccess.address}',`,
    `    authtoken: read(${text(shown(runtime.authtoken_path))}), ${sdkTrust(agentAccess, ca)} });`,
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

/** Lines for an agent on another machine, in each of the three certificate cases. */
function elsewhere({ address, authority, remote }: AgentAccess, command: string): readonly string[] {
  if (!remote) return [];
  const trust = { own: ' --connect-cas ca.pem', public: '', private: ' --connect-cas YOUR-CA.pem' }[authority];
  const words = {
    own: 'The same from another machine: copy authtoken and ca.pem there (this server’s own authority signed its certificate)',
    public:
      'The same from another machine: copy authtoken there (its certificate is of an authority that clients know)',
    private:
      'The same from another machine: copy authtoken there, and the authority that signed --tls-certificate (ca.pem is not it)',
  }[authority];
  return [words, `  ${command} http 3000 --connect-url ${address}${trust} --authtoken "$(cat authtoken)"`, ''];
}

/** Address, authority and token in one step; the token is asked for, so that it stays out of histories. */
function login(
  { address, authority, pin, remote }: AgentAccess,
  tokenFile: string,
  command: string,
): readonly string[] {
  const trust = { own: `?ca=${pin ?? ''}`, public: '', private: '' }[authority];
  const file = authority === 'private' ? ' --connect-cas YOUR-CA.pem' : '';
  const where = remote ? 'on any machine' : 'as any user of this machine';
  return [
    `For good, ${where} (it asks for the token that is in ${tokenFile}), and then just "${command} http 3000"`,
    `  ${command} login ${quoted(`postern://${address}${trust}`)}${file}`,
    '',
  ];
}

function sdkTrust({ authority }: AgentAccess, ca: string): string {
  if (authority === 'public') return `root_cas: 'host'`;
  return `session_ca_cert: read(${authority === 'own' ? text(ca) : `'YOUR-CA.pem'`})`;
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
