// The headers that keep patient data on the device. They go out with every response: a worker obeys the policy of its own
// script, not the page's (measured; docs and tests refer to this file). An operator who serves `dist` with another server
// copies them from here.

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

/** No Strict-Transport-Security: this server speaks plain http, where browsers ignore it. Add it behind https. */
export const securityHeaders = {
  'Connection-Allowlist': '(response-origin); webrtc=block',
  'Content-Security-Policy': policyText(contentSecurityPolicy),
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-DNS-Prefetch-Control': 'off',
  'Permissions-Policy': [
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
  ]
    .map((feature) => `${feature}=()`)
    .join(', '),
};
