import { ERROR_TABLE, type ErrorEntry, type ErrorOwner } from '@postern/errors';

const WHO: Readonly<Record<ErrorOwner, string>> = {
  client: 'the caller: the request, the agent’s options or its credential',
  config: 'whoever wrote the endpoint or its traffic policy',
  upstream: 'whoever runs the agent or the service behind it',
  capacity: 'the operator of the server, or the caller by waiting',
  platform: 'the operator of the server',
};

/** The page as text: one section per code, in order of number. */
export function renderFailureModes(): string {
  const rows = Object.entries(ERROR_TABLE as Record<string, ErrorEntry>).toSorted(
    ([left], [right]) => Number(left) - Number(right),
  );
  const sections = rows.map(
    ([number, entry]) =>
      `## ERR_NGROK_${number}\n\n**${entry.title}** · HTTP ${entry.status} · to act: ${WHO[entry.owner]}\n\n${escapeMarkdown(entry.message)}\n`,
  );
  return `# Failure modes

Every error code that Postern sends, what happened and what to do. Visitors get the code in the header
\`ngrok-error-code\` (never settable by an upstream), API callers in \`error_code\`, agents in the text of the answer.
Words in braces are filled in when the error is sent. Numbers below 90000 are the published identifiers that clients
match on; numbers from 90000 on are Postern’s own.

This page is written by \`node scripts/node24.mjs scripts/failure-modes.ts\` from \`packages/errors\`.

${sections.join('\n')}`;
}

function escapeMarkdown(text: string): string {
  return text
    .replaceAll('*', String.raw`\*`)
    .replaceAll('_', String.raw`\_`)
    .replaceAll('<', '&lt;');
}
