/**
 * Block Public Access: when a bucket policy is public, and what of it then still counts. Source: S3 User Guide, "Blocking public access to your
 * Amazon S3 storage", "The meaning of 'public'".
 */
import { z } from 'zod';
import type { PolicyDocument, PolicyStatement } from '../iam/policy.ts';

export const publicAccessBlock = z.strictObject({
  BlockPublicAcls: z.boolean().default(false),
  IgnorePublicAcls: z.boolean().default(false),
  BlockPublicPolicy: z.boolean().default(false),
  RestrictPublicBuckets: z.boolean().default(false),
});
export type PublicAccessBlock = z.output<typeof publicAccessBlock>;

/** What a new bucket has. */
export const everythingBlocked: PublicAccessBlock = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
};

/** An Allow for everyone is not public when one of these is held to fixed values. */
const narrowingKeys = new Set(
  `aws:PrincipalOrgID aws:SourceAccount aws:SourceArn aws:SourceIp aws:SourceVpc aws:SourceVpce aws:userid`.toLowerCase().split(' '),
);
const narrowingOperator = /^(?:String(?:Equals|Like)(?:IgnoreCase)?|Arn(?:Equals|Like)|IpAddress)$/i;

export function isPublic(document: PolicyDocument): boolean {
  return statementsOf(document).some((statement) => statement.Effect === 'Allow' && namesEveryone(statement) && !isNarrowed(statement));
}

/** For callers of other accounts and for nobody: with `RestrictPublicBuckets` a public policy lets none of them in, and still keeps them out. */
export function deniesOf(document: PolicyDocument): PolicyDocument {
  return { ...document, Statement: statementsOf(document).filter(({ Effect }) => Effect === 'Deny') };
}

export function statementsOf({ Statement }: PolicyDocument): readonly PolicyStatement[] {
  return isList(Statement) ? Statement : [Statement];
}

function isList(statement: PolicyDocument['Statement']): statement is readonly PolicyStatement[] {
  return Array.isArray(statement);
}

function namesEveryone({ Principal, NotPrincipal }: PolicyStatement): boolean {
  if (NotPrincipal !== undefined || Principal === '*') return true;
  return [Principal?.['AWS'] ?? []].flat().includes('*');
}

function isNarrowed({ Condition = {} }: PolicyStatement): boolean {
  return Object.entries(Condition).some(
    ([operator, keys]) =>
      narrowingOperator.test(operator) &&
      Object.entries(keys).some(([key, values]) => narrowingKeys.has(key.toLowerCase()) && ![values].flat().some(hasWildcard)),
  );
}

function hasWildcard(value: unknown): boolean {
  return /[*?]|\$\{|^0\.0\.0\.0\/0$|^::\/0$/.test(String(value));
}
