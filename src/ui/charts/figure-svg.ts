/**
 * A chart on the page as one SVG that needs nothing else: every line of text and every shape where the browser laid it out, with its
 * computed style written out, and below the picture what it is. No script, link, style sheet or foreign content can get into it: only
 * the elements and attributes listed here are written, and text is escaped.
 */

import { xmlText } from '#domain/xml-text.ts';

export interface PictureMark {
  /** Drawn under the picture, first line in bold. */
  readonly lines: readonly string[];
  /** In the file's metadata: name and value. */
  readonly metadata: readonly (readonly [name: string, value: string])[];
  /** Texts that a person typed, and what stands in their place. */
  readonly replaced: ReadonlyMap<string, string>;
}

export interface Picture {
  readonly svg: string;
  /** In CSS pixels. */
  readonly width: number;
  readonly height: number;
}

const drawn = new Set([
  'g',
  'path',
  'line',
  'rect',
  'circle',
  'ellipse',
  'polyline',
  'polygon',
  'text',
  'tspan',
  'defs',
  'clipPath',
  'pattern',
  'linearGradient',
  'stop',
]);
const geometry = [
  'id',
  'd',
  'x',
  'y',
  'x1',
  'x2',
  'y1',
  'y2',
  'cx',
  'cy',
  'r',
  'rx',
  'ry',
  'dx',
  'dy',
  'width',
  'height',
  'points',
  'transform',
  'offset',
  'patternUnits',
  'patternTransform',
  'gradientUnits',
  'gradientTransform',
  'clipPathUnits',
];
const colours = ['fill', 'stroke', 'stop-color'];
const strokes = ['stroke-width', 'stroke-dasharray', 'stroke-linecap', 'stroke-linejoin'];
const looks = ['fill-opacity', 'stroke-opacity', 'stop-opacity', 'opacity', 'paint-order', 'shape-rendering'];
const lettering = ['font-size', 'font-weight', 'text-anchor', 'dominant-baseline'];
const plainLook: Readonly<Record<string, string>> = {
  'fill-opacity': '1',
  'stroke-opacity': '1',
  'stop-opacity': '1',
  opacity: '1',
  'paint-order': 'normal',
  'shape-rendering': 'auto',
  'stroke-dasharray': 'none',
  'stroke-linecap': 'butt',
  'stroke-linejoin': 'miter',
  'text-anchor': 'start',
  'dominant-baseline': 'auto',
};

/** Named, not embedded: where Inter is not installed another sans stands in, in the same widths. */
const fonts = "Inter, 'Inter Variable', system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif";
const [padding, markSize, markLine] = [16, 11, 15];

/** In the light theme, whatever the page shows: a picture is for paper and slides. `figure` is as it was afterwards. */
export function figureSvg(figure: HTMLElement, title: string, mark: PictureMark): Picture {
  const before = figure.style.colorScheme;
  figure.style.colorScheme = 'light';
  try {
    return new Drawing(figure, mark).picture(title);
  } finally {
    figure.style.colorScheme = before;
  }
}

/** Twice as many pixels as the SVG says. Rejects where the browser cannot draw it. */
export async function pngOf({ svg, width, height }: Picture, scale = 2): Promise<Blob> {
  const url = URL.createObjectURL(new Blob([svg], { type: 'image/svg+xml' }));
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    const canvas = document.createElement('canvas');
    canvas.width = Math.ceil(width * scale);
    canvas.height = Math.ceil(height * scale);
    canvas.getContext('2d')!.drawImage(image, 0, 0, canvas.width, canvas.height);
    return await new Promise((resolve, reject) =>
      canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('The picture could not be made.'))), 'image/png'),
    );
  } finally {
    URL.revokeObjectURL(url);
  }
}

class Drawing {
  readonly #figure: HTMLElement;
  readonly #mark: PictureMark;
  readonly #origin: DOMRect;
  readonly #pen: CanvasRenderingContext2D;
  readonly #parts: string[] = [];
  readonly #known = new Map<string, { readonly colour: string; readonly opacity: number }>();
  #bottom = 0;

  constructor(figure: HTMLElement, mark: PictureMark) {
    this.#figure = figure;
    this.#mark = mark;
    this.#origin = figure.getBoundingClientRect();
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = 1;
    this.#pen = canvas.getContext('2d', { willReadFrequently: true })!;
  }

  picture(title: string): Picture {
    this.#element(this.#figure);
    const inner = Math.ceil(this.#origin.width);
    const width = inner + 2 * padding;
    const top = Math.ceil(this.#bottom) + 12;
    const lines = this.#mark.lines.flatMap((line, index) => this.#wrapped(line, inner, index === 0 ? 600 : 400));
    const height = top + lines.length * markLine + 2 * padding;
    const summaries = [...this.#figure.querySelectorAll('svg[aria-label]')].map((one) => one.getAttribute('aria-label')!);
    const metadata = this.#mark.metadata.map(([name, value]) => `<entry name="${xmlText(name)}">${xmlText(value)}</entry>`);
    const written = lines.map(
      ({ text, weight, length }, index) =>
        `<text x="0" y="${top + 12 + index * markLine}" font-size="${markSize}" font-weight="${weight}" fill="#2b2622" textLength="${short(length)}" lengthAdjust="spacingAndGlyphs">${xmlText(text)}</text>`,
    );
    const svg = [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="${-padding} ${-padding} ${width} ${height}" role="img" font-family="${xmlText(fonts)}">`,
      `<title>${xmlText(this.#said(title))}</title>`,
      `<desc>${xmlText([...this.#mark.lines, ...summaries.map((one) => this.#said(one))].join(' '))}</desc>`,
      `<metadata><run xmlns="urn:counterpart:picture">${metadata.join('')}</run></metadata>`,
      `<rect x="${-padding}" y="${-padding}" width="${width}" height="${height}" fill="#ffffff"/>`,
      ...this.#parts,
      `<line x1="0" x2="${inner}" y1="${top - 4}" y2="${top - 4}" stroke="#8c857d" stroke-width="1"/>`,
      ...written,
      '</svg>',
    ].join('\n');
    return { svg: `${svg}\n`, width, height };
  }

  #element(element: Element): void {
    const style = getComputedStyle(element);
    if (style.display === 'none' || style.visibility === 'hidden' || style.opacity === '0') return;
    if (element.matches('.screen-only, .visually-hidden, button, input, select')) return;
    if (element instanceof SVGSVGElement) {
      this.#svg(element);
      return;
    }
    this.#box(element, style);
    for (const child of element.childNodes) {
      if (child instanceof Element) this.#element(child);
      else if (child instanceof Text) this.#text(child, style);
    }
  }

  /** Ground and borders, for swatches, bars and rules made of boxes. */
  #box(element: Element, style: CSSStyleDeclaration): void {
    const box = element.getBoundingClientRect();
    if (element === this.#figure || box.width === 0 || box.height === 0) return;
    const [x, y] = [box.left - this.#origin.left, box.top - this.#origin.top];
    const ground = this.#colour(style.backgroundColor);
    if (ground.opacity > 0) {
      const radius = Number.parseFloat(style.borderTopLeftRadius) || 0;
      this.#add(
        `<rect x="${short(x)}" y="${short(y)}" width="${short(box.width)}" height="${short(box.height)}"${radius > 0 ? ` rx="${short(radius)}"` : ''} fill="${ground.colour}"${opacityOf('fill-opacity', ground.opacity)}/>`,
        y + box.height,
      );
    }
    const sides = [
      ['Top', x, y, x + box.width, y],
      ['Bottom', x, y + box.height, x + box.width, y + box.height],
      ['Left', x, y, x, y + box.height],
      ['Right', x + box.width, y, x + box.width, y + box.height],
    ] as const;
    for (const [side, x1, y1, x2, y2] of sides) {
      const width = Number.parseFloat(style[`border${side}Width`]);
      if (!(width > 0) || style[`border${side}Style`] === 'none') continue;
      const { colour, opacity } = this.#colour(style[`border${side}Color`]);
      if (opacity === 0) continue;
      const dash = style[`border${side}Style`] === 'dashed' ? ' stroke-dasharray="4 3"' : '';
      this.#add(
        `<line x1="${short(x1)}" y1="${short(y1)}" x2="${short(x2)}" y2="${short(y2)}" stroke="${colour}" stroke-width="${short(width)}"${dash}${opacityOf('stroke-opacity', opacity)}/>`,
        y2,
      );
    }
  }

  /** One `text` for each line as the browser broke it. */
  #text(node: Text, style: CSSStyleDeclaration): void {
    if (node.data.trim() === '') return;
    const size = Number.parseFloat(style.fontSize);
    const { colour, opacity } = this.#colour(style.color);
    const range = document.createRange();
    const lines: { text: string; left: number; right: number; top: number; bottom: number }[] = [];
    let at = 0;
    for (const sign of node.data) {
      range.setStart(node, at);
      at += sign.length;
      range.setEnd(node, at);
      const box = range.getClientRects()[0];
      if (!box || box.width === 0) continue;
      const last = lines.at(-1);
      const isBlank = sign.trim() === '';
      if (last && Math.abs(last.top - box.top) < 2) {
        last.text += sign;
        if (!isBlank) last.right = box.right;
      } else if (!isBlank) lines.push({ text: sign, left: box.left, right: box.right, top: box.top, bottom: box.bottom });
    }
    this.#pen.font = `${style.fontWeight} ${size}px ${style.fontFamily}`;
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = this.#pen.measureText('x');
    for (const line of lines) {
      const text = line.text.replaceAll(/\s+/g, ' ').trim();
      if (text === '') continue;
      const said = this.#said(text);
      const y = line.top - this.#origin.top + ((line.bottom - line.top) * up) / (up + down);
      const width = said === text ? ` textLength="${short(line.right - line.left)}" lengthAdjust="spacingAndGlyphs"` : '';
      this.#add(
        `<text x="${short(line.left - this.#origin.left)}" y="${short(y)}" font-size="${short(size)}" font-weight="${xmlText(style.fontWeight)}" fill="${colour}"${opacityOf('fill-opacity', opacity)}${width}>${xmlText(said)}</text>`,
        line.bottom - this.#origin.top,
      );
    }
  }

  #svg(svg: SVGSVGElement): void {
    const box = svg.getBoundingClientRect();
    if (box.width === 0 || box.height === 0) return;
    const view = svg.viewBox.baseVal;
    const viewBox = view && view.width > 0 ? [view.x, view.y, view.width, view.height] : [0, 0, box.width, box.height];
    const [x, y] = [box.left - this.#origin.left, box.top - this.#origin.top];
    const inside = [...svg.children].map((child) => this.#shape(child)).join('');
    const style = getComputedStyle(svg);
    this.#add(
      `<svg x="${short(x)}" y="${short(y)}" width="${short(box.width)}" height="${short(box.height)}" viewBox="${viewBox.map(short).join(' ')}" overflow="visible"${this.#painted(style, svg)}>${inside}</svg>`,
      y + box.height,
    );
  }

  #shape(element: Element): string {
    const tag = element.localName;
    if (!drawn.has(tag)) return '';
    const style = getComputedStyle(element);
    if (style.display === 'none' || style.visibility === 'hidden') return '';
    const attributes = geometry.flatMap((name) => {
      const value = element.getAttribute(name);
      return value === null ? [] : [` ${name}="${xmlText(value)}"`];
    });
    // Set by style and not by attribute.
    if (!element.hasAttribute('transform') && style.transform !== 'none')
      attributes.push(` transform="${xmlText(style.transform)}"`);
    const clip = /^url\("?#([^")]+)"?\)$/.exec(style.clipPath)?.[1];
    if (clip) attributes.push(` clip-path="url(#${xmlText(clip)})"`);
    attributes.push(this.#painted(style, element));
    const inside = [...element.childNodes]
      .map((child) =>
        child instanceof Element
          ? this.#shape(child)
          : child instanceof Text && (tag === 'text' || tag === 'tspan')
            ? xmlText(this.#said(child.data.replaceAll(/\s+/g, ' ')))
            : '',
      )
      .join('');
    return `<${tag}${attributes.join('')}>${inside}</${tag}>`;
  }

  #painted(style: CSSStyleDeclaration, element: Element): string {
    const tag = element.localName;
    const attributes: string[] = [];
    const set = (name: string, value: string) => attributes.push(` ${name}="${xmlText(value)}"`);
    for (const name of colours) {
      const value = style.getPropertyValue(name);
      if (value === '' || (name === 'stop-color') !== (tag === 'stop')) continue;
      const server = /^url\("?#([^")]+)"?\)/.exec(value)?.[1];
      if (server) set(name, `url(#${server})`);
      else if (value === 'none') set(name, 'none');
      else {
        const { colour, opacity } = this.#colour(value);
        set(name, opacity === 0 ? 'none' : colour);
        if (opacity > 0 && opacity < 1 && style.getPropertyValue(`${name}-opacity`) === '1')
          set(`${name}-opacity`, short(opacity));
      }
    }
    const hasStroke = style.stroke !== 'none' && style.stroke !== '';
    const hasText = tag === 'text' || tag === 'tspan';
    for (const name of [...(hasStroke ? strokes : []), ...looks, ...(hasText ? lettering : [])]) {
      const value = style.getPropertyValue(name);
      if (value !== '' && value !== plainLook[name]) set(name, value.replaceAll(/(\d)px\b/g, '$1'));
    }
    return attributes.join('');
  }

  /** Any colour of CSS in the sRGB that every reader of SVG knows. */
  #colour(value: string): { readonly colour: string; readonly opacity: number } {
    const known = this.#known.get(value);
    if (known) return known;
    this.#pen.clearRect(0, 0, 1, 1);
    this.#pen.fillStyle = '#000';
    this.#pen.fillStyle = value;
    this.#pen.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = this.#pen.getImageData(0, 0, 1, 1).data;
    const hex = [red!, green!, blue!].map((one) => one.toString(16).padStart(2, '0')).join('');
    const found = { colour: `#${hex}`, opacity: alpha! / 255 };
    this.#known.set(value, found);
    return found;
  }

  #wrapped(line: string, width: number, weight: number): { text: string; weight: number; length: number }[] {
    this.#pen.font = `${weight} ${markSize}px ${getComputedStyle(this.#figure).fontFamily}`;
    const rows: string[] = [];
    for (const word of line.split(' ')) {
      const longer = rows.length === 0 ? word : `${rows.at(-1)!} ${word}`;
      if (rows.length > 0 && this.#pen.measureText(longer).width <= width) rows[rows.length - 1] = longer;
      else rows.push(word);
    }
    return rows.map((text) => ({ text, weight, length: Math.min(width, this.#pen.measureText(text).width) }));
  }

  #said(text: string): string {
    let said = text;
    for (const [typed, instead] of this.#mark.replaced) said = said.replaceAll(typed, instead);
    return said;
  }

  #add(part: string, bottom: number): void {
    this.#parts.push(part);
    this.#bottom = Math.max(this.#bottom, bottom);
  }
}

const short = (value: number): string => String(Math.round(value * 100) / 100);

const opacityOf = (name: string, opacity: number): string => (opacity < 1 ? ` ${name}="${short(opacity)}"` : '');
