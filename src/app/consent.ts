/** On what ground a patient's data may be used here, and whether it holds today. Asked before every run. */
import { AppError } from '#domain/errors.ts';
import type { Consent, IsoDate, PatientRecord } from '#domain/record.ts';
import { isIsoDate } from '#domain/record.ts';
import type { DraftConsent } from './record-draft.ts';

export const bases = ['consent', 'care', 'research-approval', 'teaching'] as const satisfies readonly Consent['basis'][];

export const basisWords: Readonly<Record<Consent['basis'], string>> = {
  consent: 'The person agreed',
  care: 'Part of the person’s care',
  'research-approval': 'An approved study',
  teaching: 'Teaching, permitted by those responsible',
};

/** Why nothing may be run for this person today; null when something may. Made-up people need no basis. */
export function consentFault(record: Pick<PatientRecord, 'isSynthetic' | 'consent'>, today: IsoDate): AppError | null {
  const { isSynthetic, consent } = record;
  if (isSynthetic) return null;
  if (!consent) {
    return new AppError(
      'consent_missing',
      'It was not recorded on what basis this person’s data may be used. Runs are held until it is; the record stays as it is.',
    );
  }
  if (consent.expiresOn !== null && consent.expiresOn < today) {
    return new AppError(
      'consent_expired',
      'The basis on which this person’s data may be used has ended. Runs are held until it is renewed; if it is not, erase the person.',
    );
  }
  return null;
}

/** What was typed, checked: null while nothing was, and one sentence where something is missing. */
export function readConsent(typed: DraftConsent, today: IsoDate): Consent | { readonly fault: string } | null {
  const { basis, purpose, recordedOn, expiresOn } = typed;
  if (basis === '') {
    return purpose.trim() === '' && expiresOn === '' ? null : { fault: 'Choose the basis on which these data may be used.' };
  }
  if (purpose.trim() === '') return { fault: 'Say in a few words what these data may be used for.' };
  if (expiresOn !== '' && !isIsoDate(expiresOn)) return { fault: 'The last day is not a calendar day.' };
  return {
    basis,
    purpose: purpose.trim(),
    recordedOn: isIsoDate(recordedOn) ? recordedOn : today,
    expiresOn: expiresOn === '' ? null : expiresOn,
  };
}
