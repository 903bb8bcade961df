/** How far a pack's forecasts came true, as its report says. */
import { loadValidation } from '#packs/catalogue.ts';
import type { Handler } from './hooks.ts';
import { fetchBytes } from './packs.ts';

export const validation: Handler<'validation'> = ({ packId }) => loadValidation(packId, fetchBytes);
