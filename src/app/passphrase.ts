/** What can honestly be said of a new passphrase. Nobody can measure how guessable it is, so nothing here pretends to. */
import { AppError } from '#domain/errors.ts';
import { checkPassphrase } from '#vault/passphrase.ts';

export interface PassphraseAdvice {
  readonly isAccepted: boolean;
  /** One or two sentences, shown as it is typed. */
  readonly words: string;
}

export function adviceOn(text: string): PassphraseAdvice {
  if (text === '') return { isAccepted: false, words: 'Four or five unrelated words are good: easy to remember, hard to try.' };
  try {
    checkPassphrase(text);
  } catch (error) {
    if (error instanceof AppError) return { isAccepted: false, words: error.message };
    throw error;
  }
  const length = [...text.normalize('NFKC')].length;
  return {
    isAccepted: true,
    words: `${length} characters: long enough. Whether it is hard to guess only you know: no quotation, no name, and nothing that you use elsewhere.`,
  };
}
