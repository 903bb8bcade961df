/** The part of Markdown that cards use, as data. A pack is a stranger's text: it becomes text nodes, never HTML, and its links stay text. */
export type Inline =
  | { readonly kind: 'text' | 'strong' | 'emphasis' | 'code'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly address: string };

export type Block =
  | { readonly kind: 'heading'; readonly level: number; readonly inlines: readonly Inline[] }
  | { readonly kind: 'paragraph'; readonly inlines: readonly Inline[] }
  | { readonly kind: 'list'; readonly isOrdered: boolean; readonly items: readonly (readonly Inline[])[] }
  | {
      readonly kind: 'table';
      readonly head: readonly (readonly Inline[])[];
      readonly rows: readonly (readonly (readonly Inline[])[])[];
    }
  | { readonly kind: 'code'; readonly text: string };

export function readMarkdown(source: string): Block[] {
  const lines = source.replace(/\r\n?/g, '\n').split('\n');
  const blocks: Block[] = [];
  let at = 0;
  const isItem = (line: string) => /^\s*(?:[-*+]|\d+\.)\s+/.test(line);
  const isRow = (line: string) => /^\s*\|.*\|\s*$/.test(line);

  while (at < lines.length) {
    const line = lines[at]!;
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(line);
    if (line.trim() === '' || /^\s*(?:-{3,}|\*{3,})\s*$/.test(line)) at++;
    else if (heading) {
      blocks.push({ kind: 'heading', level: heading[1]!.length, inlines: readInlines(heading[2]!) });
      at++;
    } else if (line.startsWith('```')) {
      const end = lines.findIndex((one, index) => index > at && one.startsWith('```'));
      const last = end < 0 ? lines.length : end;
      blocks.push({ kind: 'code', text: lines.slice(at + 1, last).join('\n') });
      at = last + 1;
    } else if (isRow(line)) {
      const rows: Inline[][][] = [];
      for (; at < lines.length && isRow(lines[at]!); at++) {
        if (!/^\s*\|[\s:|-]+\|\s*$/.test(lines[at]!)) rows.push(cellsOf(lines[at]!).map(readInlines));
      }
      blocks.push({ kind: 'table', head: rows[0] ?? [], rows: rows.slice(1) });
    } else if (isItem(line)) {
      const isOrdered = /^\s*\d+\./.test(line);
      const items: string[] = [];
      for (; at < lines.length && lines[at]!.trim() !== ''; at++) {
        if (isItem(lines[at]!)) items.push(lines[at]!.replace(/^\s*(?:[-*+]|\d+\.)\s+/, ''));
        else items[items.length - 1] += ` ${lines[at]!.trim()}`;
      }
      blocks.push({ kind: 'list', isOrdered, items: items.map(readInlines) });
    } else {
      const words: string[] = [];
      for (
        ;
        at < lines.length &&
        lines[at]!.trim() !== '' &&
        !/^#{1,6}\s|^```/.test(lines[at]!) &&
        !isRow(lines[at]!) &&
        !(words.length > 0 && isItem(lines[at]!));
        at++
      ) {
        words.push(lines[at]!.replace(/^>\s?/, '').trim());
      }
      blocks.push({ kind: 'paragraph', inlines: readInlines(words.join(' ')) });
    }
  }
  return blocks;
}

const cellsOf = (line: string) =>
  line
    .trim()
    .replace(/^\||\|$/g, '')
    .split('|')
    .map((cell) => cell.trim());

function readInlines(text: string): Inline[] {
  const inlines: Inline[] = [];
  const mark = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s][^*]*)\*|\[([^\]]+)\]\(([^)\s]+)\)|<(https?:\/\/[^>\s]+)>/g;
  let from = 0;
  for (const match of text.matchAll(mark)) {
    if (match.index > from) inlines.push({ kind: 'text', text: text.slice(from, match.index) });
    const [, code, strong, emphasis, link, address, bare] = match;
    if (code) inlines.push({ kind: 'code', text: code });
    else if (strong) inlines.push({ kind: 'strong', text: strong });
    else if (emphasis) inlines.push({ kind: 'emphasis', text: emphasis });
    else if (link && address) inlines.push({ kind: 'link', text: link, address });
    else if (bare) inlines.push({ kind: 'link', text: bare, address: bare });
    from = match.index + match[0].length;
  }
  if (from < text.length) inlines.push({ kind: 'text', text: text.slice(from) });
  return inlines;
}
