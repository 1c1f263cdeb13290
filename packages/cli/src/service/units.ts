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
