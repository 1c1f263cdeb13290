import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { userAgentFacts } from './user-agent.ts';

const WEBKIT = 'AppleWebKit/537.36 (KHTML, like Gecko)';

/** name version | os version | device | kinds */
function brief(header: string): string {
  const facts = userAgentFacts(header);
  const kinds = (['isMobile', 'isTablet', 'isDesktop', 'isBot'] as const).filter((kind) => facts[kind]);
  return [`${facts.name} ${facts.version}`, `${facts.os} ${facts.osVersion}`, facts.device, kinds.join(' ')].join(
    ' | ',
  );
}

describe('user agents', () => {
  it.each([
    [
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/120.0.0.0 Safari/537.36`,
      'Chrome 120.0.0.0 | Windows 10.0 |  | isDesktop',
    ],
    [
      `Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${WEBKIT} Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.61`,
      'Edge 120.0.2210.61 | Windows 10.0 |  | isDesktop',
    ],
    [
      `Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} Chrome/119.0.0.0 Safari/537.36 OPR/105.0.0.0`,
      'Opera 105.0.0.0 | Linux  |  | isDesktop',
    ],
    [
      `Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${WEBKIT} Chrome/119.0.0.0 Safari/537.36`,
      'Chrome 119.0.0.0 | ChromeOS 14541.0.0 |  | isDesktop',
    ],
    [
      `Mozilla/5.0 (X11; Linux x86_64) ${WEBKIT} HeadlessChrome/119.0.0.0 Safari/537.36`,
      'Headless Chrome 119.0.0.0 | Linux  |  | isDesktop',
    ],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/121.0', 'Firefox 121.0 | Linux  |  | isDesktop'],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15',
      'Safari 17.1 | macOS 10.15.7 |  | isDesktop',
    ],
    [
      'Mozilla/5.0 (Windows NT 6.1; WOW64; Trident/7.0; rv:11.0) like Gecko',
      'Internet Explorer 11.0 | Windows 6.1 |  | isDesktop',
    ],
    [
      'Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1; Trident/4.0)',
      'Internet Explorer 8.0 | Windows 5.1 |  | isDesktop',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1',
      'Safari 17.0 | iOS 17.0 | iPhone | isMobile',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/119.0 Mobile/15E148 Safari/604.1',
      'Chrome 119.0 | iOS 17.0 | iPhone | isMobile',
    ],
    [
      'Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1',
      'Safari 16.6 | iOS 16.6 | iPad | isTablet',
    ],
    [
      `Mozilla/5.0 (Linux; Android 13; Pixel 7) ${WEBKIT} Chrome/120.0.0.0 Mobile Safari/537.36`,
      'Chrome 120.0.0.0 | Android 13 | Pixel 7 | isMobile',
    ],
    [
      `Mozilla/5.0 (Linux; Android 13; SM-X906C) ${WEBKIT} SamsungBrowser/23.0 Chrome/115.0.0.0 Safari/537.36`,
      'Samsung Browser 23.0 | Android 13 | SM-X906C | isTablet',
    ],
    [
      'Mozilla/5.0 (Linux; U; Android 4.0.3; en-us; GT-P5100 Build/IML74K) AppleWebKit/534.30 (KHTML, like Gecko) Version/4.0 Safari/534.30',
      'Android browser 4.0.3 | Android 4.0.3 | GT-P5100 | isTablet'.replace('browser 4.0.3', 'browser 4.0'),
    ],
    [
      'Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/99.0 Mobile Safari/537.36',
      'Chrome 99.0 | Android 11 | CUBOT NOTE 20 | isMobile',
    ],
    [
      'Mozilla/5.0 (Android 13; Mobile; rv:109.0) Gecko/118.0 Firefox/118.0',
      'Firefox 118.0 | Android 13 |  | isMobile',
    ],
    [
      'Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10',
      'Opera Mini 7.1.32052/29.3709 |   |  | ',
    ],
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 'Googlebot 2.1 |   |  | isBot'],
    [
      `Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) ${WEBKIT} Chrome/120.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)`,
      'Googlebot 2.1 | Android 6.0.1 | Nexus 5X | isMobile isBot',
    ],
    [
      'facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)',
      'facebookexternalhit 1.1 |   |  | isBot',
    ],
    ['curl/8.4.0', 'curl 8.4.0 |   |  | '],
    ['python-requests/2.31.0', 'python-requests 2.31.0 |   |  | '],
    ['', '  |   |  | '],
    ['(((', '  |   |  | '],
    ['a) b/1 (c', 'a)  |   |  | '],
  ])('%s', (header, expected) => {
    expect(brief(header)).toBe(expected);
  });

  it('tell where a robot says more', () => {
    expect(userAgentFacts('Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)').url).toBe(
      'http://www.bing.com/bingbot.htm',
    );
    expect(userAgentFacts('x (https://example.com/about)').url).toBe('https://example.com/about');
  });

  it('take any text, and no longer for a bad one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('(', ')', ';', '/', ' ', 'Android', 'OS', 'X', 'rv:', 'bot', '1', 'Opera Mini/'), {
          maxLength: 400,
        }),
        (pieces) => {
          const facts = userAgentFacts(pieces.join(''));
          expect(Object.values(facts).every((value) => typeof value === 'boolean' || value.length <= 1024)).toBe(true);
        },
      ),
    );
  });
});
