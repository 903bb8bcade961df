// Where the browser is and with which flags the tests start it. Every script and test configuration asks here, so that
// `npm test`, a single `npx vitest` and the screenshots all run in the same Chromium.
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Software WebGPU (SwiftShader), and none of the browser's own traffic, so that what is seen on the network is ours. */
export const chromiumFlags = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
  // What a run adds for itself, as JSON: scripts/egress.mjs names the browser's own hosts, or asks for its log.
  ...JSON.parse(process.env.COUNTERPART_BROWSER_FLAGS ?? '[]'),
];

const hostRules = '--host-resolver-rules=';

/** The flags with one more rule for hosts. The browser takes the last such flag alone, so the rules of a run are kept in it. */
export function chromiumFlagsWithHost(rule) {
  const rules = chromiumFlags.filter((flag) => flag.startsWith(hostRules)).map((flag) => flag.slice(hostRules.length));
  return [...chromiumFlags.filter((flag) => !flag.startsWith(hostRules)), `${hostRules}${[...rules, rule].join(', ')}`];
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Folders into which `npx playwright install` unpacks browsers, newest revision first. */
export function playwrightFolders() {
  const cache =
    process.env.PLAYWRIGHT_BROWSERS_PATH ??
    (process.platform === 'darwin'
      ? join(homedir(), 'Library/Caches/ms-playwright')
      : process.platform === 'win32'
        ? join(process.env.LOCALAPPDATA ?? homedir(), 'ms-playwright')
        : join(homedir(), '.cache/ms-playwright'));
  if (!existsSync(cache)) return [];
  return readdirSync(cache)
    .filter((name) => /^chromium-\d+$/.test(name))
    .sort((a, b) => Number(b.slice(9)) - Number(a.slice(9)))
    .map((name) => join(cache, name));
}

const playwrightExecutables = [
  'chrome-linux/chrome',
  'chrome-linux64/chrome',
  'chrome-win/chrome.exe',
  'chrome-win64/chrome.exe',
  'chrome-mac/Chromium.app/Contents/MacOS/Chromium',
  'chrome-mac-arm64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
  'chrome-mac-x64/Google Chrome for Testing.app/Contents/MacOS/Google Chrome for Testing',
];

/** Path of a Chromium on this machine, or null. `CHROMIUM` overrides; a browser on PATH goes before Playwright's own. */
export function findChromium() {
  const chosen = process.env.CHROMIUM;
  if (chosen) {
    if (isExecutable(chosen)) return chosen;
    throw new Error(`CHROMIUM: '${chosen}' is not an executable file. Set it to the path of a Chromium or Chrome, or unset it.`);
  }
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      if (folder && isExecutable(path)) return path;
    }
  }
  for (const folder of playwrightFolders()) {
    for (const relative of playwrightExecutables) {
      const path = join(folder, relative);
      if (isExecutable(path)) return path;
    }
  }
  return null;
}

/** As findChromium, but throws with what to do. */
export function requireChromium() {
  const path = findChromium();
  if (path) return path;
  throw new Error(
    `No Chromium was found: looked on PATH for ${names.join(', ')} and in Playwright's cache. ` +
      'Run `npm test`, which installs one, or set CHROMIUM to the path of a Chromium or Chrome.',
  );
}
