/** Policies passed with AssumeRole: they only take away. Source: IAM User Guide, "Session policies"; STS API Reference, "AssumeRole". */
import { AwsError } from '../core/aws-error.ts';
import type { IdentityStore, RoleIdentity, Session } from '../core/identity-store.ts';
import { identityPolicy } from './iam-policy-document.ts';

const maxPolicyCharacters = 2048;
/**
 * The real packing and its limit are not published. This stands for it: one byte per character against 4,096, so that a request far from
 * AWS's limit passes and an excessive one fails. Only the real service tells the true percentage.
 */
const packedLimit = 4096;

/** `arns` must be of managed policies of the role's account, or AWS's. Throws AwsError: ValidationError, MalformedPolicyDocument, NoSuchEntity. */
export function sessionPolicies(
  store: IdentityStore,
  role: RoleIdentity,
  text: string | undefined,
  arns: readonly { readonly arn: string }[],
): Session['policies'] {
  if (text !== undefined && text.length > maxPolicyCharacters) {
    throw new AwsError('ValidationError', `'policy' must be at most ${maxPolicyCharacters} characters long.`);
  }
  const managed = arns.map(({ arn }) => {
    const policy = store.policyByArn(arn);
    const document = policy?.versions.get(policy.defaultVersionId)?.document;
    if (policy === undefined || document === undefined || (policy.accountId !== role.accountId && policy.accountId !== 'aws')) {
      throw new AwsError('NoSuchEntity', `The session policy ${arn} does not exist in the role's account.`, 404);
    }
    return { name: policy.name, document };
  });
  const own = text === undefined ? [] : [{ name: 'SessionPolicy', document: identityPolicy('SessionPolicy', text, 'session').document }];
  return [...own, ...managed];
}

/** Percent of what may be passed, rounded up; 0 when nothing is. */
export function packedSize(text: string | undefined, arns: readonly { readonly arn: string }[], tags: ReadonlyMap<string, string>): number {
  const parts = [text ?? '', ...arns.map(({ arn }) => arn), ...[...tags].flat()];
  const bytes = parts.reduce((sum, part) => sum + Buffer.byteLength(part), 0);
  return Math.ceil((bytes / packedLimit) * 100);
}
