/** The list of built files (`build.json`) and the short code that stands for it. */

export interface BuildList {
  readonly format: 1;
  readonly version: string;
  /** Every file but build.json itself, by path. */
  readonly files: readonly { readonly path: string; readonly bytes: number; readonly sha256: string }[];
}

/** As `sha256sum` prints it, so that the code can be checked without Counterpart: `sha256sum` of this text. */
export function sumsText({ files }: BuildList): string {
  return files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join('');
}

/** Sixteen characters in fours: enough to be read out and compared, too many to be met by chance. */
export function buildCode(sha256OfSums: string): string {
  return sha256OfSums.slice(0, 16).replace(/(.{4})(?=.)/g, '$1-');
}
