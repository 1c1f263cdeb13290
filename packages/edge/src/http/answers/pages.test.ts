import { fail } from '@postern/errors';
import { describe, expect, test } from 'vitest';
import { negotiate, renderPage } from './pages.ts';

describe('negotiation', () => {
  test.each([
    ['', 'text'],
    ['*/*', 'text'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'html'],
    ['application/json, text/plain, */*', 'json'],
    ['application/vnd.api+json', 'json'],
    ['text/html;q=0.4, application/json;q=0.9', 'json'],
    ['text/html;q=0', 'text'],
    ['application/json;q=nonsense', 'text'],
  ])('%s → %s', (accept, kind) => {
    expect(negotiate(accept)).toBe(kind);
  });
});

test('the envelope of the API, with the status that is answered', () => {
  const page = renderPage(fail(90002, { reason: 'x' }), 'application/json', [['X-More', '1']], 501);
  expect(page.status).toBe(501);
  expect(page.fields).toContain('X-More');
  expect(JSON.parse(page.body.toString())).toEqual({
    error_code: 'ERR_NGROK_90002',
    status_code: 501,
    msg: 'This request is not valid HTTP: x.',
    details: {},
  });
});

test('a page that loads nothing and repeats nothing unescaped', () => {
  const html = renderPage(fail(3200, { url: 'https://"><script>x</script>' }), 'text/html').body.toString();
  expect(html).not.toContain('<script');
  expect(html).not.toMatch(/src=|href=|url\(/);
  expect(html).toContain('ERR_NGROK_3200');
});
