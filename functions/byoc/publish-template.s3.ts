import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { aws, isAwsError } from '../shared/aws-errors.ts';
import type { CustomerTemplate } from './probe/customer-template.ts';

/**
 * Puts the template where customers' CloudFormation reads it. Its key follows from its text, so what is there under it is this very template, and is never
 * overwritten. Source: S3 User Guide, "How to prevent object overwrites with conditional writes".
 *
 * @returns puts it unless it is there, and answers its version. Throws CordonError AWS_UNAVAILABLE | ACCESS_REFUSED | AWS_REFUSED
 */
export function createPublishTemplate(client: S3Client, bucket: string, { text, version, key }: CustomerTemplate): () => Promise<string> {
  return () =>
    aws('publishing the template', async () => {
      const object = { Bucket: bucket, Key: key, Body: text, ContentType: 'application/yaml', IfNoneMatch: '*' };
      try {
        await client.send(new PutObjectCommand(object));
      } catch (error) {
        if (!isAwsError(error, 'PreconditionFailed')) throw error;
      }
      return version;
    });
}
