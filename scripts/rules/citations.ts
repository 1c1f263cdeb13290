/** What comments and pages cite is in the clone: a file by its path or name, a section by its number or anchor. */
import path from 'node:path';
import type { Sources } from './sources.ts';

/** Where a page may lie that a comment names without its folder. */
const FOLDERS = ['', 'docs', 'docs/protocol', 'docs/decisions'];
/** `agent-protocol.md §5.3`, `ARCHITECTURE.md`. */
const PAGE = /(?<![\w/@*.-])((?:[\w.-]+\/)*[\w-]+\.md)(?!\w)(?:\s+(?:\*\s+)?§\s*(\d+(?:\.\d+)*))?/g;
/** `[words](path#anchor)` */
const LINK = /\]\((?!https?:|mailto:)([^)\s#]*)(?:#([^)\s]+))?\)/g;
/** Documents that are not part of a clone, whatever they are called there. */
const ELSEWHERE = /\b(?:DESIGN|FRAME|spec\/[\w-]+)\b(?=\.md| §|,)/g;

export function citationProblems(sources: Sources): readonly string[] {
  const problems: string[] = [];
  for (const [file, text] of sources) {
    if (file.startsWith('scripts/rules')) continue;
    const report = (at: number, words: string): void => {
      problems.push(`${file}:${text.slice(0, at).split('\n').length}: ${words}`);
    };
    for (const match of text.matchAll(ELSEWHERE)) report(match.index, `${match[0]} is not in a clone`);
    for (const match of text.matchAll(PAGE)) {
      const [, name = '', section] = match;
      const page = find(sources, file, name, section);
      if (page === null) report(match.index, `there is no ${name}`);
      else if (section !== undefined && !hasSection(page, section)) report(match.index, `${name} has no §${section}`);
    }
    if (!file.endsWith('.md')) continue;
    for (const match of text.matchAll(LINK)) {
      const [, target = '', anchor] = match;
      const to = target === '' ? file : path.posix.join(path.posix.dirname(file), target);
      const page = sources.get(to);
      if (page === undefined && !isFolder(sources, to)) report(match.index, `the link ${target} leads nowhere`);
      else if (anchor !== undefined && page !== undefined && !anchors(page).includes(anchor))
        report(match.index, `${target}#${anchor} leads nowhere`);
    }
  }
  return problems;
}

/** Beside the file, from the root, in a folder of pages; the one with the section, where several have the name. */
function find(sources: Sources, file: string, name: string, section: string | undefined): string | null {
  const own = path.posix.dirname(file);
  const room = file.startsWith('packages/') ? file.split('/').slice(0, 2).join('/') : own;
  const places = [own, room, ...FOLDERS].map((folder) => path.posix.join(folder, name));
  const pages = places.flatMap((place) => sources.get(place) ?? []);
  return pages.find((page) => section === undefined || hasSection(page, section)) ?? pages[0] ?? null;
}

/** A heading with the number, or an item of a numbered list under the heading before the last dot: `§0.8`. */
function hasSection(page: string, section: string): boolean {
  const [, list = '', item = ''] = /^(.+)\.(\d+)$/.exec(section) ?? [];
  let current = '';
  return page.split('\n').some((line) => {
    const heading = /^#{1,6}\s+(\d+(?:\.\d+)*)[.\s]/.exec(`${line} `);
    if (line.startsWith('#')) current = heading?.[1] ?? '';
    return heading?.[1] === section || (item !== '' && current === list && line.startsWith(`${item}. `));
  });
}

function isFolder(sources: Sources, folder: string): boolean {
  return [...sources.keys()].some((file) => file.startsWith(`${folder.replace(/\/$/, '')}/`));
}

/** As GitHub makes them of headings. */
function anchors(page: string): readonly string[] {
  return page
    .split('\n')
    .filter((line) => /^#{1,6}\s/.test(line))
    .map((line) =>
      line
        .replace(/^#+\s+/, '')
        .trim()
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    );
}
