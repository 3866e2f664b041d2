import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { canonicalJson, type EvidenceSigner, signEvidence, verifyEvidence } from '../../../functions/byoc/probe/sign-evidence.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const der = publicKey.export({ type: 'spki', format: 'der' });
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
const document = { verdict: 'sound', at: 1, findings: [], steps: [{ step: 'right', answer: 'allowed' }], reason: undefined };
const text = '{"at":1,"findings":[],"steps":[{"answer":"allowed","step":"right"}],"verdict":"sound"}';
const evidence = {
  document: text,
  signature: sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'der' }).toString('base64'),
};

describe('B2 evidence that anybody can verify', () => {
  it('has the digest of the canonical text signed', async () => {
    const asked: unknown[] = [];
    const signer: EvidenceSigner = {
      sign: async (keyArn, digest) => {
        asked.push([keyArn, Buffer.from(digest).toString('hex')]);
        return Uint8Array.of(1, 2, 3);
      },
    };
    expect(await signEvidence(signer, 'arn:key', document)).toEqual({
      document: text,
      algorithm: 'ECDSA_SHA_256',
      signature: 'AQID',
      keyArn: 'arn:key',
    });
    expect(asked).toEqual([['arn:key', '806dca007e1ed62a7205af56539f7a48ef7fbcd56cce220e03151054f44020e9']]);
  });

  it('is verified with the public key as KMS gives it, or as PEM', () => {
    expect(verifyEvidence(evidence, der)).toBe(true);
    expect(verifyEvidence(evidence, pem)).toBe(true);
  });

  it('is not verified when a character, the signature or the key is another', () => {
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'der' });
    expect(verifyEvidence({ ...evidence, document: `${text} ` }, der)).toBe(false);
    expect(verifyEvidence({ ...evidence, signature: evidence.signature.replace(/^..../, 'AAAA') }, der)).toBe(false);
    expect(verifyEvidence({ ...evidence, signature: '' }, der)).toBe(false);
    expect(verifyEvidence(evidence, stranger)).toBe(false);
  });

  it('writes one text for one value, whatever the order of its members', () => {
    expect(canonicalJson({ b: [{ d: 1, c: null }], a: 'ü"' })).toBe('{"a":"ü\\"","b":[{"c":null,"d":1}]}');
    expect(canonicalJson({ a: 'ü"', b: [{ c: null, d: 1 }] })).toBe(canonicalJson({ b: [{ d: 1, c: null }], a: 'ü"' }));
    expect(canonicalJson([2, 1])).toBe('[2,1]');
  });
});
