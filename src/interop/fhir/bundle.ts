/** Bundles of any kind: their entries in order, and what a document says about sections that are empty. */
import { isObject, type Json, type JsonObject } from '../json-reader.ts';
import type { Notices } from '../notices.ts';
import { conceptOf, objectOf, objectsOf, referenceOf, shownText, textOf } from './elements.ts';
import type { Gather } from './gather.ts';
import { baseOf } from './references.ts';

/** Bundles inside bundles are read this deep. */
const mostBundles = 3;

/** `line` is the place of a Bundle inside NDJSON; empty in a file of its own. */
export function addBundle(bundle: JsonObject, gather: Gather, notices: Notices, line: string, depth = 1): void {
  const name = line === '' ? '' : `${line}, `;
  const entries = bundle.entry;
  if (entries === undefined || entries === null) return;
  if (!Array.isArray(entries)) {
    notices.add('resource_invalid', `${name}Bundle.entry`, 'The entries of the Bundle do not have the form of the standard. None was taken.'); // prettier-ignore
    return;
  }
  if (objectsOf(bundle.link).some((link) => link.relation === 'next'))
    notices.add(
      'resource_unread',
      `${name}Bundle.link`,
      'The file is one page of several: what is on the pages after it is not in it.',
    );
  const known = addressesOf(entries as readonly Json[]);
  (entries as readonly Json[]).forEach((entry, index) => {
    const place = `${name}entry ${index + 1}`;
    const resource = objectOf(objectOf(entry)?.resource);
    if (!isObject(entry) || !resource) {
      // A transaction may delete, a response may say only that it worked: such entries have no resource by the standard.
      const isWithout = isObject(entry) && (objectOf(entry.response) !== null || objectOf(entry.request)?.method === 'DELETE');
      if (!isWithout) notices.add('resource_invalid', place, 'The entry has no resource.');
      return;
    }
    const fullUrl = textOf(entry.fullUrl) ?? '';
    const type = textOf(resource.resourceType) ?? '';
    const id = shownText(resource.id);
    const where = {
      place: id === '' || type === '' ? `${place}${type && ` (${shownText(type)})`}` : `${name}${type}/${id}`,
      fullUrl,
    };
    if (type === 'Bundle') {
      if (depth < mostBundles) addBundle(resource, gather, notices, where.place, depth + 1);
      else notices.add('too_deep', where.place, 'Bundles inside Bundles are read three deep. This one was left out.');
      return;
    }
    gather.add(resource, where);
    if (type === 'Composition') addSections(resource, gather, notices, where, known);
  });
}

/** Resources that an operation returned, as `$everything` may: Bundles and others, in parameters and their parts. */
export function addParameters(parameters: JsonObject, gather: Gather, notices: Notices, place: string): void {
  objectsOf(parameters.parameter ?? parameters.part).forEach((parameter, index) => {
    const own = `${place === '' ? '' : `${place}, `}parameter ${index + 1}`;
    const resource = objectOf(parameter.resource);
    if (resource?.resourceType === 'Bundle') addBundle(resource, gather, notices, own);
    else if (resource) gather.add(resource, { place: own, fullUrl: '' });
    addParameters({ part: parameter.part }, gather, notices, own);
  });
}

/** Notes on sections without entries, with their reason; a notice for entries that are not in the document. */
function addSections(
  composition: JsonObject,
  gather: Gather,
  notices: Notices,
  where: { readonly place: string; readonly fullUrl: string },
  known: ReadonlySet<string>,
): void {
  const subject = referenceOf(composition.subject);
  const base = baseOf(where.fullUrl);
  const missing: string[] = [];
  const walk = (sections: readonly JsonObject[]): void => {
    for (const section of sections) {
      const label = shownText(section.title) || conceptOf(section.code).label || 'Section without a title';
      const entries = objectsOf(section.entry);
      if (section.emptyReason !== undefined) {
        const reason = conceptOf(section.emptyReason).label || 'reason not given';
        gather.addNote(subject, base, label, `section without entries: ${reason}`, where.place);
      }
      for (const entry of entries) {
        const reference = textOf(entry.reference);
        if (reference !== null && !known.has(reference) && !known.has(`${base}/${reference}`)) missing.push(label);
      }
      walk(objectsOf(section.section));
    }
  };
  walk(objectsOf(composition.section));
  if (missing.length > 0) {
    const sections = [...new Set(missing)].join(', ');
    notices.add('reference_unresolved', where.place, `${missing.length} entries of the document are not in the file (sections: ${sections}).`); // prettier-ignore
  }
}

/** What references of the Bundle can name: addresses, and type with id. */
function addressesOf(entries: readonly Json[]): ReadonlySet<string> {
  const known = new Set<string>();
  for (const entry of entries) {
    const resource = objectOf(objectOf(entry)?.resource);
    const fullUrl = textOf(objectOf(entry)?.fullUrl);
    if (fullUrl !== null) known.add(fullUrl);
    const [type, id] = [textOf(resource?.resourceType), textOf(resource?.id)];
    if (type !== null && id !== null) known.add(`${type}/${id}`);
  }
  return known;
}
