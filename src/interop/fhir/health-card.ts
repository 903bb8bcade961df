/**
 * SMART Health Card files: signed, deflated Bundles. The signature is not checked, since the keys of issuers would have to be fetched
 * and nothing here fetches; every card gives a notice that says so.
 */
import { inflate } from '../inflate.ts';
import { isObject, readJson, type JsonObject } from '../json-reader.ts';
import type { Notices } from '../notices.ts';
import { ImportRefusal } from '../refusal.ts';
import { importSentences } from '../sentences.ts';
import { objectOf, textOf } from './elements.ts';

/** A card is made to fit in a QR code; this is a thousand times as much, and an end for a deflate bomb. */
const mostBytes = 4 * 1024 * 1024;

/** The Bundles of all cards of a file. Cards that cannot be opened give a notice each; none at all refuses the file. */
export async function openHealthCard(file: JsonObject, notices: Notices): Promise<readonly JsonObject[]> {
  const cards = Array.isArray(file.verifiableCredential) ? (file.verifiableCredential as readonly unknown[]) : [];
  const bundles: JsonObject[] = [];
  for (const [index, card] of cards.entries()) {
    const place = `health card ${index + 1}`;
    const bundle = typeof card === 'string' ? await bundleOf(card) : null;
    if (bundle) {
      bundles.push(bundle);
      notices.add('signature_unverified', place);
    } else notices.add('resource_invalid', place, 'The health card cannot be opened. It was left out.');
  }
  if (bundles.length === 0)
    throw new ImportRefusal('not_fhir', 'The file is a SMART Health Card, but none of its cards can be opened.');
  const versions = bundles.map((bundle) => bundle.statedVersion).filter((version) => typeof version === 'string');
  if (versions.some((version) => /^[0-3]\./u.test(version))) {
    throw new ImportRefusal('fhir_version_unsupported', importSentences.fhir_version_unsupported);
  }
  return bundles;
}

async function bundleOf(card: string): Promise<JsonObject | null> {
  const [header = '', payload = ''] = card.split('.');
  const head = jsonOf(textOfBytes(bytesOf(header)));
  const bytes = bytesOf(payload);
  if (!head || !bytes) return null;
  const body = jsonOf(textOfBytes(head.zip === 'DEF' ? await inflate(bytes, mostBytes) : bytes));
  const subject = objectOf(objectOf(body?.vc)?.credentialSubject);
  const bundle = objectOf(subject?.fhirBundle);
  return bundle ? { ...bundle, statedVersion: textOf(subject?.fhirVersion) ?? undefined } : null;
}

function jsonOf(text: string | null): JsonObject | null {
  const json = text === null ? null : readJson(text);
  return json?.ok && isObject(json.value) ? json.value : null;
}

function textOfBytes(bytes: Uint8Array | null): string | null {
  return bytes && new TextDecoder().decode(bytes);
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[\w-]+$/u.test(base64url)) return null;
  try {
    const text = atob(base64url.replace(/-/gu, '+').replace(/_/gu, '/'));
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
