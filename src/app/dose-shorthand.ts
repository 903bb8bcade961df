/** One typed line, as clinicians write it, to the fields of a course of doses: `1000 mg q12h x6 over 1h from 20.11 08:00`. */
import type { IsoDate } from '#domain/record.ts';
import type { Dosed, Route } from './dosed.ts';
import type { DraftCourse } from './record-draft.ts';
import { readClock, readDay } from './read-time.ts';
import { unitMeant } from './units.ts';

export type ShorthandReading =
  | { readonly fields: Omit<DraftCourse, 'id' | 'exceptions' | 'isConfirmed'> }
  /** One sentence: what could not be read, and how it is written. */
  | { readonly fault: string };

export const shorthandExample = '1000 mg q12h x6 over 1h from 20.11 08:00';

const length = String.raw`\d+(?:[.,]\d+)?\s*(?:minutes?|mins?|hours?|hrs?|h|days?|d|weeks?|wks?|w|m)`;
const latin: Readonly<Record<string, string>> = {
  od: '24 h',
  qd: '24 h',
  daily: '24 h',
  bd: '12 h',
  bid: '12 h',
  tds: '8 h',
  tid: '8 h',
  qds: '6 h',
  qid: '6 h',
  weekly: '1 week',
};
const routeNames: readonly (readonly [RegExp, Route])[] = [
  [/\b(?:iv|i\.v\.)?\s*bolus\b/i, 'iv-bolus'],
  [/\b(?:iv|i\.v\.)?\s*(?:infusion|inf)\b/i, 'iv-infusion'],
  [/(?:^|\s)(?:po|p\.o\.|oral(?:ly)?|by mouth)(?=\s|$)/i, 'oral'],
  [/(?:^|\s)(?:sc|s\.c\.|subcut\w*)(?=\s|$)/i, 'subcutaneous'],
];

/** `dosed` is what may be meant; the only one of a pack need not be named. Fields that the line leaves out stay empty. */
export function readShorthand(typed: string, dosed: readonly Dosed[], today: IsoDate): ShorthandReading {
  let rest = ` ${typed.trim()} `;
  /** Takes what matches out of the line. */
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const match = pattern.exec(rest);
    if (match) rest = `${rest.slice(0, match.index)} ${rest.slice(match.index + match[0].length)}`;
    return match;
  };

  const named = dosed.find(({ intervention: { id, label, shortLabel } }) =>
    [label, shortLabel, id].some((name) => take(new RegExp(String.raw`(?<=\s)${escaped(name)}(?=\s)`, 'i'))),
  );
  const drug = named ?? (dosed.length === 1 ? dosed[0] : undefined);
  if (!drug) return { fault: `Say which: ${dosed.map(({ intervention }) => intervention.shortLabel).join(', ')}.` };

  const over = take(new RegExp(String.raw`(?<=\s)(?:over|for)\s+(${length}|\d+(?:[.,]\d+)?)(?=[\s,])`, 'i'));
  const every =
    take(new RegExp(String.raw`(?<=\s)(?:q\s*|every\s+)(${length}|\d+(?:[.,]\d+)?)(?=[\s,])`, 'i')) ??
    take(/(?<=\s)(\d+)-?hourly(?=[\s,])/i) ??
    take(/(?<=\s)every\s+(day|week|hour)(?=[\s,])/i);
  const word = every ? null : take(/(?<=\s)(od|qd|daily|bd|bid|tds|tid|qds|qid|weekly)(?=[\s,])/i);
  const count = take(/(?<=\s)[x×]\s*(\d+)(?=[\s,])/i) ?? take(/(?<=\s)(\d+)\s*(?:doses?|times)(?=[\s,])/i);
  const isOnce = !count && take(/(?<=\s)(?:once|single(?: dose)?)(?=[\s,])/i) !== null;
  take(/(?<=\s)(?:ongoing|continuing)(?=[\s,])/i);

  const start = take(
    /(?<=\s)(?:from|at|on|since|start(?:ing|ed)?)\s+(?:(\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}(?:[./]\d{4}|\.)?|\d{1,2}\.?\s*[a-z]{3,9}\.?(?:\s*\d{4})?|today|yesterday)(?:[\sT,]+(?:at\s+)?(\d{1,2}[:.h]\d{2}|\d{4}))?|(\d{1,2}[:.h]\d{2}))(?=[\s,])/i,
  );
  const day = start ? readDay(start[1] ?? 'today', today) : null;
  const clock = start ? readClock(start[2] ?? start[3] ?? '') : null;
  if (start && day === null) return { fault: `“${start[1]}” is no day. Write it like 20.11., 20 Nov or 2026-11-20.` };

  const route = routeNames.find(([pattern]) => take(pattern) !== null)?.[1];
  const isVein = route === undefined && take(/(?<=\s)(?:iv|i\.v\.)(?=[\s,])/i) !== null;
  const amount = take(/(?<=\s)(\d+(?:[.,]\d+)?)\s*([^\s\d,][^\s,]*)?(?=[\s,])/);
  if (!amount) return { fault: `How much was given? Write it like “${shorthandExample}”.` };
  const unit = amount[2] === undefined ? drug.unit : unitMeant(amount[2], drug.units);
  if (unit === null)
    return { fault: `“${amount[2]}” is not a unit of ${drug.intervention.shortLabel}. Expected ${drug.units.join(' or ')}.` };
  const left = rest.replaceAll(',', ' ').trim().replace(/\s+/g, ' ');
  if (left !== '') return { fault: `“${left}” was not understood. Write it like “${shorthandExample}”.` };

  const infused = drug.routes.includes('iv-infusion');
  const veins: Route = over || !drug.routes.includes('iv-bolus') ? 'iv-infusion' : 'iv-bolus';
  return {
    fields: {
      intervention: drug.intervention.id,
      amount: amount[1]!,
      unit,
      route: route ?? (isVein || (over && infused) ? veins : (drug.routes[0] ?? 'oral')),
      duration: over?.[1] ?? '',
      start: day === null ? '' : `${day}T${clock ?? ''}`,
      every: isOnce || count?.[1] === '1' ? '' : (spelled(every?.[1]) ?? latin[word?.[1]?.toLowerCase() ?? ''] ?? ''),
      count: count?.[1] ?? '',
    },
  };
}

const spelled = (every: string | undefined) =>
  every &&
  ({ day: '24 h', week: '1 week', hour: '1 h' }[every.toLowerCase()] ?? (/^\d+([.,]\d+)?$/.test(every) ? `${every} h` : every));

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
