/**
 * `@detectXSS`: whether a text would be active when it is put into a page, in any of five places. After the published
 * behaviour of libinjection: tags that load or run something, attributes that do, addresses with a script in them, comments
 * that old browsers run.
 */
import { htmlTokens, type HtmlContext } from './html-tokens.ts';
import { MATCHED, type Operator } from './operator.ts';

const CONTEXTS: readonly HtmlContext[] = ['data', 'tag', "'", '"', '`'];

const TAGS =
  words(`applet base comment embed frame frameset handler iframe import isindex link listener meta noscript object
  script style vmlframe xml xss`);

/** Attributes that take addresses. */
const ADDRESSES = words(`action background by dynsrc folder formaction from handler href lowsrc poster src to values
  xlink:href`);
/** Those that are never harmless. */
const ACTIVE = words('dataformatas datasrc filter style');
/** Names that an attribute which animates others has as its value. */
const NAMES_ANOTHER = 'attributename';

/** What pages are told of, by `on…` attributes: of HTML, SVG, and of what browsers have added. */
const EVENTS =
  `abort activate afterprint afterscriptexecute afterupdate animation auxclick beforeactivate beforecopy beforecut
  beforedeactivate beforeeditfocus beforeinput beforematch beforepaste beforeprint beforescriptexecute beforetoggle beforeunload
  beforeupdate begin blur bounce cancel canplay cellchange change click close command contentvisibility contextmenu controlselect
  copy cuechange cut dataavailable datasetc dblclick deactivate drag drop durationchange emptied end error errorupdate filterchange
  finish focus formchange formdata forminput fullscreen gesture gotpointercapture hashchange help input invalid key languagechange
  layoutcomplete load losecapture lostpointercapture media message mouse moveend movestart mozfullscreen offline online
  orientation page paste pause play pointer popstate progress propertychange ratechange readystatechange redo rejectionhandled
  repeat reset resize row scroll search securitypolicyviolation seek select show slotchange stalled start statechange stop storage
  submit suspend timeerror timeupdate toggle touch track transition undo unhandledrejection unload urlflip volumechange waiting
  webkit wheel zoom`.split(/\s+/);

const SCHEMES = ['DATA', 'VIEW-SOURCE', 'JAVA', 'VBSCRIPT'];

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/));
}

export function detectXss(): Operator {
  return (value, scope) => {
    scope.spend(20 + value.length * 8);
    if (!/[<=]/.test(value)) return null;
    return CONTEXTS.some((context) => isActive(value, context)) ? MATCHED : null;
  };
}

function isActive(text: string, context: HtmlContext): boolean {
  let attribute = '';
  return htmlTokens(text, context, (kind, value) => {
    const name = attribute;
    attribute = '';
    switch (kind) {
      case 'doctype':
        return true;
      case 'tag':
        return isActiveTag(plain(value));
      case 'name':
        attribute = plain(value);
        return false;
      case 'value':
        return isActiveAttribute(name, value);
      case 'comment':
        return isActiveComment(value);
      default:
        return false;
    }
  });
}

/** Browsers have passed over NULs in names. */
function plain(name: string): string {
  return name.replaceAll('\0', '').toLowerCase();
}

function isActiveTag(name: string): boolean {
  return TAGS.has(name) || name.startsWith('svg') || name.startsWith('xsl');
}

function isActiveAttribute(name: string, value: string): boolean {
  if (name === NAMES_ANOTHER) {
    const other = plain(value);
    return isEvent(other) || ACTIVE.has(other) || ADDRESSES.has(other);
  }
  if (isEvent(name) || ACTIVE.has(name)) return true;
  return ADDRESSES.has(name) && isActiveAddress(value);
}

function isEvent(name: string): boolean {
  if (name.length >= 5 && (name.startsWith('xmlns') || (name.startsWith('xlink') && !ADDRESSES.has(name)))) return true;
  if (name.length < 5 || !name.startsWith('on')) return false;
  return EVENTS.some((event) => name.startsWith(event, 2));
}

function isActiveAddress(value: string): boolean {
  let from = 0;
  while (from < value.length && (value.charCodeAt(from) <= 32 || value.charCodeAt(from) >= 127)) from++;
  let letters = '';
  // As long as what is looked for, with everything that may stand between its letters.
  for (const char of references(value.slice(from, from + 256))) {
    const code = char.charCodeAt(0);
    if (code === 0 || code === 10 || (letters === '' && code <= 32)) continue;
    letters += char.toUpperCase();
    if (letters.length > 16) break;
  }
  return SCHEMES.some((scheme) => letters.startsWith(scheme));
}

/** `&#x6a;` and `&#106`: characters by number. */
function references(text: string): string {
  return text.replaceAll(/&#(?:[xX]([0-9a-fA-F]{1,8})|([0-9]{1,8}));?/g, (_, hex?: string, digits?: string) => {
    const code = hex === undefined ? Number(digits) : Number.parseInt(hex, 16);
    return code <= 0x10_ffff ? String.fromCodePoint(code) : '&';
  });
}

function isActiveComment(text: string): boolean {
  if (text.includes('`')) return true;
  const lower = text.slice(0, 12).replaceAll('\0', '').toLowerCase();
  if (text.length > 3 && (lower.startsWith('[if') || lower.startsWith('xml'))) return true;
  return text.length > 5 && (lower.startsWith('import') || lower.startsWith('entity'));
}
