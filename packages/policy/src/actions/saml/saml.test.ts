import { beforeEach, describe, expect, test } from 'vitest';
import { locationOf, says, World } from '../../logins/testing.ts';
import { AGENT, refusal, rule } from '../../testing/run.ts';
import type { Facts } from '../../testing/context.ts';
import {
  answerOf,
  assertionOf,
  formOf,
  metadata,
  newKey,
  requestIn,
  responseOf,
  type Said,
  SIGN_ON,
} from './testing.ts';

const KEY = newKey();
const ORIGIN = 'https://app.example.com';
const ACS = '/ngrok/saml/acs';
const SHOW =
  '${actions.ngrok.saml.identity.email}|${actions.ngrok.saml.identity.provider_user_id}|' +
  "${actions.ngrok.saml.identity.groups.exists(g, g == 'ops')}|${actions.ngrok.saml.error.code}";

let world: World;
const start = (config: object = {}): World => {
  world = new World({ idp_metadata: metadata(KEY), ...config }, 'saml');
  world.body = SHOW;
  return world;
};
beforeEach(() => start());

const at = (target: string, facts: Facts = {}) => world.visit(target, facts);

function said(inResponseTo: string, change: Partial<Said> = {}): Said {
  return {
    now: world.now,
    audience: `${ORIGIN}/ngrok/saml/metadata`,
    recipient: ORIGIN + ACS,
    inResponseTo,
    ...change,
  };
}

/** The browser comes with a form, from a page of another site: no cookie goes with it. */
async function post(form: string, target = ACS) {
  const { cookies } = world;
  world.cookies = new Map();
  const headers = [['content-type', 'application/x-www-form-urlencoded']] as const;
  const outcome = await at(target, { method: 'POST', headers, body: form });
  world.cookies = new Map([...cookies, ...world.cookies]);
  return outcome;
}

/** Away to the provider. @returns the id of the request */
const leave = async (target = '/'): Promise<string> => requestIn(locationOf(await at(target))).at('ID');

/** The redirect behind the post, as the browser goes on. */
const hopOf = (location: string): string => location.replace(ORIGIN, '');

async function login(target = '/', change: Partial<Said> = {}): Promise<string> {
  const posted = await post(formOf(answerOf(said(await leave(target), change), KEY)));
  return says(await at(hopOf(locationOf(posted))));
}

describe('a log-in', () => {
  test('leads to the provider, back to the page that was asked for, and holds', async () => {
    const away = await at('/some/page?a=b');
    expect(says(away)).toBe(`302 ${SIGN_ON}`);
    const request = requestIn(locationOf(away));
    expect(request.at('AssertionConsumerServiceURL')).toBe(ORIGIN + ACS);
    expect(request.at('Destination')).toBe(SIGN_ON);
    expect(request.xml).toContain(`<saml:Issuer>${ORIGIN}/ngrok/saml/metadata</saml:Issuer>`);
    expect(request.xml).toContain('Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"');
    expect(request.at('ForceAuthn')).toBe('');
    const answer = answerOf(
      said(request.at('ID'), { attributes: { mail: ['ada@example.com'], groups: ['ops'] } }),
      KEY,
    );
    const posted = await post(formOf(answer));
    expect(says(posted)).toBe(`303 ${ORIGIN}${ACS}`);
    expect(says(await at(hopOf(locationOf(posted))))).toBe(`303 ${ORIGIN}/some/page`);
    expect(says(await at('/some/page?a=b'))).toBe('200 ada@example.com|ada-1|true|');
    expect(world.last?.req?.headers.get('ngrok-auth-user-email')).toBe('ada@example.com');
  });

  test('of two tabs each comes back to its own page', async () => {
    const [first, second] = [await leave('/first'), await leave('/second')];
    for (const [id, page] of [
      [second, '/second'],
      [first, '/first'],
    ] as const) {
      const posted = await post(formOf(answerOf(said(id, { id: `_a${page.slice(1)}` }), KEY)));
      expect(says(await at(hopOf(locationOf(posted))))).toBe(`303 ${ORIGIN}${page}`);
    }
  });

  test('by a form, where the provider wants one', async () => {
    start({ idp_metadata: metadata(KEY, { post: true }) });
    const page = says(await at('/'));
    expect(page).toContain(`<form method="post" action="${SIGN_ON}">`);
    const request = Buffer.from(/name="SAMLRequest" value="([^"]+)"/.exec(page)?.[1] ?? '', 'base64').toString();
    expect(request).toContain('<samlp:AuthnRequest ');
  });

  test('asks for the password again where the policy, or /ngrok/login, wants it', async () => {
    expect(requestIn(locationOf(await at('/ngrok/login'))).at('ForceAuthn')).toBe('true');
    start({ force_authn: true });
    expect(requestIn(locationOf(await at('/'))).at('ForceAuthn')).toBe('true');
  });

  test('ends with the provider’s session, with its own time, and with /ngrok/logout', async () => {
    expect(await login('/', { sessionUntil: 60_000 })).toContain('303');
    world.now += 61_000;
    expect(says(await at('/'))).toContain('302');
    start({ maximum_duration: '1h' });
    await login('/');
    world.now += 3_599_000;
    expect(says(await at('/'))).toContain('200');
    world.now += 2_000;
    expect(says(await at('/'))).toContain('302');
    start();
    await login('/');
    const kept = new Map(world.cookies);
    expect(says(await at('/ngrok/logout?redirect_path=/bye'))).toBe(`302 ${ORIGIN}/bye`);
    expect(says(await at('/'))).toContain('302');
    world.cookies = kept;
    expect(says(await at('/'))).toContain('302');
  });
});

describe('what is refused', () => {
  test('shown twice: 3122', async () => {
    const form = formOf(answerOf(said(await leave()), KEY));
    expect(says(await post(form))).toContain('303');
    expect(says(await post(form))).toBe('400 3122');
  });

  test('in another browser than the one that asked: 3121', async () => {
    const posted = await post(formOf(answerOf(said(await leave()), KEY)));
    const hop = hopOf(locationOf(posted));
    const own = world.cookies;
    world.cookies = new Map();
    expect(says(await at(hop))).toBe('400 3121');
    world.cookies = own;
    expect(says(await at(hop))).toContain('303');
    // It was for once.
    expect(says(await at(hop))).toBe('400 3121');
  });

  test('too late: 3119', async () => {
    const posted = await post(formOf(answerOf(said(await leave()), KEY)));
    world.now += 16 * 60_000;
    expect(says(await at(hopOf(locationOf(posted))))).toBe('400 3119');
  });

  test('a response that is not taken, no form, and another way to ask: 90085', async () => {
    expect(says(await post(formOf(responseOf(said(await leave()), assertionOf(said('_q'))))))).toBe('400 90085');
    expect(world.warnings.join()).toContain('is not signed');
    expect(says(await post('a=b'))).toBe('400 90085');
    expect(says(await at(ACS))).toBe('400 90085');
    expect(says(await at(`${ACS}?postern-login=nonsense`))).toBe('400 3108');
  });

  test('denied by the provider, and by the groups of the policy: 3125', async () => {
    const status = 'urn:oasis:names:tc:SAML:2.0:status:Responder';
    expect(says(await post(formOf(answerOf(said(await leave(), { status }), KEY))))).toBe('403 3125');
    start({ authorized_groups: ['ops'] });
    expect(says(await post(formOf(answerOf(said(await leave()), KEY))))).toBe('403 3125');
    expect(await login('/', { attributes: { groups: ['staff', 'ops'] } })).toContain('303');
  });
});

describe('begun at the provider', () => {
  test('leads to its RelayState, where that is a page of this host', async () => {
    expect(says(await post(formOf(answerOf(said(''), KEY), '/inbox')))).toBe(`303 ${ORIGIN}/inbox`);
    expect(says(await at('/'))).toContain('200 ada@example.com');
    for (const [id, relay] of [
      ['_b', 'https://evil.test/'],
      ['_c', '//evil.test/'],
    ] as const) {
      expect(says(await post(formOf(answerOf(said('', { id }), KEY), relay)))).toBe(`303 ${ORIGIN}/`);
    }
  });

  test('is refused where the policy does not want it', async () => {
    start({ allow_idp_initiated: false });
    expect(says(await post(formOf(answerOf(said(''), KEY))))).toBe('400 90085');
  });
});

test('says of itself what providers ask for', async () => {
  const text = says(await at('/ngrok/saml/metadata'));
  expect(text).toContain(`entityID="${ORIGIN}/ngrok/saml/metadata"`);
  expect(text).toContain(`Location="${ORIGIN}${ACS}"`);
  start({ auth_id: 'a b' });
  expect(says(await at('/ngrok/saml/metadata'))).toContain(`Location="${ORIGIN}${ACS}?auth_id=a%20b"`);
  expect(says(await at('/ngrok/saml/metadata?auth_id=other'))).toContain('302');
});

test('preflights pass where the policy says so', async () => {
  start({ options_passthrough: true });
  world.body = 'passed';
  const headers = [
    ['origin', 'https://a.test'],
    ['access-control-request-method', 'GET'],
  ] as const;
  expect(says(await at('/', { method: 'OPTIONS', headers }))).toBe('200 passed');
});

test.each([
  [{}, '2234'],
  [{ idp_metadata: 'nonsense' }, 'idp_metadata: it is no well-formed XML'],
  [{ idp_metadata: '<a/>' }, 'it is no metadata of SAML 2.0'],
  [
    { idp_metadata: metadata(KEY).replace('IDPSSODescriptor', 'SPSSODescriptor').replace('/md:IDPSSO', '/md:SPSSO') },
    'describes no identity',
  ],
  [{ idp_metadata: metadata(KEY, { more: ' WantAuthnRequestsSigned="true"' }) }, 'wants requests that are signed'],
  [{ idp_metadata: metadata({ ...KEY, cert: 'AAAA' }) }, 'certificate that does not parse'],
  [
    { idp_metadata: metadata(KEY).replace(`Location="${SIGN_ON}"`, 'Location="javascript:alert(1)"') },
    'no SingleSignOnService',
  ],
  [{ idp_metadata: metadata(KEY), cookie_prefix: 'a' }, 'cookie_prefix'],
  [{ idp_metadata: metadata(KEY), idle_session_timeout: '1h', inactivity_timeout: '2h' }, 'one and the same'],
])('refused when it is written: %#', (config, words) => {
  expect(refusal(rule('on_http_request', { type: 'saml', config }), AGENT)).toContain(words);
});
