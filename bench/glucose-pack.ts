// For Node alone: the patients are read from a file of the training pipeline. A page is handed the result.
import { covariatesOf, effectsOf } from '#training/models/type-1-diabetes.ts';
import { virtualPatients } from '#training/models/t1d-patients.ts';
import pack from '../models/type-1-diabetes/pack.json' with { type: 'json' };
import type { GlucosePack } from './glucose-work.ts';

export const glucosePack: GlucosePack = {
  ...(pack as unknown as GlucosePack),
  published: virtualPatients.map((patient) => ({ covariates: covariatesOf(patient), effects: effectsOf(patient) })),
};
