// node scripts/host-files.mjs: writes hosting/, the settings with which common static hosts send the headers of src/guard/headers.mjs.
// tests/unit/scripts/host-files.test.ts keeps the folder as this program would write it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { contentTypes } from '../src/guard/content-types.mjs';
import { clearing, securityHeaders } from '../src/guard/headers.mjs';
import { root } from './packages.mjs';

const headers = Object.entries(securityHeaders);
const hashedFor = 'public, max-age=31536000, immutable';
const made = 'Written by scripts/host-files.mjs from src/guard/headers.mjs. See docs/hosting.md.';
// Kinds of files that servers of today do not know by themselves.
const uncommon = ['.wasm', '.webmanifest', '.mjs', '.wgsl', '.md', '.woff2'];
const bareType = (extension) => contentTypes[extension].split(';')[0];

function nginx() {
  const add = (indent) => headers.map(([name, value]) => `${indent}add_header ${name} "${value.replaceAll('"', '\\"')}" always;`);
  return [
    `# ${made}`,
    '# In the server block, with `root` at the folder that holds the files. A location with an add_header of its own inherits none,',
    '# so the list stands in each.',
    'http2 on;',
    'types_hash_max_size 4096;',
    'include mime.types;',
    'types {',
    ...uncommon.map((extension) => `    ${bareType(extension)} ${extension.slice(1)};`),
    '}',
    'location / {',
    ...add('    '),
    '    add_header Cache-Control "no-cache" always;',
    '}',
    'location ~ /assets/ {',
    ...add('    '),
    `    add_header Cache-Control "${hashedFor}" always;`,
    '}',
    '# Empties the browser’s storage, for a person who goes there from a page of this site.',
    `location ~ /${clearing.page.replace('.', '\\.')}$ {`,
    '    set $clears "";',
    '    if ($http_sec_fetch_site = same-origin) { set $clears "s"; }',
    '    if ($http_sec_fetch_mode = navigate) { set $clears "${clears}n"; }',
    '    set $clearing "";',
    `    if ($clears = sn) { set $clearing '${clearing.value}'; }`,
    ...add('    '),
    '    add_header Cache-Control "no-store" always;',
    `    add_header ${clearing.name} $clearing always;`,
    '}',
    '',
  ].join('\n');
}

function caddy() {
  return [
    `# ${made}`,
    '# Put your own name in place of counterpart.example; Caddy gets the certificate by itself.',
    'counterpart.example {',
    '\troot * /srv/counterpart',
    '\t# Deferred, so that they are on answers without a file and on errors too.',
    '\theader {',
    '\t\tdefer',
    ...headers.map(([name, value]) => `\t\t${name} \`${value}\``),
    '\t\tCache-Control "no-cache"',
    '\t}',
    '\t@hashed path */assets/*',
    '\theader @hashed {',
    '\t\tdefer',
    `\t\tCache-Control "${hashedFor}"`,
    '\t}',
    '\t# Empties the browser’s storage, for a person who goes there from a page of this site.',
    '\t@clearing {',
    `\t\tpath */${clearing.page}`,
    '\t\theader Sec-Fetch-Site same-origin',
    '\t\theader Sec-Fetch-Mode navigate',
    '\t}',
    `\theader @clearing ${clearing.name} \`${clearing.value}\``,
    '\tfile_server',
    '\thandle_errors {',
    '\t\theader {',
    ...headers.map(([name, value]) => `\t\t\t${name} \`${value}\``),
    '\t\t}',
    '\t\trespond "{err.status_code} {err.status_text}"',
    '\t}',
    '}',
    '',
  ].join('\n');
}

function apache() {
  return [
    `# ${made}`,
    '# As .htaccess beside index.html (AllowOverride FileInfo Options), with mod_headers.',
    'Options -Indexes',
    ...headers.map(([name, value]) => `Header always set ${name} "${value.replaceAll('"', '\\"')}"`),
    'Header always set Cache-Control "no-cache"',
    `<If "%{REQUEST_URI} =~ m#/assets/#">`,
    `    Header always set Cache-Control "${hashedFor}"`,
    '</If>',
    ...uncommon.map((extension) => `AddType ${bareType(extension)} ${extension}`),
    '# Empties the browser’s storage, for a person who goes there from a page of this site.',
    `<Files "${clearing.page}">`,
    `    <If "%{HTTP:Sec-Fetch-Site} == 'same-origin' && %{HTTP:Sec-Fetch-Mode} == 'navigate'">`,
    `        Header always set ${clearing.name} "${clearing.value.replaceAll('"', '\\"')}"`,
    '    </If>',
    '</Files>',
    '',
  ].join('\n');
}

/** Netlify and Cloudflare Pages read the same file. A rule cannot see Sec-Fetch-Site there, so the clearing page has none. */
function staticHost() {
  return [
    `# ${made}`,
    '# As _headers beside index.html, for Netlify, Cloudflare Pages and hosts that read their format.',
    '/*',
    ...headers.map(([name, value]) => `  ${name}: ${value}`),
    // Of the other files these hosts have every answer checked anew by themselves; a second rule would add to the first.
    '/assets/*',
    `  Cache-Control: ${hashedFor}`,
    '',
  ].join('\n');
}

/** Name in hosting/ → content. */
export const hostFiles = { 'nginx.conf': nginx(), Caddyfile: caddy(), htaccess: apache(), _headers: staticHost() };

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(join(root, 'hosting'), { recursive: true });
  for (const [name, content] of Object.entries(hostFiles)) writeFileSync(join(root, 'hosting', name), content);
}
