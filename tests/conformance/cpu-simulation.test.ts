import { CpuSimulator } from '#engine/cpu/simulation.ts';
import { describeSimulator } from './simulation-suite.ts';

describeSimulator('cpu', async () => new CpuSimulator(), { relative: 5e-4, ofLargest: 1e-5 });
