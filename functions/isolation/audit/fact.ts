import type { TenantId } from '../../shared/identifiers.ts';
import type { PolicyDocument } from './policy-document.ts';

/** How Access Analyzer is told what a document is. A trust policy is a resource policy of the role. */
export type CheckedAs =
  | 'IDENTITY_POLICY'
  | 'RESOURCE_POLICY'
  | 'AWS::DynamoDB::Table'
  | 'AWS::IAM::AssumeRolePolicyDocument'
  | 'AWS::KMS::Key'
  | 'AWS::Lambda::Function'
  | 'AWS::S3::Bucket'
  | 'AWS::SecretsManager::Secret'
  | 'AWS::SNS::Topic'
  | 'AWS::SQS::Queue';

export type Value =
  | {
      readonly kind: 'document';
      readonly document: PolicyDocument;
      readonly checkedAs: CheckedAs;
      /** It is written anew at run time, and may hold what the writer of cut-offs puts there. */
      readonly mayCutOff?: boolean;
    }
  | {
      readonly kind: 'list';
      readonly members: readonly string[];
      /** Which change of it gives somebody more. */
      readonly grantsWhen: 'added' | 'removed' | 'changed';
    }
  | { readonly kind: 'number'; readonly value: number };

/** One thing that is so, or should be: the boundary of a role, the policy of a queue. */
export interface Fact {
  /** What has it, as people find it: `role TenantReader`. */
  readonly of: string;
  /** `trust policy`, `boundary`, `inline policy Function`; `existence` for the thing itself. */
  readonly aspect: string;
  readonly value: Value;
  /** Whose it is, when it is one tenant's. */
  readonly tenantId?: TenantId;
  /** Milliseconds since the epoch: when the thing was made, where that is known. */
  readonly madeAt?: number;
}

/** What could not be looked at, and why. */
export interface Unread {
  readonly of: string;
  /** Left out when nothing of it could be. */
  readonly aspect?: string;
  readonly why: string;
}

/** Something that is there and has no other value than that it is. */
export const existence = (of: string, more: Pick<Fact, 'tenantId' | 'madeAt'> = {}): Fact => ({
  of,
  aspect: 'existence',
  value: { kind: 'list', members: ['there'], grantsWhen: 'added' },
  ...more,
});
