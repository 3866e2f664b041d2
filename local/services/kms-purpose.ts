/** What a KMS key is for: its spec and usage, fixed when it is made. Source: KMS API Reference, CreateKey (KeySpec, KeyUsage). */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';

export interface Purpose {
  readonly spec: 'SYMMETRIC_DEFAULT' | 'ECC_NIST_P256';
  readonly usage: 'ENCRYPT_DECRYPT' | 'SIGN_VERIFY';
}

const spec = z.enum(['SYMMETRIC_DEFAULT', 'ECC_NIST_P256']).optional();
/** The members of CreateKey that say it. */
export const purposeMembers = {
  KeySpec: spec,
  CustomerMasterKeySpec: spec,
  KeyUsage: z.enum(['ENCRYPT_DECRYPT', 'SIGN_VERIFY']).optional(),
};

/** Throws AwsError ValidationException when they do not fit together. */
export function purposeOf(input: {
  readonly KeySpec?: Purpose['spec'] | undefined;
  readonly CustomerMasterKeySpec?: Purpose['spec'] | undefined;
  readonly KeyUsage?: Purpose['usage'] | undefined;
}): Purpose {
  const { KeySpec, CustomerMasterKeySpec, KeyUsage } = input;
  if (KeySpec !== undefined && CustomerMasterKeySpec !== undefined)
    throw new AwsError('ValidationException', 'You cannot specify KeySpec and CustomerMasterKeySpec in the same request.');
  const asked = KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT';
  if (asked !== 'SYMMETRIC_DEFAULT' && KeyUsage === undefined)
    throw new AwsError('ValidationException', 'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.');
  const usage = KeyUsage ?? 'ENCRYPT_DECRYPT';
  if ((asked === 'SYMMETRIC_DEFAULT') !== (usage === 'ENCRYPT_DECRYPT'))
    throw new AwsError('ValidationException', `KeyUsage ${usage} is not compatible with KeySpec ${asked}`);
  return { spec: asked, usage };
}

/** As KeyMetadata shows it. */
export function purposeShown({ spec, usage }: Purpose): object {
  const algorithms = usage === 'SIGN_VERIFY' ? { SigningAlgorithms: ['ECDSA_SHA_256'] } : { EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'] };
  return { KeyUsage: usage, CustomerMasterKeySpec: spec, KeySpec: spec, ...algorithms };
}
