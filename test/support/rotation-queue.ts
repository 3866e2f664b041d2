/** The queue of the rotation worker in the hands of a test, which delivers its messages itself. */
import type { LocalCloud } from '../../local/cloud.ts';
import type { Which } from './rotations.ts';
import { dueBody, endSchedules, eventBody, takeWorkerQueueOver, type WorkerQueue } from './worker-queue.ts';

export interface RotationQueue extends Omit<WorkerQueue, 'send'> {
  /** An event of the platform about a credential, as the rule puts it on the queue. */
  sendEvent(which: Which, detailType: string, detail: object): Promise<void>;
  /** What the sweep sends of a credential that is due. */
  sendDue(which: Which, dueAt: number): Promise<void>;
}

/** Takes the queue over from the deployed function, and the schedule from the sweep. */
export async function takeQueueOver(cloud: LocalCloud): Promise<RotationQueue> {
  await endSchedules(cloud);
  const { send, ...queue } = await takeWorkerQueueOver(cloud, 'rotation');
  return {
    ...queue,
    sendEvent: ({ tenantId, credentialId }, detailType, detail) =>
      send(eventBody(cloud, { detailType, detail: { version: 1, tenantId, credentialId, requestedBy: 'test', ...detail } })),
    sendDue: ({ tenantId, credentialId }, dueAt) => send(dueBody(tenantId, `CREDENTIAL#${credentialId}`, dueAt)),
  };
}
