/** Bytes to text for formats that are UTF-8 by their standard; a mark or zero bytes tell UTF-16, which is read and said. */
import type { Notices } from './notices.ts';

type Encoding = 'utf-8' | 'utf-16le' | 'utf-16be';

/** All bytes at once. Bytes that are no text become U+FFFD, with a notice. */
export function decodeText(bytes: Uint8Array, notices: Notices): string {
  const decoder = new PieceDecoder(notices);
  return decoder.decode(bytes) + decoder.end();
}

/** The same for bytes that come in pieces, cut anywhere. */
export class PieceDecoder {
  readonly #notices: Notices;
  #decoder: TextDecoder | null = null;
  #isDamaged = false;

  constructor(notices: Notices) {
    this.#notices = notices;
  }

  decode(piece: Uint8Array): string {
    if (piece.length === 0) return '';
    if (!this.#decoder) {
      const encoding = encodingOf(piece);
      if (encoding !== 'utf-8') this.#notices.add('encoding_guessed', '', `The file is not in UTF-8. It was read as ${encoding.toUpperCase()}: check names and units.`); // prettier-ignore
      this.#decoder = new TextDecoder(encoding);
    }
    return this.#checked(this.#decoder.decode(piece, { stream: true }));
  }

  /** What was left of the last character. */
  end(): string {
    return this.#decoder ? this.#checked(this.#decoder.decode()) : '';
  }

  #checked(text: string): string {
    if (!this.#isDamaged && text.includes('\ufffd')) {
      this.#isDamaged = true;
      this.#notices.add('text_damaged', '', 'Some bytes are no UTF-8 text. They are shown as �: check names and units.');
    }
    return text;
  }
}

/** By byte order mark, else by where the zero bytes of plain letters are. */
function encodingOf(head: Uint8Array): Encoding {
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] !== 0 && head[1] === 0)) return 'utf-16le';
  if ((head[0] === 0xfe && head[1] === 0xff) || (head[0] === 0 && head[1] !== 0 && head.length > 1)) return 'utf-16be';
  return 'utf-8';
}
