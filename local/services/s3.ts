/**
 * S3, as much as publishing and reading a few objects takes: buckets with policies and Block Public Access (`s3-buckets.ts`), objects
 * (`s3-objects.ts`), path-style HTTP (`s3-routes.ts`). No versions, lists, ACLs, uploads in parts or presigned URLs. An unsigned read is
 * made by nobody: only a bucket policy that names everyone lets it in.
 */
import type { LocalService } from '../core/service.ts';
import { type Buckets, bucketOperations } from './s3-buckets.ts';
import { objectOperations } from './s3-objects.ts';
import { respond, route, takesUnsigned } from './s3-routes.ts';

export function createS3(): LocalService {
  const buckets: Buckets = new Map();
  return {
    signingName: 's3',
    protocol: 'rest-xml',
    route,
    respond,
    takesUnsigned: (method, target) => takesUnsigned(method, target, (name) => buckets.has(name)),
    operations: { ...bucketOperations(buckets), ...objectOperations(buckets) },
  };
}
