import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { errorCodes } from '#domain/errors.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(root, path), 'utf8');

function markdownUnder(folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
}

const documents = [...['README.md', 'CHANGELOG.md'].filter((path) => existsSync(join(root, path))), ...markdownUnder('docs')];
const scripts = Object.keys(JSON.parse(read('package.json')).scripts);

describe.skipIf(!existsSync(join(root, 'docs/errors.md')))('docs/errors.md', () => {
  test('it has a heading for every error code, and no other', () => {
    const headings = [...read('docs/errors.md').matchAll(/^#+ +`?([a-z0-9]+(?:_[a-z0-9]+)+)`?\s*$/gm)].map((match) => match[1]!);
    expect(headings.toSorted()).toEqual([...errorCodes].toSorted());
  });
});

// Made by the build or by a person's run: not in a fresh clone.
const made = /^(dist|build|node_modules|coverage|test-results|\.cache)(\/|$)/;
const roots = /^(src|models|public|training|tests|bench|docs|scripts|\.ci|\.devcontainer)\//;
const sourceFolders = new Set(existsSync(join(root, 'src')) ? readdirSync(join(root, 'src')) : []);

/** The files and folders that the backticks and links of a document name, as paths from the root. */
function namedPaths(document: string): { written: string; candidates: string[] }[] {
  const text = read(document);
  const prose = text.replace(/^```[\s\S]*?^```/gm, '');
  const quoted = [...prose.matchAll(/`([^`\n]+)`/g)].map((match) => match[1]!);
  const links = [...prose.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
    .map((match) => match[1]!)
    .filter((to) => !/^[a-z]+:/.test(to));
  const found = links.map((written) => ({ written, candidates: [join(dirname(document), written)] }));
  for (const written of quoted) {
    if (/\s/.test(written) || made.test(written)) continue;
    // `models/<id>/card.md`, `tests/**`: the part before what stands for many is checked.
    const fixed = written.split(/\/?[^/]*[<*{…]/, 1)[0]!.replace(/:\d+$/, '');
    if (roots.test(`${fixed}/`)) found.push({ written, candidates: [fixed] });
    else if (fixed.includes('/') && sourceFolders.has(fixed.split('/', 1)[0]!))
      found.push({ written, candidates: [`src/${fixed}`] });
  }
  return found;
}

describe.each(documents)('%s', (document) => {
  test('every path it names exists', () => {
    const missing = namedPaths(document).filter(({ candidates }) => !candidates.some((path) => existsSync(join(root, path))));
    expect(missing.map(({ written }) => written)).toEqual([]);
  });

  test('every npm script it names exists', () => {
    const named = [...read(document).matchAll(/\bnpm (?:run (?:--silent )?([\w:-]+)|(start|test)\b)/g)].map(
      (match) => match[1] ?? match[2]!,
    );
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });
});
