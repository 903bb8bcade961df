import type { AuditEntry } from '#app/audit.svelte.ts';

/** What an entry of the audit log says, for people. */
export const actionWords: Readonly<Record<AuditEntry['action'], string>> = {
  'vault.create': 'Vault made',
  'vault.unlock': 'Vault unlocked',
  'vault.lock': 'Vault locked',
  'vault.recover': 'Vault recovered',
  'secret.change': 'Way of unlocking changed',
  'backup.save': 'Backup saved',
  'backup.restore': 'Backup restored',
  'patient.open': 'Patient opened',
  'patient.save': 'Patient saved',
  'patient.erase': 'Patient erased',
  import: 'File imported',
  run: 'Run started',
  'forecast.freeze': 'Forecast frozen',
  'forecast.discard': 'Frozen forecast discarded',
  'correction.change': 'Local correction changed',
  export: 'Exported',
  'consent.record': 'Basis recorded',
  'consent.withdraw': 'Consent withdrawn',
};
