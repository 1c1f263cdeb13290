import { constants, createPublicKey, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { isSigned } from './algorithms.ts';
import { ALGORITHMS } from './schema.ts';
import { asked, CLAIMS, encoded, PAIRS, published, says, signatureOf, tokenOf, URL_1 } from './testing.ts';

describe.each(ALGORITHMS)('%s', (algorithm) => {
  it('lets in what its key has signed, and nothing that was changed since', async () => {
    const token = tokenOf({ algorithm });
    expect(await says(token)).toBe('204');
    expect(asked).toEqual([`${URL_1} ${algorithm} ep_1`]);
    const [head = '', payload = '', signature = ''] = token.split('.');
    expect(await says(`${head}.${encoded({ ...CLAIMS, sub: 'eve' })}.${signature}`)).toBe('401 3401');
    expect(await says(`${encoded({ alg: algorithm, kid: algorithm, x: 1 })}.${payload}.${signature}`)).toBe('401 3401');
    const bytes = Buffer.from(signature, 'base64url');
    for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
      const other = Buffer.from(bytes);
      other[at] = (other[at] ?? 0) ^ 1;
      expect(await says(`${head}.${payload}.${other.toString('base64url')}`)).toBe('401 3401');
    }
    for (const other of [bytes.subarray(1), Buffer.concat([bytes, Buffer.of(0)]), Buffer.alloc(bytes.length)]) {
      expect(await says(`${head}.${payload}.${other.toString('base64url')}`)).toBe('401 3401');
    }
  });

  it('is for keys of its kind, which their publisher has for it, and has to be allowed', async () => {
    const token = tokenOf({ algorithm });
    const others = ALGORITHMS.filter((name) => name !== algorithm);
    expect(await says(token, { algorithms: others })).toBe('401 3416');
    expect(await says(token, { sets: { [URL_1]: [published(algorithm, PAIRS[algorithm], algorithm)] } })).toBe('204');
    for (const other of others) {
      const sets = { [URL_1]: [published(algorithm, PAIRS[algorithm], other)] };
      expect(await says(token, { sets })).toBe('401 3401');
      if (PAIRS[other] === PAIRS[algorithm]) continue;
      expect(await says(token, { sets: { [URL_1]: [published(algorithm, PAIRS[other])] } })).toBe('401 3401');
    }
  });

  it('is not believed of a token that another one has signed', async () => {
    for (const other of ALGORITHMS) {
      if (other === algorithm) continue;
      const signed = `${encoded({ alg: algorithm, kid: other })}.${encoded(CLAIMS)}`;
      const signature = signatureOf(signed, other, PAIRS[other]).toString('base64url');
      expect(await says(`${signed}.${signature}`)).toBe('401 3401');
    }
  });
});

it('checks the examples of RFC 7515 A.3 and RFC 8037 A.4', async () => {
  const examples = [
    {
      algorithm: 'ES256',
      jwk: {
        kty: 'EC',
        crv: 'P-256',
        x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
        y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
      },
      signed:
        'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ',
      signature: 'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q',
    },
    {
      algorithm: 'EdDSA',
      jwk: { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' },
      signed: 'eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc',
      signature: 'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
    },
  ] as const;
  for (const { algorithm, jwk, signed, signature } of examples) {
    const key = createPublicKey({ key: jwk, format: 'jwk' });
    const bytes = Buffer.from(signature, 'base64url');
    expect(await isSigned(algorithm, key, Buffer.from(signed), bytes)).toBe(true);
    expect(await isSigned(algorithm, key, Buffer.from(`${signed}A`), bytes)).toBe(false);
  }
});

it('takes no signature of PSS with a salt of another length (RFC 7518 §3.5)', async () => {
  for (const saltLength of [0, 20, 222]) {
    const signed = `${encoded({ alg: 'PS256', kid: 'PS256' })}.${encoded(CLAIMS)}`;
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const signature = sign('sha256', Buffer.from(signed), { key: PAIRS.PS256.privateKey, padding, saltLength });
    expect(await says(`${signed}.${signature.toString('base64url')}`)).toBe('401 3401');
  }
});

it('takes no signature by a key of another curve, whatever its name', async () => {
  const sets = { [URL_1]: [published('ES256', PAIRS.ES384)] };
  expect(await says(tokenOf({ algorithm: 'ES256', pair: PAIRS.ES384 }), { sets })).toBe('401 3401');
});

it('takes no signature of ECDSA in DER', async () => {
  const signed = `${encoded({ alg: 'ES256', kid: 'ES256' })}.${encoded(CLAIMS)}`;
  const der = sign('sha256', Buffer.from(signed), PAIRS.ES256.privateKey);
  expect(await says(`${signed}.${der.toString('base64url')}`)).toBe('401 3401');
});

it.each(['RS256', 'PS256'] as const)('takes no signature of %s without the zeros in front', async (algorithm) => {
  for (let tries = 0; ; tries++) {
    const signed = `${encoded({ alg: algorithm, kid: algorithm })}.${encoded({ ...CLAIMS, tries })}`;
    const signature = signatureOf(signed, algorithm, PAIRS[algorithm]);
    if (signature[0] !== 0) continue;
    expect(await says(`${signed}.${signature.toString('base64url')}`)).toBe('204');
    expect(await says(`${signed}.${signature.subarray(1).toString('base64url')}`)).toBe('401 3401');
    return;
  }
});
