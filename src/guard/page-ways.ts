/** The ways out that only a page has: its elements, its links and forms, WebRTC. */
import { answered, at, limited, patience, scopeWays, silent, wait } from './ways.ts';
import type { Way } from './ways.ts';

/** Puts an element into the page for the time of the attempt, and hears what becomes of it. */
async function placed(element: Element, host: ParentNode = document.body): Promise<'reached' | 'failed' | 'silent'> {
  try {
    return await limited(
      new Promise((done) => {
        for (const type of ['load', 'loadeddata']) element.addEventListener(type, () => done('reached'));
        element.addEventListener('error', () => done('failed'));
        host.append(element);
      }),
    );
  } finally {
    element.remove();
  }
}

function made<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>>,
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

const linked = (rel: string, href: string, more: Readonly<Record<string, string>> = {}) =>
  placed(made('link', { rel, href, ...more }), document.head);

async function clicked(attributes: Readonly<Record<string, string>>): Promise<'silent'> {
  const link = made('a', attributes);
  document.body.append(link);
  link.click();
  await wait(patience);
  link.remove();
  return 'silent';
}

async function submitted(attributes: Readonly<Record<string, string>>, how: 'submit' | 'requestSubmit'): Promise<'silent'> {
  const form = made('form', attributes);
  document.body.append(form);
  form[how]();
  await wait(patience);
  form.remove();
  return 'silent';
}

async function speculated(rules: object): Promise<'silent'> {
  const script = document.createElement('script');
  script.type = 'speculationrules';
  script.textContent = JSON.stringify(rules);
  document.head.append(script);
  await wait(patience);
  script.remove();
  return 'silent';
}

async function negotiated(Connection: typeof RTCPeerConnection, urls: string): Promise<'silent'> {
  const connection = new Connection({ iceServers: [{ urls, username: 'nobody', credential: 'nothing' }] });
  try {
    connection.createDataChannel('way');
    await connection.setLocalDescription(await connection.createOffer());
    return await silent();
  } finally {
    connection.close();
  }
}

const page = ['page'] as const;

const ownWays: readonly Way[] = [
  {
    id: 'beacon',
    label: 'Beacon',
    group: 'Requests',
    from: page,
    attempt: async (target) => {
      navigator.sendBeacon(at(target, 'beacon'), 'x');
      return silent();
    },
  },
  {
    id: 'fetch-later',
    label: 'Deferred fetch',
    group: 'Requests',
    from: page,
    needs: 'fetchLater',
    attempt: async (target) => {
      const { fetchLater } = globalThis as unknown as { fetchLater: (url: string, options: object) => unknown };
      fetchLater(at(target, 'fetch-later'), { activateAfter: 0 });
      return silent();
    },
  },
  {
    id: 'script',
    label: 'Script element',
    group: 'Scripts',
    from: page,
    attempt: (target) => {
      const script = document.createElement('script');
      script.src = at(target, 'script');
      return placed(script);
    },
  },
  {
    id: 'audio-worklet',
    label: 'Audio worklet',
    group: 'Scripts',
    from: page,
    needs: 'OfflineAudioContext',
    attempt: (target) => answered(new OfflineAudioContext(1, 1, 44_100).audioWorklet.addModule(at(target, 'audio-worklet'))),
  },
  {
    id: 'paint-worklet',
    label: 'Paint worklet',
    group: 'Scripts',
    from: page,
    attempt: (target) => {
      const { paintWorklet } = CSS as unknown as { readonly paintWorklet?: { addModule(url: string): Promise<void> } };
      if (!paintWorklet) throw new DOMException('This browser has no paint worklets.', 'NotSupportedError');
      return answered(paintWorklet.addModule(at(target, 'paint-worklet')));
    },
  },
  {
    id: 'image',
    label: 'Image',
    group: 'Images and media',
    from: page,
    attempt: (target) => placed(made('img', { src: at(target, 'image') })),
  },
  {
    id: 'image-set',
    label: 'Image by its set of sizes',
    group: 'Images and media',
    from: page,
    attempt: (target) => placed(made('img', { srcset: `${at(target, 'image-set')} 1x` })),
  },
  {
    id: 'image-button',
    label: 'Image of a button',
    group: 'Images and media',
    from: page,
    attempt: (target) => placed(made('input', { type: 'image', alt: '', src: at(target, 'image-button') })),
  },
  {
    id: 'image-in-drawing',
    label: 'Image inside a drawing',
    group: 'Images and media',
    from: page,
    attempt: async (target) => {
      const drawing = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
      const image = document.createElementNS('http://www.w3.org/2000/svg', 'image');
      image.setAttribute('href', at(target, 'image-in-drawing'));
      document.body.append(drawing);
      try {
        return await placed(image, drawing);
      } finally {
        drawing.remove();
      }
    },
  },
  {
    id: 'image-with-report',
    label: 'Image with an attribution address',
    group: 'Images and media',
    from: page,
    attempt: (target) =>
      placed(made('img', { attributionsrc: at(target, 'image-with-report-2'), src: at(target, 'image-with-report') })),
  },
  {
    id: 'icon',
    label: 'Icon of the page',
    group: 'Images and media',
    from: page,
    attempt: (target) => linked('icon', at(target, 'icon')),
  },
  {
    id: 'poster',
    label: 'Poster of a film',
    group: 'Images and media',
    from: page,
    attempt: (target) => placed(made('video', { poster: at(target, 'poster') })),
  },
  {
    id: 'video',
    label: 'Film',
    group: 'Images and media',
    from: page,
    attempt: (target) => placed(made('video', { src: at(target, 'video'), preload: 'auto' })),
  },
  {
    id: 'audio',
    label: 'Sound',
    group: 'Images and media',
    from: page,
    attempt: (target) => placed(made('audio', { src: at(target, 'audio'), preload: 'auto' })),
  },
  {
    id: 'track',
    label: 'Subtitles',
    group: 'Images and media',
    from: page,
    attempt: async (target) => {
      const video = made('video', { crossorigin: 'anonymous' });
      const track = made('track', { kind: 'subtitles', default: '', src: at(target, 'track') });
      video.append(track);
      track.track.mode = 'showing';
      return placed(video);
    },
  },
  {
    id: 'background',
    label: 'Background image',
    group: 'Styles and fonts',
    from: page,
    attempt: async (target) => {
      const box = document.createElement('div');
      box.style.backgroundImage = `url("${at(target, 'background')}")`;
      box.textContent = ' ';
      return placed(box);
    },
  },
  {
    id: 'style-sheet',
    label: 'Style sheet',
    group: 'Styles and fonts',
    from: page,
    attempt: (target) => linked('stylesheet', at(target, 'style-sheet')),
  },
  {
    id: 'style-import',
    label: 'Import of a style sheet',
    group: 'Styles and fonts',
    from: page,
    attempt: async (target) => {
      const style = document.createElement('style');
      style.textContent = `@import url("${at(target, 'style-import')}");`;
      return placed(style, document.head);
    },
  },
  {
    id: 'frame',
    label: 'Frame',
    group: 'Frames',
    from: page,
    attempt: async (target) => {
      await placed(made('iframe', { src: at(target, 'frame') }));
      return 'silent';
    },
  },
  {
    id: 'frame-text',
    label: 'Frame made of text',
    group: 'Frames',
    from: page,
    attempt: async (target) => {
      const frame = document.createElement('iframe');
      frame.setAttribute('srcdoc', `<img src="${at(target, 'frame-text')}">`);
      await placed(frame);
      return 'silent';
    },
  },
  {
    id: 'object',
    label: 'Embedded object',
    group: 'Frames',
    from: page,
    attempt: (target) => placed(made('object', { data: at(target, 'object'), type: 'text/html' })),
  },
  {
    id: 'embed',
    label: 'Embedded plug-in',
    group: 'Frames',
    from: page,
    attempt: (target) => {
      const embed = document.createElement('embed');
      embed.type = 'text/html';
      embed.src = at(target, 'embed');
      return placed(embed);
    },
  },
  {
    id: 'prefetch',
    label: 'Prefetch',
    group: 'Hints',
    from: page,
    attempt: (target) => linked('prefetch', at(target, 'prefetch')),
  },
  {
    id: 'preload',
    label: 'Preload',
    group: 'Hints',
    from: page,
    attempt: (target) => linked('preload', at(target, 'preload'), { as: 'image' }),
  },
  {
    id: 'module-preload',
    label: 'Preload of a module',
    group: 'Hints',
    from: page,
    attempt: (target) => linked('modulepreload', at(target, 'module-preload')),
  },
  {
    id: 'preconnect',
    label: 'Preconnect',
    group: 'Hints',
    from: page,
    attempt: (target) => linked('preconnect', target.origin),
  },
  {
    id: 'name-look-up',
    label: 'Looking up a name',
    group: 'Hints',
    from: page,
    attempt: (target) => linked('dns-prefetch', target.named),
  },
  {
    id: 'speculative-prefetch',
    label: 'Prefetch by rules',
    group: 'Hints',
    from: page,
    attempt: (target) =>
      speculated({ prefetch: [{ source: 'list', urls: [at(target, 'speculative-prefetch')], eagerness: 'immediate' }] }),
  },
  {
    id: 'speculative-prerender',
    label: 'Prerendering by rules',
    group: 'Hints',
    from: page,
    attempt: (target) =>
      speculated({ prerender: [{ source: 'list', urls: [at(target, 'speculative-prerender')], eagerness: 'immediate' }] }),
  },
  {
    id: 'form-get',
    label: 'Form, GET',
    group: 'Leaving',
    from: page,
    isLeaving: true,
    attempt: (target) => submitted({ action: at(target, 'form-get'), method: 'get' }, 'requestSubmit'),
  },
  {
    id: 'form-post',
    label: 'Form, POST',
    group: 'Leaving',
    from: page,
    isLeaving: true,
    attempt: (target) => submitted({ action: at(target, 'form-post'), method: 'post' }, 'submit'),
  },
  {
    id: 'form-window',
    label: 'Form into a new window',
    group: 'Leaving',
    from: page,
    isLeaving: true,
    attempt: (target) => submitted({ action: at(target, 'form-window'), method: 'post', target: '_blank' }, 'submit'),
  },
  {
    id: 'link',
    label: 'Link',
    group: 'Leaving',
    from: page,
    isLeaving: true,
    attempt: (target) => clicked({ href: at(target, 'link') }),
  },
  {
    id: 'link-window',
    label: 'Link into a new window',
    group: 'Leaving',
    from: page,
    isLeaving: true,
    attempt: (target) => clicked({ href: at(target, 'link-window'), target: '_blank', rel: 'noopener' }),
  },
  {
    id: 'link-outside',
    label: 'Link that is not in the page',
    group: 'Leaving',
    from: page,
    isLeaving: true,
    attempt: async (target) => {
      made('a', { href: at(target, 'link-outside'), target: '_blank', rel: 'noopener' }).click();
      return silent();
    },
  },
  {
    id: 'ping',
    label: 'Ping of a link',
    group: 'Leaving',
    from: page,
    isLeaving: true,
    attempt: (target) => clicked({ href: '#', ping: at(target, 'ping') }),
  },
  {
    id: 'download',
    label: 'Download link',
    group: 'Leaving',
    from: page,
    isLeaving: true,
    attempt: (target) => clicked({ href: at(target, 'download'), download: 'way' }),
  },
  {
    id: 'location',
    label: 'Changing the address',
    group: 'Leaving',
    from: page,
    isLeaving: true,
    attempt: async (target) => {
      location.assign(at(target, 'location'));
      return silent();
    },
  },
  {
    id: 'refresh',
    label: 'Refresh to another address',
    group: 'Leaving',
    from: page,
    isLeaving: true,
    attempt: (target) =>
      placed(made('meta', { 'http-equiv': 'refresh', content: `0; url=${at(target, 'refresh')}` }), document.head),
  },
  {
    id: 'window',
    label: 'New window',
    group: 'Leaving',
    from: page,
    isLeaving: true,
    attempt: async (target) => {
      const opened = open(at(target, 'window'));
      await wait(patience);
      opened?.close();
      return 'silent';
    },
  },
  {
    id: 'stun',
    label: 'WebRTC, STUN',
    group: 'WebRTC',
    from: page,
    needs: 'RTCPeerConnection',
    attempt: ({ relay }) => negotiated(RTCPeerConnection, `stun:${relay}`),
  },
  {
    id: 'turn',
    label: 'WebRTC, TURN',
    group: 'WebRTC',
    from: page,
    needs: 'RTCPeerConnection',
    attempt: ({ relay }) => negotiated(RTCPeerConnection, `turn:${relay}?transport=tcp`),
  },
  {
    id: 'stun-in-frame',
    label: 'WebRTC from an empty frame',
    group: 'WebRTC',
    from: page,
    attempt: async ({ relay }) => {
      const frame = document.createElement('iframe');
      document.body.append(frame);
      try {
        const inner = frame.contentWindow as (Window & { readonly RTCPeerConnection?: typeof RTCPeerConnection }) | null;
        if (!inner?.RTCPeerConnection) throw new DOMException('The frame is closed to this page.', 'SecurityError');
        return await negotiated(inner.RTCPeerConnection, `stun:${relay}`);
      } finally {
        frame.remove();
      }
    },
  },
];

export const pageWays: readonly Way[] = [...scopeWays.filter(({ from }) => from.includes('page')), ...ownWays];
