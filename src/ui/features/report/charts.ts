import type { Session } from '#app/session.svelte.ts';
import { provideChartSaving } from '#ui/charts/chart-saving.ts';
import { saveFile } from '#ui/features/vault/save-file.ts';

/** Gives every chart below the button that saves its picture, marked with what it is. Called while a component is made. */
export function provideChartPictures(session: Session): void {
  let name = '';
  provideChartSaving({
    async mark() {
      const made = await session.exports.pictureMark();
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
