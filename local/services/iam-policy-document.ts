/** Policy documents as they come in: parsed, limited in size, and read by the evaluator before they are stored. */
import { z } from 'zod';
import { AwsError } from '../core/aws-error.ts';
import type { StoredPolicy } from '../core/identity-store.ts';
import { compilePolicy } from '../iam/evaluate.ts';
import type { PolicyDocument, PolicyKind } from '../iam/policy.ts';

/** Quotas in characters without white space. Source: IAM User Guide, "IAM and AWS STS quotas". */
export const policySizes = { managed: 6144, roleInlineTotal: 10_240, userInlineTotal: 2048, trust: 2048 } as const;

const oneOrMore = z.union([z.string(), z.array(z.string())]);
const scalar = z.union([z.string(), z.boolean(), z.number()]);
const statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.enum(['Allow', 'Deny']),
  Action: oneOrMore.optional(),
  NotAction: oneOrMore.optional(),
  Resource: oneOrMore.optional(),
  NotResource: oneOrMore.optional(),
  Principal: z.union([z.literal('*'), z.record(z.string(), oneOrMore)]).optional(),
  NotPrincipal: z.union([z.literal('*'), z.record(z.string(), oneOrMore)]).optional(),
  Condition: z.record(z.string(), z.record(z.string(), z.union([scalar, z.array(scalar)]))).optional(),
});
const policyDocument = z.strictObject({
  Version: z.enum(['2012-10-17', '2008-10-17']).optional(),
  Id: z.string().optional(),
  // One statement alone is made a list first, so that what is wrong in it is named.
  Statement: z.preprocess((value) => (Array.isArray(value) ? value : [value]), z.array(statement)),
});

/** Throws AwsError MalformedPolicyDocument with the reason. */
export function parsePolicyDocument(text: string): PolicyDocument {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw malformed('This policy contains invalid Json');
  }
  const result = policyDocument.safeParse(json);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw malformed(`Syntax errors in policy: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not a policy'}`);
}

/** A policy for a user or role (or a session): no principals in it, every part known to the evaluator. */
export function identityPolicy(name: string, text: string, kind: PolicyKind = 'identity'): StoredPolicy {
  const document = parsePolicyDocument(text);
  for (const { Principal, NotPrincipal } of statementsOf(document)) {
    if (Principal !== undefined || NotPrincipal !== undefined) throw malformed('Policy document should not specify a principal.');
  }
  checkByEvaluator(name, kind, document);
  return { text, document };
}

export function checkByEvaluator(name: string, kind: PolicyKind, document: PolicyDocument): void {
  try {
    compilePolicy(name, kind, document);
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : String(error));
  }
}

export function statementsOf({ Statement }: PolicyDocument): readonly z.infer<typeof statement>[] {
  return z.array(statement).parse(Array.isArray(Statement) ? Statement : [Statement]);
}

/** Characters that count against a quota: all but white space. */
export function policySize(text: string): number {
  return text.replace(/\s/g, '').length;
}

/** As Get operations answer it: percent-encoded by RFC 3986. */
export function encodedPolicy(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function malformed(message: string): AwsError {
  return new AwsError('MalformedPolicyDocument', message, 400);
}
