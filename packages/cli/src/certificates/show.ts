/** Certificates, as people read them. */
import type { Certificate } from './rows.ts';
import type { Served } from './served.ts';

const DAY = 86_400_000;
const HEADS = ['NAMES', 'STATUS', 'FROM', 'UNTIL', 'RENEWS', 'NEXT STEP'] as const;

/** @param now Unix milliseconds */
export function tableOf(certificates: readonly Certificate[], now: number): string {
  if (certificates.length === 0) return 'There are no certificates.\n';
  const rows = certificates.map((one) => [
    one.names.join(' '),
    one.managed && one.certificateId === '' ? `${one.status}, none yet` : one.status,
    one.issuer || '-',
    untilOf(one.notAfter, now),
    one.renewsAt.slice(0, 10) || '-',
    one.next,
  ]);
  const widths = HEADS.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => (column === HEADS.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ');
  return `${[HEADS, ...rows].map(line).join('\n')}\n`;
}

export function detailsOf(one: Certificate, now: number): string {
  const lines: readonly (readonly [string, string])[] = [
    ['Names', one.names.join(' ')],
    ['Status', one.status],
    ['From', [one.issuer, one.authority === '' ? '' : `(${one.authority})`].join(' ').trim() || 'none yet'],
    ['Key', one.keyType],
    ['Until', one.notAfter === '' ? '' : `${one.notAfter} (${untilOf(one.notAfter, now)})`],
    ['Shown by', one.challenge],
    ['Renews', one.renewsAt],
    ['Failed', one.attempts === 0 ? '' : `${one.attempts} times, ${one.errorCode}`],
    ['Tried again', one.retriesAt],
    ['Next step', one.next],
    ['Id', one.id],
  ];
  return lines
    .filter(([, value]) => value !== '')
    .map(([label, value]) => `${label.padEnd(12)}${value}\n`)
    .join('');
}

export function checksOf(one: Certificate): string {
  return one.checks
    .map(
      ({ name, challenge, msg }) =>
        `${challenge === '' ? '[ FAIL ]' : '[ OK ]  '}  ${name}: ${challenge === '' ? '' : `${challenge}, `}${msg}\n`,
    )
    .join('');
}

export function servedLine(name: string, served: Served | string, now: number): string {
  if (typeof served === 'string') return `[ FAIL ]  served: ${served}\n`;
  const { address, distrust, issuer, notAfter } = served;
  const what = `${name} at ${address}: certificate of ${issuer || 'nobody'}, until ${untilOf(notAfter, now)}`;
  return distrust === null
    ? `[ OK ]    served: ${what}\n`
    : `[ WARN ]  served: ${what}; browsers refuse it (${distrust})\n`;
}

function untilOf(notAfter: string, now: number): string {
  if (notAfter === '') return '-';
  const days = Math.floor((Date.parse(notAfter) - now) / DAY);
  return `${notAfter.slice(0, 10)} ${days < 0 ? '(over)' : `(${days} d)`}`;
}
