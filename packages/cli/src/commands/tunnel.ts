import { BINDINGS } from '@postern/link';
import { type Command, Option } from 'commander';
import type { Proto, ShareOptions } from '../share-options.ts';

const SUMMARY: Readonly<Record<Proto, string>> = {
  http: 'share a web service: postern http 3000',
  tcp: 'share any TCP service: postern tcp 5432',
  tls: 'share a TLS service, found by its name: postern tls 8443 --url tls://name.example.com',
};

/** `postern http`, `postern tcp`, `postern tls`: a plain agent for one service. */
export function addTunnelCommands(program: Command): void {
  for (const proto of ['http', 'tcp', 'tls'] as const) addTunnelCommand(program, proto);
}

function addTunnelCommand(program: Command, proto: Proto): void {
  const command = program
    .command(proto)
    .description(SUMMARY[proto])
    .argument('<target>', proto === 'http' ? 'port, host:port, or http(s):// URL' : 'port or host:port')
    .option(
      '--url <url>',
      `public URL wanted${proto === 'http' ? ' (https unless it says http://)' : ''}; chosen by the server if absent`,
    )
    .option('--name <name>', 'name shown by the API', 'command_line')
    .option('--description <text>', 'description shown by the API')
    .option('--metadata <text>', 'opaque text shown by the API, at most 4096 bytes')
    .addOption(
      new Option('--binding <binding>', 'who may reach it (default: public, internal for *.internal)').choices(
        BINDINGS,
      ),
    )
    .option('--pooling-enabled', 'share the URL with other agents that say so too')
    .option('--traffic-policy-file <file>', 'traffic policy, YAML or JSON')
    .addOption(
      new Option('--upstream-proxy-protocol <version>', 'PROXY protocol header that the service wants').choices([
        '1',
        '2',
      ]),
    );
  if (proto === 'http') {
    command.addOption(
      new Option('--upstream-protocol <protocol>', 'what the service speaks').choices(['http1', 'http2']),
    );
  }
  if (proto === 'tls') {
    command
      .option('--crt <file>', 'end TLS at the server with this certificate (PEM); needs --key')
      .option('--key <file>', 'key of --crt (PEM)');
  }
  if (proto !== 'tcp') {
    command
      .option('--upstream-tls-verify', 'check the certificate of an https or tls service')
      .option('--upstream-tls-verify-cas <file>', 'authority (PEM) to check it against');
  }
  command
    .addOption(new Option('--authtoken <token>', 'authtoken (default: of the local server)').env('NGROK_AUTHTOKEN'))
    .addOption(
      new Option('--connect-url <host:port>', 'server to connect to (default: the newest local one)').env(
        'POSTERN_CONNECT_URL',
      ),
    )
    .addOption(
      new Option('--connect-cas <file>', 'authority (PEM file) of the server, or "host" for those of the system').env(
        'POSTERN_CONNECT_CAS',
      ),
    )
    .addOption(
      new Option('--log-format <format>', 'lines on stdout: a few for people, or every event')
        .choices(['term', 'logfmt', 'json'])
        .default('term'),
    )
    .addOption(
      new Option('--log-level <level>', 'least severe log line')
        .choices(['debug', 'info', 'warn', 'error'])
        .default('info'),
    )
    .action(async (target: string, options: ShareOptions) => {
      const { share } = await import('../share.ts');
      await share(proto, target, options);
    });
}
