import { z } from 'zod';

/**
 * What is read of a CloudTrail record, as EventBridge delivers it. Everything else in it is dropped, and whatever a service does not say may be missing: of a call that was refused some
 * keep the parameters and some do not. Source: CloudTrail User Guide, "CloudTrail record contents", "CloudTrail userIdentity element".
 */
const text = z.string().max(8192);
const optional = text.nullish().transform((value) => value ?? undefined);
const tag = z.object({ key: text, value: z.string().max(256).nullish() });

const parameters = z.object({
  secretId: optional,
  name: optional,
  secretIdList: z.array(text).optional(),
  keyId: optional,
  roleArn: optional,
  roleSessionName: optional,
  tags: z.array(tag).optional(),
  encryptionContext: z.record(z.string(), z.string()).optional(),
});

export const trailRecord = z.object({
  eventID: z.string().min(1).max(128),
  eventTime: z.iso.datetime(),
  eventSource: text,
  eventName: text,
  errorCode: optional,
  errorMessage: optional,
  userIdentity: z.object({
    type: text,
    arn: optional,
    principalId: optional,
    accountId: optional,
    invokedBy: optional,
    sessionContext: z.object({ sessionIssuer: z.object({ arn: optional }).optional() }).optional(),
  }),
  requestParameters: z.preprocess((value) => value ?? {}, parameters),
});
export type TrailRecord = z.infer<typeof trailRecord>;

export const trailDetailType = 'AWS API Call via CloudTrail';
