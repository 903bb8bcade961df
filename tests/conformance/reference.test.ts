import { ReferenceEngine } from '#engine/reference/engine.ts';
import { describeEngine } from './engines.ts';

describeEngine('reference', async () => new ReferenceEngine());
