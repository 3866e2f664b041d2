import { z } from 'zod';

/** What of a customer's account an agent may be given: the template grants it, the probe checks it, the broker narrows each session to it. */
export const serviceName = z.enum(['bedrock', 'dynamodb', 's3', 'sqs']);
export type ServiceName = z.infer<typeof serviceName>;
