// npm run sbom [-- FILE]: what is shipped and under which licences. Writes a CycloneDX list (default build/sbom.json) of the packages
// that reach a browser, and prints them with their licences. Fails when one has none, or one that asks more than to be named.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { npm, root } from './packages.mjs';

/** They ask for their text to be kept with copies, no more. */
const permissive = /^(MIT|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|Unlicense|OFL-1\.1|CC0-1\.0)$/;

/** Of a package whose package.json names none: what its licence file says it is. */
function licenceInFile(name) {
  const file = join(root, 'node_modules', name, 'LICENSE');
  const first = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n', 1)[0] : '';
  return /^(?:The )?MIT License/.test(first) ? 'MIT' : 'none named';
}

const { status, stdout } = npm(['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev'], {
  stdio: ['ignore', 'pipe', 'inherit'],
  encoding: 'utf8',
  maxBuffer: 64 * 2 ** 20,
});
if (status !== 0) throw new Error('`npm sbom` failed, see above.');
const list = JSON.parse(stdout);
const shipped = list.components.map(({ name: ownName, group, version, licenses = [] }) => {
  const name = `${group ? `${group}/` : ''}${ownName}`;
  const named = licenses.map(({ license, expression }) => expression ?? license.id ?? license.name).join(' and ');
  return { name, version, licence: named || licenceInFile(name) };
});
const file = resolve(process.argv[2] ?? resolve(root, 'build/sbom.json'));
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(list, null, 1)}\n`);
for (const { name, version, licence } of shipped) console.log(`${name} ${version}: ${licence}`);
const unclear = shipped.filter(({ licence }) => !permissive.test(licence));
console.log(`${shipped.length} packages, written to ${file}. ${unclear.length} with another licence than the permissive ones.`);
process.exit(unclear.length === 0 ? 0 : 1);
