import { describe, expect, it } from 'vitest';
import { compilePolicy, MalformedPolicy } from '../../../local/iam/evaluate.ts';
import type { PolicyDocument, PolicyKind } from '../../../local/iam/policy.ts';
import { malformed } from './tables/malformed.ts';

/** The tables hold documents as they may arrive: not necessarily of the declared shape. */
function compileUnchecked(kind: PolicyKind, document: unknown) {
  return compilePolicy('Given', kind, document as PolicyDocument);
}

describe('malformed policies', () => {
  it.each(malformed)('%s is refused in a policy of kind %s', (_name, kind, document, names) => {
    expect.assertions(3);
    try {
      compileUnchecked(kind, document);
    } catch (error) {
      expect(error).toBeInstanceOf(MalformedPolicy);
      expect(error).toMatchObject({ code: 'MalformedPolicy', name: 'MalformedPolicy', policy: 'Given' });
      expect(error).toHaveProperty('message', expect.stringContaining(names));
    }
  });

  it('is compiled once per document, name and kind', () => {
    const document: PolicyDocument = { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'kms:*', Resource: '*' } };
    const first = compilePolicy('A', 'identity', document);
    expect(compilePolicy('A', 'identity', document)).toBe(first);
    expect(compilePolicy('A', 'boundary', document)).not.toBe(first);
    expect(compilePolicy('B', 'identity', document)).toMatchObject({ name: 'B', kind: 'identity' });
    expect(compilePolicy('A', 'identity', { ...document })).not.toBe(first);
  });

  it('takes a Sid with blanks, as KMS writes it, in a resource policy', () => {
    const document: PolicyDocument = {
      Version: '2012-10-17',
      Id: 'key-default-1',
      Statement: [
        {
          Sid: 'Enable IAM User Permissions',
          Effect: 'Allow',
          Principal: { AWS: 'arn:aws:iam::111122223333:root' },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    };
    expect(compilePolicy('key', 'resource', document).statementsFor('kms:decrypt').allows).toHaveLength(1);
  });
});
