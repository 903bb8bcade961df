import { CpuEngine } from '#engine/cpu/engine.ts';
import { describeEngine } from './engines.ts';
import { describeStepper } from './steppers.ts';

describeEngine('cpu', CpuEngine.create);
describeStepper('cpu', CpuEngine.create);
