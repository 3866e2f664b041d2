/** What changing deployed policies takes: AWS's own APIs, called as the account's root, and names of the stack. */
import { z } from 'zod';
import type { TestCloud } from './cloud.ts';

export interface Planted {
  readonly what: string;
  readonly plant: () => Promise<unknown>;
  /** `POLICY_DRIFT` when left out. */
  readonly code?: 'POLICY_GRANTS_ACROSS';
  /** Found in exactly one finding. */
  readonly says: RegExp;
}
export type Fields = Readonly<Record<string, unknown>>;
const topicAnswer = z.object({ Attributes: z.map(z.string(), z.string()) });
const statements = z.object({ Statement: z.array(z.record(z.string(), z.unknown())) });

export const allow = (fields: Fields): Fields => ({ Effect: 'Allow', ...fields });
export const policyText = (...Statement: readonly Fields[]): string => JSON.stringify({ Version: '2012-10-17', Statement });
/** A customer's account. */
export const customer = '444455556666';

export function plantingTools({ cloud }: TestCloud) {
  const { accountId, resources } = cloud;
  const root = cloud.kernel.rootCaller(accountId);
  const call = (service: string, operation: string, input: object) => cloud.kernel.call(root, service, operation, input);
  const policyArn = (name: string): string => `arn:aws:iam::${accountId}:policy/cordon/${name}`;
  return {
    call,
    policyArn,
    /** The name that a resource of the stack has got. */
    physical(id: RegExp, type: string): string {
      const found = Object.entries(resources).find(([logicalId, resource]) => id.test(logicalId) && resource.type === type);
      if (found === undefined) throw new Error(`the stack has no ${type} ${id}`);
      return found[1].physicalId;
    },
    /** Statements of a policy as AWS shows it, percent-encoded or not. */
    statementsIn: (text: unknown): readonly Fields[] => statements.parse(JSON.parse(decodeURIComponent(z.string().parse(text)))).Statement,
    /** The topic of alarms, and what its policy says. */
    async alarmTopic() {
      const TopicArn = cloud.outputs['AlarmTopicArn'] ?? '';
      const { Attributes } = topicAnswer.parse(await call('sns', 'GetTopicAttributes', { TopicArn }));
      return {
        arn: TopicArn,
        name: TopicArn.split(':').at(-1) ?? '',
        statements: statements.parse(JSON.parse(Attributes.get('Policy') ?? '')).Statement,
        say: (...its: readonly Fields[]) =>
          call('sns', 'SetTopicAttributes', { TopicArn, AttributeName: 'Policy', AttributeValue: policyText(...its) }),
      };
    },
    attach: (RoleName: string, name: string) => call('iam', 'AttachRolePolicy', { RoleName, PolicyArn: policyArn(name) }),
    detach: (RoleName: string, name: string) => call('iam', 'DetachRolePolicy', { RoleName, PolicyArn: policyArn(name) }),
    put: (RoleName: string, PolicyName: string, ...its: readonly Fields[]) =>
      call('iam', 'PutRolePolicy', { RoleName, PolicyName, PolicyDocument: policyText(...its) }),
  };
}
