import { ReferenceSimulator } from '#engine/reference/simulation.ts';
import { describeSimulator } from './simulation-suite.ts';

// The reference against itself: the same numbers, to the last bit.
describeSimulator('reference', () => Promise.resolve(new ReferenceSimulator()), { relative: 0, ofLargest: 0 });
