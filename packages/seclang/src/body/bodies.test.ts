import { describe, expect, it } from 'vitest';
import { judge, type Facts } from '../testing/judge.ts';

/** What a variable has, as `name=value`. */
function valuesOf(variable: string, facts: Facts): string[] {
  const rules = `SecRule ${variable} "@unconditionalMatch" "id:1,phase:2,pass,nolog,setvar:'tx.v_%{MATCHED_VAR_NAME}=%{MATCHED_VAR}'"
SecRule TX:/^v_/ "@unconditionalMatch" "id:2,phase:2,setvar:tx.count=+1,nolog,setvar:'tx.all=%{tx.all}%{MATCHED_VAR_NAME}=%{MATCHED_VAR}\x01'"
SecRule TX:all "@unconditionalMatch" "id:3,phase:2,logdata:'%{tx.all}'"`;
  const { matched, problem } = judge(rules, facts);
  if (problem !== null) throw new Error(problem);
  return (matched[0]?.data ?? '')
    .split('\x01')
    .filter((one) => one !== '')
    .map((one) => one.replace(/^TX:v_/, ''));
}

const body = (type: string, text: string, bodyCut = false): Facts => ({
  method: 'POST',
  headers: [['Content-Type', type]],
  body: text,
  bodyCut,
});

describe('bodies', () => {
  it('of forms', () => {
    const facts = body('application/x-www-form-urlencoded', 'a=1+2&b=%3C&&c');
    expect(valuesOf('ARGS_POST', facts)).toEqual(['ARGS_POST:a=1 2', 'ARGS_POST:b=<', 'ARGS_POST:c=']);
  });

  it('of JSON', () => {
    const facts = body('application/json', String.raw`{"a":{"b":[1,"x\u00e4\n",null]},"c":true}`);
    expect(valuesOf('ARGS', facts)).toEqual([
      'ARGS:json.a.b=',
      'ARGS:json.a.b.0=1',
      'ARGS:json.a.b.1=x\xc3\xa4\n',
      'ARGS:json.a.b.2=',
      'ARGS:json.c=true',
    ]);
    expect(valuesOf('REQBODY_ERROR', facts)).toEqual(['REQBODY_ERROR=0']);
  });

  it('of JSON, as far as it can be read', () => {
    const text = '{"a":"x","b":["y", oops';
    expect(valuesOf('ARGS', body('application/json', text))).toEqual([
      'ARGS:json.a=x',
      'ARGS:json.b=',
      'ARGS:json.b.0=y',
    ]);
    expect(valuesOf('REQBODY_ERROR', body('application/json', text))).toEqual(['REQBODY_ERROR=1']);
    expect(valuesOf('REQBODY_ERROR', body('application/json', text, true))).toEqual(['REQBODY_ERROR=0']);
    expect(valuesOf('REQBODY_ERROR', body('application/json', '['.repeat(5_000)))).toEqual(['REQBODY_ERROR=1']);
  });

  it('of XML', () => {
    const text = `<?xml version="1.0"?><a x="1>2"><b y='&lt;'>te&#x78;t</b><![CDATA[<c>]]><!-- no --></a>`;
    expect(valuesOf('XML:/*', body('text/xml', text))).toEqual(['XML:/*=<c>']);
    const rules = (variable: string, value: string): string => `SecRule ${variable} "@streq ${value}" "id:1,phase:2"`;
    for (const value of ['text', '<c>'])
      expect(judge(rules('XML:/*', value), body('text/xml', text)).matched).toHaveLength(1);
    for (const value of ['1>2', '<'])
      expect(judge(rules('XML://@*', value), body('text/xml', text)).matched).toHaveLength(1);
  });

  it('of several parts', () => {
    const text = [
      '--b',
      'Content-Disposition: form-data; name="a"',
      '',
      'one',
      '--b',
      'Content-Disposition: form-data; name="f"; filename="x\\"y;.php"',
      'Content-Type: text/plain',
      '',
      'two\r\nlines',
      '--b--',
      '',
    ].join('\r\n');
    const facts = body('multipart/form-data; boundary=b', text);
    expect(valuesOf('ARGS', facts)).toEqual(['ARGS:a=one']);
    expect(valuesOf('FILES', facts)).toEqual(['FILES:f=x"y;.php']);
    expect(valuesOf('FILES_NAMES', facts)).toEqual(['FILES_NAMES:f=f']);
    expect(valuesOf('FILES_COMBINED_SIZE', facts)).toEqual(['FILES_COMBINED_SIZE=10']);
    expect(valuesOf('MULTIPART_PART_HEADERS:f', facts)).toEqual(['MULTIPART_PART_HEADERS:f=Content-Type: text/plain']);
    expect(valuesOf('MULTIPART_STRICT_ERROR', facts)).toEqual(['MULTIPART_STRICT_ERROR=0']);
    const broken = body('multipart/form-data; boundary=b', text.replace('--b--', '--'));
    expect(valuesOf('MULTIPART_STRICT_ERROR', broken)).toEqual(['MULTIPART_STRICT_ERROR=1']);
  });

  it('are not seen before their phase', () => {
    const rules = 'SecRule ARGS "@contains x" "id:1,phase:1"\nSecRule ARGS "@contains x" "id:2,phase:2"';
    const facts = body('application/x-www-form-urlencoded', 'a=x');
    expect(judge(rules, facts).matched.map(({ id }) => id)).toEqual([2]);
  });

  it('are read by who rules choose', () => {
    const rules = 'SecAction "id:1,phase:1,nolog,ctl:requestBodyProcessor=JSON"\nSecRule ARGS:json.a "@streq x" "id:2"';
    expect(judge(rules, body('text/odd', '{"a":"x"}')).matched).toHaveLength(1);
  });
});
