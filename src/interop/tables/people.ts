/** The people of a table: who a row belongs to, and what the rows say of each. */
import type { Identity, PartialDate } from '#domain/record.ts';
import type { BackgroundEntry } from '#domain/record.ts';
import { cleanText, shortened } from '../clean-text.ts';
import type { ImportedDose, ImportedPatient } from '../imported.ts';
import { detached } from '../observation-store.ts';
import { ImportRefusal } from '../refusal.ts';

const mostPeople = 250_000;

export interface Person {
  /** As in the file; empty where the table has one person and no column that tells people apart. */
  readonly key: string;
  readonly name: string[];
  birthDate: PartialDate | null;
  sex: Identity['sex'] | null;
  deceasedOn: PartialDate | null;
  /** Rows that say different things of the person: what is said last is not better, so neither is kept. */
  readonly disagrees: Set<string>;
  readonly facts: Map<string, string>;
  readonly identifiers: { readonly system: string; readonly value: string }[];
  readonly doses: ImportedDose[];
  readonly background: Omit<BackgroundEntry, 'id'>[];
}

export class People {
  readonly all: Person[] = [];
  readonly #numbers = new Map<string, number>();

  /** The number of the person with this key, new or known. Keys are compared as written. */
  numberOf(key: string): number {
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    if (this.all.length === mostPeople) {
      throw new ImportRefusal(
        'too_large',
        `More than ${mostPeople} different people. Split the file, or choose the right column for the person.`,
      );
    }
    const own = detached(key);
    this.#numbers.set(own, this.all.length);
    return (
      this.all.push({
        key: own,
        name: [],
        birthDate: null,
        sex: null,
        deceasedOn: null,
        disagrees: new Set(),
        facts: new Map(),
        identifiers: own === '' ? [] : [{ system: '', value: own }],
        doses: [],
        background: [],
      }) - 1
    );
  }

  find(key: string): number | null {
    return this.#numbers.get(key) ?? null;
  }
}

/** Keeps what the first row said, or nothing once another row says otherwise. Gives false when it is the first to differ. */
export function tell<Field extends 'birthDate' | 'sex' | 'deceasedOn'>(
  person: Person,
  field: Field,
  said: NonNullable<Person[Field]>,
): boolean {
  if (person.disagrees.has(field) || person[field] === said) return true;
  if (person[field] === null) {
    person[field] = said;
    return true;
  }
  person[field] = null as Person[Field];
  person.disagrees.add(field);
  return false;
}

/** As `tell`, for a fact under a column's name. */
export function tellFact(person: Person, name: string, said: string): boolean {
  if (person.disagrees.has(`fact ${name}`)) return true;
  const known = person.facts.get(name);
  if (known === undefined) person.facts.set(name, detached(said));
  else if (known !== said) {
    person.facts.delete(name);
    person.disagrees.add(`fact ${name}`);
    return false;
  }
  return true;
}

export function identityOf(person: Person): Identity {
  const name = shortened(cleanText(person.name.join(' ')));
  return {
    ...(name ? { name } : {}),
    ...(person.birthDate ? { birthDate: person.birthDate } : {}),
    ...(person.sex ? { sex: person.sex } : {}),
    identifiers: person.identifiers,
  };
}

export function personWithoutObservations(person: Person): Omit<ImportedPatient, 'observations'> {
  return {
    key: person.key,
    identity: identityOf(person),
    deceasedOn: person.deceasedOn,
    doses: person.doses,
    background: person.background,
    facts: Object.fromEntries(person.facts),
  };
}
