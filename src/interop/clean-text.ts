/**
 * Texts of strangers, made fit to be shown: controls that turn or hide what is written are taken out, everything else stays as it is.
 * Joiners stay: Persian and Indic names need them. Markup stays, since it is shown as text.
 */

// C0 and C1 controls but tab and line ends, Arabic letter mark, zero-width space, direction marks, embeddings, overrides, isolates,
// byte-order mark, interlinear marks, tag characters.
const hidden =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** The text without hidden controls, spaces at the ends left out. */
export function cleanText(text: string): string {
  return text.replace(hidden, '').trim();
}

export function hasHiddenControls(text: string): boolean {
  hidden.lastIndex = 0;
  return hidden.test(text);
}

/**
 * A copy with memory of its own. Engines cut a text out of a larger one by pointing into it, and what is kept of one line would then
 * keep the whole file in memory.
 */
export function ownText(text: string): string {
  return text.length < 13 ? text : (JSON.parse(JSON.stringify(text)) as string);
}

/** The same for all texts of plain data. */
export function ownTexts<T>(data: T): T {
  return JSON.parse(JSON.stringify(data)) as T;
}

/** A text that fits in a message or a label. */
export function shortened(text: string, most = 200): string {
  if (text.length <= most) return text;
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}
