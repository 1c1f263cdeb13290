/** `postern certificates`: each of its commands, over the API. */
import process from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { type ApiFlags, findApi } from '../api/find-api.ts';
import { UsageError } from '../usage-error.ts';
import { allCertificates, type Certificate, check, look, namedOf, renew } from './rows.ts';
import { servedFor, type Served } from './served.ts';
import { checksOf, detailsOf, servedLine, tableOf } from './show.ts';

export interface CertificateFlags extends ApiFlags {
  readonly json: boolean;
  /** Seconds. */
  readonly wait: number;
  readonly port: number;
  /** '' = where the name leads. */
  readonly address: string;
}

const POLL_MS = 500;

export async function listAll(flags: CertificateFlags): Promise<void> {
  const all = await allCertificates(await findApi(flags));
  print(flags, all, () => tableOf(all, Date.now()));
}

export async function show(name: string, flags: CertificateFlags): Promise<void> {
  const found = named(await allCertificates(await findApi(flags)), name);
  print(flags, found, () => found.map((one) => detailsOf(one, Date.now())).join('\n'));
}

/** Exit code 1 when it did not come in time, or cannot. */
export async function renewNamed(name: string, flags: CertificateFlags): Promise<void> {
  const place = await findApi(flags);
  const before = ordered(named(await allCertificates(place), name), name);
  for (const { id } of before) {
    // oxlint-disable-next-line no-await-in-loop -- in their order
    await renew(place, id);
  }
  const until = Date.now() + flags.wait * 1_000;
  let after: readonly Certificate[] = before;
  const isOver = (one: Certificate): boolean =>
    one.errorCode !== '' || before.every(({ certificateId }) => certificateId !== one.certificateId);
  do {
    /* oxlint-disable no-await-in-loop -- until it is there, or was refused */
    if (flags.wait > 0) await setTimeout(POLL_MS);
    after = await Promise.all(before.map(({ id }) => look(place, id)));
    /* oxlint-enable no-await-in-loop */
  } while (!after.every(isOver) && Date.now() < until);
  print(flags, after, () => after.map((one) => detailsOf(one, Date.now())).join('\n'));
  if (flags.wait > 0 && !after.every(({ errorCode, ...one }) => errorCode === '' && isOver({ ...one, errorCode })))
    process.exitCode = 1;
}

/** What an order would find, and what clients meet. Exit code 1 when an order would fail. */
export async function checkNamed(name: string, flags: CertificateFlags): Promise<void> {
  const place = await findApi(flags);
  const [first] = ordered(named(await allCertificates(place), name), name);
  if (first === undefined) throw new UsageError(`No certificate is ordered for ${name}.`);
  const checked = await check(place, first.id);
  const asked = checked.names.includes(name.toLowerCase()) || name === first.id ? (checked.names[0] ?? name) : name;
  const served: Served | string = await servedFor(name === first.id ? asked : name, flags);
  print(flags, { ...checked, served }, () => {
    const shown = `${checksOf(checked)}${servedLine(name, served, Date.now())}`;
    return `${shown}\nNext step: ${checked.checks.find(({ challenge }) => challenge === '')?.msg ?? checked.next}\n`;
  });
  if (checked.checks.some(({ challenge }) => challenge === '')) process.exitCode = 1;
}

function named(all: readonly Certificate[], name: string): readonly Certificate[] {
  const found = namedOf(all, name);
  if (found.length > 0) return found;
  throw new UsageError(`There is no certificate for ${name}. "postern certificates list" has all of this account.`);
}

function ordered(found: readonly Certificate[], name: string): readonly Certificate[] {
  const managed = found.filter((one) => one.managed);
  if (managed.length > 0) return managed;
  throw new UsageError(`The certificate for ${name} was uploaded: there is nobody to order another one from.`);
}

function print({ json }: CertificateFlags, value: unknown, words: () => string): void {
  process.stdout.write(json ? `${JSON.stringify(value, null, 2)}\n` : words());
}
