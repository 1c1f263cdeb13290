/**
 * What a User-Agent says of itself (RFC 9110 §10.1.5): products (`Chrome/120.0`) and comments (`(X11; Linux x86_64)`), taken
 * apart in one pass, and then looked up. The published parsers match hundreds of backtracking patterns, some of which take
 * the cube of the header's length.
 */

export interface UserAgentFacts {
  readonly name: string;
  readonly version: string;
  readonly os: string;
  readonly osVersion: string;
  readonly device: string;
  /** Where a robot says more about itself. */
  readonly url: string;
  readonly isMobile: boolean;
  readonly isTablet: boolean;
  readonly isDesktop: boolean;
  readonly isBot: boolean;
}

/** What is behind it says nothing more. */
const MAX_READ = 1024;
const MAX_ITEMS = 64;

interface Parts {
  /** Products, and parts of comments that end in a version: name → version; '' where it has none. */
  readonly names: Map<string, string>;
  /** Parts of all comments, as written. */
  readonly comments: readonly string[];
  /** Products in order. */
  readonly products: readonly string[];
}

/** The first product that is there tells the browser: those that pretend to be another stand before it. */
const BROWSERS: readonly (readonly [product: string, name: string])[] = [
  ['OPR', 'Opera'],
  ['OPX', 'Opera'],
  ['OPiOS', 'Opera Mini'],
  ['OPT', 'Opera Touch'],
  ['Opera Mini', 'Opera Mini'],
  ['Opera', 'Opera'],
  ['EdgA', 'Edge'],
  ['EdgiOS', 'Edge'],
  ['Edg', 'Edge'],
  ['Edge', 'Edge'],
  ['SamsungBrowser', 'Samsung Browser'],
  ['Vivaldi', 'Vivaldi'],
  ['YaBrowser', 'Yandex Browser'],
  ['UCBrowser', 'UC Browser'],
  ['DuckDuckGo', 'DuckDuckGo'],
  ['HeadlessChrome', 'Headless Chrome'],
  ['FxiOS', 'Firefox'],
  ['Focus', 'Firefox Focus'],
  ['Firefox', 'Firefox'],
  ['CriOS', 'Chrome'],
  ['Chrome', 'Chrome'],
  ['Chromium', 'Chrome'],
];

/** Words in the name of a robot. */
const ROBOTS: readonly string[] = [
  'bot',
  'crawl',
  'spider',
  'slurp',
  'facebookexternalhit',
  'mediapartners',
  'bingpreview',
  'lighthouse',
  'ia_archiver',
  'externalagent',
  'inspectiontool',
];
export function userAgentFacts(header: string): UserAgentFacts {
  const text = header.slice(0, MAX_READ);
  const parts = partsOf(text);
  const robot = isRobot(text) ? [...parts.names.keys()].find(isRobot) : undefined;
  const system = systemOf(parts);
  const [name, version] = robot === undefined ? browserOf(parts, system.os) : [robot, parts.names.get(robot) ?? ''];
  return {
    name,
    version,
    ...system,
    url: urlIn(parts.comments),
    isDesktop: system.isDesktop && robot === undefined,
    isBot: robot !== undefined,
  };
}

function isRobot(name: string): boolean {
  const lower = name.toLowerCase();
  // A maker of telephones.
  return ROBOTS.some((word) => lower.includes(word)) && !lower.startsWith('cubot');
}

function browserOf({ names, products }: Parts, os: string): readonly [name: string, version: string] {
  for (const [product, name] of BROWSERS) {
    const version = names.get(product);
    if (version !== undefined) return [name, version];
  }
  const explorer = names.get('MSIE') ?? (names.has('Trident') ? names.get('rv') : undefined);
  if (explorer !== undefined) return ['Internet Explorer', explorer];
  const version = names.get('Version') ?? '';
  if (os === 'Android' && version !== '') return ['Android browser', version];
  if (names.has('Safari')) return ['Safari', version];
  const first = products.find((product) => product !== 'Mozilla') ?? '';
  return [first, names.get(first) ?? ''];
}

type System = Pick<UserAgentFacts, 'os' | 'osVersion' | 'device' | 'isMobile' | 'isTablet' | 'isDesktop'>;

const MOBILE = { isMobile: true, isTablet: false, isDesktop: false };
const TABLET = { isMobile: false, isTablet: true, isDesktop: false };
const DESKTOP = { isMobile: false, isTablet: false, isDesktop: true };
const NEITHER = { isMobile: false, isTablet: false, isDesktop: false };

function systemOf({ names, comments }: Parts): System {
  const mobile = names.has('Mobile') || names.has('Mobile Safari');
  if (names.has('Windows Phone')) {
    return {
      os: 'Windows Phone',
      osVersion: names.get('Windows Phone') ?? '',
      device: comments.at(-1) ?? '',
      ...MOBILE,
    };
  }
  if (names.has('Android')) {
    return {
      os: 'Android',
      osVersion: names.get('Android') ?? '',
      device: androidDevice(comments),
      ...(mobile ? MOBILE : TABLET),
    };
  }
  for (const device of ['iPhone', 'iPod', 'iPad']) {
    if (names.has(device))
      return { os: 'iOS', osVersion: appleVersion(comments), device, ...(device === 'iPad' ? TABLET : MOBILE) };
  }
  if (names.has('BB10') || names.has('BlackBerry')) {
    return { os: 'BlackBerry', osVersion: names.get('Version') ?? '', device: '', ...MOBILE };
  }
  if (names.has('Windows NT'))
    return { os: 'Windows', osVersion: names.get('Windows NT') ?? '', device: '', ...DESKTOP };
  if (names.has('Macintosh')) return { os: 'macOS', osVersion: appleVersion(comments), device: '', ...DESKTOP };
  const chromeOs = comments.find((part) => part.startsWith('CrOS '));
  if (chromeOs !== undefined)
    return { os: 'ChromeOS', osVersion: chromeOs.split(' ')[2] ?? '', device: '', ...DESKTOP };
  const unix = ['Linux', 'FreeBSD', 'OpenBSD', 'NetBSD'].find((os) => comments.some((part) => part.startsWith(os)));
  if (unix !== undefined) return { os: unix, osVersion: '', device: '', ...DESKTOP };
  return { os: '', osVersion: '', device: '', ...(mobile ? MOBILE : NEITHER) };
}

/** `CPU iPhone OS 17_0 like Mac OS X`, `Intel Mac OS X 10_15_7`: the number behind `OS`, or `OS X`. */
function appleVersion(comments: readonly string[]): string {
  for (const part of comments) {
    const words = part.split(' ');
    const at = words.indexOf('OS');
    const version = words[at + 1] === 'X' ? words[at + 2] : words[at + 1];
    if (at !== -1 && version !== undefined && startsWithDigit(version)) return version.replaceAll('_', '.');
  }
  return '';
}

/** Behind the system: `Linux; Android 13; SM-X906C`, with a build number in older ones. */
function androidDevice(comments: readonly string[]): string {
  const at = comments.findIndex((part) => part === 'Android' || part.startsWith('Android '));
  for (const part of comments.slice(at + 1)) {
    const build = part.indexOf(' Build');
    const device = build === -1 ? part : part.slice(0, build);
    const isLocale = device.length === 5 && device[2] === '-' && device === device.toLowerCase();
    if (!NO_DEVICES.has(device) && !isLocale && !device.startsWith('rv:')) return device;
  }
  return '';
}

const NO_DEVICES: ReadonlySet<string> = new Set(['wv', 'U', 'Mobile', 'Tablet', 'Linux', '']);

function urlIn(comments: readonly string[]): string {
  for (const part of comments) {
    const url = part.startsWith('+') ? part.slice(1) : part;
    if (url.startsWith('http://') || url.startsWith('https://')) return url;
  }
  return '';
}

function startsWithDigit(text: string): boolean {
  const first = text.charCodeAt(0);
  return first >= 0x30 && first <= 0x39;
}

function partsOf(text: string): Parts {
  const names = new Map<string, string>();
  const comments: string[] = [];
  const products: string[] = [];
  const note = (name: string, version: string): void => {
    if (name !== '' && names.size < MAX_ITEMS && !names.has(name)) names.set(name, version);
  };
  let from = 0;
  let depth = 0;
  for (let at = 0; at <= text.length; at++) {
    const c = text[at] ?? '';
    if (c === '(') {
      if (depth++ === 0) {
        readProducts(text.slice(from, at), products, note);
        from = at + 1;
      }
    } else if (depth > 0 && (c === ')' || c === '')) {
      if (--depth === 0 || c === '') {
        readComment(text.slice(from, at), comments, note);
        from = at + 1;
        depth = 0;
      }
    } else if (c === '') readProducts(text.slice(from, at), products, note);
  }
  return { names, comments, products };
}

type Note = (name: string, version: string) => void;

function readProducts(text: string, products: string[], note: Note): void {
  for (const word of text.split(' ')) {
    if (word === '') continue;
    const slash = word.indexOf('/');
    const name = slash === -1 ? word : word.slice(0, slash);
    products.push(name);
    note(name, slash === -1 ? '' : word.slice(slash + 1));
  }
  // The one product of two words.
  if (text.includes('Opera Mini/'))
    note('Opera Mini', text.slice(text.indexOf('Opera Mini/') + 11).split(' ', 1)[0] ?? '');
}

function readComment(text: string, comments: string[], note: Note): void {
  for (const written of text.split(';')) {
    const part = written.trim();
    if (part === '' || comments.length >= MAX_ITEMS) continue;
    comments.push(part);
    const split = Math.max(part.lastIndexOf(' '), part.indexOf('/'), part.startsWith('rv:') ? 2 : -1);
    const version = part.slice(split + 1);
    if (split === -1 || part.includes('://')) note(part, '');
    else if (startsWithDigit(version) || part[split] === '/') note(part.slice(0, split), version);
    else note(part, '');
  }
}
