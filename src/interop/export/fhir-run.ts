/** A run as FHIR R4: risks, draft plans, who made them from what. Nothing in it can be filed as a measurement. */
import { addHours } from '#domain/doses.ts';
import type { InputUse, MarkerForecast, PlanForecast } from '#domain/forecast.ts';
import type { Plan } from '#domain/plan.ts';
import type { IsoMinute } from '#domain/record.ts';
import { safetyLine, simulatedLine, stampLines } from './about.ts';
import {
  bundleOf,
  concept,
  consentOf,
  dateTime,
  deviceOf,
  narrative,
  patientOf,
  quantity,
  referenceTo,
  simulatedMeta,
} from './fhir-parts.ts';
import type { FhirOptions } from './fhir-parts.ts';
import type {
  AnyResource,
  AuditEvent,
  Bundle,
  CarePlan,
  CodeableConcept,
  Device,
  Observation,
  Patient,
  Prediction,
  Provenance,
  Quantity,
  Reference,
  RiskAssessment,
} from './fhir-r4.ts';
import { stampOf } from './run-file.ts';
import type { RunFile } from './run-file.ts';
import type { Vocabulary } from './vocabulary.ts';

/** One line of the audit log that is about this person. */
export interface RecordedAction {
  readonly action: string;
  /** UTC, ISO 8601; moved like all dates where they are moved. */
  readonly at: string;
  readonly role?: string;
  readonly packId?: string;
}

export interface RunBundleOptions extends FhirOptions {
  /** Adds the courses as sampled data. Default false. */
  readonly hasCourses?: boolean;
  /** What the reader of a result has to know of its bounds, beside what the forecast says of itself. Default none. */
  readonly limits?: readonly string[];
  readonly actions?: readonly RecordedAction[];
}

export function runBundle(run: RunFile, vocabulary: Vocabulary, options: RunBundleOptions): Bundle {
  const { record, forecast, madeAt } = run;
  const { isSynthetic } = record;
  const stamp = stampOf(run);
  const patient = patientOf(record, options);
  const device = deviceOf(
    [
      ['application', stamp.appVersion],
      ['pack', `${stamp.packId} ${stamp.packVersion}`],
      ['pack digest (SHA-256)', stamp.packDigest],
      ['engine', [stamp.engine, stamp.engineDescription].filter(Boolean).join(', ')],
    ],
    [safetyLine, ...stampLines(stamp).map(([name, value]) => `${name}: ${value}`)].join('\n'),
    options,
  );
  const basis = forecast.fit.inputs.flatMap((one, index) => inputReference(one, index, run, vocabulary));
  const context: Context = { run, vocabulary, options, patient, device, basis };
  const carePlans = forecast.plans
    .filter(({ plan }) => plan.id !== 'usual-care')
    .map(({ plan, outsideSupport }) => carePlan(plan, outsideSupport, context));
  const planReference = (plan: Plan): Reference | undefined => {
    const at = forecast.plans.filter((one) => one.plan.id !== 'usual-care').findIndex((one) => one.plan.id === plan.id);
    return at < 0 ? undefined : referenceTo(carePlans[at]!);
  };
  const risks = forecast.plans.flatMap((own) => [
    ...Object.keys(own.events).map((id) => eventRisk(own, id, planReference(own.plan), context)),
    ...Object.keys(own.targets ?? {}).map((id) => targetChance(own, id, planReference(own.plan), context)),
  ]);
  const courses = options.hasCourses
    ? forecast.plans.flatMap((own) => Object.entries(own.markers).map(([id, marker]) => course(own, id, marker, context)))
    : [];
  const consent = record.consent ? [consentOf(record.consent, patient, options)] : [];
  const simulated = [...risks, ...carePlans, ...courses];
  const provenance: Provenance = {
    resourceType: 'Provenance',
    id: options.newId(),
    ...simulatedMeta(isSynthetic),
    text: narrative(simulatedLine, safetyLine),
    target: simulated.length > 0 ? simulated.map(referenceTo) : [referenceTo(patient)],
    recorded: madeAt,
    activity: {
      text: `Simulation of ${forecast.run.rollouts} courses a plan, seed ${forecast.run.seed}, status ${forecast.status}`,
    },
    agent: [
      {
        type: {
          coding: [{ system: 'http://terminology.hl7.org/CodeSystem/provenance-participant-type', code: 'assembler' }],
          text: 'Program that computed it',
        },
        who: referenceTo(device),
      },
    ],
    entity: basis.map((what) => ({ role: 'source', what })),
  };
  const actions = (options.actions ?? []).map((one) => auditEvent(one, context));
  const resources: AnyResource[] = [patient, device, ...simulated, provenance, ...consent, ...actions];
  return bundleOf(resources, madeAt, options, simulatedMeta(isSynthetic));
}

interface Context {
  readonly run: RunFile;
  readonly vocabulary: Vocabulary;
  readonly options: RunBundleOptions;
  readonly patient: Patient;
  readonly device: Device;
  readonly basis: readonly Reference[];
}

/**
 * An input as a logical reference: its identifier names it by hash and number, its text says value, unit and date. The value itself is
 * not in the bundle as an Observation, so that importing a simulation never adds a measurement a second time.
 */
function inputReference(one: InputUse, index: number, { inputsHash }: RunFile, { interventions }: Vocabulary): Reference[] {
  if (one.value === null || one.remark === 'not-an-input' || one.remark === 'too-old') return [];
  const said = [one.value, one.date, one.remark === 'used' ? '' : one.remark].filter(Boolean).join(', ');
  return [
    {
      type: interventions.has(one.id) ? 'MedicationStatement' : 'Observation',
      identifier: { system: 'urn:counterpart:run-input', value: `${inputsHash}#${index}` },
      display: `${one.label}: ${said}`,
    },
  ];
}

function percent(share: number): Quantity {
  return quantity(Math.round(share * 1e6) / 1e4, '%');
}

/** The range comes first and says what it is; the mean alone stands only beside it. */
function predictions(
  outcome: CodeableConcept,
  { value, low, high }: { value: number; low: number; high: number },
  whenPeriod: { start: string; end: string },
  words: { range: string; decimal: string },
): Prediction[] {
  if (![value, low, high].every(Number.isFinite)) return [];
  return [
    {
      outcome,
      probabilityRange: { low: percent(Math.max(0, low)), high: percent(Math.min(1, high)) },
      whenPeriod,
      rationale: words.range,
    },
    {
      outcome,
      probabilityDecimal: percent(Math.min(1, Math.max(0, value))).value,
      whenPeriod,
      rationale: `${words.decimal} Read it only together with the range before it.`,
    },
  ];
}

function risk(
  own: PlanForecast,
  code: CodeableConcept,
  made: readonly Prediction[],
  basedOn: Reference | undefined,
  { run, options, patient, device, basis }: Context,
): RiskAssessment {
  const { forecast, now, isPreliminary } = run;
  const { pack } = forecast;
  const isComplete = forecast.status === 'completed' && !isPreliminary;
  const doubts = [...forecast.fit.reasons, ...own.outsideSupport];
  return {
    resourceType: 'RiskAssessment',
    id: options.newId(),
    ...simulatedMeta(run.record.isSynthetic),
    text: narrative(`${simulatedLine} ${code.text ?? ''} under ${own.plan.name}, by simulation.`, ...doubts, safetyLine),
    ...(basedOn ? { basedOn } : {}),
    status: isComplete ? 'final' : 'preliminary',
    method: { text: `Simulation with the model pack ${pack.id} ${pack.version}, SHA-256 ${pack.digest}` },
    code,
    subject: referenceTo(patient),
    occurrenceDateTime: dateTime(now, options),
    performer: referenceTo(device),
    basis,
    prediction: made,
    note: [...new Set([...doubts, ...(options.limits ?? []), `Plan: ${own.plan.name}.`, forecast.message, safetyLine])]
      .filter(Boolean)
      .map((text) => ({ text })),
  };
}

function periodTo(days: number, now: IsoMinute, options: FhirOptions): { start: string; end: string } {
  return { start: dateTime(now, options), end: dateTime(addHours(now, days * 24), options) };
}

function eventRisk(own: PlanForecast, id: string, basedOn: Reference | undefined, context: Context): RiskAssessment {
  const { run, vocabulary, options } = context;
  const { timesDays } = run.forecast;
  const { incidence, low, high } = own.events[id]!;
  const outcome = concept(vocabulary.events.get(id), id);
  const nearest = timesDays.reduce(
    (best, day, t) => (Math.abs(day - run.reading.readDay) < Math.abs(timesDays[best]! - run.reading.readDay) ? t : best),
    0,
  );
  const times = [...new Set([nearest, timesDays.length - 1])].filter((t) => t > 0);
  const made = times.flatMap((t) =>
    predictions(outcome, { value: incidence[t]!, low: low[t]!, high: high[t]! }, periodTo(timesDays[t]!, run.now, options), {
      range: `90 % interval of the simulated probability that this comes first, over what the model does not know.`,
      decimal: `Mean over ${run.forecast.run.rollouts} simulated courses.`,
    }),
  );
  return risk(own, outcome, made, basedOn, context);
}

function targetChance(own: PlanForecast, id: string, basedOn: Reference | undefined, context: Context): RiskAssessment {
  const { run, vocabulary, options } = context;
  const { probability, low, high, unit, quantiles } = own.targets![id]!;
  const outcome = { text: vocabulary.targets.get(id) ?? id };
  const spread = [quantiles[0], quantiles[4]].map((value) => Number(value.toPrecision(3))).join(' to ');
  const made = predictions(
    outcome,
    { value: probability, low, high },
    periodTo(run.forecast.timesDays.at(-1)!, run.now, options),
    {
      range: `95 % interval from the number of draws alone. Nine in ten draws of the measure lie within ${spread} ${unit}.`,
      decimal: 'Share of draws inside the range of the target.',
    },
  );
  return risk(own, outcome, made, basedOn, context);
}

function carePlan(
  plan: Plan,
  outsideSupport: readonly string[],
  { run, vocabulary, options, patient, device }: Context,
): CarePlan {
  const { now, forecast, record } = run;
  const horizon = forecast.timesDays.at(-1)!;
  const at = (days: number) => dateTime(addHours(now, days * 24), options);
  const product = (id: string) => concept(vocabulary.interventions.get(id), id);
  return {
    resourceType: 'CarePlan',
    id: options.newId(),
    ...simulatedMeta(record.isSynthetic),
    text: narrative(`A what-if that was simulated, not a recommendation and not an order: ${plan.name}.`, safetyLine),
    status: 'draft',
    intent: 'proposal',
    title: plan.name,
    description: 'A what-if for simulation. Not a recommendation, not an order.',
    subject: referenceTo(patient),
    period: { start: at(0), end: at(horizon) },
    created: run.madeAt,
    author: referenceTo(device),
    activity: [
      ...plan.blocks.map(({ intervention, startDay, stopDay }) => ({
        detail: {
          status: 'not-started' as const,
          productCodeableConcept: product(intervention),
          scheduledPeriod: { start: at(startDay), end: at(Math.min(stopDay, horizon)) },
          description: `${product(intervention).text} from day ${startDay} to day ${stopDay}, simulated`,
        },
      })),
      ...(plan.regimens ?? []).map((one) => {
        const unit = vocabulary.interventions.get(one.intervention)?.units[0] ?? '';
        const often = one.everyHours === null ? 'once' : `every ${one.everyHours} h`;
        const many = one.everyHours === null || one.count === null ? '' : `, ${one.count} doses`;
        const over = one.durationHours === null ? '' : ` over ${one.durationHours} h`;
        return {
          detail: {
            status: 'not-started' as const,
            productCodeableConcept: product(one.intervention),
            quantity: quantity(one.amount, unit),
            description: `${one.amount} ${unit} ${one.route}${over} ${often}${many}, first in ${one.startHour} h, simulated`,
          },
        };
      }),
    ],
    note: [...(plan.stopsCurrentDoses ? ['Doses that go on in the record stop.'] : []), ...outsideSupport, safetyLine].map(
      (text) => ({ text }),
    ),
  };
}

/**
 * A marker's course as sampled data: low, middle and high of the widest band at each time. It has no code of a laboratory test, so that
 * no system can file it among results.
 */
function course(
  { plan }: PlanForecast,
  id: string,
  { unit, bands, median }: MarkerForecast,
  { run, vocabulary, options, patient, device }: Context,
): Observation {
  const { timesDays } = run.forecast;
  const label = vocabulary.quantities.get(id)?.label ?? id;
  const widest = bands.reduce((a, b) => (b.level > a.level ? b : a));
  const sample = (value: number) => (Number.isFinite(value) ? String(Number(value.toPrecision(6))) : 'E');
  const step = timesDays.length > 1 ? timesDays[1]! - timesDays[0]! : 1;
  return {
    resourceType: 'Observation',
    id: options.newId(),
    ...simulatedMeta(run.record.isSynthetic),
    text: narrative(`${simulatedLine} Simulated course of ${label} under ${plan.name}.`, safetyLine),
    status: 'preliminary',
    code: { text: `Simulated course, not a measurement: ${label}` },
    subject: referenceTo(patient),
    effectivePeriod: periodTo(timesDays.at(-1)!, run.now, options),
    valueSampledData: {
      origin: quantity(0, unit),
      period: step * 86_400_000,
      dimensions: 3,
      data: timesDays.map((_, t) => [widest.low[t]!, median[t]!, widest.high[t]!].map(sample).join(' ')).join(' '),
    },
    method: { text: 'Simulation' },
    device: referenceTo(device),
    note: [
      {
        text: `${simulatedLine} Three numbers at each time: low end of the ${Math.round(100 * widest.level)} % band, median, high end. Plan: ${plan.name}.`,
      },
    ],
  };
}

/** The DICOM codes that auditevent.html gives as examples, where one fits. */
function auditEvent({ action, at, role, packId }: RecordedAction, { patient, device, options }: Context): AuditEvent {
  const dicom = 'http://dicom.nema.org/resources/ontology/DCM';
  const kinds: Readonly<Record<string, readonly [code: string, action: AuditEvent['action'], display: string]>> = {
    export: ['110106', 'R', 'Export'],
    import: ['110107', 'C', 'Import'],
    'patient.open': ['110110', 'R', 'Patient Record'],
    'patient.save': ['110110', 'U', 'Patient Record'],
  };
  const [code, done, display] = kinds[action] ?? (['110100', 'E', 'Application Activity'] as const);
  return {
    resourceType: 'AuditEvent',
    id: options.newId(),
    type: { system: dicom, code, display },
    action: done,
    recorded: at,
    agent: [{ requestor: true, ...(role ? { name: role } : {}) }],
    source: { observer: referenceTo(device) },
    entity: [{ what: referenceTo(patient), name: [action, packId].filter(Boolean).join(', ') }],
  };
}
