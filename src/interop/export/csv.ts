/**
 * Tables for spreadsheets. Measured and simulated values are different files with different columns, and each row says in its first
 * column which it is: comment lines get lost when rows are copied, columns do not.
 */
import { addHours } from '#domain/doses.ts';
import { dotQuantile, type Forecast, type MarkerForecast } from '#domain/forecast.ts';
import type { PatientRecord } from '#domain/record.ts';
import type { RunStamp } from './about.ts';
import { safetyLine, simulatedLine, stampLines } from './about.ts';
import type { Vocabulary } from './vocabulary.ts';

export type Cell = string | number | boolean | null;

export interface CsvOptions {
  /** Excel takes a file without it for the machine's own encoding. Default true. */
  readonly hasByteOrderMark?: boolean;
}

/** Also in their full-width forms and behind blanks, as spreadsheets take both for the start of a formula. */
const formulaStart = /^[\s\u00a0\u200b\u2060\ufeff]*[=+\-@＝＋－＠]|^[\t\r\n]/;
const plainNumber = /^[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** A cell as it stands in the file: RFC 4180, and no text that a spreadsheet would run. */
export function csvCell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : '';
  if (typeof cell === 'boolean') return cell ? 'TRUE' : 'FALSE';
  const safe = formulaStart.test(cell) && !plainNumber.test(cell) ? `'${cell}` : cell;
  return /[",\r\n;\t]/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Comment lines first, then the header, then the rows; CR LF at every end. */
export function csvText(
  comments: readonly string[],
  header: readonly string[],
  rows: readonly (readonly Cell[])[],
  { hasByteOrderMark = true }: CsvOptions = {},
): string {
  const lines = [...comments.map(commentLine), ...[header, ...rows].map((row) => row.map(csvCell).join(','))];
  return `${hasByteOrderMark ? '\ufeff' : ''}${lines.join('\r\n')}\r\n`;
}

/** One line, whatever it says; a spreadsheet splits it at commas, and no piece may be a formula either. */
function commentLine(comment: string): string {
  return `# ${comment.replaceAll(/[\r\n]+/g, ' ').replaceAll(/([,;\t]\s*)(?=[=+\-@＝＋－＠])/g, "$1'")}`;
}

const simulatedHeader = [
  'simulated',
  'kind',
  'plan',
  'plan_name',
  'outside_evidence',
  'id',
  'label',
  'days_from_now',
  'unit',
  'interval',
  'low',
  'middle',
  'high',
  'pack',
  'seed',
  'run_on',
] as const;

/** Bands by plan, marker and time; event probabilities; targets; differences. Every row says that it is simulated, by which pack and seed. */
export function simulatedCsv(
  forecast: Forecast,
  stamp: RunStamp,
  limits: readonly string[],
  vocabulary: Vocabulary,
  options?: CsvOptions,
): string {
  const origin = [`${stamp.packId} ${stamp.packVersion}`, stamp.seed, stamp.madeAt] as const;
  const { timesDays } = forecast;
  const outside = new Set(forecast.plans.flatMap(({ plan, outsideSupport }) => (outsideSupport.length > 0 ? [plan.id] : [])));
  const isOutside = (planId: string) => outside.has(planId);
  const labelOf = (id: string) => vocabulary.quantities.get(id)?.label ?? vocabulary.events.get(id)?.label ?? id;
  type Own = readonly [unit: string, interval: string, low: number | null, middle: number | null, high: number | null];
  const row = (kind: string, plan: { id: string; name: string }, id: string, label: string, day: number, own: Own): Cell[] => [
    true,
    kind,
    plan.id,
    plan.name,
    isOutside(plan.id),
    id,
    label,
    day,
    ...own,
    ...origin,
  ];
  const bandRows = (kind: string, plan: { id: string; name: string }, markers: Readonly<Record<string, MarkerForecast>>) =>
    Object.entries(markers).flatMap(([id, { unit, bands, median }]) =>
      bands.flatMap(({ level, low, high }) =>
        timesDays.map((day, t) =>
          row(kind, plan, id, labelOf(id), day, [
            unit,
            `${Math.round(100 * level)} % of simulated courses`,
            low[t]!,
            median[t]!,
            high[t]!,
          ]),
        ),
      ),
    );
  const planOf = (id: string) => forecast.plans.find(({ plan }) => plan.id === id)!.plan;
  const rows = [
    ...forecast.plans.flatMap(({ plan, markers, events, eventFreeDays, targets = {} }) => [
      ...bandRows('marker', plan, markers),
      ...Object.entries(events).flatMap(([id, { incidence, low, high }]) =>
        timesDays.map((day, t) =>
          row('event probability', plan, id, labelOf(id), day, ['1', '90 % interval', low[t]!, incidence[t]!, high[t]!]),
        ),
      ),
      ...(Object.keys(events).length > 0
        ? [
            row('days without event', plan, 'any', 'any event', timesDays.at(-1)!, [
              'd',
              '90 % interval',
              eventFreeDays.low,
              eventFreeDays.value,
              eventFreeDays.high,
            ]),
          ]
        : []),
      ...Object.entries(targets).flatMap(([id, { probability, low, high, unit, quantiles }]) => [
        row('target probability', plan, id, vocabulary.targets.get(id) ?? id, timesDays.at(-1)!, [
          '1',
          '95 % interval from the number of draws',
          low,
          probability,
          high,
        ]),
        row('target measure', plan, id, vocabulary.targets.get(id) ?? id, timesDays.at(-1)!, [
          unit,
          '90 % of draws',
          quantiles[0],
          quantiles[2],
          quantiles[4],
        ]),
      ]),
    ]),
    ...forecast.differences.flatMap(({ planId, markers, events, anyEvent }) => [
      ...bandRows('difference from usual care: marker', planOf(planId), markers),
      ...[...Object.entries(events), ...(Object.keys(events).length > 1 ? [['any', anyEvent] as const] : [])].flatMap(
        ([id, byTime]) =>
          timesDays.flatMap((day, t) => {
            const dots = byTime[t]!;
            if (dots.length === 0) return [];
            const label = id === 'any' ? 'any event' : labelOf(id);
            return [
              row('difference from usual care: event probability', planOf(planId), id, label, day, [
                '1',
                '90 % interval',
                dotQuantile(dots, 0.05),
                dotQuantile(dots, 0.5),
                dotQuantile(dots, 0.95),
              ]),
            ];
          }),
      ),
    ]),
  ];
  const comments = [
    `COUNTERPART SIMULATED VALUES. ${simulatedLine} ${safetyLine}`,
    ...stampLines(stamp).map(([name, value]) => `${name}: ${value}`),
    ...limits.map((limit) => `limit: ${limit}`),
    forecast.message,
  ];
  return csvText(comments, simulatedHeader, rows, options);
}

const measuredHeader = [
  'simulated',
  'person',
  'made_up_person',
  'kind',
  'code',
  'label',
  'date',
  'time',
  'comparator',
  'value',
  'unit',
  'until',
  'received_value',
  'received_unit',
  'source',
  'source_place',
] as const;

export interface RecordAbout {
  readonly appVersion: string;
  readonly isDeIdentified: boolean;
  /** The day of the export, moved where dates are. */
  readonly day: string;
}

/** What was measured, given or recorded, as it is in the record. No simulated value is ever among it. */
export function measuredCsv(
  records: readonly PatientRecord[],
  { appVersion, isDeIdentified, day }: RecordAbout,
  vocabulary: Vocabulary,
  options?: CsvOptions,
): string {
  const { quantities, categories, interventions, events } = vocabulary;
  const rows = records.flatMap((record, index): Cell[][] => {
    const person = isDeIdentified ? `person ${index + 1}` : record.alias;
    const start = (kind: string, code: string, label: string): Cell[] => [false, person, record.isSynthetic, kind, code, label];
    const none = [null, null, null, null];
    return [
      ...Object.entries(record.covariates).map(([code, value]) => {
        const term = quantities.get(code) ?? categories.get(code);
        const unit = typeof value === 'number' ? (quantities.get(code)?.units[0] ?? '') : '';
        return [...start('covariate', code, term?.label ?? code), record.entryDate, null, null, value, unit, null, ...none];
      }),
      ...record.observations.map((one) => [
        ...start('observation', one.code, quantities.get(one.code)?.label ?? one.code),
        one.date,
        one.time ?? null,
        one.isBelowLimit ? '<' : one.isAboveLimit ? '>' : null,
        one.value,
        one.unit,
        null,
        one.received?.receivedValue ?? null,
        one.received?.receivedUnit ?? null,
        one.received?.file ?? one.source,
        one.received?.place ?? null,
      ]),
      ...record.treatments.map(({ intervention, start: from, stop }) => [
        ...start('treatment', intervention, interventions.get(intervention)?.label ?? intervention),
        from,
        null,
        null,
        null,
        null,
        stop,
        ...none,
      ]),
      ...(record.doses ?? []).map((one) => [
        ...start(
          `dose, ${one.route}${one.everyHours === null ? '' : `, every ${one.everyHours} h`}`,
          one.intervention,
          interventions.get(one.intervention)?.label ?? one.intervention,
        ),
        one.start.slice(0, 10),
        one.start.slice(11),
        null,
        one.amount,
        one.unit,
        one.everyHours !== null && one.count !== null ? addHours(one.start, one.everyHours * (one.count - 1)) : null,
        ...none,
      ]),
      ...record.events.map(({ event, date }) => [
        ...start('event', event, events.get(event)?.label ?? event),
        date,
        null,
        null,
        null,
        null,
        null,
        ...none,
      ]),
    ];
  });
  const comments = [
    'COUNTERPART RECORD EXPORT. Values as they were entered or imported. Nothing here is simulated.',
    `app: Counterpart ${appVersion}`,
    `exported: ${day}${isDeIdentified ? ' (all dates moved by the same number of days; names, notes and sources left out)' : ''}`,
  ];
  return csvText(comments, measuredHeader, rows, options);
}
