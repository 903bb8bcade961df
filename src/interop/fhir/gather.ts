/**
 * Resources of one file, in any order, to patients. A resource is read when it comes and let go; what it says waits for the end, when
 * all patients and medicines are known. Memory grows with what is kept, not with the size of the resources.
 */
import type { BackgroundEntry, IsoDate, PartialDate } from '#domain/record.ts';
import { ownText, ownTexts } from '../clean-text.ts';
import type { ImportCode } from '../import-codes.ts';
import type { ImportedDose, ImportedObservation, ImportedPatient } from '../imported.ts';
import type { JsonObject } from '../json-reader.ts';
import type { Notices } from '../notices.ts';
import { isSurelyBefore } from '../partial-date.ts';
import { exclusionOf, isBackgroundType, lineOf, type BackgroundLine } from './background.ts';
import { conceptOf, objectsOf, referenceOf, shownText, textOf, type Concept, type Reference } from './elements.ts';
import { doseOf, drugOf, type DoseWithoutDrug } from './medication.ts';
import { ObservationReader } from './observation.ts';
import type { ConfirmedCode } from '../protocol.ts';
import { identifiersOf, linksOf, personOf, type Person } from './person.ts';
import { baseOf, ReferenceIndex } from './references.ts';
import { VersionSigns } from './version.ts';

type Draft<T> = { -readonly [Key in keyof T]: T[Key] };
type Background = Omit<BackgroundEntry, 'id'>;

export interface GatherOptions {
  readonly file: string;
  /** The last day that is not in the future. */
  readonly today: IsoDate;
  readonly confirmed: readonly ConfirmedCode[];
}

interface Owner {
  readonly key: string;
  readonly person: Person;
}

/** What belongs to one subject, as the resources name it. */
interface Pile {
  readonly subject: Reference | null;
  readonly base: string;
  readonly firstPlace: string;
  readonly observations: Draft<ImportedObservation>[];
  readonly doses: ImportedDose[];
  readonly background: Background[];
}

interface WaitingMedicine {
  readonly pile: Pile;
  readonly line: BackgroundLine;
  readonly place: string;
  readonly dose: DoseWithoutDrug | null;
  readonly reference: Reference;
  readonly base: string;
}

/** Where a resource stands. */
export interface Where {
  /** `Observation/abc`, `line 14, Observation/abc`, `entry 3`. */
  readonly place: string;
  /** Of its entry; empty without one. */
  readonly fullUrl: string;
}

/** Types that have nothing of a patient to show: people and places of care, bills, papers of the exchange itself. */
const quietTypes = new Set(['Organization', 'Practitioner', 'PractitionerRole', 'Location', 'Claim', 'ClaimResponse', 'ExplanationOfBenefit', 'Coverage', 'Provenance', 'AuditEvent', 'Account', 'Endpoint', 'HealthcareService', 'MessageHeader', 'Medication', 'RelatedPerson', 'Device', 'Substance', 'Composition', 'List', 'Schedule', 'Slot', 'Subscription', 'Group', 'Person', 'CareTeam']); // prettier-ignore

/** Subjects that are no person. */
const things = new Set(['Group', 'Device', 'Location', 'Procedure', 'Medication', 'Substance', 'Organization', 'Practitioner', 'BiologicallyDerivedProduct', 'NutritionProduct']); // prettier-ignore

/** Key of what does not say whose it is. */
const noOne = 'unattributed';

const noReference: Reference = { reference: '', identifier: null, display: '', type: '' };

export class Gather {
  readonly signs = new VersionSigns();
  readonly #options: GatherOptions;
  readonly #notices: Notices;
  readonly #observations: ObservationReader;
  readonly #owners = new ReferenceIndex<Owner>();
  /** By key; several where one id has different people. */
  readonly #ownersByKey = new Map<string, Owner[]>();
  readonly #medicines = new ReferenceIndex<Concept>();
  readonly #waiting: WaitingMedicine[] = [];
  readonly #piles = new Map<string, Pile>();
  readonly #seen = new Set<string>();
  readonly #unread = new Map<string, number>();
  readonly #links = new Map<string, readonly string[]>();
  #count = 0;

  constructor(options: GatherOptions, notices: Notices) {
    this.#options = options;
    this.#notices = notices;
    this.#observations = new ObservationReader(options.confirmed);
  }

  /** How many resources were added. */
  get count(): number {
    return this.#count;
  }

  add(resource: JsonObject, at: Where): void {
    const where: Where = { place: ownText(at.place), fullUrl: at.fullUrl };
    const type = textOf(resource.resourceType);
    if (type === null || !/^[A-Z][A-Za-z]{1,60}$/u.test(type)) {
      this.#notices.add(
        'resource_invalid',
        where.place,
        'It has no resourceType, so that nobody can say what it is. It was left out.',
      );
      return;
    }
    this.#count += 1;
    this.signs.add(resource, type);
    if (isSimulated(resource)) {
      this.#notices.add('resource_unread', where.place, 'It is marked as made by a model (AIAST). Simulated values are never taken as measurements.'); // prettier-ignore
      return;
    }
    const isAgain = this.#isSecond(resource, type, where.place);
    const isOfPatient = type === 'Observation' || isBackgroundType(type);
    const thing = isOfPatient ? thingOf(resource) : null;
    if (type === 'Patient') this.#patient(resource, where);
    else if (thing !== null)
      this.#notices.add('resource_unread', where.place, `It is about a ${thing} and not about a person. It was left out.`);
    else if (type === 'Observation') this.#observation(resource, where, isAgain);
    else if (isBackgroundType(type)) this.#background(resource, type, where);
    else if (type === 'OperationOutcome') this.#outcome(resource, where.place);
    else if (type === 'Medication') this.#medicines.add(ownTexts(conceptOf(resource.code)), resource, type, where.fullUrl);
    else if (!quietTypes.has(type)) this.#unread.set(type, (this.#unread.get(type) ?? 0) + 1);
    if (isOfPatient && thing === null && exclusionOf(resource) === null) this.#contained(resource, where);
  }

  /** Results that stand inside the resource that refers to them. Their ids say nothing outside of it. */
  #contained(resource: JsonObject, where: Where): void {
    for (const inner of objectsOf(resource.contained)) {
      const type = textOf(inner.resourceType) ?? '';
      if (type !== 'Observation') {
        if (isBackgroundType(type)) this.#unread.set(`${type} (contained)`, (this.#unread.get(`${type} (contained)`) ?? 0) + 1);
        continue;
      }
      const { id: _, ...own } = inner;
      const subject = inner.subject ?? resource.subject;
      const place = `${where.place}, contained ${shownText(inner.id) || 'Observation'}`;
      this.#observation(
        { ...own, contained: resource.contained, ...(subject === undefined ? {} : { subject }) },
        { place, fullUrl: where.fullUrl },
        this.#isSecond(own, type, place),
      );
    }
  }

  /** What the sender says of the exchange itself: something may be missing. */
  #outcome(resource: JsonObject, place: string): void {
    for (const issue of objectsOf(resource.issue)) {
      const severity = textOf(issue.severity);
      if (severity !== 'fatal' && severity !== 'error' && severity !== 'warning') continue;
      const said = shownText(issue.diagnostics) || conceptOf(issue.details).label || shownText(issue.code) || 'no reason given';
      this.#notices.add('resource_unread', place, `The sender reports ${severity === 'warning' ? 'a warning' : 'an error'}, so that something may be missing: ${said}`); // prettier-ignore
    }
  }

  /** True for a resource whose id, or whose identifier with the same code, another one before it has. */
  #isSecond(resource: JsonObject, type: string, place: string): boolean {
    // Patients are compared as people.
    if (type === 'Patient') return false;
    const keys: string[] = [];
    const id = textOf(resource.id);
    if (id !== null) keys.push(`${type}/${id}`);
    if (type === 'Observation') {
      // Laboratories give one number to all results of an order: only the same number and the same code are the same result.
      const codes = conceptOf(resource.code).codings.map((coding) => coding.code);
      for (const { system, value } of identifiersOf(resource)) keys.push([system, value, ...codes].join('|'));
    }
    const isSecond = keys.some((key) => this.#seen.has(key));
    for (const key of keys) this.#seen.add(ownText(key));
    if (isSecond) this.#notices.add('id_duplicate', place);
    return isSecond;
  }

  #patient(resource: JsonObject, where: Where): void {
    const id = textOf(resource.id);
    const base = ownText(id !== null ? `Patient/${id}` : where.fullUrl !== '' ? where.fullUrl : where.place);
    const person = ownTexts(personOf(resource, this.#options.today));
    const sameKey = this.#ownersByKey.get(base) ?? [];
    const same = sameKey.find((owner) => JSON.stringify(owner.person) === JSON.stringify(person));
    if (same) {
      this.#owners.add(same, resource, 'Patient', where.fullUrl);
      return;
    }
    if (sameKey.length > 0) this.#notices.add('id_duplicate', where.place, 'Different people have the same id. They are kept apart, and so is what refers to that id.'); // prettier-ignore
    const owner: Owner = { key: sameKey.length === 0 ? base : `${base} (${sameKey.length + 1})`, person };
    this.#ownersByKey.set(base, [...sameKey, owner]);
    this.#owners.add(owner, resource, 'Patient', where.fullUrl);
    const links = linksOf(resource);
    if (links.length > 0) this.#links.set(owner.key, ownTexts(links));
    for (const doubt of person.doubts) this.#notices.add(doubt, where.place);
    if (person.refusal === 'date_impossible') {
      this.#notices.add('date_impossible', where.place, 'There is no such birth date. Nothing of this person was taken: correct the date at its source.'); // prettier-ignore
    } else if (person.refusal !== null) this.#notices.add(person.refusal, where.place);
  }

  #observation(resource: JsonObject, where: Where, isAgain: boolean): void {
    const read = this.#observations.read(resource, where.place);
    if (read.notice !== null) this.#notices.add(read.notice, where.place);
    const members = [...objectsOf(resource.hasMember), ...objectsOf(resource.derivedFrom)].map(
      (one) => textOf(one.reference) ?? '',
    );
    const id = textOf(resource.id);
    if (members.length > 0 && id !== null) this.#links.set(ownText(`Observation/${id}`), ownTexts(members));
    if (read.numbers.length === 0 && read.texts.length === 0) return;
    const pile = this.#pileOf(resource, 'subject', where);
    for (const number of read.numbers) {
      pile.observations.push({ ...number, doubts: isAgain ? [...number.doubts, 'id_duplicate'] : number.doubts });
    }
    const date = read.numbers[0]?.date ?? dateOf(resource);
    for (const text of read.texts) {
      pile.background.push({ kind: 'observation', ...ownTexts(text), date, source: this.#source(where.place) });
    }
  }

  #background(resource: JsonObject, type: string, where: Where): void {
    const exclusion = exclusionOf(resource);
    if (exclusion !== null) {
      this.#notices.add(exclusion, where.place);
      return;
    }
    const pile = this.#pileOf(resource, type === 'AllergyIntolerance' || type === 'Immunization' || type === 'FamilyMemberHistory' ? 'patient' : 'subject', where); // prettier-ignore
    if (!type.startsWith('Medication')) {
      this.#line(pile, lineOf(resource, type, ''), where.place);
      return;
    }
    const { concept, reference } = drugOf(resource);
    const dose = doseOf(resource, type, where.place);
    const contained = reference === null ? null : containedOf(resource, reference);
    const line = lineOf(resource, type, '');
    if (contained) this.#medicine(pile, line, where.place, dose, conceptOf(contained.code));
    else if (reference === null) this.#medicine(pile, line, where.place, dose, concept);
    else this.#waiting.push({ ...ownTexts({ line, place: where.place, dose, reference, base: baseOf(where.fullUrl) }), pile });
  }

  #medicine(pile: Pile, line: BackgroundLine, place: string, dose: DoseWithoutDrug | null, drug: Concept): void {
    const isKnown = drug.codings.some((coding) => coding.system !== '');
    if (dose !== null && isKnown) pile.doses.push(ownTexts({ ...dose, codings: drug.codings, label: drug.label }));
    else this.#line(pile, drug.label === '' ? line : { ...line, label: drug.label }, place);
  }

  #line(pile: Pile, line: BackgroundLine, place: string): void {
    if (line.when.kind === 'impossible')
      this.#notices.add('date_impossible', place, 'There is no such date. It is kept without one.');
    const date: PartialDate | null = line.when.kind === 'date' ? line.when.when.date : null;
    pile.background.push({
      kind: line.kind,
      label: ownText(line.label),
      date,
      detail: ownText(line.detail),
      source: this.#source(place),
    });
  }

  #source(place: string): BackgroundEntry['source'] {
    return { file: this.#options.file, place };
  }

  /** A note of a document that belongs to its subject: an empty section and why. */
  addNote(subject: Reference | null, base: string, label: string, detail: string, place: string): void {
    const pile = this.#pile(subject, base, place);
    pile.background.push({ kind: 'other', label, date: null, detail, source: this.#source(place) });
  }

  #pileOf(resource: JsonObject, element: 'subject' | 'patient', where: Where): Pile {
    const reference = referenceOf(resource[element]) ?? referenceOf(resource[element === 'subject' ? 'patient' : 'subject']);
    const contained = reference === null ? null : containedOf(resource, reference);
    if (!contained) return this.#pile(reference, baseOf(where.fullUrl), where.place);
    // A patient inside the resource has no name outside of it: one patient for each such resource.
    const address = `${where.fullUrl || where.place}${reference?.reference ?? ''}`;
    if (textOf(contained.resourceType) === 'Patient' && !this.#piles.has(`\n${address}`)) {
      this.#patient(contained, { place: `${where.place}, contained patient`, fullUrl: address });
    }
    return this.#pile({ ...noReference, reference: address }, '', where.place);
  }

  #pile(subject: Reference | null, base: string, place: string): Pile {
    const named = subject && (subject.reference !== '' || subject.identifier) ? subject : null;
    const identifier = named?.identifier ? `|${named.identifier.system}|${named.identifier.code}` : '';
    const key = named ? `${base}\n${named.reference === '' ? identifier : named.reference}` : '';
    let pile = this.#piles.get(key);
    if (!pile) {
      pile = { subject: ownTexts(named), base: ownText(base), firstPlace: place, observations: [], doses: [], background: [] };
      this.#piles.set(ownText(key), pile);
    }
    return pile;
  }

  /** All patients. To be called once, when everything was added. */
  finish(): readonly ImportedPatient[] {
    this.#finishMedicines();
    this.#finishCircles();
    for (const [type, count] of this.#unread) {
      const what = count === 1 ? `1 resource of type ${type} is` : `${count} resources of type ${type} are`;
      this.#notices.add('resource_unread', type, `${what} not read here.`);
    }
    const patients = new Map<string, Patient>();
    for (const owner of [...this.#ownersByKey.values()].flat()) {
      if (owner.person.refusal === null) patients.set(owner.key, new Patient(owner.key, owner.person));
    }
    for (const pile of this.#piles.values()) this.#give(pile, patients);
    const all = [...patients.values()];
    const people = patients.has(noOne) ? all.length - 1 : all.length;
    if (people > 1) {
      this.#notices.add('several_patients', '', `The file holds ${people} people. They are kept apart unless you merge them.`);
    }
    return all.map((patient) => patient.finish(this.#options.today, this.#notices));
  }

  #give(pile: Pile, patients: Map<string, Patient>): void {
    const { subject } = pile;
    const resolved = subject ? this.#owners.resolve(subject, 'Patient', pile.base) : 'unknown';
    if (typeof resolved === 'object') {
      // A person who is refused takes along what is said of them.
      patients.get(resolved.found.key)?.take(pile);
      return;
    }
    const named = subject === null ? noOne : keyOf(subject, pile.base);
    // Never the key of a person of the file: what is uncertain must not land on somebody.
    const key = this.#ownersByKey.has(named) ? `${named} (not certain)` : named;
    const isLone = this.#count === 1;
    if (subject === null) {
      this.#notices.add('patient_unknown', pile.firstPlace);
      if (!isLone) for (const observation of pile.observations) refuse(observation, 'patient_unknown');
    } else {
      const many = resolved === 'ambiguous' ? 'several people of the file answer to it' : 'no such person is in the file';
      this.#notices.add('reference_unresolved', pile.firstPlace, `The person it refers to is not certain: ${many}. What is said of them is kept apart.`); // prettier-ignore
    }
    let patient = patients.get(key);
    if (!patient) {
      const identifiers = subject?.identifier ? [{ system: subject.identifier.system, value: subject.identifier.code }] : [];
      const name = subject?.display ?? '';
      const identity = { ...(name === '' ? {} : { name }), identifiers };
      patient = new Patient(key, { identity, deceasedOn: null, doubts: [], refusal: null });
      patients.set(key, patient);
    }
    patient.take(pile);
  }

  #finishMedicines(): void {
    for (const { pile, line, place, dose, reference, base } of this.#waiting) {
      const resolved = this.#medicines.resolve(reference, 'Medication', base);
      if (typeof resolved === 'object') this.#medicine(pile, line, place, dose, resolved.found);
      else {
        this.#notices.add('reference_unresolved', place, 'The medicine it refers to is not in the file.');
        this.#line(pile, { ...line, label: reference.display || 'A medicine that is not in the file' }, place);
      }
    }
  }

  /** Circles among links of patients and members of panels. They are told and not followed. */
  #finishCircles(): void {
    const state = new Map<string, 'open' | 'done'>();
    for (const start of this.#links.keys()) {
      // Depth first without recursion: a chain may be as long as the file.
      const stack: { readonly key: string; next: number }[] = [];
      const enter = (key: string): void => {
        state.set(key, 'open');
        stack.push({ key, next: 0 });
      };
      if (!state.has(start)) enter(start);
      for (let top = stack.at(-1); top; top = stack.at(-1)) {
        const target = this.#links.get(top.key)?.[top.next];
        top.next += 1;
        if (target === undefined) {
          state.set(top.key, 'done');
          stack.pop();
        } else if (state.get(target) === 'open') this.#notices.add('reference_circular', top.key);
        else if (this.#links.has(target) && !state.has(target)) enter(target);
      }
    }
  }
}

/** One person while the piles come in. */
class Patient {
  readonly #key: string;
  readonly #person: Person;
  readonly #observations: Draft<ImportedObservation>[] = [];
  readonly #doses: ImportedDose[] = [];
  readonly #background: Background[] = [];

  constructor(key: string, person: Person) {
    this.#key = key;
    this.#person = person;
  }

  take(pile: Pile): void {
    // No spreading: a pile may have more values than a call may have arguments.
    for (const observation of pile.observations) this.#observations.push(observation);
    for (const dose of pile.doses) this.#doses.push(dose);
    for (const entry of pile.background) this.#background.push(entry);
  }

  finish(today: IsoDate, notices: Notices): ImportedPatient {
    this.#markDoubles();
    for (const observation of this.#observations) {
      const doubts = [...observation.doubts, ...this.#datedDoubts(observation.date, today)];
      observation.doubts = doubts;
      if (observation.problem !== null) notices.add(observation.problem, observation.place);
      for (const doubt of doubts) if (doubt !== observation.problem) notices.add(doubt, observation.place);
    }
    for (const dose of this.#doses) for (const doubt of this.#datedDoubts(dose.start, today)) notices.add(doubt, dose.place);
    return {
      key: this.#key,
      identity: this.#person.identity,
      deceasedOn: this.#person.deceasedOn,
      observations: this.#observations,
      doses: this.#doses,
      background: this.#background,
      facts: {},
    };
  }

  #datedDoubts(date: PartialDate | null, today: IsoDate): ImportCode[] {
    if (date === null) return [];
    const doubts: ImportCode[] = [];
    const { birthDate } = this.#person.identity;
    if (isSurelyBefore(today, date)) doubts.push('date_in_future');
    if (birthDate !== undefined && isSurelyBefore(date, birthDate)) doubts.push('before_birth');
    if (this.#person.deceasedOn !== null && isSurelyBefore(this.#person.deceasedOn, date)) doubts.push('after_death');
    return doubts;
  }

  /** The same value of the same thing at the same time is one value: the later ones are kept as received only. */
  #markDoubles(): void {
    const seen = new Set<string>();
    for (const observation of this.#observations) {
      const { concept, date, time, instant, value, comparator } = observation;
      if (value === null || date === null || date.length < 10) continue;
      const key = `${concept.analyte ?? ''} ${instant ?? `${date} ${time ?? ''}`} ${comparator ?? ''}${value.toPrecision(12)}`;
      if (seen.has(key)) refuse(observation, 'duplicate_value');
      else seen.add(key);
    }
  }
}

function refuse(observation: Draft<ImportedObservation>, problem: ImportCode): void {
  if (observation.problem !== null) return;
  observation.value = null;
  observation.unit = '';
  observation.problem = problem;
}

function keyOf(subject: Reference, base: string): string {
  const { reference, identifier } = subject;
  if (reference === '') return `${identifier?.system ?? ''}|${identifier?.code ?? ''}`;
  return shownText(base === '' || reference.includes(':') ? reference : `${base}/${reference}`);
}

function containedOf(resource: JsonObject, reference: Reference): JsonObject | null {
  if (!reference.reference.startsWith('#')) return null;
  const id = reference.reference.slice(1);
  const found = objectsOf(resource.contained).filter((one) => one.id === id);
  return found.length === 1 ? (found[0] as JsonObject) : null;
}

/** The type of a subject that is no person: a device under test, a room, a group. Null for persons and for what does not say. */
function thingOf(resource: JsonObject): string | null {
  const { reference, type } = referenceOf(resource.subject ?? resource.patient) ?? noReference;
  const named = /(?:^|\/)([A-Z][A-Za-z]+)\/[^/]+(?:\/_history\/[^/]+)?$/u.exec(reference)?.[1] ?? type;
  return things.has(named) ? named : null;
}

function isSimulated(resource: JsonObject): boolean {
  return objectsOf(objectsOf(resource.meta)[0]?.security).some((label) => label.code === 'AIAST');
}

function dateOf(resource: JsonObject): PartialDate | null {
  const line = lineOf(resource, 'DiagnosticReport', '');
  return line.when.kind === 'date' ? line.when.when.date : null;
}
