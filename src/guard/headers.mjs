// The headers that keep patient data on the device: the one list, for the server (scripts/serve.mjs), the host files
// (scripts/host-files.mjs), the page's own <meta> policy (scripts/vite-plugins.ts), the service worker's answers and the page that
// proves them. They go out with every response: a worker obeys the policy of its own script, not the page's (measured).
// Plain JavaScript, because the server runs without a build.

const contentSecurityPolicy = {
  'default-src': "'none'",
  'script-src': "'self' 'wasm-unsafe-eval'",
  'style-src': "'self'",
  'img-src': "'self' blob: data:",
  'font-src': "'self'",
  'connect-src': "'self'",
  'worker-src': "'self'",
  'manifest-src': "'self'",
  'object-src': "'none'",
  'media-src': "'none'",
  'frame-src': "'none'",
  'frame-ancestors': "'none'",
  'form-action': "'none'",
  'base-uri': "'none'",
  'require-trusted-types-for': "'script'",
  'trusted-types': 'svelte-trusted-html app-worker',
};

const refusedFeatures = [
  'camera',
  'microphone',
  'geolocation',
  'payment',
  'usb',
  'serial',
  'bluetooth',
  'hid',
  'midi',
  'display-capture',
  'idle-detection',
  'browsing-topics',
  'attribution-reporting',
  'identity-credentials-get',
  'join-ad-interest-group',
  'run-ad-auction',
  'deferred-fetch',
];

/** @param {Record<string, string>} directives */
function policyText(directives) {
  return Object.entries(directives)
    .map(([name, value]) => `${name} ${value}`)
    .join('; ');
}

/** The part of the policy that a <meta> element may carry: the belt for a server that forgets the header. */
export function metaPolicy() {
  const { 'frame-ancestors': _, ...rest } = contentSecurityPolicy;
  return policyText(rest);
}

/**
 * Name → value, on every response whatever its status. Strict-Transport-Security is among them always: browsers ignore it on plain
 * http, and behind a proxy that speaks https it is there without anybody having to remember it.
 * @type {Readonly<Record<string, string>>}
 */
export const securityHeaders = {
  'Connection-Allowlist': '(response-origin); webrtc=block',
  'Content-Security-Policy': policyText(contentSecurityPolicy),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'Permissions-Policy': refusedFeatures.map((feature) => `${feature}=()`).join(', '),
  'Strict-Transport-Security': 'max-age=63072000; includeSubDomains',
};

/**
 * The one page that empties the browser's storage for this address, by a header of its own; for a database that will not open. It is
 * only sent to a person who goes there from a page of this site, so that no foreign link and no mere fetch can empty anybody's vault.
 */
export const clearing = { page: 'recover-clear.html', name: 'Clear-Site-Data', value: '"storage"' };
