/**
 * A strict reader of ZIP archives. Nothing is inflated before the central directory was checked, and nothing beyond what it declares:
 * limits on entries, sizes and ratio; no encryption, no duplicates, no overlaps, checksums verified. APPNOTE.TXT 6.3.10.
 */
import { inflate } from '../inflate.ts';
import { ImportRefusal } from '../refusal.ts';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

interface Listed {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packed: number;
  readonly size: number;
  readonly header: number;
}

const mostEntries = 2000;
/** Of the wanted entries together, inflated. A sheet's text becomes about four times as much memory. */
const mostInflated = 96 * 1024 * 1024;
/** XML packs up to about 40 times; zeros pack 1,000 times. */
const mostRatio = 200;

const endMark = 0x06054b50;
const directoryMark = 0x02014b50;
const headerMark = 0x04034b50;

/** The entries whose name `isWanted`. Everything is checked, also what is not wanted. */
export async function readZip(archive: Uint8Array, isWanted: (name: string) => boolean): Promise<readonly ZipEntry[]> {
  const wanted = listEntries(archive).filter(({ name }) => isWanted(name));
  const declared = wanted.reduce((sum, { size }) => sum + size, 0);
  if (declared > mostInflated) {
    throw new ImportRefusal(
      'too_large',
      `The workbook unpacks to ${Math.ceil(declared / 1e6)} MB; at most ${Math.floor(mostInflated / 1e6)} MB are read. Save the sheet as CSV: a text file may be of any size.`,
    );
  }
  const entries: ZipEntry[] = [];
  for (const entry of wanted) entries.push({ name: entry.name, bytes: await unpacked(archive, entry) });
  return entries;
}

function listEntries(archive: Uint8Array): readonly Listed[] {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  const length = view.getUint32(end + 12, true);
  const start = view.getUint32(end + 16, true);
  if (count === 0xffff || start === 0xffffffff) throw unreadable('it is a ZIP64 archive');
  if (count > mostEntries)
    throw new ImportRefusal('too_large', `The archive has ${count} entries; a workbook has at most ${mostEntries}.`);
  if (view.getUint16(end + 4, true) !== 0 || view.getUint16(end + 8, true) !== count) throw unreadable('it is in several parts');
  if (start + length > end) throw unreadable('its directory does not fit the file');

  const listed: Listed[] = [];
  const names = new Set<string>();
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + 46 > start + length || view.getUint32(at, true) !== directoryMark) throw unreadable('its directory is damaged');
    const flags = view.getUint16(at + 8, true);
    const nameLength = view.getUint16(at + 28, true);
    const name = nameAt(archive, at + 46, nameLength);
    const entry = {
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packed: view.getUint32(at + 20, true),
      size: view.getUint32(at + 24, true),
      header: view.getUint32(at + 42, true),
    };
    if (flags & 0x2041) throw unreadable('it is encrypted. Save it without a password');
    if (names.has(name)) throw unreadable('it has two entries of one name');
    if (entry.size > 1024 * 1024 && entry.size > entry.packed * mostRatio) {
      throw new ImportRefusal('too_large', 'The archive unpacks to far more than a workbook would: nothing of it was unpacked.');
    }
    names.add(name);
    listed.push(entry);
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  let before = 0;
  for (const entry of listed.toSorted((a, b) => a.header - b.header)) {
    if (entry.header < before) throw unreadable('its entries overlap');
    before = bodyOf(archive, view, entry) + entry.packed;
    if (before > start) throw unreadable('an entry does not fit the file');
  }
  return listed;
}

function findEnd(view: DataView): number {
  const last = view.byteLength - 22;
  for (let at = last; at >= 0 && at >= last - 0xffff; at--) {
    if (view.getUint32(at, true) === endMark && at + 22 + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  throw unreadable('its end is missing: it was cut off');
}

function nameAt(archive: Uint8Array, at: number, length: number): string {
  return new TextDecoder().decode(archive.subarray(at, at + length));
}

/** Where the packed bytes start; the local header must say the same as the directory. */
function bodyOf(archive: Uint8Array, view: DataView, { name, method, header }: Listed): number {
  if (header + 30 > archive.length || view.getUint32(header, true) !== headerMark) throw unreadable('an entry is damaged');
  const nameLength = view.getUint16(header + 26, true);
  if (nameAt(archive, header + 30, nameLength) !== name || view.getUint16(header + 8, true) !== method) {
    throw unreadable('an entry differs from the directory');
  }
  return header + 30 + nameLength + view.getUint16(header + 28, true);
}

async function unpacked(archive: Uint8Array, entry: Listed): Promise<Uint8Array> {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  const body = bodyOf(archive, view, entry);
  const packed = archive.slice(body, body + entry.packed);
  if (entry.method !== 0 && entry.method !== 8) throw unreadable('it is packed in a way that is not known');
  const bytes = entry.method === 0 ? packed : await inflate(packed, entry.size);
  if (bytes?.length !== entry.size || crc32(bytes) !== entry.crc) throw unreadable('an entry is not what the directory says');
  return bytes;
}

/**
 * An archive without compression. read-excel-file unpacks with workers made of text, which the page's policy forbids, and without limits;
 * of a stored archive it only cuts out the entries.
 */
export function storedZip(entries: readonly ZipEntry[]): ArrayBuffer {
  const names = entries.map(({ name }) => new TextEncoder().encode(name));
  const bodies = entries.reduce((sum, { bytes }, i) => sum + 30 + names[i].length + bytes.length, 0);
  const directory = names.reduce((sum, name) => sum + 46 + name.length, 0);
  const archive = new Uint8Array(bodies + directory + 22);
  const view = new DataView(archive.buffer);
  let at = 0;
  let listing = bodies;
  entries.forEach(({ bytes }, i) => {
    const name = names[i];
    const header = at;
    const crc = crc32(bytes);
    view.setUint32(at, headerMark, true);
    view.setUint32(at + 14, crc, true);
    view.setUint32(at + 18, bytes.length, true);
    view.setUint32(at + 22, bytes.length, true);
    view.setUint16(at + 26, name.length, true);
    archive.set(name, at + 30);
    archive.set(bytes, at + 30 + name.length);
    at += 30 + name.length + bytes.length;
    view.setUint32(listing, directoryMark, true);
    view.setUint32(listing + 16, crc, true);
    view.setUint32(listing + 20, bytes.length, true);
    view.setUint32(listing + 24, bytes.length, true);
    view.setUint16(listing + 28, name.length, true);
    view.setUint32(listing + 42, header, true);
    archive.set(name, listing + 46);
    listing += 46 + name.length;
  });
  view.setUint32(listing, endMark, true);
  view.setUint16(listing + 8, entries.length, true);
  view.setUint16(listing + 10, entries.length, true);
  view.setUint32(listing + 12, directory, true);
  view.setUint32(listing + 16, bodies, true);
  return archive.buffer;
}

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = crcTable[(crc ^ bytes[i]) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function unreadable(why: string): ImportRefusal {
  return new ImportRefusal(
    'spreadsheet_unreadable',
    `The workbook cannot be read: ${why}. Expected a workbook as Excel or LibreOffice save it (.xlsx). Save it again, or save the sheet as CSV.`,
  );
}
