import type { LocalKernel } from './core/kernel.ts';

/** As an administrator of the platform's account makes a trail of its management events. */
export async function startTrail(kernel: LocalKernel): Promise<void> {
  const root = kernel.rootCaller(kernel.accountId);
  const Name = 'management';
  await kernel.call(root, 'cloudtrail', 'CreateTrail', { Name, S3BucketName: 'trail' });
  await kernel.call(root, 'cloudtrail', 'StartLogging', { Name });
}
