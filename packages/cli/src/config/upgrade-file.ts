import { copyFile, rm } from 'node:fs/promises';
import process from 'node:process';
import { messageOf } from '../problem.ts';
import { UsageError } from '../usage-error.ts';
import { ownConfigPath } from './paths.ts';
import { upgraded } from './upgrade.ts';
import { textIfThere, writePrivately } from './write-config.ts';

export interface UpgradeWish {
  readonly files: readonly string[];
  readonly version: string;
  readonly dryRun: boolean;
  readonly relocate: boolean;
}

/** `postern config upgrade`. @throws UsageError */
export async function upgradeFile({ files, version, dryRun, relocate }: UpgradeWish): Promise<void> {
  const [file, more] = files;
  if (file === undefined) throw new UsageError(`There is no configuration file. It would be ${ownConfigPath()}`);
  if (more !== undefined) throw new UsageError('One file at a time: name it with --config.');
  if (version !== '3')
    throw new UsageError(`Version ${version} cannot be written; the newest is 3, and there is no way back.`);
  const say = (words: string): void => void process.stdout.write(`${words}\n`);
  const result = upgraded(file, (await textIfThere(file)) ?? '');
  const target = relocate ? ownConfigPath() : file;
  if (dryRun) {
    say(result?.text.trimEnd() ?? '# It is of version 3 already.');
  } else if (result === null) {
    say(`${file} is of version 3 already.`);
    if (target !== file) await move(file, target, say);
    return;
  } else {
    if (target !== file) await refuseTaken(target);
    const backup = `${file}.v2.bak`;
    await refuseTaken(backup);
    await copied(file, backup);
    await writePrivately(target, result.text);
    if (target !== file) await rm(file);
    say(`Upgraded: ${target}. What was there is kept as ${backup}`);
  }
  for (const words of result?.renamed ?? []) say(`${dryRun ? '# ' : ''}renamed  ${words}`);
  for (const words of result?.dropped ?? []) say(`${dryRun ? '# ' : ''}not kept ${words}`);
}

async function move(file: string, target: string, say: (words: string) => void): Promise<void> {
  await refuseTaken(target);
  await writePrivately(target, (await textIfThere(file)) ?? '');
  await rm(file);
  say(`Moved to ${target}`);
}

async function refuseTaken(file: string): Promise<void> {
  if ((await textIfThere(file)) !== null) throw new UsageError(`${file} is there already; move it away first.`);
}

async function copied(file: string, backup: string): Promise<void> {
  try {
    await copyFile(file, backup);
  } catch (cause) {
    throw new UsageError(`${backup} cannot be written (${messageOf(cause)}).`, { cause });
  }
}
