import { expect, test } from '@playwright/test';
import type { Page } from '@playwright/test';
import { readFileSync } from 'node:fs';
import {
  chooseRole,
  createVault,
  daysAgo,
  enterPatient,
  expectNoSeriousFinding,
  keepKey,
  lockScreen,
  makeVault,
  passphrase,
  passphraseField,
  sentence,
  unlock,
} from './steps.ts';

const toPatients = (page: Page) => page.getByRole('link', { name: 'Patients' }).click();
const toSettings = (page: Page) => page.getByRole('link', { name: 'Settings' }).click();
const lockNow = (page: Page) => page.getByRole('button', { name: 'Lock', exact: true }).click();
const inList = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

test('a vault is made, locked, opened with its passphrase and its printed key, and its passphrase changed', async ({ page }) => {
  test.slow();
  await chooseRole(page);
  await expectNoSeriousFinding(page);
  await page.getByRole('button', { name: 'Create a locked vault' }).click();
  await passphraseField(page).fill('too short');
  await page.getByRole('button', { name: 'Create the vault' }).click();
  await expect(page.getByText('The passphrase has 9 characters.')).toBeVisible();
  await expectNoSeriousFinding(page);
  await passphraseField(page).fill(passphrase);
  await page.getByRole('textbox', { name: 'Passphrase, once more' }).fill('otter lamp seven fridge');
  await page.getByRole('button', { name: 'Create the vault' }).click();
  await expect(page.getByText('The two are not the same.')).toBeVisible();
  await page.getByRole('textbox', { name: 'Passphrase, once more' }).fill(passphrase);
  await page.getByRole('button', { name: 'Create the vault' }).click();
  await expect(page.getByRole('list', { name: 'Recovery key' })).toBeVisible();
  await expectNoSeriousFinding(page);
  await page.getByRole('button', { name: 'Go on' }).click();
  await expect(page.getByText('That is not the fourth group.')).toBeVisible();
  const key = await keepKey(page, 'Go on');
  await enterPatient(page, 'Ada Example');

  await lockNow(page);
  await expect(lockScreen(page)).toBeVisible();
  await expectNoSeriousFinding(page);
  // Nothing of what is inside: not a name, not a count.
  await expect(page.locator('body')).not.toContainText(/Ada|patient/i);
  await passphraseField(page).fill('not the passphrase at all');
  await page.getByRole('button', { name: 'Unlock', exact: true }).click();
  await expect(passphraseField(page)).toHaveAttribute('aria-invalid', 'true');
  await expect(passphraseField(page)).toBeFocused();
  await unlock(page);
  await toPatients(page);
  await expect(inList(page, 'Ada Example')).toBeVisible();

  await toSettings(page);
  await expectNoSeriousFinding(page);
  await page.getByRole('button', { name: 'Change', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Change the passphrase' });
  await dialog.getByRole('textbox', { name: 'Passphrase', exact: true }).fill('violet harbour nine cups');
  await dialog.getByRole('textbox', { name: 'Passphrase, once more' }).fill('violet harbour nine cups');
  await expectNoSeriousFinding(page);
  await dialog.getByRole('textbox', { name: 'Present passphrase' }).fill('wrong wrong wrong wrong');
  await dialog.getByRole('button', { name: 'Change it' }).click();
  await expect(dialog.getByRole('textbox', { name: 'Present passphrase' })).toHaveAttribute('aria-invalid', 'true');
  await dialog.getByRole('textbox', { name: 'Present passphrase' }).fill(passphrase);
  await dialog.getByRole('button', { name: 'Change it' }).click();
  await expect(page.getByText('The passphrase was changed.')).toBeVisible();

  await lockNow(page);
  await passphraseField(page).fill(passphrase);
  await page.getByRole('button', { name: 'Unlock', exact: true }).click();
  await expect(passphraseField(page)).toHaveAttribute('aria-invalid', 'true');
  await unlock(page, 'violet harbour nine cups');

  await lockNow(page);
  await page.getByRole('radio', { name: 'Recovery key' }).check({ force: true });
  await page.getByRole('textbox', { name: 'Recovery key' }).fill(key.toLowerCase().replaceAll('-', ' '));
  await page.getByRole('button', { name: 'Unlock', exact: true }).click();
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible();

  await toSettings(page);
  await page.getByRole('button', { name: 'Read the log' }).click();
  await expect(sentence(page)).toHaveText('What was done with this vault?');
  for (const words of ['Vault made', 'Patient saved', 'Vault locked', 'Way of unlocking changed']) {
    await expect(page.getByRole('cell', { name: words }).first()).toBeVisible();
  }
  await expect(page.getByRole('cell', { name: 'Ada Example' }).first()).toBeVisible();
  await expectNoSeriousFinding(page);
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'As CSV' }).click();
  const csv = readFileSync(await (await download).path(), 'utf8');
  expect(csv).toContain('vault.create');
  expect(csv).not.toContain('Ada');
  const code = await page.locator('code.head').textContent();
  await page.getByLabel('Code', { exact: true }).fill(code!);
  await page.getByRole('button', { name: 'Check', exact: true }).click();
  await expect(page.getByText(/It belongs to entry \d+/)).toBeVisible();
});

test('it locks by itself when nobody is there, after a notice, and what was being typed is kept', async ({ page }) => {
  await page.clock.install();
  await createVault(page);
  await page.getByRole('button', { name: 'Enter a patient' }).click();
  await page.getByLabel('Name on this device').fill('Half typed');
  await page.clock.runFor(1000);
  await page.clock.runFor(4 * 60_000 + 30_000);
  await expect(page.getByText('The vault locks in less than a minute')).toBeVisible();
  await page.keyboard.press('Shift');
  await expect(page.getByText('The vault locks in less than a minute')).toHaveCount(0);
  await page.clock.runFor(5 * 60_000 + 1000);
  await expect(lockScreen(page)).toBeVisible();
  await unlock(page);
  await expect(page.getByLabel('Name on this device')).toHaveValue('Half typed');
});

test('a computer that slept finds the vault locked', async ({ page }) => {
  await page.clock.install();
  await createVault(page);
  await page.clock.fastForward(3 * 60_000);
  await expect(lockScreen(page)).toBeVisible();
});

test('the panic key blanks the page from inside a dialog, and locks the other tab', async ({ page, context }) => {
  await createVault(page);
  await enterPatient(page, 'Ada Example');
  const second = await context.newPage();
  await second.goto('./');
  await unlock(second);
  await expect(inList(second, 'Ada Example')).toBeVisible();

  await page.bringToFront();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('ada');
  // In one go, as fast as fingers are: the page is blank before the third is over.
  const isBlank = await page.evaluate(() => {
    for (let press = 0; press < 3; press++) {
      document.activeElement!.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true, cancelable: true }));
    }
    return document.body.hidden;
  });
  expect(isBlank).toBe(true);
  await expect(lockScreen(page)).toBeVisible();
  await expect(lockScreen(second)).toBeVisible();
  await unlock(page);
});

test('nothing is run without a basis; recorded in place it runs; withdrawn, the person is erased', async ({ page }) => {
  test.slow();
  await createVault(page);
  await enterPatient(page, 'Ada Example');
  await expect(page.getByText('Runs are held: no basis is recorded.')).toBeVisible();
  await page.getByRole('button', { name: 'Run the forecast' }).click();
  await expect(page.getByRole('progressbar')).toHaveCount(0);
  await expectNoSeriousFinding(page);
  await page.getByRole('button', { name: 'Record the basis' }).click();
  const dialog = page.getByRole('dialog', { name: 'On what basis may these data be used?' });
  await dialog.getByRole('button', { name: 'Record it' }).click();
  await expect(dialog.getByText('Choose the basis')).toBeVisible();
  await dialog.getByLabel('Basis').selectOption('consent');
  await dialog.getByLabel('Purpose').fill('Teaching round');
  await dialog.getByLabel('Holds until').fill(daysAgo(-30));
  await expectNoSeriousFinding(page);
  await dialog.getByRole('button', { name: 'Record it' }).click();
  await expect(page.getByText('Runs are held')).toHaveCount(0);
  await page.getByRole('button', { name: 'Run the forecast' }).click();
  await expect(page.getByRole('button', { name: 'Run again' })).toBeVisible({ timeout: 90_000 });

  await toPatients(page);
  await page.getByRole('button', { name: 'Edit Ada Example' }).click();
  await expect(page.getByLabel('Purpose')).toHaveValue('Teaching round');
  await page.getByLabel('Holds until').fill(daysAgo(2));
  await page.getByRole('button', { name: 'Save and forecast' }).click();
  await expect(page.getByText('Runs are held: the basis has ended.')).toBeVisible();

  await toPatients(page);
  await page.getByRole('button', { name: 'Edit Ada Example' }).click();
  await page.getByRole('button', { name: 'Withdraw the consent and erase…' }).click();
  await page.getByRole('button', { name: 'Withdraw and erase', exact: true }).click();
  const report = page.getByRole('dialog', { name: 'The person was erased' });
  await expect(report).toContainText('destroyed');
  await expect(report).toContainText('holds nothing of the person');
  await expect(report).toContainText('none was ever saved');
  await expectNoSeriousFinding(page);
  await report.getByRole('button', { name: 'Close', exact: true }).first().click();
  await expect(page.getByText('Nobody is here yet')).toBeVisible();
});

test('a backup is saved, everything is deleted and proven so, and the backup brings it back', async ({ page }) => {
  test.slow();
  const key = await createVault(page);
  await enterPatient(page, 'Ada Example');
  await toPatients(page);
  await expect(page.getByText('No backup was saved yet.')).toBeVisible();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save a backup' }).click();
  const file = await download;
  expect(file.suggestedFilename()).toMatch(/^counterpart-backup-[\d-]+\.vault$/);
  await expect(page.getByText('No backup was saved yet.')).toHaveCount(0);

  await toSettings(page);
  await page.getByRole('button', { name: 'Delete everything…' }).click();
  await page.getByRole('button', { name: 'Delete everything', exact: true }).click();
  await expect(page.getByText('Type the word “delete” here first.')).toBeVisible();
  await expectNoSeriousFinding(page);
  await page.getByLabel('Type “delete” to go on').fill('delete');
  await page.getByRole('button', { name: 'Delete everything', exact: true }).click();
  await expect(page.getByRole('heading', { name: 'Everything was deleted' })).toBeVisible();
  await expectNoSeriousFinding(page);
  await page.getByRole('button', { name: 'Go to the first screen' }).click();

  await chooseRole(page);
  await page.getByRole('button', { name: 'Open a backup file' }).click();
  await page.getByLabel('Backup or rescue file').setInputFiles({
    name: 'other.vault',
    mimeType: 'application/octet-stream',
    buffer: Buffer.from('no backup at all'),
  });
  await expect(page.getByText('This file cannot be used.')).toBeVisible();
  await page.getByLabel('Backup or rescue file').setInputFiles(await file.path());
  await expect(page.getByText(/with its passphrase or its recovery key/)).toBeVisible();
  await expectNoSeriousFinding(page);
  await page.getByRole('radio', { name: 'Recovery key' }).check({ force: true });
  await page.getByRole('textbox', { name: 'Recovery key' }).fill(key);
  await page.getByRole('button', { name: 'Show what it holds' }).click();
  await expect(page.getByRole('heading', { name: 'What the file holds' })).toBeFocused();
  await expect(page.getByRole('row', { name: /^Patients/ })).toHaveText(/1/);
  await expectNoSeriousFinding(page);
  await page.getByRole('button', { name: 'Open it' }).click();
  await expect(inList(page, 'Ada Example')).toBeVisible();
});

test('a vault whose storage was emptied is never shown as an empty app: recovery comes first', async ({ page }) => {
  test.slow();
  await createVault(page);
  await enterPatient(page, 'Ada Example');
  await toSettings(page);
  await expect(page.getByText(/^Complete on/)).toBeVisible();
  await lockNow(page);
  await expect(lockScreen(page)).toBeVisible();
  const session = await page.context().newCDPSession(page);
  await page.goto('about:blank');
  await session.send('Storage.clearDataForOrigin', {
    origin: new URL(test.info().project.use.baseURL!).origin,
    storageTypes: 'indexeddb',
  });
  await page.goto('./');
  await expect(page.getByRole('heading', { name: 'The vault on this device was damaged' })).toBeVisible();
  await expect(page.getByRole('row', { name: /^Patients/ })).toHaveText(/1.*0.*1/);
  await expectNoSeriousFinding(page);
  await page.getByRole('button', { name: 'Recover from the second copy' }).click();
  await passphraseField(page).fill(passphrase);
  await page.getByRole('button', { name: 'Recover and open' }).click();
  await toPatients(page);
  await expect(inList(page, 'Ada Example')).toBeVisible();
});

test('a passkey of this device opens the vault', async ({ page }) => {
  test.slow();
  const client = await page.context().newCDPSession(page);
  await client.send('WebAuthn.enable');
  await client.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      hasPrf: true,
      automaticPresenceSimulation: true,
      isUserVerified: true,
    },
  });
  await chooseRole(page);
  await page.getByRole('button', { name: 'Create a locked vault' }).click();
  await passphraseField(page).fill(passphrase);
  await page.getByRole('textbox', { name: 'Passphrase, once more' }).fill(passphrase);
  await page.getByRole('switch', { name: /Also unlock with a passkey/ }).check({ force: true });
  await page.getByRole('button', { name: 'Create the vault' }).click();
  await keepKey(page, 'Go on');
  await lockNow(page);
  await page.getByRole('radio', { name: 'Passkey' }).check({ force: true });
  await expectNoSeriousFinding(page);
  await page.getByRole('button', { name: 'Unlock', exact: true }).click();
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible();

  await toSettings(page);
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Remove the passkey' });
  await dialog.getByRole('textbox', { name: 'Present passphrase' }).fill(passphrase);
  await dialog.getByRole('button', { name: 'Remove it' }).click();
  await expect(page.getByText('The passkey was removed.')).toBeVisible();
  await lockNow(page);
  await expect(page.getByRole('radio', { name: 'Passkey' })).toHaveCount(0);
  // With the authenticator still there Chromium once never closed the context.
  await client.send('WebAuthn.disable');
});

test('a vault is made, locked and opened by the keyboard alone', async ({ page }) => {
  await page.goto('./');
  await expect(page.getByRole('radio', { name: 'Clinician' })).toBeVisible();
  const { keyboard } = page;
  await keyboard.press('Tab');
  await keyboard.press('Space');
  await keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Create a locked vault' })).toBeVisible();
  await keyboard.press('Tab');
  await keyboard.press('Enter');
  await expect(passphraseField(page)).toBeFocused();
  await keyboard.type(passphrase);
  // Past the button that shows what was typed.
  await keyboard.press('Tab');
  await keyboard.press('Tab');
  await keyboard.type(passphrase);
  await keyboard.press('Enter');
  const groups = page.getByRole('list', { name: 'Recovery key' }).getByRole('listitem');
  await expect(groups).toHaveCount(7);
  const asked = page.getByLabel(/^I have written it down/);
  for (let presses = 0; presses < 6 && !(await asked.evaluate((one) => one === document.activeElement)); presses++) {
    await keyboard.press('Tab');
  }
  await keyboard.type((await groups.nth(3).textContent())!);
  await keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Enter a patient' })).toBeEnabled();
  await keyboard.press('Control+k');
  await expect(page.getByPlaceholder('Find an action or a patient')).toBeFocused();
  await keyboard.type('lock the vault');
  await expect(page.getByRole('option', { name: 'Lock the vault', selected: true })).toBeVisible();
  await keyboard.press('Enter');
  await expect(passphraseField(page)).toBeFocused();
  await keyboard.type(passphrase);
  await keyboard.press('Enter');
  await expect(page.getByRole('navigation', { name: 'Pages' })).toBeVisible();
});

test('at 360 pixels nothing sticks out of the screens of the vault, also in the dark', async ({ page }) => {
  test.slow();
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: 'dark' });
  const expectFits = async () => {
    expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
    // The bar at the bottom covers whatever is scrolled under it, and axe measures what is left of a button there.
    await expectNoSeriousFinding(page, ['target-size']);
  };
  await chooseRole(page);
  await expectFits();
  await page.getByRole('button', { name: 'Create a locked vault' }).click();
  await expectFits();
  await passphraseField(page).fill(passphrase);
  await page.getByRole('textbox', { name: 'Passphrase, once more' }).fill(passphrase);
  await page.getByRole('button', { name: 'Create the vault' }).click();
  await expect(page.getByRole('list', { name: 'Recovery key' })).toBeVisible();
  await expectFits();
  await keepKey(page, 'Go on');
  await toSettings(page);
  await expect(page.getByRole('heading', { name: 'Storage on this device' })).toBeVisible();
  await expectFits();
  await page.getByRole('button', { name: 'Read the log' }).click();
  await expect(page.getByText('That alone does not stop')).toBeVisible();
  await expectFits();
  await lockNow(page);
  await expect(lockScreen(page)).toBeVisible();
  await expectFits();
  await page.getByRole('button', { name: 'Restore a backup file' }).click();
  await expectFits();
});

test('records of the version before encryption are sealed before anything else is shown', async ({ page }) => {
  // As that version stored them: a byte 0, then the text of the record.
  await page.goto('./favicon.svg');
  await page.evaluate(
    () =>
      new Promise<void>((done, failed) => {
        const seal = (value: unknown) => Uint8Array.from([0, ...new TextEncoder().encode(JSON.stringify(value))]);
        // Dexie counts its versions in tens.
        const opening = indexedDB.open('counterpart', 10);
        opening.onupgradeneeded = () => {
          for (const store of ['patients', 'drafts', 'workspaces', 'settings'])
            opening.result.createObjectStore(store, { keyPath: 'id' });
        };
        opening.onerror = () => failed(opening.error);
        opening.onsuccess = () => {
          const writing = opening.result.transaction(['patients', 'settings'], 'readwrite');
          const record = {
            id: 'a',
            alias: 'Ada Example',
            isSynthetic: false,
            entryDate: '2026-01-01',
            covariates: { age: 50 },
            observations: [],
            treatments: [],
            events: [],
            note: '',
            updatedAt: 1,
          };
          const settings = { acknowledged: { version: 1, role: 'educator', at: 1 } };
          writing.objectStore('patients').put({ id: 'a', updatedAt: 1, sealed: seal(record) });
          writing.objectStore('settings').put({ id: 'settings', updatedAt: 1, sealed: seal(settings) });
          writing.oncomplete = () => {
            opening.result.close();
            done();
          };
        };
      }),
  );
  await page.goto('./');
  await expect(page.getByText('The records on this device are not encrypted.')).toBeVisible();
  await expectNoSeriousFinding(page);
  await makeVault(page, 'Seal the records');
  await expect(inList(page, 'Ada Example')).toBeVisible();
  await page.reload();
  await expect(lockScreen(page)).toBeVisible();
  await unlock(page);
  await toSettings(page);
  await expect(page.getByLabel('I use it as a')).toHaveValue('educator');
});
