// npm test's second piece of set-up: a browser to run the tests in.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findChromium } from './chromium.mjs';
import { root } from './packages.mjs';

const run = (command, args, env = {}) =>
  spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;

function isDebianAsRoot() {
  // Ubuntu's package of that name is only a pointer to a snap, which containers cannot run.
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  return /^ID="?debian"?$/m.test(release) && process.getuid?.() === 0;
}

/** The path of a Chromium; installs one where there is none. Throws with what to do when that fails. */
export function ensureChromium() {
  const found = findChromium();
  if (found) return found;
  if (isDebianAsRoot()) {
    console.log('No Chromium was found. Installing Debian’s.');
    const quiet = { DEBIAN_FRONTEND: 'noninteractive' };
    // Without any font a page's text has no width, and screenshots no letters.
    const packages = ['chromium', 'fonts-dejavu-core'];
    run('apt-get', ['update', '-qq'], quiet);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], quiet);
  }
  if (!findChromium()) {
    console.log('Installing Playwright’s Chromium.');
    const dependencies = process.platform === 'linux' && process.getuid?.() === 0 ? ['--with-deps'] : [];
    run(process.execPath, [join(root, 'node_modules/@playwright/test/cli.js'), 'install', ...dependencies, 'chromium']);
  }
  const installed = findChromium();
  if (installed) return installed;
  throw new Error(
    'No Chromium was found and none could be installed. Install Chromium or Chrome and put it on PATH, or set CHROMIUM to its path.',
  );
}
