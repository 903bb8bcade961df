/** Installs the guard when it is imported: the first import of main.ts, so that nothing of ours or of a library runs before it. */
import { installPageGuard } from './page-guard.ts';

export const guard = installPageGuard(window);
