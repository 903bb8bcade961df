/** Policies that packs come with: how such people are followed in practice, and what the twin can do beside it. */
import { hoursPerDay } from '#domain/doses.ts';
import { AppError } from '#domain/errors.ts';
import type { Plan, Regimen } from '#domain/plan.ts';
import type { Policy, PolicyRule, ReadyPolicy } from '#domain/planning.ts';
import type { IsoMinute, PatientRecord } from '#domain/record.ts';
import type { EquationsManifest, LearnedManifest, PackManifest } from '#packs/manifest.ts';
import { readHistory } from '#twin/history.ts';
import { bodySize, readPerson, type Person } from '#twin/equations/person.ts';
import { middleRegimen, sizeFor } from '../listed-doses.ts';
import { horizonOf } from '../spaces.ts';
import { currentRegimens } from './current-doses.ts';
import { policyOutsideSupport } from './learned-support.ts';

/**
 * In no order of merit. They start from the doses that the person is on or, where there are none, from the middle of the pack's listed
 * doses. Empty for packs whose plans cannot react to a measurement, and for a record that the pack cannot read: the forecast says why.
 */
export function readyPolicies(manifest: PackManifest, record: PatientRecord, now: IsoMinute): readonly ReadyPolicy[] {
  try {
    return manifest.kind === 'learned'
      ? learnedPolicies(manifest, record, now)
      : dosedPolicies(manifest, readPerson(manifest, record, now));
  } catch (error) {
    if (error instanceof AppError) return [];
    throw error;
  }
}

type Draft = Omit<Policy, 'start'> & { readonly description: string; readonly source: string };

/** By pack. What is not here and has listed doses gets the refitting policy alone. */
const dosed: Readonly<Record<string, (horizonDays: number) => readonly Draft[]>> = {
  warfarin: (horizonDays) => [
    {
      id: 'inr-table',
      name: 'INR table (RE-LY)',
      decisionDays: before([3, 5, 7, 10, 14, 21, 28, 42, 56], horizonDays),
      measures: ['inr'],
      // van Spall HGC, Wallentin L, Yusuf S, et al. Circulation 2012;126:2309–16, the dosing table of the RE-LY trial: weekly dose
      // +15 % at INR ≤ 1.5, +10 % to 1.99, −10 % from 3.01, one dose left out and −10 % from 4, doses left out and −15 % from 5.
      rule: {
        kind: 'titrate',
        intervention: 'warfarin',
        marker: 'inr',
        steps: [
          { below: 1.5, factor: 1.15 },
          { below: 2, factor: 1.1 },
          { below: 3, factor: 1 },
          { below: 4, factor: 0.9 },
          { below: 5, factor: 0.9, waitDays: 1 },
          { below: null, factor: 0.85, waitDays: 2 },
        ],
      },
      description:
        'INR on days 3, 5, 7, 10, 14, 21, 28, 42 and 56. Below 1.5: 15 % more; below 2: 10 % more; from 3: 10 % less; from 4: one day without and 10 % less; from 5: two days without and 15 % less.',
      source:
        'Table of the RE-LY trial (van Spall HGC et al. Circulation 2012;126:2309–16), made for people who have taken warfarin for weeks. The days, and two days without from INR 5 instead of “until in range”, are ours. Doses are rounded to what the pack lists.',
    },
    {
      id: 'refit-and-dose',
      name: 'INR, refit, dose for INR 2–3',
      decisionDays: before([4, 8, 15, 29], horizonDays),
      measures: ['inr'],
      rule: dosingRule('warfarin', 'time-in-range', [{ target: 'above-4', atMost: 0.1 }]),
      description:
        'INR on days 4, 8, 15 and 29. Each time the twin is fitted to all INRs so far, and the listed dose is given with the largest simulated chance of INR 2–3 for 65 % of the last four weeks among those with at most 10 % chance of an INR above 4.',
      source: 'Ours; the target is the pack’s, the limit of 10 % and the days are ours.',
    },
  ],
  vancomycin: (horizonDays) => [
    {
      id: 'refit-and-dose',
      name: 'Level after 24 and 48 h, refit, dose for AUC 400–600',
      decisionDays: before([1, 2], horizonDays),
      measures: ['vancomycin'],
      rule: dosingRule('vancomycin', 'auc24-last-day', [{ target: 'auc24-high-last-day', atMost: 0.2 }]),
      description:
        'A level after 24 and 48 hours. Each time the twin is fitted to all levels so far, and the listed dose and interval are given with the largest simulated chance of an AUC of 400–600 on the last day among those with at most 20 % chance of more.',
      source:
        'Bayesian dosing to AUC with levels in the first 24 to 48 hours: Rybak MJ et al. Am J Health Syst Pharm 2020;77:835–64. The limit of 20 % is ours.',
    },
    {
      id: 'trough-table',
      name: 'Trough of 15–20 mg/L, by table (older practice)',
      decisionDays: before([2, 3], horizonDays),
      measures: ['vancomycin'],
      // Range: Rybak M et al. Am J Health Syst Pharm 2009;66:82–98. Factors: the dose in proportion to the middle of the range, in steps.
      rule: {
        kind: 'titrate',
        intervention: 'vancomycin',
        marker: 'vancomycin',
        steps: [
          { below: 10, factor: 1.5 },
          { below: 15, factor: 1.25 },
          { below: 20, factor: 1 },
          { below: 25, factor: 0.75 },
          { below: null, factor: 0.5 },
        ],
      },
      description:
        'The level before a dose after 48 and 72 hours. Below 10: half as much again; below 15: a quarter more; from 20: a quarter less; from 25: half.',
      source:
        'Troughs of 15–20 mg/L were the advice until 2020 (Rybak M et al. Am J Health Syst Pharm 2009;66:82–98) and are no longer, because they meant more kidney injury. The steps are ours: about in proportion.',
    },
  ],
  neutropenia: (horizonDays) => [
    {
      id: 'nadir-reduction',
      name: 'Count on day 8, a quarter less after grade 4',
      decisionDays: before([8, 29, 50], horizonDays),
      measures: ['anc'],
      // Docetaxel prescribing information, section 2: after neutrophils below 500 per mm³ for more than a week, or fever, 75 instead of
      // 100 mg/m² (−25 %). One count on day 8 stands for the week here.
      rule: {
        kind: 'titrate',
        intervention: 'docetaxel',
        marker: 'anc',
        steps: [
          { below: 0.5, factor: 0.75 },
          { below: null, factor: 1 },
        ],
      },
      description: 'Neutrophils on day 8 of each three-week cycle. Below 0.5: all later cycles with a quarter less.',
      source:
        'Docetaxel prescribing information: from 100 to 75 mg/m² after neutrophils below 0.5 for more than a week or with fever. A single count on day 8 instead of a week, and fever not modelled, are ours. What less does to the tumour is not modelled.',
    },
    {
      id: 'recovery-delay',
      name: 'Count before each cycle, wait a week below 1.5',
      decisionDays: before([0, 20, 41, 62], horizonDays),
      measures: ['anc'],
      // Docetaxel prescribing information, section 4 (contraindications): not below 1,500 per mm³.
      rule: {
        kind: 'titrate',
        intervention: 'docetaxel',
        marker: 'anc',
        steps: [
          { below: 1.5, factor: 1, waitDays: 7 },
          { below: null, factor: 1 },
        ],
      },
      description: 'Neutrophils before each cycle (days 0, 20, 41). Below 1.5: that cycle, and all after it, a week later.',
      source: 'Docetaxel prescribing information: not below 1.5. The wait of a week is usual and ours.',
    },
    {
      id: 'refit-and-dose',
      name: 'Count on day 8, refit, the largest dose within limits',
      decisionDays: before([8, 29, 50], horizonDays),
      measures: ['anc'],
      rule: dosingRule('docetaxel', null, [{ target: 'grade-4', atMost: 0.25 }]),
      description:
        'Neutrophils on day 8 of each cycle. Each time the twin is fitted to all counts so far, and from the next cycle on the largest listed dose is given with at most 25 % simulated chance of grade 4 in the three weeks after it.',
      source: 'Ours; grade 4 is that of CTCAE 5.0. What less does to the tumour is not modelled.',
    },
  ],
  'type-1-diabetes': (horizonDays) => [
    {
      id: 'refit-and-correct',
      name: 'Reading every few hours, refit, correct',
      decisionDays: before([3 / 24, 8 / 24, 1], horizonDays),
      measures: ['glucose'],
      rule: dosingRule('bolus-insulin', 'time-in-range', [{ target: 'lowest-below-54', atMost: 0.05 }]),
      description:
        'A meter reading after 3, 8 and 24 hours. Each time the twin is fitted to all readings so far, and of no bolus and the listed ones the one is given with the largest simulated chance of 70 % of the time at 70–180 mg/dL among those with at most 5 % chance of a glucose below 54. Planned boluses are not taken back: where they alone break the limit, nothing is added that breaks it further.',
      source: 'Ours; the targets are those of the international consensus (Battelino T et al. Diabetes Care 2019;42:1593–603).',
    },
    {
      id: 'basal-table',
      name: 'Basal by the reading after a day',
      decisionDays: before([1], horizonDays),
      measures: ['glucose'],
      // American Diabetes Association, Standards of Care in Diabetes 2024, section 9 (Diabetes Care 2024;47(Suppl 1):S158–78): for a low
      // without a clear cause 10–20 % less basal; above the fasting goal of 80–130 mg/dL a little more.
      rule: {
        kind: 'titrate',
        intervention: 'basal-insulin',
        marker: 'glucose',
        steps: [
          { below: 70, factor: 0.8 },
          { below: 80, factor: 0.9 },
          { below: 130, factor: 1 },
          { below: 180, factor: 1.1 },
          { below: null, factor: 1.2 },
        ],
      },
      description:
        'A meter reading after 24 hours, fasting. Below 70: a fifth less basal insulin; below 80: a tenth less; from 130: a tenth more; from 180: a fifth more.',
      source:
        'Goal of 80–130 mg/dL fasting and 10–20 % less after a low: American Diabetes Association, Standards of Care 2024 (Diabetes Care 2024;47(Suppl 1):S158–78). The steps upwards are ours; in practice basal is changed after several mornings, not after one.',
    },
  ],
};

function dosedPolicies(manifest: EquationsManifest, person: Person): ReadyPolicy[] {
  const horizonDays = horizonOf(manifest);
  const current = currentRegimens(manifest, person);
  const drafts = dosed[manifest.id]?.(horizonDays) ?? refitting(manifest, horizonDays);
  return drafts.flatMap(({ description, source, ...draft }) => {
    const { rule } = draft;
    const regimens = startingRegimens(manifest, person, current, rule);
    // A table multiplies what is there: without a dose there is nothing to multiply.
    if (!regimens || draft.decisionDays.length === 0) return [];
    const start: Plan = {
      id: `${draft.id}-start`,
      name: 'Until the first measurement',
      blocks: [],
      regimens,
      stopsCurrentDoses: true,
    };
    return [{ policy: { ...draft, start }, description, source, outsideSupport: [] }];
  });
}

function startingRegimens(
  manifest: EquationsManifest,
  person: Person,
  current: readonly Regimen[],
  rule: PolicyRule,
): readonly Regimen[] | null {
  if (rule.kind === 'switch-when' || current.some(({ intervention }) => intervention === rule.intervention)) return current;
  const grid = manifest.doseGrids.find(({ intervention }) => intervention === rule.intervention);
  if (!grid) return null;
  const horizonHours = hoursPerDay * horizonOf(manifest);
  // Doses that do not repeat within the horizon are corrections: until the first measurement there is none.
  if (grid.intervalHours.every((hours) => hours >= horizonHours)) return rule.kind === 'titrate' ? null : current;
  const size = sizeFor(grid.per, bodySize(person));
  return size === null ? null : [...current, middleRegimen(grid, size)];
}

/** For a pack of listed doses that nobody wrote policies for: measured twice, and dosed for its first target. */
function refitting(manifest: EquationsManifest, horizonDays: number): Draft[] {
  const [grid] = manifest.doseGrids;
  const target = manifest.targets.find(({ intent }) => intent === 'reach');
  const [marker] = manifest.markers;
  if (!grid || !target || !marker) return [];
  const shortest = Math.min(...grid.intervalHours) / hoursPerDay;
  // As late as a dose is due, so that a trough is measured.
  const dueNear = (day: number) => Math.max(1, Math.round(day / shortest)) * shortest;
  return [
    {
      id: 'refit-and-dose',
      name: `${marker.label}, refit, dose for: ${target.label}`,
      decisionDays: before([...new Set([dueNear(horizonDays / 4), dueNear(horizonDays / 2)])], horizonDays),
      measures: [marker.id],
      rule: dosingRule(grid.intervention, target.id, []),
      description: `${marker.label} after a quarter and after half of the forecast. Each time the twin is fitted to all values so far, and the listed dose is given with the largest simulated chance of: ${target.label}.`,
      source: 'Ours; the target is the pack’s.',
    },
  ];
}

function dosingRule(
  intervention: string,
  reach: string | null,
  avoid: Extract<PolicyRule, { kind: 'refit-and-dose' }>['avoid'],
): PolicyRule {
  return { kind: 'refit-and-dose', intervention, reach, avoid };
}

function before(days: readonly number[], horizonDays: number): number[] {
  return days.filter((day) => day < horizonDays);
}

const trialSource =
  'The regimens are those of ACTG 175 (Hammer SM et al. N Engl J Med 1996;335:1081–90); the limit of 350 CD4 cells is ours.';

function learnedPolicies(manifest: LearnedManifest, record: PatientRecord, now: IsoMinute): ReadyPolicy[] {
  const horizonDays = horizonOf(manifest);
  const history = readHistory(manifest, record, now.slice(0, 10));
  const given = (id: string, name: string, ...interventions: string[]): Plan => ({
    id,
    name,
    blocks: interventions.map((intervention) => ({ intervention, startDay: 0, stopDay: horizonDays })),
  });
  const drafts: readonly (Policy & { readonly description: string; readonly source: string })[] =
    manifest.id === 'hiv-actg175'
      ? [
          {
            id: 'count-at-entry',
            name: 'CD4 count at entry decides: below 350 two drugs, else didanosine',
            start: given('count-at-entry-start', 'Didanosine', 'ddi'),
            decisionDays: [0],
            measures: ['cd4'],
            rule: {
              kind: 'switch-when',
              marker: 'cd4',
              direction: 'below',
              value: 350,
              to: given('count-at-entry-to', 'Zidovudine + didanosine', 'zdv-ddi'),
            },
            description:
              'A second CD4 count on the day of entry. Below 350: zidovudine + didanosine from the start; else didanosine alone.',
            source: `${trialSource} Arms were drawn by lot at entry, so a choice at entry by what is measured then lies inside the trial.`,
          },
          {
            id: 'switch-at-week-20',
            name: 'Zidovudine, count at week 20, two drugs if below 350',
            start: given('switch-at-week-20-start', 'Zidovudine', 'zdv'),
            decisionDays: [140],
            measures: ['cd4'],
            rule: {
              kind: 'switch-when',
              marker: 'cd4',
              direction: 'below',
              value: 350,
              to: given('switch-at-week-20-to', 'Zidovudine + didanosine', 'zdv-ddi'),
            },
            description: 'Zidovudine from entry, a CD4 count at week 20. Below 350: didanosine is added from then on.',
            source: `${trialSource} The trial drew arms by lot at entry and switched nobody by a count.`,
          },
        ]
      : manifest.id === 'pbc'
        ? [
            {
              id: 'ursodiol-by-bilirubin',
              name: 'Bilirubin every half year, ursodiol from 2 mg/dL on',
              start: given('ursodiol-by-bilirubin-start', 'None until then'),
              decisionDays: [1, 2, 3, 4, 5, 6].map((visit) => visit * manifest.grid.stepDays).filter((day) => day < horizonDays),
              measures: ['bilirubin'],
              rule: {
                kind: 'switch-when',
                marker: 'bilirubin',
                direction: 'above',
                value: 2,
                to: given('ursodiol-by-bilirubin-to', 'Ursodiol', 'ursodiol'),
              },
              description: 'Bilirubin every half year for three years. Above 2 mg/dL: ursodiol from then on.',
              source:
                'Ours, to ask what waiting costs: people are treated at diagnosis today (EASL guideline, J Hepatol 2017;67:145–72). 2 mg/dL is a cut of the Mayo risk score’s era.',
            },
          ]
        : [];
  return drafts.map(({ description, source, ...policy }) => ({
    policy,
    description,
    source,
    outsideSupport: policyOutsideSupport(manifest, policy, history, horizonDays),
  }));
}
