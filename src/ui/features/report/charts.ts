import type { Session } from '#app/session.svelte.ts';
import { provideChartSaving } from '#ui/charts/chart-saving.ts';
import { saveFile } from '#ui/features/vault/save-file.ts';

/**
 * Gives every chart below the button that saves its picture, marked with what it is a picture of: the shown forecast, or what the Plan
 * page made. Called while a component is made.
 */
export function provideChartPictures(session: Session, of: 'forecast' | 'plan'): void {
  let name = '';
  provideChartSaving({
    async mark() {
      const made = await session.exports.pictureMark(of);
      if (!made) return null;
      ({ name } = made);
      return made.mark;
    },
    save(picture, kind) {
      session.exports.notePicture(kind);
      saveFile(picture, `${name}.${kind}`);
    },
    failed: () => session.exports.pictureFailed(),
  });
}
