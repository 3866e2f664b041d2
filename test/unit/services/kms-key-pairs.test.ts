import { createPrivateKey, createPublicKey } from 'node:crypto';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { allow } from '../core/cloud.ts';
import { type DataCloud, own, refusal, startDataCloud, text } from './data-cloud.ts';

const EncryptionContext = { TenantId: 'acme' };
let cloud: DataCloud;
beforeAll(async () => {
  cloud = await startDataCloud();
});

const makePair = (operation: string, over: object = {}): Promise<Record<string, unknown>> =>
  cloud.kms(cloud.root, operation, { KeyId: cloud.keyArn, KeyPairSpec: 'ECC_NIST_P256', EncryptionContext, ...over });
const blob = (value: unknown, name: string): Buffer => Buffer.from(text(value, name), 'base64');

describe('data key pairs', () => {
  it.each([
    ['ECC_NIST_P256', 'ECDH-ES+A256KW'],
    ['RSA_3072', 'RSA-OAEP-256'],
  ])('of %s open what was sealed with their public half', async (KeyPairSpec, alg) => {
    const made = await makePair('GenerateDataKeyPairWithoutPlaintext', { KeyPairSpec });
    expect(made).toMatchObject({ KeyPairSpec, KeyId: cloud.keyArn });
    const publicKey = createPublicKey({ key: blob(made, 'PublicKey'), format: 'der', type: 'spki' });
    const sealed = await new CompactEncrypt(Buffer.from('a secret')).setProtectedHeader({ alg, enc: 'A256GCM' }).encrypt(publicKey);
    const opened = await cloud.kms(cloud.root, 'Decrypt', { CiphertextBlob: text(made, 'PrivateKeyCiphertextBlob'), EncryptionContext });
    const privateKey = createPrivateKey({ key: blob(opened, 'Plaintext'), format: 'der', type: 'pkcs8' });
    expect(Buffer.from((await compactDecrypt(sealed, privateKey)).plaintext).toString()).toBe('a secret');
  });

  it('show their private half only when asked for it, and then the very one that is sealed', async () => {
    expect(await makePair('GenerateDataKeyPairWithoutPlaintext')).not.toHaveProperty('PrivateKeyPlaintext');
    const shown = await makePair('GenerateDataKeyPair');
    const opened = await cloud.kms(cloud.root, 'Decrypt', { CiphertextBlob: text(shown, 'PrivateKeyCiphertextBlob'), EncryptionContext });
    expect(text(opened, 'Plaintext')).toBe(text(shown, 'PrivateKeyPlaintext'));
  });

  it('open under no other context', async () => {
    const CiphertextBlob = text(await makePair('GenerateDataKeyPairWithoutPlaintext'), 'PrivateKeyCiphertextBlob');
    for (const other of [undefined, { TenantId: 'acme-2' }, { TenantId: 'acme', UserId: 'u' }]) {
      expect(await refusal(cloud.kms(cloud.root, 'Decrypt', { CiphertextBlob, EncryptionContext: other }))).toMatchObject({
        code: 'InvalidCiphertextException',
      });
    }
  });

  it('are made only in the context, and of the spec, that IAM allows', async () => {
    const acme = await cloud.tenant('acme', {
      ...allow('kms:GenerateDataKeyPairWithoutPlaintext'),
      Condition: {
        StringEquals: { 'kms:EncryptionContext:TenantId': own, 'kms:DataKeyPairSpec': 'ECC_NIST_P256' },
        'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['TenantId'] },
      },
    });
    const ask = (over: object = {}, operation = 'GenerateDataKeyPairWithoutPlaintext'): Promise<unknown> =>
      cloud.kms(acme, operation, { KeyId: cloud.keyArn, KeyPairSpec: 'ECC_NIST_P256', EncryptionContext, ...over });
    await ask();
    const denied = [
      ask({ EncryptionContext: { TenantId: 'acme-2' } }),
      ask({ EncryptionContext: undefined }),
      ask({ EncryptionContext: { TenantId: 'acme', More: 'x' } }),
      ask({ KeyPairSpec: 'RSA_3072' }),
      ask({}, 'GenerateDataKeyPair'),
    ];
    for (const attempt of denied) expect(await refusal(attempt)).toMatchObject({ code: 'AccessDeniedException' });
  });

  it('of specs that the local cloud does not make are not implemented', async () => {
    expect(await refusal(makePair('GenerateDataKeyPair', { KeyPairSpec: 'ECC_SECG_P256K1' }))).toMatchObject({ code: 'NotImplemented' });
  });

  it('are not made under a key that is disabled', async () => {
    const { KeyMetadata } = await cloud.kms(cloud.root, 'CreateKey', {});
    const KeyId = text(KeyMetadata, 'Arn');
    await cloud.kms(cloud.root, 'DisableKey', { KeyId });
    expect(await refusal(makePair('GenerateDataKeyPairWithoutPlaintext', { KeyId }))).toMatchObject({ code: 'DisabledException' });
  });
});
