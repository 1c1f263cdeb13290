/** What service managers are told of the agent. */

export interface ServiceWish {
  /** Words that start it: node, the script, `start --all …`. */
  readonly command: readonly string[];
  /** Of the machine, or of the user who installs it. */
  readonly scope: 'system' | 'user';
}

/** systemd.service(5), hardened: the agent reads its configuration, talks to its server and services, and writes nothing. */
export function systemdUnit({ command, scope }: ServiceWish): string {
  const hardening = [
    'NoNewPrivileges=yes',
    'LockPersonality=yes',
    'RestrictSUIDSGID=yes',
    'RestrictRealtime=yes',
    'RestrictNamespaces=yes',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX',
    'SystemCallArchitectures=native',
  ];
  // What needs privileges of the manager itself, which a user's has not.
  const ofSystem = [
    'ProtectSystem=strict',
    'ProtectHome=read-only',
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectKernelTunables=yes',
    'ProtectKernelModules=yes',
    'ProtectControlGroups=yes',
    'CapabilityBoundingSet=',
  ];
  return `${[
    '[Unit]',
    'Description=Postern agent',
    'Wants=network-online.target',
    'After=network-online.target',
    '',
    '[Service]',
    `ExecStart=${command.map(systemdWord).join(' ')}`,
    'Restart=always',
    'RestartSec=5',
    // What is typed or configured wrongly does not get better by itself.
    'RestartPreventExitStatus=2',
    ...hardening,
    ...(scope === 'system' ? ofSystem : []),
    '',
    '[Install]',
    `WantedBy=${scope === 'system' ? 'multi-user.target' : 'default.target'}`,
  ].join('\n')}\n`;
}

/**
 * The server, of the machine: a user who exists only while it runs, who may open ports below 1024 and nothing else, and
 * writes to its state and its logs. The configuration stays readable for root alone (LoadCredential).
 * @param command node, the script, `server`
 * @param config absolute
 */
export function systemdServerUnit(command: readonly string[], config: string): string {
  const [node = '', script = ''] = command;
  const inHome = [node, script].some((file) => /^\/(home|root)\//.test(file));
  return `${[
    '[Unit]',
    'Description=Postern server',
    'Wants=network-online.target',
    'After=network-online.target',
    '',
    '[Service]',
    // Flags win over the file: what belongs to the unit is not for it to say.
    `ExecStart=${command.map(systemdWord).join(' ')} --config %d/config.yml --data-dir %S/postern`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    `LoadCredential=config.yml:${config.replaceAll('%', '%%')}`,
    'DynamicUser=yes',
    'StateDirectory=postern',
    'StateDirectoryMode=0700',
    'LogsDirectory=postern',
    'UMask=0077',
    'LimitNOFILE=65536',
    // What is in flight is finished, for --drain-timeout.
    'TimeoutStopSec=60',
    'KillMode=mixed',
    'Restart=always',
    'RestartSec=0',
    'RestartPreventExitStatus=2',
    'CapabilityBoundingSet=CAP_NET_BIND_SERVICE',
    'AmbientCapabilities=CAP_NET_BIND_SERVICE',
    'NoNewPrivileges=yes',
    'ProtectSystem=strict',
    `ProtectHome=${inHome ? 'read-only' : 'yes'}`,
    'PrivateTmp=yes',
    'PrivateDevices=yes',
    'ProtectClock=yes',
    'ProtectHostname=yes',
    'ProtectKernelLogs=yes',
    'ProtectKernelModules=yes',
    'ProtectKernelTunables=yes',
    'ProtectControlGroups=yes',
    'ProtectProc=invisible',
    'RemoveIPC=yes',
    'LockPersonality=yes',
    'RestrictNamespaces=yes',
    'RestrictRealtime=yes',
    'RestrictSUIDSGID=yes',
    'RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK',
    'SystemCallArchitectures=native',
    'SystemCallFilter=@system-service',
    'SystemCallFilter=~@privileged @resources',
    'SystemCallErrorNumber=EPERM',
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ].join('\n')}\n`;
}

/** launchd.plist(5). Untested: no machine of ours has launchd. */
export function launchdPlist({ command }: ServiceWish, label: string): string {
  const words = command.map((word) => `    <string>${xml(word)}</string>`).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${xml(label)}</string>
  <key>ProgramArguments</key>
  <array>
${words}
  </array>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <true/>
</dict>
</plist>
`;
}

/** systemd.syntax(7): quoted, `%` and `$` not expanded. */
function systemdWord(word: string): string {
  const escaped = word
    .replaceAll('\\', '\\\\')
    .replaceAll('"', '\\"')
    .replaceAll('%', '%%')
    .replaceAll('$', () => '$$');
  return /^[\w@+=:,./-]+$/.test(word) ? word : `"${escaped}"`;
}

function xml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
