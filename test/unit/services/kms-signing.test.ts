import { createHash, createPublicKey, generateKeyPairSync, sign as signWithNode, verify as verifyWithNode } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { allow } from '../core/cloud.ts';
import { type DataCloud, refusal, startDataCloud, text } from './data-cloud.ts';

const asked = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' };
const SigningAlgorithm = 'ECDSA_SHA_256';
const message = Buffer.from('evidence');
const Message = message.toString('base64');
const Digest = createHash('sha256').update(message).digest().toString('base64');

let cloud: DataCloud;
let KeyId: string;
beforeAll(async () => {
  cloud = await startDataCloud();
  KeyId = text((await cloud.kms(cloud.root, 'CreateKey', asked))['KeyMetadata'], 'Arn');
});

const call = (operation: string, over: object = {}): Promise<Record<string, unknown>> =>
  cloud.kms(cloud.root, operation, { KeyId, Message, SigningAlgorithm, ...over });
const publicKey = async () => {
  const answer = await cloud.kms(cloud.root, 'GetPublicKey', { KeyId });
  return createPublicKey({ key: Buffer.from(text(answer, 'PublicKey'), 'base64'), format: 'der', type: 'spki' });
};

describe('a signing key', () => {
  it('is shown as what it is', async () => {
    const purpose = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', SigningAlgorithms: [SigningAlgorithm] };
    const { KeyMetadata } = await cloud.kms(cloud.root, 'DescribeKey', { KeyId });
    expect(KeyMetadata).toMatchObject(purpose);
    expect(KeyMetadata).not.toHaveProperty('EncryptionAlgorithms');
    expect(await cloud.kms(cloud.root, 'GetPublicKey', { KeyId })).toMatchObject({ KeyId, ...purpose });
  });

  // Several times: leading zeros in r or s, and their high bits, change the form of a signature.
  it.each(Array.from({ length: 12 }, (_, index) => index))(
    'signs what its public key verifies elsewhere, for messages and digests (%i)',
    async (index) => {
      const key = await publicKey();
      const [messageType, body] = index % 2 === 0 ? (['RAW', Message] as const) : (['DIGEST', Digest] as const);
      const answer = await call('Sign', { Message: body, MessageType: messageType });
      expect(answer).toMatchObject({ KeyId, SigningAlgorithm });
      const signature = Buffer.from(text(answer, 'Signature'), 'base64');
      expect(verifyWithNode('sha256', message, key, signature)).toBe(true);
      expect(verifyWithNode('sha256', Buffer.from('other'), key, signature)).toBe(false);
    },
  );

  it('takes a message for a message when nothing is said of its type', async () => {
    const Signature = text(await call('Sign'), 'Signature');
    expect(await call('Verify', { Signature, Message: Digest, MessageType: 'DIGEST' })).toEqual({
      KeyId,
      SignatureValid: true,
      SigningAlgorithm,
    });
  });

  it('verifies its own signatures, and no changed, foreign or malformed ones', async () => {
    const Signature = text(await call('Sign'), 'Signature');
    expect(await call('Verify', { Signature })).toMatchObject({ SignatureValid: true });
    const other = text((await cloud.kms(cloud.root, 'CreateKey', asked))['KeyMetadata'], 'Arn');
    const bytes = Buffer.from(Signature, 'base64');
    const flipped = Buffer.from(bytes);
    flipped[10] = (flipped[10] ?? 0) ^ 1;
    const refused = [
      call('Verify', { Signature, Message: Buffer.from('evidence.').toString('base64') }),
      call('Verify', { Signature, KeyId: other }),
      call('Verify', { Signature: flipped.toString('base64') }),
      call('Verify', { Signature: Buffer.concat([bytes, Buffer.of(0)]).toString('base64') }),
      call('Verify', { Signature: Buffer.from('nonsense').toString('base64') }),
      call('Verify', { Signature: Buffer.of(0x30, 6, 2, 1, 0, 2, 1, 0).toString('base64') }),
      call('Verify', { Signature: Buffer.of(0x30).toString('base64') }),
    ];
    for (const attempt of refused) expect(await refusal(attempt)).toMatchObject({ code: 'KMSInvalidSignatureException' });
  });

  it('accepts what others signed with the same curve only if it is its own key', async () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const Signature = signWithNode('sha256', message, privateKey).toString('base64');
    expect(await refusal(call('Verify', { Signature }))).toMatchObject({ code: 'KMSInvalidSignatureException' });
  });

  it('is limited to 4,096 bytes and to digests of its algorithm', async () => {
    const bytes = (length: number): string => Buffer.alloc(length, 1).toString('base64');
    await call('Sign', { Message: bytes(4096) });
    expect(await refusal(call('Sign', { Message: bytes(4097) }))).toMatchObject({ code: 'ValidationException' });
    for (const length of [31, 33, 48])
      expect(await refusal(call('Sign', { Message: bytes(length), MessageType: 'DIGEST' }))).toMatchObject({
        code: 'ValidationException',
        message: 'Digest is invalid length for algorithm ECDSA_SHA_256.',
      });
  });

  it('is answered as a key of the wrong kind where it is one', async () => {
    const Plaintext = Message;
    const wrong: [string, object][] = [
      ['Encrypt', { KeyId, Plaintext }],
      ['GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
      ['GenerateDataKeyWithoutPlaintext', { KeyId }],
      ['GenerateDataKeyPair', { KeyId, KeyPairSpec: 'ECC_NIST_P256' }],
      ['Sign', { KeyId: cloud.keyArn, Message, SigningAlgorithm }],
      ['Verify', { KeyId: cloud.keyArn, Message, SigningAlgorithm, Signature: Message }],
      ['Sign', { KeyId, Message, SigningAlgorithm: 'RSASSA_PSS_SHA_256' }],
      ['Sign', { KeyId, Message, SigningAlgorithm: 'ECDSA_SHA_384' }],
    ];
    for (const [operation, input] of wrong)
      expect(await refusal(cloud.kms(cloud.root, operation, input)), operation).toMatchObject({ code: 'InvalidKeyUsageException' });
    for (const [operation, input] of [
      ['GetPublicKey', { KeyId: cloud.keyArn }],
      ['EnableKeyRotation', { KeyId }],
    ] as const)
      expect(await refusal(cloud.kms(cloud.root, operation, input))).toMatchObject({ code: 'UnsupportedOperationException' });
  });

  it('does nothing while it is disabled', async () => {
    const disabled = text((await cloud.kms(cloud.root, 'CreateKey', asked))['KeyMetadata'], 'Arn');
    await cloud.kms(cloud.root, 'DisableKey', { KeyId: disabled });
    const attempts = [call('Sign', { KeyId: disabled }), cloud.kms(cloud.root, 'GetPublicKey', { KeyId: disabled })];
    for (const attempt of attempts) expect(await refusal(attempt)).toMatchObject({ code: 'DisabledException' });
  });

  it.each([
    [{ KeySpec: 'ECC_NIST_P256' }],
    [{ KeySpec: 'ECC_NIST_P256', KeyUsage: 'ENCRYPT_DECRYPT' }],
    [{ KeyUsage: 'SIGN_VERIFY' }],
    [{ ...asked, CustomerMasterKeySpec: 'ECC_NIST_P256' }],
    [{ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }],
  ])('is not made of %j', async (input) => {
    expect(await refusal(cloud.kms(cloud.root, 'CreateKey', input))).toMatchObject({ code: 'ValidationException' });
  });

  it('is used by whom IAM allows, for the algorithm and the kind of message it allows', async () => {
    const signer = await cloud.tenant('acme', {
      ...allow('kms:Sign', KeyId),
      Condition: { StringEquals: { 'kms:SigningAlgorithm': SigningAlgorithm, 'kms:MessageType': 'DIGEST', 'kms:KeyUsage': 'SIGN_VERIFY' } },
    });
    const ask = (operation: string, over: object = {}) => cloud.kms(signer, operation, { KeyId, Message, SigningAlgorithm, ...over });
    await ask('Sign', { Message: Digest, MessageType: 'DIGEST' });
    const Signature = text(await call('Sign'), 'Signature');
    for (const attempt of [ask('Sign'), ask('Verify', { Signature }), cloud.kms(signer, 'GetPublicKey', { KeyId })])
      expect(await refusal(attempt)).toMatchObject({ code: 'AccessDeniedException' });
  });

  it('can be demanded when keys are made', async () => {
    const condition = { StringEquals: { 'kms:KeySpec': 'ECC_NIST_P256', 'kms:KeyUsage': 'SIGN_VERIFY' } };
    const maker = await cloud.tenant('acme', { ...allow(['kms:CreateKey', 'kms:PutKeyPolicy']), Condition: condition });
    await cloud.kms(maker, 'CreateKey', asked);
    expect(await refusal(cloud.kms(maker, 'CreateKey', {}))).toMatchObject({ code: 'AccessDeniedException' });
  });
});
