/** What no script can measure: on whom each pack was held against what came, and why a section is empty. */
import type { SectionId } from '#domain/validation.ts';
import type { PackManifest } from '#packs/manifest.ts';

export interface Statement {
  readonly isOnRealPeople: boolean;
  readonly validatedOn: string;
  /** Where the reasons of `reasonsOf` do not fit. */
  readonly absent?: Partial<Record<SectionId, string>>;
}

const byEquations: Statement = {
  isOnRealPeople: false,
  validatedOn:
    'On nobody: this pack’s forecasts were not held against what came to real patients by us. It reproduces published values of its model; the model’s accuracy in patients is that of its authors’ papers.',
};

const statements: Readonly<Record<string, Statement>> = {
  pbc: {
    isOnRealPeople: true,
    validatedOn:
      'On people of the Mayo Clinic trial who took no part in training, on all of them in five folds, and on the order of risks in the PBC3 trial. Nobody after 1988, nobody on ursodiol.',
  },
  'hiv-actg175': {
    isOnRealPeople: true,
    validatedOn:
      'On people of the trial ACTG 175 who took no part in training. All of it is one trial of 1991 to 1994; there is no outside cohort.',
  },
  warfarin: {
    isOnRealPeople: true,
    validatedOn:
      'Typical weekly doses on test people and on all people in five folds of whole sites of the IWPC cohort. The course of the INR was held against nobody’s.',
    absent: {
      events: 'The pack forecasts no event: neither bleeding nor thrombosis.',
    },
  },
  'hiv-dynamics': {
    isOnRealPeople: false,
    validatedOn: 'On nobody: these are equations for planning exercises, and no patient is in them.',
  },
  'type-1-diabetes': {
    isOnRealPeople: false,
    validatedOn: 'On nobody: its people are thirty published virtual patients. It reproduces their published courses.',
  },
  'lung-tumour': {
    isOnRealPeople: false,
    validatedOn:
      'On nobody: this is the simulator of a published benchmark. Its exact posterior was measured on simulated people.',
  },
  'lung-tumour-learned': {
    isOnRealPeople: false,
    validatedOn:
      'On no real person: on simulated people of the benchmark it was learned from, who took no part in learning. What is true of them is known.',
    absent: {
      events: 'The courses of the simulated people end at a volume: measured values are scored while they go on.',
      subgroups: 'Simulated people have no sex, age or origin.',
      references: 'It was learned from simulated people: there are no published values of it to reproduce.',
      posterior:
        'The fit has a closed form outside the app: the benchmark’s section holds the app’s forecasts against it, a test its draws.',
      memorisation: 'It was learned from simulated people: there is nobody to give back.',
    },
  },
};

export const statementOf = (packId: string): Statement => statements[packId] ?? byEquations;

/** Why a section has no figures, unless the pack's statement says otherwise. */
export function reasonsOf(manifest: PackManifest): Readonly<Record<SectionId, string>> {
  const isLearned = manifest.kind === 'learned';
  const hasEvents = manifest.events.length > 0;
  const noPeople = 'Forecasts were held against no real people, so there is nothing to compare.';
  return {
    markers: 'No data set of real patients with the doses and values that this pack reads was available to us.',
    events: hasEvents ? noPeople : 'The pack forecasts no events.',
    subgroups: noPeople,
    people: 'The sources do not say.',
    trials: 'No randomised trial was run again with this pack.',
    'what-if': 'Not measured for this pack.',
    references: isLearned
      ? 'It was learned from data: there are no published values of it to reproduce.'
      : 'No published values were found.',
    posterior: isLearned
      ? 'The twin’s calibration is part of the coverage of measured values.'
      : 'The fit to a person was not calibrated on simulated people of this pack.',
    benchmark: 'The pack is part of no published benchmark.',
    conformal: isLearned ? 'Not measured for this pack.' : noPeople,
    standing: 'Not measured for this pack.',
    explanation: 'Not measured for this pack.',
    memorisation: isLearned
      ? 'Not measured for this pack.'
      : 'No rows of people were used to make it: it holds published estimates.',
  };
}
