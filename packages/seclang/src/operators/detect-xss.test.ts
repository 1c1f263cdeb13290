import { describe, expect, it } from 'vitest';
import { matching } from '../testing/judge.ts';

const found = (value: string): boolean =>
  matching('SecRule ARGS:v "@detectXSS" "id:1,phase:1"', { target: `/?v=${encodeURIComponent(value)}` }).length > 0;

describe('@detectXSS', () => {
  it.each([
    '<script>alert(1)</script>',
    '<ScRiPt src=//x>',
    '<scr\0ipt>',
    '<img src=x onerror=alert(1)>',
    '<svg/onload=alert(1)>',
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' a='",
    '` onclick=`x',
    'x onload=alert(1)',
    '<a href="javascript:alert(1)">',
    '<a href=" &#x6a;ava&#115;cript:alert(1)">',
    '<a href="java\nscript:x">',
    '<iframe src=x>',
    '<div style="x">',
    '<!--[if IE]><b>-->',
    '<!-- ` -->',
    '<!DOCTYPE html>',
    '<?import x>',
    '<?xml version>',
    '<animate attributeName=onload to=x>',
    '<x xmlns:y="z">',
    '<object data=x>',
    '</p><embed src=x>',
    '"><script>',
  ])('takes %j', (value) => expect(found(value)).toBe(true));

  it.each([
    'hello',
    'a < b and c > d',
    '1 <2',
    'x=1&y=2',
    'one=1',
    'on=1',
    '<b>bold</b>',
    '<p class="x">text</p>',
    '<a href="https://example.com/">link</a>',
    '<!-- a comment -->',
    '<img src="/logo.png" alt="a">',
    'e-mail <a@example.com>',
    '<![CDATA[text]]>',
    '</',
    '<',
  ])('leaves %j alone', (value) => expect(found(value)).toBe(false));

  it('takes time by the length of a text', () => {
    for (const unit of ['<', '<!--', '-', '="', '<a ', "='", '<!-', '&#x', '<a href=']) {
      expect(typeof found(unit.repeat(3_000))).toBe('boolean');
    }
  });
});
