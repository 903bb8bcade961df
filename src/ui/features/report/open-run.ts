import type { Session } from '#app/session.svelte.ts';
import { route } from '#ui/features/route.svelte.ts';
import { pickFile } from './pick-file.ts';

/** Asks for a file and shows the run in it. What was open stays where it is refused; `session.exports.failure` says why. */
export async function openRun(session: Session): Promise<void> {
  const file = await pickFile('.json,application/json');
  if (!file) return;
  if (await session.openRun(file)) route.go('forecast');
}
