/** Another commit of this repository, ready to run: a git worktree in a temporary folder, with this clone's dependencies. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Checkout {
  readonly root: string;
  /** Short id and subject. */
  readonly title: string;
  remove(): void;
}

/** @throws Error with git's words when there is no such commit */
export function checkOut(repository: string, commit: string): Checkout {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  const id = git('rev-parse', '--verify', `${commit}^{commit}`);
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-against-'));
  const root = path.join(folder, 'tree');
  const remove = (): void => {
    try {
      git('worktree', 'remove', '--force', root);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  git('worktree', 'add', '--detach', '--quiet', root, id);
  try {
    linkDependencies(repository, root);
    return { root, title: git('log', '-1', '--format=%h %s', id), remove };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Every package of node_modules as a link, but for the workspace's own, which are those of the other commit. */
function linkDependencies(repository: string, root: string): void {
  const from = path.join(repository, 'node_modules');
  const to = path.join(root, 'node_modules');
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    if (name === '@postern' || isOwn(path.join(from, name))) continue;
    symlinkSync(path.join(from, name), path.join(to, name));
  }
  mkdirSync(path.join(to, '@postern'));
  for (const name of readdirSync(path.join(root, 'packages'))) {
    const target = name === 'cli' ? path.join(to, 'postern') : path.join(to, '@postern', name);
    symlinkSync(path.join(root, 'packages', name), target);
    const nested = path.join(repository, 'packages', name, 'node_modules');
    if (existsSync(nested)) symlinkSync(nested, path.join(root, 'packages', name, 'node_modules'));
  }
}

function isOwn(entry: string): boolean {
  try {
    return readlinkSync(entry).includes('packages');
  } catch {
    return false;
  }
}
