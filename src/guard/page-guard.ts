/**
 * The page's own lock on the ways out that a content policy does not govern: WebRTC, navigation, popups, links. It is the third layer
 * after the Connection-Allowlist header and the content policy, and the one that holds in browsers that do not know the allowlist. Run
 * before anything else, in main.ts. It counts what it refused and what the policy refused; it keeps no addresses.
 */

/** What a way out was refused as. */
export type Refusal = 'navigation' | 'link' | 'form' | 'popup' | 'request' | 'frame';

export interface GuardCounts {
  readonly refused: Readonly<Record<Refusal, number>>;
  /** `securitypolicyviolation` events by directive. */
  readonly violations: Readonly<Record<string, number>>;
}

export interface PageGuard {
  counts(): GuardCounts;
  /** Called after each refusal and violation. */
  onChange(listener: () => void): () => void;
}

/** Not needed by the page, and each able to reach another host. */
const constructors = [
  'RTCPeerConnection',
  'webkitRTCPeerConnection',
  'RTCIceTransport',
  'RTCDtlsTransport',
  'RTCDataChannel',
  'WebTransport',
  'WebSocket',
  'WebSocketStream',
  'EventSource',
  'XMLHttpRequest',
  'SharedWorker',
  'PresentationRequest',
  'PaymentRequest',
  'fetchLater',
] as const;

export function installPageGuard(scope: Window & typeof globalThis): PageGuard {
  const refused: Record<Refusal, number> = { navigation: 0, link: 0, form: 0, popup: 0, request: 0, frame: 0 };
  const violations: Record<string, number> = {};
  const listeners = new Set<() => void>();
  const tell = () => listeners.forEach((listener) => listener());
  const refuse = (what: Refusal) => {
    refused[what]++;
    tell();
  };
  const { document } = scope;
  const isOwn = (address: string) => isOwnAddress(address, scope.location);

  for (const name of constructors) replace(scope, name, undefined);

  document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) => {
    violations[effectiveDirective] = (violations[effectiveDirective] ?? 0) + 1;
    tell();
  });

  const realFetch = scope.fetch.bind(scope);
  replace(scope, 'fetch', async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    const isReading = request.method === 'GET' || request.method === 'HEAD';
    if (!isReading || !isOwn(request.url)) {
      refuse('request');
      throw new TypeError('This page may only read files of its own site.');
    }
    return realFetch(request);
  });
  replace(Navigator.prototype, 'sendBeacon', () => {
    refuse('request');
    return false;
  });

  // Leaving in this window, whatever started it: location, meta refresh, a link, a form.
  navigationOf(scope)?.addEventListener('navigate', (event) => {
    const isDownload = event.downloadRequest !== null && event.destination.url.startsWith('data:');
    if (isOwn(event.destination.url) || isDownload || !event.cancelable) return;
    event.preventDefault();
    refuse('navigation');
  });

  const linkOf = (target: EventTarget | null): HTMLAnchorElement | HTMLAreaElement | SVGAElement | null =>
    target instanceof Element ? target.closest<HTMLAnchorElement>('a, area') : null;
  const leads = (link: HTMLAnchorElement | HTMLAreaElement | SVGAElement) => {
    const href = typeof link.href === 'string' ? link.href : link.href.baseVal;
    const pings = link.getAttribute('ping')?.split(/\s+/).filter(Boolean) ?? [];
    return [href, ...pings].some((address) => address !== '' && !isOwn(address));
  };
  const stopLink = (event: Event) => {
    const link = event.composedPath().map(linkOf).find(Boolean);
    if (!link || !leads(link)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    refuse('link');
  };
  for (const type of ['click', 'auxclick']) scope.addEventListener(type, stopLink, { capture: true });

  // A link outside the document gets no event here, but follows its address when it is clicked by script.
  const isStray = (target: EventTarget) => target instanceof Element && !target.isConnected && isLeadingLink(target);
  const isLeadingLink = (target: Element) => {
    const link = linkOf(target);
    return link !== null && leads(link);
  };
  const realClick = HTMLElement.prototype.click;
  replace(HTMLElement.prototype, 'click', function (this: HTMLElement) {
    if (isStray(this)) return refuse('link');
    return realClick.call(this);
  });
  const realDispatch = EventTarget.prototype.dispatchEvent;
  replace(EventTarget.prototype, 'dispatchEvent', function (this: EventTarget, event: Event) {
    if (event.type === 'click' && isStray(this)) {
      refuse('link');
      return false;
    }
    return realDispatch.call(this, event);
  });

  const stopForm = (form: HTMLFormElement, submitter: Element | null) => {
    const address = submitter?.getAttribute('formaction') ?? form.getAttribute('action') ?? '';
    if (isOwn(new URL(address, document.baseURI).href)) return false;
    refuse('form');
    return true;
  };
  scope.addEventListener(
    'submit',
    (event) => {
      const { target, submitter } = event as SubmitEvent;
      if (!(target instanceof HTMLFormElement) || !stopForm(target, submitter)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
  const realSubmit = HTMLFormElement.prototype.submit;
  replace(HTMLFormElement.prototype, 'submit', function (this: HTMLFormElement) {
    if (!stopForm(this, null)) realSubmit.call(this);
  });

  // The app opens no window: even an empty one would bring back every constructor removed above. So would a frame.
  replace(scope, 'open', () => {
    refuse('popup');
    return null;
  });
  for (const kind of [HTMLIFrameElement, HTMLObjectElement]) {
    for (const name of ['contentWindow', 'contentDocument', 'getSVGDocument']) {
      if (name in kind.prototype) Object.defineProperty(kind.prototype, name, { get: () => null, configurable: false });
    }
  }
  new MutationObserver((changes) => {
    for (const node of changes.flatMap((change) => [...change.addedNodes])) {
      if (!(node instanceof Element)) continue;
      const frames = [...(node.matches(frameSelector) ? [node] : []), ...node.querySelectorAll(frameSelector)];
      for (const frame of frames) {
        frame.remove();
        refuse('frame');
      }
    }
  }).observe(document, { childList: true, subtree: true });

  return {
    counts: () => ({ refused: { ...refused }, violations: { ...violations } }),
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

const frameSelector = 'iframe, frame, object, embed, fencedframe, portal';

/** Of this site, or made by this page (`blob:` of this origin, `about:blank`, `javascript:` — which the content policy refuses). */
export function isOwnAddress(address: string, { origin, href }: { readonly origin: string; readonly href: string }): boolean {
  const url = URL.canParse(address, href) ? new URL(address, href) : null;
  if (!url) return true;
  if (url.protocol === 'about:' || url.protocol === 'javascript:') return true;
  return url.origin === origin;
}

function replace(owner: object, name: string, value: unknown): void {
  if (name in owner) Object.defineProperty(owner, name, { value, writable: false, configurable: false });
}

/** The part of the Navigation API that is used; TypeScript's library of this version lacks it. */
interface NavigateEventLike extends Event {
  readonly destination: { readonly url: string };
  readonly downloadRequest: string | null;
}
interface NavigationLike {
  addEventListener(type: 'navigate', listener: (event: NavigateEventLike) => void): void;
}
function navigationOf(scope: object): NavigationLike | undefined {
  return 'navigation' in scope ? (scope.navigation as NavigationLike) : undefined;
}
